"""Image files to RGB arrays: the one decoder of everything that is read from a disk.

Pictures are turned as their files say (`bonas.data.orientation`). A data set is a foreign file:
what cannot be read says why in one line, and nothing is decoded before its size is known. Only
formats with a decoder inside Pillow are opened; its EPS reader, for one, would start another
program.
"""

import struct
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import numpy as np
from PIL import Image

from bonas.data import quiet
from bonas.data.orientation import orientation, stored_size, turned, turned_size, upright

SUFFIXES = frozenset({".png", ".jpg", ".jpeg", ".jfif", ".webp", ".bmp", ".tif", ".tiff", ".gif"})
FORMATS = ("PNG", "JPEG", "WEBP", "BMP", "TIFF", "GIF", "PPM")
MAX_PIXELS = 64_000_000  # a face crop is far below; a decompression bomb is far above
Taken = TypeVar("Taken")
# What Pillow's decoders raise on torn or forged bytes; there is no common base.
_TORN = (OSError, ValueError, SyntaxError, EOFError, LookupError, OverflowError, TypeError)


class UnreadableFile(ValueError):
    """An image or a video that cannot be read; the message is the reason, without the path."""


def read_image(path: Path, size: int) -> np.ndarray:
    """An image as uint8 RGB, `size x size x 3`.

    The whole image is resized, whatever its shape: no face is looked for.

    Raises:
        UnreadableFile: as `read_picture`.
    """
    return resized(read_picture(path), size)


def read_picture(path: Path) -> Image.Image:
    """An image in RGB, at its own size, turned as its file says.

    Grey images of 16 bits are scaled to 8, transparent pixels become black, CMYK and palettes are
    converted.

    Raises:
        UnreadableFile: torn, empty, of an unknown format, animated, too large, or of a number type
            whose range is unknown.
    """
    return decoded(path, lambda image: as_rgb(upright(image)))


def read_mask(path: Path, size: int, *, like: Path) -> np.ndarray:
    """A mask as uint8, `size x size`, 255 where manipulated; colours count by their brightness.

    It is of the stored pixels of its image and turned with it, unless it says itself which way up
    it is, or its shape is that of the turned image alone.

    Args:
        path: Of the mask.
        size: Edge of the result; the whole mask is resized, as its image is.
        like: The image, which must have as many pixels along both edges.

    Raises:
        UnreadableFile: as in `read_image`, of another shape than the image, or drawn in 0 and 1,
            which is black to the eye.
    """
    stored, number = decoded(like, lambda image: (stored_size(image), orientation(image)))
    shape = turned_size(stored, number)

    def grey(image: Image.Image) -> np.ndarray:
        with_image = orientation(image) is None and stored_size(image) == stored
        drawn = as_rgb(upright(image)).convert("L")
        drawn = turned(drawn, number) if with_image else drawn
        if drawn.size != shape:
            raise UnreadableFile(
                f"has {drawn.width} x {drawn.height} pixels, its image {shape[0]} x {shape[1]}"
            )
        if drawn.getextrema()[1] == 1:
            raise UnreadableFile("has no level above 1; draw what is manipulated in 255")
        return np.asarray(drawn.resize((size, size), Image.Resampling.BILINEAR))

    return decoded(path, grey)


def decoded(path: Path, take: Callable[[Image.Image], Taken]) -> Taken:
    """What is taken of an opened image, which is closed afterwards.

    Args:
        path: Of the file.
        take: From the image as it is stored, its pixels not decoded yet, to what is wanted.

    Raises:
        UnreadableFile: as `read_picture`.
    """
    try:
        with _opened(path) as image:
            check_pixels(image.width, image.height)
            if getattr(image, "is_animated", False) and image.format not in ("MPO", "TIFF"):
                raise UnreadableFile("is animated; a face is one picture")
            return take(image)
    except UnreadableFile:
        raise
    except Image.DecompressionBombError as error:
        raise UnreadableFile(f"has more than {MAX_PIXELS} pixels") from error
    except (*_TORN, struct.error, zlib.error) as error:
        raise UnreadableFile(f"unreadable image ({reason(error, path)})") from error


def reason(error: Exception, path: Path) -> str:
    """What an error says, without the path: of a copy of the file it says the same."""
    said = str(error).replace(repr(str(path)), "").rstrip(" :")
    return f"{type(error).__name__}: {said}"


def _opened(path: Path) -> Image.Image:
    """The image, its header read, without Pillow's word on its size: `check_pixels` has ours."""
    with quiet.without(Image.DecompressionBombWarning):
        return Image.open(path, formats=FORMATS)


def resized(image: Image.Image, size: int) -> np.ndarray:
    """An RGB image as uint8, `size x size x 3`."""
    return np.asarray(image.resize((size, size), Image.Resampling.LANCZOS))


def check_pixels(width: int, height: int) -> None:
    """Refuse a picture that is too large to be decoded.

    Raises:
        UnreadableFile: it has more than `MAX_PIXELS`.
    """
    if width * height > MAX_PIXELS:
        raise UnreadableFile(f"{width} x {height} pixels are above {MAX_PIXELS}")


def as_rgb(image: Image.Image) -> Image.Image:
    """An opened image in RGB, converted as `read_picture` says.

    Raises:
        UnreadableFile: its levels have no known range.
    """
    if image.mode == "I" or image.mode.startswith("I;16"):
        # Pillow's own conversion clips at 255, which would leave a white image.
        levels = np.asarray(image)
        if levels.min() < 0 or levels.max() > 0xFFFF:
            raise UnreadableFile(
                f"has levels from {levels.min()} to {levels.max()}; at most 16 bits are read"
            )
        return Image.fromarray((levels / 257).round().astype(np.uint8)).convert("RGB")
    if image.mode == "F":
        raise UnreadableFile("has floating-point levels, whose range is unknown")
    if image.has_transparency_data:
        above = image.convert("RGBA")
        black = Image.new("RGBA", above.size, (0, 0, 0, 255))
        return Image.alpha_composite(black, above).convert("RGB")
    return image.convert("RGB")
