"""Corruptions that images meet between a camera and a detector, in five severities.

Lengths (blur width, block size, the size scaled down to) are shares of the image's own size, so a
severity means the same for a crop of 64 pixels as for one of 224. The levels span what platforms
and messengers do to a picture (1-2) up to where a person begins to doubt (5); each changes the
pixels by more than the one before. The families are those of Hendrycks and Dietterich (2019) and
of the perturbations of DeeperForensics-1.0 (Jiang et al. 2020); the levels are our own.

Images are `n x 3 x h x w`, uint8, sRGB. The work is done on the images' device in float32, JPEG by
Pillow and video by PyAV on the CPU. **Random draws come from a generator on the CPU, image by
image**: the same seed gives the same noise on every device and however the images are split into
batches. Devices round differently, so a pixel may differ by one level between a CPU and a GPU.
"""

import math
from collections.abc import Callable, Iterable, Iterator
from enum import StrEnum
from functools import partial

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from bonas.robustness.conditions import SEVERITIES, Condition, Group, Scalar
from bonas.robustness.jpeg import codec_fingerprint, recompress
from bonas.robustness.video import reencode, video_fingerprint

VERSION = 1  # of the pixels: raise it whenever a change below alters any of them
_BATCH = 64  # images in float32 at once: 38 MB at 224 pixels
_SMALLEST = 32  # pixels; below, the mildest blur is too narrow to change any of them
_GRID = 16  # blocks per side
_LUMA = (0.299, 0.587, 0.114)  # Rec. 601, as in JPEG


class Corruption(StrEnum):
    """Kinds of corruption; `LEVELS` says what a severity means for each."""

    JPEG = "jpeg"
    BLUR = "blur"
    NOISE = "noise"
    SHOT_NOISE = "shot_noise"
    RESIZE = "resize"
    CONTRAST = "contrast"
    SATURATION = "saturation"
    BLOCK = "block"
    VIDEO = "video"  # needs the extra `video`


STANDARD = tuple(c for c in Corruption if c is not Corruption.VIDEO)
"""Those that need no extra."""

LEVELS: dict[Corruption, tuple[float, ...]] = {
    Corruption.JPEG: (85, 65, 45, 25, 10),  # Pillow's quality, chroma halved both ways (4:2:0)
    Corruption.BLUR: (0.008, 0.012, 0.018, 0.026, 0.036),  # sigma over the shorter side
    Corruption.NOISE: (0.02, 0.04, 0.07, 0.11, 0.16),  # sigma, white being 1
    Corruption.SHOT_NOISE: (400, 160, 70, 35, 15),  # photons in a white pixel
    Corruption.RESIZE: (0.75, 0.5, 0.35, 0.25, 0.15),  # size in between over size
    Corruption.CONTRAST: (0.8, 0.6, 0.45, 0.3, 0.2),  # contrast kept
    Corruption.SATURATION: (0.75, 0.5, 0.3, 0.15, 0.0),  # colour kept
    Corruption.BLOCK: (12, 25, 42, 62, 88),  # blocks turned grey, of 16 x 16
    Corruption.VIDEO: (18, 23, 28, 34, 40),  # H.264's constant rate factor
}


def corrupt(
    images: Tensor, corruption: Corruption, severity: int, *, generator: torch.Generator
) -> Tensor:
    """The images after one corruption, `n x 3 x h x w`, uint8, on their device.

    Only noise, shot noise and blocks draw from the generator. With equal draws a higher severity
    adds the same noise, stronger, and hides the same blocks and more.

    Args:
        images: `n x 3 x h x w`, uint8, at least 32 pixels high and wide.
        corruption: what happens to them.
        severity: 1 (mild) to 5.
        generator: on the CPU, whatever the images' device.

    Raises:
        ValueError: an argument is none of these.
    """
    _check_images(images)
    if severity not in SEVERITIES:
        raise ValueError(f"severity must be 1 to 5, got {severity}; 1 is the mildest")
    if generator.device.type != "cpu":
        raise ValueError(
            f"generator must be on the CPU, got one on {generator.device}; the noise is then the "
            f"same on every device"
        )
    if not len(images):
        return images.clone()
    level = LEVELS[corruption][severity - 1]
    if corruption is Corruption.JPEG:
        return recompress(images, int(level))
    if corruption is Corruption.VIDEO:
        return reencode(images, int(level))
    batches = [_corrupted(b, corruption, level, generator) for b in torch.split(images, _BATCH)]
    return torch.cat(batches)


def corrupted_views(
    images: Tensor, conditions: Iterable[Condition], *, seed: int
) -> Iterator[tuple[Condition, Tensor]]:
    """The images under each condition in turn: make them once, keep them, test every detector.

    The noise of a condition depends on the seed and its corruption alone, not on the conditions
    beside it; the severities of one corruption share it. A data set that is passed in chunks needs
    another seed for each chunk, or its noise repeats.

    Args:
        images: `n x 3 x h x w`, uint8, at least 32 pixels high and wide.
        conditions: of the corruption group.
        seed: not negative.

    Raises:
        ValueError: a condition that is not one of the corruptions here, or as `corrupt`.
    """
    for condition in conditions:
        corruption, severity = corruption_of(condition)
        entropy = np.random.SeedSequence([seed, *corruption.value.encode()])
        generator = torch.Generator().manual_seed(int(entropy.generate_state(1, np.uint64)[0]))
        yield condition, corrupt(images, corruption, severity, generator=generator)


