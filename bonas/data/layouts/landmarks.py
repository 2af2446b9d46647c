"""From records to the hulls of faces: landmarks that lie beside images.

They are read for real images, which are those that are blended, and not for videos. Hulls are kept
as shares of width and height: what is resized stays in place.
"""

import csv
import struct
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from tokenize import TokenError

import numpy as np
import torch

from bonas.data.clips import is_video
from bonas.data.errors import DataError
from bonas.data.faces import Split
from bonas.data.hulls import DENSE, FIVE, POINTS, area, clipped, face_hull
from bonas.data.images import UnreadableFile, decoded
from bonas.data.layouts.places import RegularFiles, inside
from bonas.data.layouts.records import METADATA, Listing, Record, Settings
from bonas.data.orientation import orientation, stored_size, turned_points

FILE = "landmarks.csv"
"""As `bonas.data.preparation.ledger` writes it."""
LEAST_AREA = 0.01
"""Of the image: landmarks of a smaller hull, such as points on a line, are of no face."""
LEAST_INSIDE = 0.5
"""Of the hull: less is no picture of this face, or its landmarks are of another picture, such as
the frame that it was cut from. Pseudo-forgeries would be blended off the picture then: nothing of
them would be forged."""
MARGIN = 0.06
"""Of the image, in which a hull does not count: masks of blends are bent by as much, outwards
too."""
# What numpy raises on torn or forged headers; there is no common base.
_TORN = (OSError, ValueError, EOFError, OverflowError, SyntaxError, TypeError, TokenError)

Named = Mapping[Path, np.ndarray | str]
"""Of each image in a table its points, or what is wrong with its row."""


def read_hulls(
    listing: Listing, rows: Mapping[Split, Sequence[int]], settings: Settings
) -> tuple[dict[Split, torch.Tensor | None], tuple[str, ...]]:
    """The hulls of images by split, and the landmarks that could not be read.

    Read are `landmarks.csv` beside a `metadata.csv`, as `bonas prepare` writes it, and, as
    DeepfakeBench keeps them, `landmarks/VIDEO/NAME.npy` for `frames/VIDEO/NAME.png`, in pixels of
    the image as it is stored; where that is turned, so are they.

    Args:
        listing: What was decoded.
        rows: Of each split, which record of the listing each image comes from.
        settings: Whether landmarks that cannot be read are an error, or leave the hull unknown.

    Returns:
        Hulls are float32 `n x POINTS x 2`, NaN where unknown; `None` where all of a split are.

    Raises:
        DataError: a table or array of another form, or one that leaves the data folder; names it.
    """
    named: Named = dict(_table(listing))
    problems: list[str] = []
    hulls: dict[Split, torch.Tensor | None] = {}
    for split, numbers in rows.items():
        found = np.full((len(numbers), POINTS, 2), np.nan, np.float32)
        for position, row in enumerate(numbers):
            record = listing.records[row]
            if record.label or is_video(record.path):
                continue
            try:
                hull = _hull(record, named, listing.folder)
            except UnreadableFile as error:
                problems.append(settings.tolerated(str(error)))
                continue
            if hull is not None:
                found[position] = hull
        hulls[split] = None if np.isnan(found).all() else torch.from_numpy(found)
    return hulls, tuple(problems)


def _hull(record: Record, named: Named, root: Path) -> np.ndarray | None:
    points = named[record.path] if record.path in named else _beside(record.path, root)
    if isinstance(points, str):
        raise UnreadableFile(points)
    if points is None or not np.isfinite(points).all():
        return None
    size, number = decoded(record.path, lambda image: (stored_size(image), orientation(image)))
    hull = turned_points(face_hull(points) / size, number)
    whole = area(hull)
    if whole < LEAST_AREA:
        return None
    within = area(clipped(hull, MARGIN))
    if within < max(LEAST_AREA, LEAST_INSIDE * whole):
        raise UnreadableFile(
            f"{record.path}: its landmarks are not those of a face in it: {within / whole:.0%} of "
            f"their outline lie in the picture of {size[0]} x {size[1]} pixels, without its edge"
        )
    return hull


def _beside(path: Path, root: Path) -> np.ndarray | None:
    """The landmarks of a frame, from the file that has its name."""
    if "frames" not in str(path):
        return None
    # Folders above the data may have that name too.
    parts = list(path.relative_to(root).parts)
    if "frames" not in parts:
        return None
    parts[len(parts) - 1 - parts[::-1].index("frames")] = "landmarks"
    file = inside(root, root.joinpath(*parts).with_suffix(".npy"), str(path))
    if not file.is_file():
        return None
    try:
        # Mapped, so that no memory is taken for rows that a header claims and the file lacks.
        points = np.lib.format.open_memmap(file, mode="r")
    except (*_TORN, struct.error) as error:
        raise UnreadableFile(f"{file} is no array of landmarks: {error}") from error
    if points.ndim != 2 or points.shape[1] != 2 or len(points) not in (FIVE, *DENSE):
        raise UnreadableFile(f"{file} is of shape {points.shape}; it must be n x 2, n 5, 68 or 81")
    if points.dtype.kind not in "fiu":
        raise UnreadableFile(f"{file} is of type {points.dtype}; it must hold numbers")
    return np.array(points, dtype=float)


def _table(listing: Listing) -> Iterator[tuple[Path, np.ndarray | str]]:
    """The rows of the table that belongs to a `metadata.csv`.

    Raises:
        DataError: it is no table, or leaves the data folder.
    """
    if listing.layout != METADATA:
        return  # beside another layout's source it would be of another data set
    file = inside(listing.folder, FILE, str(listing.source))
    if not file.is_file():
        return
    try:
        files = RegularFiles(listing.folder)
        with file.open(newline="", encoding="utf-8-sig") as lines:
            for number, row in enumerate(csv.reader(lines), 1):
                if number > 1 and row:
                    place = f"{file}, row {number}"
                    yield files.inside(row[0], place), _row(row, place)
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise DataError(
            f"{file} is not readable as CSV in UTF-8: {error}. Repair or remove it."
        ) from error


def _row(row: Sequence[str], place: str) -> np.ndarray | str:
    try:
        return np.array([float(value) for value in row[1:]]).reshape(FIVE, 2)
    except ValueError as error:
        return f"{place}: expected a path and x and y of five points ({error})"
