"""The `metadata.csv` layout: a table of image paths with label, original and split.

    path,label,original,split[,forgery][,video]
    faces/a.jpg,REAL,a,train
    faces/b.jpg,FAKE,a,train,swap

`path` is relative to the folder of the table and stays inside it; `label` is REAL or FAKE and
`split` train, val or test, in any case; `original` names the real face or video that a row
belongs to, and rows of one original never lie in two splits; `forgery` (optional) is the type;
`video` (optional) names the video that the image is a frame of, empty for a single image.
"""

import csv
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

import numpy as np
import torch
from PIL import Image, UnidentifiedImageError

from bonas.data.faces import REAL, DataError, DataSet, Faces, Split

FILE = "metadata.csv"
COLUMNS = ("path", "label", "original", "split")
LABELS = {"real": 0, "fake": 1}
ANY_FORGERY = "fake"
MAX_PIXELS = 64_000_000  # a face crop is far below; a decompression bomb is far above
_READ_ERRORS = (OSError, UnidentifiedImageError, ValueError, SyntaxError)


class OnBadImage(StrEnum):
    """What to do with an image that cannot be read."""

    ERROR = "error"
    SKIP = "skip"


@dataclass(frozen=True, slots=True)
class Row:
    """One checked line of the table."""

    number: int
    path: Path
    label: int
    original: str
    split: Split
    forgery: str
    video: str = ""


def read_metadata_csv(
    folder: Path,
    size: int,
    *,
    on_bad_image: OnBadImage = OnBadImage.ERROR,
    progress: Callable[[int, int], None] | None = None,
) -> DataSet:
    """All images of a folder in this layout, resized to `size x size`.

    Args:
        folder: Where `metadata.csv` lies.
        size: Edge of the images in pixels.
        on_bad_image: Whether an unreadable image is an error or left out, named and counted.
        progress: Called with (images read, images in all).

    Raises:
        DataError: no table, a missing column, a bad row, an original in two splits, a missing or
            unreadable image; names the file and the row.
    """
    rows = read_rows(folder)
    _check_groups(rows, folder / FILE)
    images: dict[int, np.ndarray] = {}
    skipped: list[str] = []
    with ThreadPoolExecutor(max_workers=2) as pool:
        for done, (row, image) in enumerate(
            zip(rows, pool.map(lambda row: read_image(row.path, size), rows), strict=True), 1
        ):
            if isinstance(image, str):
                problem = f"{folder / FILE}, row {row.number}: {row.path}: {image}"
                if on_bad_image is OnBadImage.ERROR:
                    raise DataError(
                        f"{problem}. Repair or remove it, or set data.on_bad_image = "
                        '"skip" to leave such images out.'
                    )
                skipped.append(problem)
            else:
                images[row.number] = image
            if progress is not None:
                progress(done, len(rows))
    kept = [row for row in rows if row.number in images]
    splits = {s: _faces([r for r in kept if r.split is s], images, size) for s in Split}
    present = {split: faces for split, faces in splits.items() if len(faces)}
    return DataSet(folder.resolve().name, present, tuple(skipped))


def read_rows(folder: Path) -> list[Row]:
    """The checked rows of the table, without opening an image.

    Raises:
        DataError: as in `read_metadata_csv`.
    """
    table = folder / FILE
    if not folder.is_dir():
        raise DataError(f"data folder {str(folder)!r} does not exist.")
    if not table.is_file():
        found = ", ".join(sorted(p.name for p in folder.iterdir())[:5]) or "nothing"
        raise DataError(
            f"{str(folder)!r} has no {FILE} (found: {found}). Write one with the columns "
            f"{','.join(COLUMNS)}."
        )
    with table.open(newline="", encoding="utf-8-sig") as file:
        reader = csv.DictReader(file)
        missing = [c for c in COLUMNS if c not in (reader.fieldnames or ())]
        if missing:
            raise DataError(
                f"{table} lacks the column {', '.join(map(repr, missing))}; "
                f"its columns are {', '.join(reader.fieldnames or ()) or 'none'}."
            )
        rows = [_row(record, number, folder) for number, record in enumerate(reader, 2)]
    if not rows:
        raise DataError(f"{table} has no rows.")
    return rows


def _row(record: dict[str, str | None], number: int, folder: Path) -> Row:
    place = f"{folder / FILE}, row {number}"
    values = {c: (record.get(c) or "").strip() for c in COLUMNS}
    for column, value in values.items():
        if not value:
            raise DataError(f"{place}: the column {column!r} is empty.")
    label = LABELS.get(values["label"].lower())
    if label is None:
        raise DataError(f"{place}: label is {values['label']!r}; it must be REAL or FAKE.")
    try:
        split = Split(values["split"].lower())
    except ValueError:
        raise DataError(
            f"{place}: split is {values['split']!r}; it must be train, val or test."
        ) from None
    path = folder / values["path"]
    if not path.resolve().is_relative_to(folder.resolve()):
        raise DataError(f"{place}: path {values['path']!r} leaves the data folder {folder}.")
    if not path.is_file():
        raise DataError(f"{place}: the image {str(path)!r} does not exist.")
    forgery = (record.get("forgery") or "").strip().lower() or ANY_FORGERY
    video = (record.get("video") or "").strip()
    return Row(number, path, label, values["original"], split, forgery if label else REAL, video)


def _check_groups(rows: list[Row], table: Path) -> None:
    first: dict[str, Row] = {}
    for row in rows:
        seen = first.setdefault(row.original, row)
        if seen.split is not row.split:
            raise DataError(
                f"{table}: original {row.original!r} lies in two splits, {seen.split.value!r} "
                f"(row {seen.number}) and {row.split.value!r} (row {row.number}); a group must "
                "not cross splits, or the test repeats what was trained on."
            )


def read_image(path: Path, size: int) -> np.ndarray | str:
    """RGB pixels, uint8 `size x size x 3`, or why the image cannot be read."""
    try:
        with Image.open(path) as image:
            if image.width * image.height > MAX_PIXELS:
                return f"{image.width} x {image.height} pixels are above {MAX_PIXELS}"
            rgb = image.convert("RGB").resize((size, size), Image.Resampling.LANCZOS)
            return np.asarray(rgb)
    except Image.DecompressionBombError as error:
        return f"not read: {error}"
    except _READ_ERRORS as error:
        return f"unreadable image ({type(error).__name__}: {error})"


def _faces(rows: list[Row], images: dict[int, np.ndarray], size: int) -> Faces:
    pixels = np.empty((len(rows), size, size, 3), dtype=np.uint8)
    for i, row in enumerate(rows):
        pixels[i] = images[row.number]
    return Faces(
        images=torch.from_numpy(pixels).permute(0, 3, 1, 2).contiguous(),
        labels=torch.tensor([row.label for row in rows], dtype=torch.int64),
        originals=tuple(row.original for row in rows),
        domains=tuple(row.forgery for row in rows),
        videos=tuple(row.video for row in rows) if any(row.video for row in rows) else (),
    )
