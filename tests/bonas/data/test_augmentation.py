from collections.abc import Callable
from dataclasses import replace

import pytest
import torch

from bonas.data.augmentation import NO_AUGMENTATION, Augmentation
from bonas.data.degradations import DEGRADATIONS, compressed, noised
from bonas.data.faces import Faces

STRONG = Augmentation(flip=0.5, zoom=0.3, rotation=20, colour=0.5, degrade=1.0, erase=1.0)


Degradation = Callable[[torch.Tensor, torch.Tensor, torch.Generator], torch.Tensor]


def generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def test_without_ranges_images_stay_as_they_are(faces: Faces) -> None:
    changed = NO_AUGMENTATION(faces.images, generator=generator())
    assert torch.equal(changed, faces.images.float() / 255)


def test_a_certain_flip_is_the_mirror_image(faces: Faces) -> None:
    mirror = replace(NO_AUGMENTATION, flip=1.0)
    changed = mirror(faces.images, generator=generator())
    assert torch.equal(changed, faces.images.flip(-1).float() / 255)


def test_a_flip_by_resampling_is_the_same_mirror_image(faces: Faces) -> None:
    # A rotation of nearly nothing sends the images through the affine path.
    mirror = replace(NO_AUGMENTATION, flip=1.0, rotation=1e-9)
    changed = mirror(faces.images, generator=generator())
    assert torch.allclose(changed, faces.images.flip(-1).float() / 255, atol=1e-4)


def test_a_shift_moves_by_whole_pixels_and_reflects_the_border(faces: Faces) -> None:
    changed = replace(NO_AUGMENTATION, shift=0.1)(faces.images, generator=generator(3)) * 255
    padded = torch.nn.functional.pad(faces.images.float(), (3, 3, 3, 3), mode="reflect")
    for image, wide in zip(changed, padded, strict=True):
        windows = wide.unfold(1, 32, 1).unfold(2, 32, 1)  # (3, 7, 7, 32, 32)
        assert (windows - image[:, None, None]).abs().amax((0, 3, 4)).min() < 1e-3
    assert not torch.allclose(changed, faces.images.float())


@pytest.mark.parametrize("seed", range(8))
def test_images_stay_in_range_and_shape_whatever_is_drawn(faces: Faces, seed: int) -> None:
    changed = STRONG(faces.images, generator=generator(seed))
    assert changed.shape == faces.images.shape
    assert torch.isfinite(changed).all()
    assert changed.min() >= 0
    assert changed.max() <= 1
    assert not torch.allclose(changed, faces.images.float() / 255)


def test_the_same_generator_state_gives_the_same_images(faces: Faces) -> None:
    first = STRONG(faces.images, generator=generator(5))
    assert torch.equal(first, STRONG(faces.images, generator=generator(5)))
    assert not torch.equal(first, STRONG(faces.images, generator=generator(6)))


def test_augmentation_leaves_torchs_own_generator_alone(faces: Faces) -> None:
    before = torch.random.get_rng_state()
    STRONG(faces.images, generator=generator())
    assert torch.equal(before, torch.random.get_rng_state())


@pytest.mark.parametrize("augmentation", [STRONG, Augmentation(), NO_AUGMENTATION])
def test_masks_do_not_change_what_becomes_of_the_images(
    faces: Faces, augmentation: Augmentation
) -> None:
    masks = faces.images[:, 1].contiguous()
    first, second = generator(2), generator(2)
    images, _ = augmentation.with_masks(faces.images, masks, generator=first)
    assert torch.equal(images, augmentation(faces.images, generator=second))
    assert torch.equal(first.get_state(), second.get_state())


@pytest.mark.parametrize(
    "moves",
    [
        replace(NO_AUGMENTATION, flip=0.5),
        replace(NO_AUGMENTATION, shift=0.1),
        replace(NO_AUGMENTATION, flip=0.5, zoom=0.3, rotation=20),
    ],
)
def test_moving_an_image_moves_its_mask_alike(faces: Faces, moves: Augmentation) -> None:
    masks = faces.images[:, 0].contiguous()
    images, moved = moves.with_masks(faces.images, masks, generator=generator(1))
    assert torch.equal(moved, images[:, 0])
    assert not torch.equal(moved, masks.float() / 255)


