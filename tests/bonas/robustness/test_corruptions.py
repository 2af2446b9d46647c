import importlib.util
from collections.abc import Iterator

import numpy as np
import pytest
import torch
from torch import Tensor

from bonas.robustness import corruptions
from bonas.robustness.conditions import CLEAN, Condition, Group
from bonas.robustness.corruptions import (
    LEVELS,
    STANDARD,
    Corruption,
    corrupt,
    corrupted_views,
    corruption_definition,
    corruption_of,
)

DRAWING = (Corruption.NOISE, Corruption.SHOT_NOISE, Corruption.BLOCK)
needs_av = pytest.mark.skipif(
    importlib.util.find_spec("av") is None, reason="needs PyAV, of the extra video"
)
EACH = [*STANDARD, pytest.param(Corruption.VIDEO, marks=needs_av)]
FIXED = [c for c in EACH if c not in DRAWING]


def textured(count: int, height: int, width: int, slope: float = 1.0) -> Tensor:
    """Coloured images whose spectrum falls like that of photographs, as `1 / f ** slope`."""
    rng = np.random.default_rng([height, width])
    frequency = np.hypot(np.fft.fftfreq(height)[:, None], np.fft.fftfreq(width)[None, :])
    frequency[0, 0] = 1.0 / max(height, width)
    noise = rng.normal(size=(2, count, 3, height, width))
    x = np.fft.ifft2((noise[0] + 1j * noise[1]) / frequency**slope).real
    x += 2.0 * x.mean(axis=1, keepdims=True)
    x *= 45.0 / x.std(axis=(1, 2, 3), keepdims=True)
    return torch.from_numpy(np.clip(x + 120.0, 0, 255).astype(np.uint8))


