"""The quality that a JPEG file was saved with, estimated from its quantisation table."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

# Luminance table of ITU-T T.81 (1992), annex K, table K.1, row by row.
_BASE = np.array(
    [
        [16, 11, 10, 16, 24, 40, 51, 61],
        [12, 12, 14, 19, 26, 58, 60, 55],
        [14, 13, 16, 24, 40, 57, 69, 56],
        [14, 17, 22, 29, 51, 87, 80, 62],
        [18, 22, 37, 56, 68, 109, 103, 77],
        [24, 35, 55, 64, 81, 104, 113, 92],
        [49, 64, 78, 87, 103, 121, 120, 101],
        [72, 92, 95, 98, 112, 100, 103, 99],
    ]
)


def luminance_table(quality: int) -> npt.NDArray[np.int64]:
    """The table that libjpeg uses at a quality, 64 values row by row.

    `floor((base s + 50) / 100)` within 1 and 255, with `s = 5000 / q` below quality 50 and
    `200 - 2 q` from there on: the Independent JPEG Group's scale, which Pillow follows.

    Raises:
        ValueError: a quality outside 1 to 100.
    """
    if not 1 <= quality <= 100:
        raise ValueError(f"quality is {quality}; it must be in 1 to 100.")
    scale = 5000 // quality if quality < 50 else 200 - 2 * quality
    table: npt.NDArray[np.int64] = np.clip((_BASE.ravel() * scale + 50) // 100, 1, 255)
    return table


_TABLES = np.stack([luminance_table(quality) for quality in range(1, 101)])  # 100 x 64


def estimated_quality(table: Sequence[int]) -> int:
    """The quality, 1 to 100, whose luminance table is nearest in the sum of absolute differences.

    Exact for files of libjpeg and what is built on it; for encoders with tables of their own, such
    as cameras and Photoshop, the nearest strength.

    Args:
        table: 64 values row by row, as Pillow gives them.

    Raises:
        ValueError: another number of values.
    """
    if len(table) != _TABLES.shape[1]:
        raise ValueError(f"table has {len(table)} values; a quantisation table has 64.")
    return int(np.abs(_TABLES - np.asarray(table)).sum(axis=1).argmin()) + 1
