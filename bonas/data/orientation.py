"""Which way up pictures are: as their files say that they are seen, not as they are stored.

A camera stores what its sensor saw, and how that is to be turned: a picture in its EXIF, a video in
its display matrix. Whatever is read is turned so, in training as in use. Else a detector would
judge other pixels than it was trained on, and where only the real pictures come from cameras, a
face that lies on its side would tell them by itself.

Ways are numbered as in EXIF, from 1, as it is stored, to 8. What is drawn or measured on a stored
picture, a mask or landmarks, is turned with it.
"""

import struct

import numpy as np
from PIL import ExifTags, Image, TiffImagePlugin

from bonas.data import quiet

AS_STORED = 1
METHODS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
OF_TURN = {90: 8, 180: 3, -180: 3, -90: 6}
"""By the degrees by which a player turns a video's frame to the left."""
# Of a number: whether x and y are exchanged, and then which of them are counted from the far edge.
_COORDINATES = {
    2: (False, True, False),
    3: (False, True, True),
    4: (False, False, True),
    5: (True, False, False),
    6: (True, True, False),
    7: (True, True, True),
    8: (True, False, True),
}
# What Pillow raises on torn or forged EXIF; there is no common base.
_TORN = (OSError, ValueError, SyntaxError, EOFError, LookupError, OverflowError, TypeError)


def orientation(image: Image.Image) -> int | None:
    """The number that the file of an opened image names, its pixels not decoded yet; or none.

    EXIF that cannot be read names none: viewers show such a picture as it is stored.
    """
    try:
        with quiet.without(UserWarning):  # of what is torn
            # That of PNG would decode all pixels to look behind them, where EXIF may not stand.
            found = Image.Image.getexif(image).get(ExifTags.Base.Orientation)
    except (*_TORN, struct.error):
        return None
    return found if found in (AS_STORED, *METHODS) else None


def stored_size(image: Image.Image) -> tuple[int, int]:
    """Width and height of an opened image before it is turned."""
    if isinstance(image, TiffImagePlugin.TiffImageFile):  # whose size is that of the turned one
        tags = image.tag_v2
        return int(tags[TiffImagePlugin.IMAGEWIDTH]), int(tags[TiffImagePlugin.IMAGELENGTH])
    return image.size


def turned_size(size: tuple[int, int], number: int | None) -> tuple[int, int]:
    """Width and height of a stored image, turned the way of a number."""
    return size[::-1] if number in _COORDINATES and _COORDINATES[number][0] else size


def upright(image: Image.Image) -> Image.Image:
    """An opened image, turned as its file says."""
    if isinstance(image, TiffImagePlugin.TiffImageFile):
        image.load()  # which turns it
        return image
    return turned(image, orientation(image))


def turned(image: Image.Image, number: int | None) -> Image.Image:
    """A stored image turned the way of a number."""
    method = None if number is None else METHODS.get(number)
    return image if method is None else image.transpose(method)


def turned_points(points: np.ndarray, number: int | None) -> np.ndarray:
    """Places in a stored image, `n x 2` as shares of width and height, in the turned one."""
    if number is None or number not in _COORDINATES:
        return points
    exchanged, *far = _COORDINATES[number]
    placed = points[:, ::-1] if exchanged else points
    return np.where(far, 1 - placed, placed)