def test_what_only_repaints_an_image_leaves_its_mask(faces: Faces) -> None:
    masks = faces.images[:, 0].contiguous()
    paint = replace(NO_AUGMENTATION, colour=0.5, degrade=1.0, erase=1.0)
    _, moved = paint.with_masks(faces.images, masks, generator=generator())
    assert torch.equal(moved, masks.float() / 255)


def test_each_image_draws_its_own_change(faces: Faces) -> None:
    same = faces.images[:1].expand(6, -1, -1, -1)
    changed = Augmentation(degrade=0, flip=0)(same, generator=generator())
    assert not torch.allclose(changed[0], changed[1])


@pytest.mark.parametrize("seed", range(8))
def test_each_image_draws_its_own_degradation(faces: Faces, seed: int) -> None:
    same = faces.images[:1].expand(40, -1, -1, -1)
    changed = replace(NO_AUGMENTATION, degrade=1.0)(same, generator=generator(seed))
    # Of 32 pixels there are twenty reduced sizes, so that some of ten may be equal.
    assert len(torch.unique(changed, dim=0)) >= 32


@pytest.mark.parametrize("change", DEGRADATIONS, ids=lambda change: change.__name__)
def test_a_stronger_degradation_leaves_an_image_further_behind(
    faces: Faces, change: Degradation
) -> None:
    same = faces.images[:1].expand(5, -1, -1, -1).float() / 255
    changed = change(same, torch.linspace(0, 1, 5), generator())
    distances = (changed - same).square().mean((1, 2, 3))
    order = distances.argsort(descending=change is compressed)
    assert order.tolist() == list(range(5)), "strength of JPEG is its quality"


@pytest.mark.parametrize("change", [d for d in DEGRADATIONS if d is not noised])
def test_a_batch_is_degraded_as_its_images_are_one_by_one(
    faces: Faces, change: Degradation
) -> None:
    images, strengths = faces.images[:6].float() / 255, torch.linspace(0, 1, 6)
    alone = [
        change(image, strength, generator())
        for image, strength in zip(images.split(1), strengths.split(1), strict=True)
    ]
    together = change(images, strengths, generator())
    assert torch.allclose(together, torch.cat(alone), atol=1e-5)


@pytest.mark.parametrize("name", ["flip", "shift", "zoom", "colour", "degrade", "erase"])
@pytest.mark.parametrize("value", [-0.1, 1.1])
def test_a_range_outside_its_bounds_is_an_error(name: str, value: float) -> None:
    with pytest.raises(ValueError, match=rf"augmentation.{name} is {value}"):
        Augmentation(**{name: value})


def test_an_impossible_rotation_is_an_error() -> None:
    with pytest.raises(ValueError, match="rotation is 190"):
        Augmentation(rotation=190)


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
@pytest.mark.parametrize(
    "part",
    [{"flip": 0.5, "shift": 0.1}, {"zoom": 0.3, "rotation": 20}, {"colour": 0.5}, {"erase": 1.0}],
    ids=lambda part: "-".join(part),
)
def test_a_seed_gives_the_same_images_on_cuda(faces: Faces, part: dict[str, float]) -> None:
    augmentation = replace(NO_AUGMENTATION, **part)
    here = augmentation(faces.images, generator=generator())
    there = augmentation(faces.images.cuda(), generator=generator())
    assert there.is_cuda
    assert torch.allclose(here, there.cpu(), atol=1e-4)


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
@pytest.mark.parametrize("seed", range(12))
def test_a_seed_degrades_alike_on_cuda(faces: Faces, seed: int) -> None:
    """Blur, noise, JPEG or resampling; of JPEG coefficients may round to the other side."""
    augmentation = replace(NO_AUGMENTATION, degrade=1.0)
    here = augmentation(faces.images, generator=generator(seed))
    there = augmentation(faces.images.cuda(), generator=generator(seed)).cpu()
    difference = (here - there).abs()
    assert difference.max() < 0.05
    assert difference.mean() < 1e-3