def seeded(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def change(images: Tensor, corruption: Corruption, severity: int) -> Tensor:
    """Mean absolute difference of each image, in levels of 8 bits."""
    changed = corrupt(images, corruption, severity, generator=seeded())
    return (changed.float() - images.float()).abs().mean(dim=(1, 2, 3))


@pytest.mark.parametrize("slope", [1.0, 1.6])
@pytest.mark.parametrize("size", [(32, 32), (64, 64), (96, 96), (224, 224), (71, 120)])
@pytest.mark.parametrize("corruption", EACH)
def test_every_severity_changes_every_image_by_more_than_the_one_before(
    corruption: Corruption, size: tuple[int, int], slope: float
) -> None:
    images = textured(3, *size, slope=slope)
    changes = torch.stack([change(images, corruption, severity) for severity in range(1, 6)])
    assert (changes[0] > 0.3).all()
    assert (changes.diff(dim=0) > 0.0).all()


@pytest.mark.parametrize("corruption", EACH)
def test_images_keep_shape_type_and_are_left_alone(corruption: Corruption) -> None:
    images = textured(2, 40, 56)
    before = images.clone()
    changed = corrupt(images, corruption, 3, generator=seeded())
    assert changed.shape == images.shape
    assert changed.dtype == torch.uint8
    assert changed.is_contiguous()
    assert torch.equal(images, before)


@pytest.mark.parametrize("corruption", EACH)
def test_one_seed_gives_one_result_however_images_are_batched(corruption: Corruption) -> None:
    images = textured(70, 32, 32)
    whole = corrupt(images, corruption, 3, generator=seeded())
    generator = seeded()
    parts = [
        corrupt(p, corruption, 3, generator=generator) for p in torch.split(images, [1, 2, 67])
    ]
    assert torch.equal(whole, torch.cat(parts))


@pytest.mark.parametrize("corruption", EACH)
def test_only_drawing_corruptions_use_the_generator(corruption: Corruption) -> None:
    generator = seeded()
    images = textured(2, 64, 64)
    first = corrupt(images, corruption, 3, generator=generator)
    second = corrupt(images, corruption, 3, generator=generator)
    fixed = corruption not in DRAWING
    assert torch.equal(first, second) == fixed
    assert torch.equal(generator.get_state(), seeded().get_state()) == fixed


@pytest.mark.parametrize("corruption", EACH)
def test_no_global_random_state_is_touched(corruption: Corruption) -> None:
    before = torch.get_rng_state()
    corrupt(textured(1, 32, 32), corruption, 5, generator=seeded())
    assert torch.equal(torch.get_rng_state(), before)


@pytest.mark.parametrize("corruption", FIXED)
def test_a_plain_grey_image_stays_as_it_is(corruption: Corruption) -> None:
    plain = torch.full((1, 3, 64, 64), 128, dtype=torch.uint8)
    assert torch.equal(corrupt(plain, corruption, 5, generator=seeded()), plain)


def test_no_images_stay_no_images() -> None:
    none = torch.empty(0, 3, 32, 32, dtype=torch.uint8)
    for corruption in Corruption:
        assert corrupt(none, corruption, 1, generator=seeded()).shape == none.shape


@pytest.mark.parametrize("severity", [1, 3, 5])
def test_noise_has_its_stated_spread_and_mean(severity: int) -> None:
    plain = torch.full((4, 3, 128, 128), 128, dtype=torch.uint8)
    sigma = LEVELS[Corruption.NOISE][severity - 1] * 255.0
    noisy = corrupt(plain, Corruption.NOISE, severity, generator=seeded()).float() - 128.0
    assert noisy.std().item() == pytest.approx(sigma, rel=0.02)
    assert noisy.mean().item() == pytest.approx(0.0, abs=0.02 * sigma)


@pytest.mark.parametrize("severity", [1, 3])
def test_shot_noise_grows_with_the_root_of_brightness(severity: int) -> None:
    photons = LEVELS[Corruption.SHOT_NOISE][severity - 1]
    for grey in (32, 64, 128):
        plain = torch.full((4, 3, 128, 128), grey, dtype=torch.uint8)
        noisy = corrupt(plain, Corruption.SHOT_NOISE, severity, generator=seeded()).float()
        expected = 255.0 * (grey / 255.0 / photons) ** 0.5
        assert noisy.std().item() == pytest.approx(expected, rel=0.03)
        assert noisy.mean().item() == pytest.approx(grey, rel=0.02)


@pytest.mark.parametrize("size", [64, 224])
def test_blur_spreads_a_point_by_its_share_of_the_image(size: int) -> None:
    sigma = LEVELS[Corruption.BLUR][4] * size
    image = torch.zeros(1, 3, size, size, dtype=torch.uint8)
    image[..., size // 2 :] = 255
    row = corrupt(image, Corruption.BLUR, 5, generator=seeded())[0, 0, size // 2].double() / 255.0
    # The blurred edge is the Gaussian's distribution function; its slope is the Gaussian.
    slope = row.diff().clamp(min=0.0)
    places = torch.arange(size - 1, dtype=torch.float64)
    mean = (slope * places).sum() / slope.sum()
    spread = ((slope * (places - mean) ** 2).sum() / slope.sum()).sqrt().item()
    assert spread == pytest.approx((sigma**2 + 1.0 / 12.0) ** 0.5, rel=0.03)
    assert mean.item() == pytest.approx(size // 2 - 1, abs=0.05)


def test_blocks_hide_their_share_in_grey_and_leave_the_rest() -> None:
    images = textured(3, 96, 160)
    images[images == 128] = 127
    hidden_before = torch.zeros(3, 96, 160, dtype=torch.bool)
    for severity in range(1, 6):
        changed = corrupt(images, Corruption.BLOCK, severity, generator=seeded())
        hidden = (changed == 128).all(dim=1)
        share = LEVELS[Corruption.BLOCK][severity - 1] / 256
        np.testing.assert_allclose(hidden.float().mean(dim=(1, 2)), share, rtol=1e-6)
        assert torch.equal(changed.movedim(1, -1)[~hidden], images.movedim(1, -1)[~hidden])
        assert not (hidden_before & ~hidden).any()
        hidden_before = hidden
    assert not torch.equal(hidden[0], hidden[1])


def test_contrast_keeps_the_mean_and_scales_the_spread() -> None:
    images = textured(3, 64, 64)
    changed = corrupt(images, Corruption.CONTRAST, 5, generator=seeded()).float()
    spread = changed.std(dim=(1, 2, 3)) / images.float().std(dim=(1, 2, 3))
    np.testing.assert_allclose(spread, LEVELS[Corruption.CONTRAST][4], rtol=0.01)


def test_the_strongest_saturation_loss_leaves_grey() -> None:
    changed = corrupt(textured(2, 64, 64), Corruption.SATURATION, 5, generator=seeded())
    assert torch.equal(changed[:, 0], changed[:, 1])
    assert torch.equal(changed[:, 0], changed[:, 2])


def test_resizing_removes_detail_and_keeps_brightness() -> None:
    y, x = torch.meshgrid(torch.arange(64), torch.arange(64), indexing="ij")
    board = ((x + y) % 2 * 255).to(torch.uint8).expand(1, 3, 64, 64)
    changed = corrupt(board, Corruption.RESIZE, 3, generator=seeded()).float()
    assert changed.mean().item() == pytest.approx(127.5, abs=2.0)
    assert changed.std().item() < 0.1 * board.float().std().item()


@pytest.mark.parametrize("corruption", EACH)
def test_autocast_around_a_corruption_changes_nothing(corruption: Corruption) -> None:
    images = textured(2, 64, 64)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        inside = corrupt(images, corruption, 3, generator=seeded())
    assert torch.equal(inside, corrupt(images, corruption, 3, generator=seeded()))


@pytest.mark.parametrize(
    ("images", "message"),
    [
        (torch.zeros(2, 3, 64, 64), "must be uint8 of shape"),
        (torch.zeros(2, 1, 64, 64, dtype=torch.uint8), r"got torch.uint8 of shape \(2, 1, 64, 64"),
        (torch.zeros(3, 64, 64, dtype=torch.uint8), "must be uint8 of shape"),
        (torch.zeros(2, 3, 31, 64, dtype=torch.uint8), "at least 32 pixels .* got 31 x 64"),
    ],
)
def test_images_of_another_kind_are_refused(images: Tensor, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        corrupt(images, Corruption.BLUR, 1, generator=seeded())


@pytest.mark.parametrize("severity", [0, 6, -1])
def test_severities_outside_one_to_five_are_refused(severity: int) -> None:
    with pytest.raises(ValueError, match=f"severity must be 1 to 5, got {severity}"):
        corrupt(textured(1, 32, 32), Corruption.BLUR, severity, generator=seeded())


def conditions() -> Iterator[Condition]:
    for corruption in (Corruption.NOISE, Corruption.BLOCK, Corruption.JPEG):
        for severity in (1, 4):
            yield Condition(Group.CORRUPTION, corruption.value, severity)


def test_views_do_not_depend_on_the_conditions_beside_them() -> None:
    images = textured(2, 32, 32)
    together = dict(corrupted_views(images, conditions(), seed=3))
    assert list(together) == list(conditions())
    for condition in reversed(list(conditions())):
        ((_, alone),) = corrupted_views(images, [condition], seed=3)
        assert torch.equal(together[condition], alone)


def test_severities_share_their_noise_and_corruptions_and_seeds_do_not(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def first_draw(
        images: Tensor, corruption: Corruption, severity: int, *, generator: torch.Generator
    ) -> Tensor:
        return torch.rand(1, generator=generator)

    monkeypatch.setattr(corruptions, "corrupt", first_draw)
    images, draws = torch.empty(0), {}
    for seed in (0, 1):
        for condition, draw in corrupted_views(images, conditions(), seed=seed):
            draws[condition.name, condition.severity, seed] = draw.item()
    for name in ("noise", "block", "jpeg"):
        assert draws[name, 1, 0] == draws[name, 4, 0]
    assert len(set(draws.values())) == 6


@pytest.mark.parametrize("condition", [CLEAN, Condition(Group.CORRUPTION, "rain", 1)])
def test_conditions_that_are_no_corruption_here_are_refused(condition: Condition) -> None:
    with pytest.raises(ValueError, match=f"got {condition.key}"):
        next(corrupted_views(textured(1, 32, 32), [condition], seed=0))


def test_a_definition_names_level_and_version() -> None:
    blur = Condition(Group.CORRUPTION, "blur", 2)
    assert corruption_of(blur) == (Corruption.BLUR, 2)
    assert corruption_definition(blur) == {"corruption": "blur", "level": 0.012, "version": 1}


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
@pytest.mark.parametrize("corruption", EACH)
def test_a_gpu_gives_the_pixels_of_the_cpu_up_to_rounding(corruption: Corruption) -> None:
    images = textured(4, 224, 224)
    on_cpu = corrupt(images, corruption, 3, generator=seeded())
    on_gpu = corrupt(images.cuda(), corruption, 3, generator=seeded())
    assert on_gpu.is_cuda
    difference = (on_gpu.cpu().int() - on_cpu.int()).abs()
    assert difference.max().item() <= 1
    assert (difference > 0).float().mean().item() < 1e-3


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
def test_a_generator_of_another_device_is_refused() -> None:
    with pytest.raises(ValueError, match="generator must be on the CPU"):
        corrupt(textured(1, 32, 32), Corruption.NOISE, 1, generator=torch.Generator("cuda"))