def corruption_of(condition: Condition) -> tuple[Corruption, int]:
    """Which corruption, at which severity, a condition stands for.

    Raises:
        ValueError: it stands for none of `Corruption`.
    """
    if condition.group is not Group.CORRUPTION or condition.name not in tuple(Corruption):
        raise ValueError(
            f"condition must be one of the corruptions {', '.join(Corruption)}, got "
            f"{condition.key}; make its images elsewhere"
        )
    assert condition.severity is not None
    return Corruption(condition.name), condition.severity


def corruption_definition(condition: Condition) -> dict[str, Scalar]:
    """What decides the pixels of a corruption besides images and seed, for a `ConditionSet`.

    JPEG and video add the fingerprint of the installed codec.
    """
    corruption, severity = corruption_of(condition)
    definition: dict[str, Scalar] = {
        "corruption": corruption.value,
        "level": float(LEVELS[corruption][severity - 1]),
        "version": VERSION,
    }
    if corruption is Corruption.JPEG:
        definition["codec"] = codec_fingerprint()
    if corruption is Corruption.VIDEO:
        definition["codec"] = video_fingerprint()
    return definition


def _check_images(images: Tensor) -> None:
    if images.dtype != torch.uint8 or images.ndim != 4 or images.shape[1] != 3:
        raise ValueError(
            f"images must be uint8 of shape n x 3 x h x w, got {images.dtype} of shape "
            f"{tuple(images.shape)}; scale floats by 255 and round first"
        )
    if min(images.shape[2:]) < _SMALLEST:
        raise ValueError(
            f"images must be at least {_SMALLEST} pixels high and wide, got {images.shape[2]} x "
            f"{images.shape[3]}; enlarge them first"
        )


def _corrupted(
    images: Tensor, corruption: Corruption, level: float, generator: torch.Generator
) -> Tensor:
    """One batch, in float32 between 0 and 1 on the way, rounded to uint8 at the end."""
    steps: dict[Corruption, Callable[[Tensor, float], Tensor]] = {
        Corruption.BLUR: _blur,
        Corruption.NOISE: partial(_noise, generator=generator),
        Corruption.SHOT_NOISE: partial(_shot_noise, generator=generator),
        Corruption.RESIZE: _resize,
        Corruption.CONTRAST: _contrast,
        Corruption.SATURATION: _saturation,
        Corruption.BLOCK: partial(_block, generator=generator),
    }
    changed = steps[corruption](images.to(torch.float32) / 255.0, level)
    return (changed * 255.0).round_().clamp_(0.0, 255.0).to(torch.uint8)


def _blur(x: Tensor, level: float) -> Tensor:
    """Separable Gaussian integrated over each pixel, mirrored at the edges.

    Integrated, since samples of a Gaussian narrower than a pixel miss most of it. Summed tap by
    tap, since a convolution rounds to TF32 on a GPU and to 16 bits under autocast.
    """
    sigma = level * min(x.shape[2:])
    radius = math.ceil(3.0 * sigma)
    edges = torch.arange(-radius - 0.5, radius + 1.0, dtype=torch.float64)
    areas = torch.special.ndtr(edges / sigma).diff()
    weights = (areas / areas.sum()).tolist()
    for dim in (2, 3):
        margins = (0, 0, radius, radius) if dim == 2 else (radius, radius, 0, 0)
        padded, size = functional.pad(x, margins, mode="reflect"), x.shape[dim]
        x = torch.zeros_like(x)
        for tap, weight in enumerate(weights):
            x.add_(padded.narrow(dim, tap, size), alpha=weight)
    return x


def _noise(x: Tensor, level: float, *, generator: torch.Generator) -> Tensor:
    drawn = [torch.randn(x.shape[1:], generator=generator) for _ in range(len(x))]
    return x + level * torch.stack(drawn).to(x.device)


def _shot_noise(x: Tensor, level: float, *, generator: torch.Generator) -> Tensor:
    photons = [torch.poisson(image * level, generator=generator) for image in x.cpu()]
    return torch.stack(photons).to(x.device) / level


def _resize(x: Tensor, level: float) -> Tensor:
    """Down with antialiasing and up again, both bilinear."""
    size = x.shape[2:]
    small = [max(1, round(level * side)) for side in size]
    down = functional.interpolate(x, small, mode="bilinear", antialias=True)
    return functional.interpolate(down, size, mode="bilinear")


def _contrast(x: Tensor, level: float) -> Tensor:
    """Towards each image's own mean grey."""
    # Summed in float64: in float32 the mean of a large image depends on the order of the sum.
    mean = _luma(x).double().mean(dim=(1, 2, 3), keepdim=True).to(x.dtype)
    return mean + level * (x - mean)


def _saturation(x: Tensor, level: float) -> Tensor:
    """Towards each pixel's own grey."""
    grey = _luma(x)
    return grey + level * (x - grey)


def _block(x: Tensor, level: float, *, generator: torch.Generator) -> Tensor:
    """Mid-grey over some cells of a 16 x 16 grid; a higher level covers the same cells and more."""
    count, cells = int(level), _GRID * _GRID
    hidden = torch.zeros(len(x), cells, dtype=torch.bool)
    for row in hidden:
        row[torch.randperm(cells, generator=generator)[:count]] = True
    rows, columns = (torch.arange(side) * _GRID // side for side in x.shape[2:])
    mask = hidden.view(-1, 1, _GRID, _GRID)[:, :, rows][:, :, :, columns]
    return x.masked_fill(mask.to(x.device), 0.5)


def _luma(x: Tensor) -> Tensor:
    """Grey of each pixel, `n x 1 x h x w`."""
    return _LUMA[0] * x[:, 0:1] + _LUMA[1] * x[:, 1:2] + _LUMA[2] * x[:, 2:3]
