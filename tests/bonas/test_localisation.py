"""Laws of the second head: its loss, its quality, and that a verdict never waits for it."""

import dataclasses

import numpy as np
import pytest
import torch
from torch.nn import functional

from bonas.data.faces import Faces
from bonas.data.regions import Regions
from bonas.device import choose_device
from bonas.localisation import (
    mean_mask,
    predicted_regions,
    region_loss,
    region_quality,
    region_sheet,
)
from bonas.networks.builder import ForgeryBuilder, MacroBuilder, build_network, build_supernet
from bonas.networks.detector import Detector
from bonas.training import Recipe, train
from spaces.forgery import FORGERY, FORGERY_CASCADE, ForgerySpace
from spaces.macro import MACRO
from spaces.space import connects, sample

WITH = ForgeryBuilder(width=4, level_width=8, regions=True)
WITHOUT = ForgeryBuilder(width=4, level_width=8)
CPU = choose_device("cpu")
SIZE = 32


def connected(space, seed: int = 0):
    rng = np.random.default_rng(seed)
    while True:
        architecture = sample(space, rng=rng)
        if connects(space, architecture):
            return architecture


def spotted_faces(count: int = 24) -> Faces:
    """Noise; a forged one has a bright square, its mask, in one of four corners."""
    generator = torch.Generator().manual_seed(0)
    images = torch.randint(60, 120, (2 * count, 3, SIZE, SIZE), generator=generator)
    masks = torch.zeros(2 * count, SIZE, SIZE, dtype=torch.uint8)
    for pair in range(count):
        top, left = (16 * (pair // k % 2) for k in (1, 2))
        masks[2 * pair + 1, top : top + 16, left : left + 16] = 255
    images = torch.where(masks[:, None] > 0, images + 100, images).to(torch.uint8)
    labels = torch.arange(2 * count) % 2
    return Faces(
        images,
        labels,
        tuple(str(i // 2) for i in range(2 * count)),
        tuple("spot" if i % 2 else "real" for i in range(2 * count)),
        regions=Regions(masks, torch.full((2 * count,), True)),
    )


@pytest.mark.parametrize("space", [FORGERY, FORGERY_CASCADE])
def test_the_second_head_changes_no_other_weight_and_no_verdict(space: ForgerySpace) -> None:
    images = torch.randn(3, 3, SIZE, SIZE, generator=torch.Generator().manual_seed(0))
    architecture = connected(space)
    one, two = (
        build_network(dataclasses.replace(b, space=space), architecture, seed=1).eval()
        for b in (WITH, WITHOUT)
    )
    others = one.state_dict()
    assert all(torch.equal(others[name], tensor) for name, tensor in two.state_dict().items())
    logits, where = one.localise(images, architecture)
    assert torch.equal(logits, two(images, architecture))
    assert torch.equal(logits, one(images, architecture))
    assert where.shape == (3, SIZE // 8, SIZE // 8)


def test_a_network_without_the_head_says_so() -> None:
    architecture = connected(FORGERY)
    images = torch.zeros(1, 3, SIZE, SIZE)
    with pytest.raises(ValueError, match="without a head for regions"):
        Detector(build_supernet(WITHOUT, seed=0), architecture).regions(images)
    with pytest.raises(ValueError, match="has no head for regions"):
        Detector(build_supernet(MacroBuilder(width=4), seed=0), connected(MACRO)).regions(images)


def test_the_loss_is_cross_entropy_with_shares_over_known_images() -> None:
    generator = torch.Generator().manual_seed(0)
    logits = torch.randn(3, 2, 2, generator=generator)
    masks = torch.zeros(3, 4, 4)
    masks[0, :2, :2], masks[1, 0, :] = 1, 1
    expected = functional.binary_cross_entropy_with_logits(
        logits[:2], torch.tensor([[[1.0, 0], [0, 0]], [[0.5, 0.5], [0, 0]]])
    )
    known = torch.tensor([True, True, False])
    assert torch.allclose(region_loss(logits, masks, known), expected)
    changed = masks.clone()
    changed[2] = 1
    assert torch.equal(region_loss(logits, masks, known), region_loss(logits, changed, known))
    assert region_loss(logits, masks, torch.zeros(3, dtype=torch.bool)) == 0


def test_training_with_masks_finds_regions_better_than_the_mean_mask() -> None:
    faces, architecture = spotted_faces(), connected(FORGERY)
    network = build_network(WITH, architecture, seed=0)
    recipe = Recipe(steps=60, batch_size=16, learning_rate=1e-2, localisation=1.0)
    train(network, lambda rng: architecture, faces, recipe, CPU, seed=0)
    predicted = predicted_regions(Detector(network, architecture).eval(), faces.images, CPU)
    assert predicted.shape == (len(faces), SIZE, SIZE)
    quality = region_quality(predicted, faces, prior=mean_mask(faces))
    assert quality is not None
    assert quality.images == len(faces) // 2
    assert quality.auc > 0.9 > 0.6 > quality.prior_auc


def test_without_weight_or_masks_training_is_what_it_was() -> None:
    faces, architecture = spotted_faces(8), connected(FORGERY)
    recipe = Recipe(steps=3, batch_size=8)
    trained = []
    for given, weight in ((faces, 0.0), (dataclasses.replace(faces, regions=None), 1.0)):
        network = build_network(WITH, architecture, seed=0)
        how = dataclasses.replace(recipe, localisation=weight)
        train(network, lambda rng: architecture, given, how, CPU, seed=0)
        trained.append(network.state_dict())
    first, second = trained
    assert all(torch.equal(first[name], second[name]) for name in first)


def test_quality_of_perfect_inverted_and_unknown_regions() -> None:
    faces = spotted_faces(4)
    assert faces.regions is not None
    right, prior = faces.regions.masks.float() / 255, torch.zeros(SIZE, SIZE)
    perfect = region_quality(right, faces, prior=prior)
    assert perfect is not None
    assert (perfect.auc, perfect.prior_auc, perfect.iou, perfect.images) == (1, 0.5, 1, 4)
    wrong = region_quality(1 - right, faces, prior=prior)
    assert wrong is not None
    assert (wrong.auc, wrong.iou) == (0, 0)
    unknown = Regions(faces.regions.masks, torch.full((len(faces),), False))
    assert region_quality(right, dataclasses.replace(faces, regions=unknown), prior=prior) is None
    with pytest.raises(ValueError, match="no regions"):
        region_quality(right, dataclasses.replace(faces, regions=None), prior=prior)


def test_the_picture_shows_faces_of_each_type_with_mask_and_prediction() -> None:
    faces = spotted_faces(4)
    assert faces.regions is not None
    picture, names = region_sheet(faces.regions.masks.float() / 255, faces)
    assert names == ("real", "real", "spot", "spot")
    assert picture.size == (4 * SIZE, 3 * SIZE)
    pixels = np.asarray(picture)
    assert (pixels[SIZE : 2 * SIZE] == pixels[2 * SIZE :]).all()
    assert (pixels[:SIZE, :SIZE] == faces.images[0].permute(1, 2, 0).numpy()).all()
