"""Laws of the second head: its loss, its quality, and that a verdict never waits for it."""

import dataclasses
import json
from pathlib import Path

import numpy as np
import pytest
import torch
from torch.nn import functional

from bonas.cli import main
from bonas.data.faces import Faces
from bonas.data.regions import Regions
from bonas.device import choose_device
from bonas.localisation import (
    EXAMPLES,
    MOST,
    mean_mask,
    predicted_regions,
    region_loss,
    region_sheet,
    some_faces,
)
from bonas.networks.builder import ForgeryBuilder, MacroBuilder, build_network, build_supernet
from bonas.networks.detector import Detector
from bonas.region_quality import RegionQuality, mean_interval, region_quality
from bonas.training import Recipe, train
from spaces.forgery import FORGERY, FORGERY_CASCADE, ForgerySpace
from spaces.macro import MACRO
from spaces.space import connects, sample
from tests.bonas.test_cli import TINY

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
    assert where.shape == (3, SIZE // 2, SIZE // 2)


def test_a_network_without_the_head_says_so() -> None:
    architecture = connected(FORGERY)
    images = torch.zeros(1, 3, SIZE, SIZE)
    with pytest.raises(ValueError, match="without a head for regions"):
        Detector(build_supernet(WITHOUT, seed=0), architecture).regions(images)
    with pytest.raises(ValueError, match="has no head for regions"):
        Detector(build_supernet(MacroBuilder(width=4), seed=0), connected(MACRO)).regions(images)


@pytest.mark.parametrize("space", [FORGERY, FORGERY_CASCADE])
def test_regions_need_the_first_stage_alone_and_use_what_else_is_live(space: ForgerySpace) -> None:
    live, rng = connected(space, seed=3), np.random.default_rng(0)
    cut = dataclasses.replace(live, choices=(*live.choices[:6], *["none"] * 12, *live.choices[18:]))
    images = torch.rand(2, 3, SIZE, SIZE, generator=torch.Generator().manual_seed(0))
    for architecture in (live, cut):
        if not connects(space, architecture):
            continue
        network = build_network(dataclasses.replace(WITH, space=space), architecture, seed=1)
        network(images, architecture)
        _, where = network.eval().localise(images, architecture)
        assert where.shape == (2, SIZE // 2, SIZE // 2)
        assert bool(torch.isfinite(where).all())
    supernet = build_supernet(dataclasses.replace(WITH, space=space), seed=0)
    path = sample(space, rng=rng)
    path = dataclasses.replace(path, choices=("conv_3x3",) * 18 + path.choices[18:])
    where = supernet.localise(images, path)[1].square().sum()
    where.backward()
    ends = [lateral[1].weight.grad for lateral in supernet.decoder.laterals]
    assert all(gradient is not None and bool(gradient.any()) for gradient in ends)


def test_the_loss_is_cross_entropy_with_shares_and_dice_over_known_images() -> None:
    generator = torch.Generator().manual_seed(0)
    logits = torch.randn(4, 2, 2, generator=generator)
    masks = torch.zeros(4, 4, 4)
    masks[0, :2, :2], masks[1, 0, :] = 1, 1
    target = torch.tensor([[[1.0, 0], [0, 0]], [[0.5, 0.5], [0, 0]], [[0, 0], [0, 0]]])
    entropy = functional.binary_cross_entropy_with_logits(logits[:3], target)
    p = logits[:3].sigmoid()
    dice = [1 - 2 * (p[i] * target[i]).sum() / (p[i].sum() + target[i].sum()) for i in (0, 1)]
    known = torch.tensor([True, True, True, False])
    found = region_loss(logits, masks, known)
    assert torch.allclose(found, entropy + torch.stack(dice).mean())
    right = 60 * (2 * (target[:1] > 0).float() - 1)
    assert float(region_loss(right, masks[:1], known[:1])) == pytest.approx(0, abs=1e-6)
    empty = region_loss(logits[2:3], masks[2:3], known[2:3])
    plain = functional.binary_cross_entropy_with_logits(logits[2:3], target[2:3])
    assert torch.allclose(empty, plain), "nothing to overlap with"
    changed = masks.clone()
    changed[3] = 1
    assert torch.equal(region_loss(logits, masks, known), region_loss(logits, changed, known))
    assert region_loss(logits, masks, torch.zeros(4, dtype=torch.bool)) == 0


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
    assert perfect.auc_interval == (1, 1)
    assert perfect.lead_interval == (0.5, 0.5)
    assert set(perfect.by_type) == {"spot"}
    assert RegionQuality.from_json(perfect.to_json()) == perfect
    old = {"auc": 0.9, "prior_auc": 0.8, "iou": 0.2, "images": 3}
    assert RegionQuality.from_json(old) == RegionQuality(0.9, 0.8, 0.2, 3)
    assert "pixel AUC 0.900, the mean mask" in RegionQuality.from_json(old).describe()[0]
    with pytest.raises(ValueError, match="no regions"):
        region_quality(right, dataclasses.replace(faces, regions=None), prior=prior)


def test_quality_is_told_of_each_type_of_forgery() -> None:
    faces = spotted_faces(4)
    domains = tuple("real" if i % 2 == 0 else ("a", "b")[i // 2 % 2] for i in range(8))
    faces = dataclasses.replace(faces, domains=domains)
    predicted = faces.require_regions().masks.float() / 255
    predicted[[i for i, d in enumerate(domains) if d == "b"]] *= -1
    quality = region_quality(predicted, faces, prior=torch.zeros(SIZE, SIZE))
    assert quality is not None
    assert {name: (q.auc, q.images) for name, q in quality.by_type.items()} == {
        "a": (1, 2),
        "b": (0, 2),
    }
    assert quality.auc == 0.5
    assert "a: pixel AUC 1.000" in quality.describe()[1]


def test_an_interval_covers_the_mean_and_knows_that_images_of_an_original_belong_together() -> None:
    rng = np.random.default_rng(0)
    values = np.repeat(rng.normal(0.8, 0.1, 20), 10).tolist()
    together = mean_interval(values, [str(i // 10) for i in range(200)])
    apart = mean_interval(values, [str(i) for i in range(200)])
    assert together[0] < np.mean(values) < together[1]
    deviation = np.std(values[::10]) / np.sqrt(20)
    assert together[1] - together[0] == pytest.approx(2 * 1.96 * deviation, rel=0.15)
    assert together[1] - together[0] > 2.5 * (apart[1] - apart[0])


def test_the_picture_shows_faces_of_each_type_with_mask_and_prediction() -> None:
    faces = spotted_faces(4)
    assert faces.regions is not None
    picture, names = region_sheet(faces.regions.masks.float() / 255, faces)
    assert names == ("real", "real", "spot", "spot")
    assert picture.size == (4 * SIZE, 3 * SIZE)
    pixels = np.asarray(picture)
    assert (pixels[SIZE : 2 * SIZE] == pixels[2 * SIZE :]).all()
    assert (pixels[:SIZE, :SIZE] == faces.images[0].permute(1, 2, 0).numpy()).all()


def real_first(originals: int = 300, frames: int = 3) -> Faces:
    """As videos are listed: all real ones, then two types of forgery, type by type."""
    types = ("real", "early", "late")
    names = [(t, str(o)) for t in types for o in range(originals) for _ in range(frames)]
    count = len(names)
    known = torch.full((count,), True)
    known[-frames:] = False  # of the last original's last type
    return Faces(
        torch.zeros(count, 3, 4, 4, dtype=torch.uint8),
        torch.tensor([int(t != "real") for t, _ in names]),
        tuple(o for _, o in names),
        tuple(t for t, _ in names),
        regions=Regions(torch.zeros(count, 4, 4, dtype=torch.uint8), known),
    )


def test_regions_are_measured_on_all_types_and_many_originals_in_whatever_order() -> None:
    faces = real_first()
    some = some_faces(faces)
    assert some.regions is not None
    measured = [i for i in range(len(some)) if some.labels[i] == 1 and some.regions.known[i]]
    assert len(measured) == MOST
    for forgery in ("early", "late"):
        originals = [some.originals[i] for i in measured if some.domains[i] == forgery]
        assert len(originals) == MOST // 2 == len(set(originals))
    assert some.domains.count("real") == EXAMPLES
    assert len(set(some.originals[:EXAMPLES])) == EXAMPLES, "the picture shows several people"
    few = some_faces(real_first(originals=4))
    assert few.domains.count("early") == 12, "all of them where they are few"


def test_a_detector_that_is_tested_keeps_what_it_finds_and_a_picture(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """From `bonas train` with a second head to the page that shows its regions."""
    (tmp_path / "tiny.toml").write_text(TINY)
    command = ["search", str(tmp_path / "tiny.toml"), "--out", str(tmp_path / "run")]
    assert main([*command, "--set", "space.localisation=0.5"]) == 0
    assert main(["train", str(tmp_path / "run")]) == 0
    assert main(["report", str(tmp_path / "run")]) == 0
    capsys.readouterr()
    (file,) = (tmp_path / "run" / "detectors").glob("*/metrics.json")
    regions = json.loads(file.read_text())["regions"]
    assert regions["images"] > 0
    assert set(regions["by_type"]) == {"attribute", "swap", "synthesis"}
    page = (tmp_path / "run" / "report.html").read_text()
    assert "Where was it manipulated?" in page
    assert "Test faces in columns, from left to right: real (2)" in page
    assert 'src="data:image/png;base64,' in page
