"""From records to the hulls of faces: landmarks that lie beside images.

They are read for real images, which are those that are blended, and not for videos. Hulls are kept
as shares of width and height: what is resized stays in place.
"""

import csv
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import torch
from PIL import Image

from bonas.data.errors import DataError
from bonas.data.hulls import DENSE, FIVE, POINTS, area, face_hull
from bonas.data.layouts.records import Listing, Record

FILE = "landmarks.csv"
"""As `bonas.data.preparation.ledger` writes it."""
LEAST_AREA = 0.01
"""Of the image: landmarks of a smaller hull, such as points on a line, are of no face."""


def read_hulls(listing: Listing, rows: Sequence[int]) -> torch.Tensor | None:
    """The hulls of images, float32 `n x POINTS x 2`, NaN where unknown; `None` where all are.

    Read are `landmarks.csv` beside a `metadata.csv`, as `bonas prepare` writes it, and of the
    layout of DeepfakeBench `landmarks/VIDEO/NAME.npy` for `frames/VIDEO/NAME.png`, all in pixels.

    Args:
        listing: What was decoded.
        rows: Of the listing's records, of each image.

    Raises:
        DataError: a table or array of another form; names the file.
    """
    named = dict(_table(listing.source.parent))
    found = np.full((len(rows), POINTS, 2), np.nan, np.float32)
    for position, row in enumerate(rows):
        record = listing.records[row]
        points = None if record.label else _points(record, named)
        if points is not None:
            with Image.open(record.path) as image:
                hull = face_hull(points) / image.size
            if area(hull) >= LEAST_AREA:
                found[position] = hull
    return None if np.isnan(found).all() else torch.from_numpy(found)


def _points(record: Record, named: dict[Path, np.ndarray]) -> np.ndarray | None:
    if record.path in named:
        return named[record.path]
    parts = list(record.path.parts)
    if "frames" not in parts:
        return None
    # The last one: a folder above the data set may have that name too.
    parts[len(parts) - 1 - parts[::-1].index("frames")] = "landmarks"
    file = Path(*parts).with_suffix(".npy")
    if not file.is_file():
        return None
    try:
        points: np.ndarray = np.load(file, allow_pickle=False).astype(float)
    except (OSError, ValueError) as error:
        raise DataError(f"{file} is no array of landmarks: {error}.") from error
    if points.ndim != 2 or points.shape[1] != 2 or len(points) not in (FIVE, *DENSE):
        raise DataError(f"{file} is of shape {points.shape}; it must be n x 2, n 5, 68 or 81.")
    return points


def _table(folder: Path) -> Iterator[tuple[Path, np.ndarray]]:
    file = folder / FILE
    if not file.is_file():
        return
    with file.open(newline="", encoding="utf-8-sig") as lines:
        for number, row in enumerate(csv.reader(lines), 1):
            if number == 1 or not row:
                continue
            try:
                points = np.array([float(value) for value in row[1:]]).reshape(FIVE, 2)
            except ValueError as error:
                raise DataError(
                    f"{file}, row {number}: expected a path and x and y of five points ({error})."
                ) from error
            if np.isfinite(points).all():
                yield folder / row[0], points
