"""Image files to RGB arrays: the one decoder of everything that is read from a disk.

A data set is a foreign file: what cannot be read says why in one line, and nothing is decoded
before its size is known. Only formats with a decoder inside Pillow are opened; its EPS reader, for
one, would start another program.
"""

import struct
import zlib
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps

SUFFIXES = frozenset({".png", ".jpg", ".jpeg", ".webp", ".bmp", ".tif", ".tiff", ".gif"})
FORMATS = ("PNG", "JPEG", "WEBP", "BMP", "TIFF", "GIF", "PPM")
MAX_PIXELS = 64_000_000  # a face crop is far below; a decompression bomb is far above
_BOMB = (Image.DecompressionBombError, Image.DecompressionBombWarning)
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


def read_picture(path: Path, *, upright: bool = False) -> Image.Image:
    """An image in RGB, at its own size.

    Grey images of 16 bits are scaled to 8, transparent pixels become black, CMYK and palettes are
    converted.

    Args:
        path: Of the file.
        upright: Whether it is turned as its EXIF orientation says.

    Raises:
        UnreadableFile: torn, empty, of an unknown format, animated, too large, or of a number type
            whose range is unknown.
    """
    try:
        with Image.open(path, formats=FORMATS) as image:
            check_pixels(image.width, image.height)
            if getattr(image, "is_animated", False) and image.format not in ("MPO", "TIFF"):
                raise UnreadableFile("is animated; a face is one picture")
            return _rgb(ImageOps.exif_transpose(image) if upright else image)
    except UnreadableFile:
        raise
    except _BOMB as error:
        raise UnreadableFile(f"not read: {error}") from error
    except (*_TORN, struct.error, zlib.error) as error:
        raise UnreadableFile(f"unreadable image ({type(error).__name__}: {error})") from error


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


def _rgb(image: Image.Image) -> Image.Image:
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
