"""What is measured of a picture in one reading: its container, colours, spectrum and hash.

Of a video a few frames are measured, each as a picture, and their mean stands for all.
"""

import hashlib
import math
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
from PIL import Image, JpegImagePlugin

from bonas.data.audit.jpeg_tables import estimated_quality
from bonas.data.audit.perceptual_hash import Thumbnail, perceptual_hash, thumbnail
from bonas.data.audit.pictures import Picture
from bonas.data.clips import is_video, video_frames
from bonas.data.images import UnreadableFile, as_rgb, decoded
from bonas.data.orientation import AS_STORED, orientation, upright

BANDS = (0.125, 0.25, 0.5, 1.0)
"""Bounds of the spectrum's bands, as a share of the highest frequency along an axis; the last band
holds the corners beyond it."""

WINDOW = 256
"""Edge of the central part whose spectrum is taken: at the picture's own resolution, because
resizing would remove the traces of an upsampling, and bounded, so that large pictures cost no
more."""

FRAMES = 2
"""Frames of a video that are measured, evenly; the first of them is compared with others."""

SAMPLINGS = {0: "4:4:4", 1: "4:2:2", 2: "4:2:0"}  # as Pillow numbers them


@dataclass(frozen=True, slots=True, eq=False)
class Measures:
    """Numbers of one picture; NaN and empty where it has no file, or its file no JPEG tables.

    Attributes:
        file_bytes: Size of the file; NaN of a video, of which it tells the length.
        pixel_bytes: Size of the file for each pixel of it, of a video for each of every frame.
        width: In pixels, of the upright picture.
        height: In pixels, of the same.
        quality: JPEG quality, estimated.
        tables: JPEG quantisation tables and chroma subsampling, as a text to compare.
        orientation: How the file says that it is to be turned, a number of EXIF.
        kind: The file's format by its content, of a video its codec.
        suffix: The file's extension, in lower case.
        colour: Mean red, green and blue, 0 to 255.
        brightness: Mean luma, 0 to 255.
        contrast: Standard deviation of the luma.
        bands: Share of the luma's power in each band of `BANDS` and in the corners.
        hash: Perceptual hash.
        grey: Thumbnail that the hash was computed from.
    """

    file_bytes: float
    pixel_bytes: float
    width: int
    height: int
    quality: float
    tables: str
    orientation: str
    kind: str
    suffix: str
    colour: tuple[float, float, float]
    brightness: float
    contrast: float
    bands: tuple[float, ...]
    hash: int
    grey: Thumbnail


def measured(
    pictures: Sequence[Picture], *, progress: Callable[[int, int], None] | None = None
) -> Iterator[Measures | str]:
    """The measures of each picture in order, or why it cannot be read.

    Args:
        pictures: To be read.
        progress: Called with (pictures read, pictures in all).
    """
    with ThreadPoolExecutor(max_workers=2) as pool:
        for done, result in enumerate(pool.map(measure, [p.source for p in pictures]), 1):
            yield result
            if progress is not None:
                progress(done, len(pictures))


def measure(source: Path | torch.Tensor) -> Measures | str:
    """The measures of a file, or of pixels `3 x h x w`; the reason where it cannot be read.

    Raises:
        DataError: it is a video, and PyAV is not installed.
    """
    if not isinstance(source, Path):
        return _of_image(Image.fromarray(source.permute(1, 2, 0).cpu().numpy()), None)
    try:
        if is_video(source):
            return _of_video(source)
        return decoded(source, lambda image: _of_image(image, source))
    except UnreadableFile as error:
        return str(error)


def _of_video(file: Path) -> Measures:
    frames = list(video_frames(file, FRAMES))
    first, *others = (_of_image(frame.picture, None) for frame in frames)
    every = [first, *others]
    red, green, blue = np.mean([m.colour for m in every], axis=0).tolist()
    return replace(
        first,
        pixel_bytes=file.stat().st_size / (first.width * first.height * frames[0].length),
        orientation=str(frames[0].orientation),
        kind=frames[0].codec,
        suffix=file.suffix.lower(),
        colour=(red, green, blue),
        brightness=float(np.mean([m.brightness for m in every])),
        contrast=float(np.mean([m.contrast for m in every])),
        bands=tuple(np.mean([m.bands for m in every], axis=0).tolist()),
    )


def _of_image(image: Image.Image, file: Path | None) -> Measures:
    # Before `convert`, whose result knows no tables any more.
    quality, tables = _jpeg_tables(image)
    way = "" if file is None else str(orientation(image) or AS_STORED)
    rgb = as_rgb(upright(image))
    pixels = np.asarray(rgb)
    luma = np.asarray(rgb.convert("L"), dtype=np.float32)
    grey = thumbnail(rgb)
    red, green, blue = (float(v) for v in pixels.mean(axis=(0, 1)))
    file_bytes = math.nan if file is None else float(file.stat().st_size)
    return Measures(
        file_bytes=file_bytes,
        pixel_bytes=file_bytes / (rgb.width * rgb.height),
        width=rgb.width,
        height=rgb.height,
        quality=quality,
        tables=tables,
        orientation=way,
        kind="" if file is None else str(image.format),
        suffix="" if file is None else file.suffix.lower(),
        colour=(red, green, blue),
        brightness=float(luma.mean()),
        contrast=float(luma.std()),
        bands=band_shares(luma),
        hash=perceptual_hash(grey),
        grey=grey,
    )


def _jpeg_tables(image: Image.Image) -> tuple[float, str]:
    """Estimated quality, and tables with subsampling; NaN and empty for other formats."""
    if not isinstance(image, JpegImagePlugin.JpegImageFile) or not image.quantization:
        return math.nan, ""
    tables = sorted(image.quantization.items())
    quality = estimated_quality(tables[0][1])
    sampling = SAMPLINGS.get(JpegImagePlugin.get_sampling(image), "other")
    digest = hashlib.sha256(repr(tables).encode()).hexdigest()[:6]
    return float(quality), f"of quality {quality} (no. {digest}), sampling {sampling}"


def band_shares(luma: npt.NDArray[np.float32]) -> tuple[float, ...]:
    """Share of the power spectrum in rings of an octave each; NaN for a flat picture.

    A Hann window keeps the jump between opposite edges out of the high frequencies.

    Args:
        luma: `h x w`.
    """
    height, width = (min(edge, WINDOW) for edge in luma.shape)
    top, left = (luma.shape[0] - height) // 2, (luma.shape[1] - width) // 2
    part = luma[top : top + height, left : left + width]
    window, ring = _rings(height, width)
    power = np.abs(np.fft.rfft2((part - part.mean()) * window)) ** 2
    sums = np.bincount(ring.ravel(), power.ravel(), len(BANDS) + 1)
    if not sums.sum() > 0:
        return (math.nan,) * len(sums)
    return tuple(float(share) for share in sums / sums.sum())


@lru_cache(maxsize=32)
def _rings(height: int, width: int) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.intp]]:
    """Window, `h x w`, and the band of every frequency of its real transform."""
    window = np.outer(np.hanning(height + 2)[1:-1], np.hanning(width + 2)[1:-1])
    radius = 2 * np.hypot(np.fft.fftfreq(height)[:, None], np.fft.rfftfreq(width))
    return window, np.searchsorted(np.array(BANDS), radius, side="left")
