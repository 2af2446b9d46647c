"""The `metadata.csv` layout: a table of image paths with label, original and split.

    path,label,original,split[,forgery][,video][,mask][,identity]
    faces/a.jpg,REAL,a,train
    faces/b.jpg,FAKE,a,train,swap

`path` is relative to the folder of the table and stays inside it; `label` is REAL or FAKE and
`split` train, val or test, in any case; `original` names the real face or video that a row belongs
to, and rows of one original never lie in two splits; `forgery` (optional) is the type; `video`
(optional) names the video that the image is a frame of, empty for a single image; of more frames
than `data.frames_per_video` so many are taken, evenly; `mask` (optional) is the path of a picture
of the image's shape that is white where the image is forged, empty where that is not known;
`identity` (optional) says who is in the picture, several people parted by `;`. Masks are opened
only where a network learns them, and identities are audited.
"""

import csv
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from bonas.data.clips import is_video
from bonas.data.faces import DataError, DataSet, Split
from bonas.data.layouts.places import RegularFiles, inside
from bonas.data.layouts.reading import read_listing
from bonas.data.layouts.records import (
    ANY_FORGERY,
    METADATA,
    Listing,
    OnBadImage,
    Record,
    Settings,
    check_folder,
    domain_of,
    label_of,
)
from bonas.data.layouts.thinning import thinned

NAME = FILE = METADATA
SIGN = "a table metadata.csv"
COLUMNS = ("path", "label", "original", "split")


def found_in(folder: Path) -> bool:
    """Whether the folder has the table."""
    return (folder / FILE).is_file()


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
        DataError: as in `list_metadata_csv`, or an unreadable image.
    """
    settings = Settings(on_bad_image=on_bad_image)
    return read_listing(list_metadata_csv(folder, settings), size, settings, progress=progress)


def list_metadata_csv(folder: Path, settings: Settings) -> Listing:
    """The checked rows of the table, without opening an image.

    Raises:
        DataError: no table, a missing column, a bad row, an original in two splits, or a missing
            image where it is an error; names the file and the row.
    """
    records, missing = metadata_records(folder, settings)
    kept, notes = thinned(records, settings.frames_per_video)
    name = folder.resolve().name
    return Listing(name, NAME, folder / FILE, tuple(kept), tuple(missing), tuple(notes))


def metadata_records(folder: Path, settings: Settings) -> tuple[list[Record], list[str]]:
    """As `list_metadata_csv`, of all rows, whose originals may lie in two splits; what is missing.

    Raises:
        DataError: no table, no rows, a missing column, a bad row, or a missing image where it is an
            error.
    """
    check_folder(folder)
    table = inside(folder, FILE, str(folder))
    if not table.is_file():
        found = ", ".join(sorted(p.name for p in folder.iterdir())[:5]) or "nothing"
        raise DataError(
            f"{str(folder)!r} has no {FILE} (found: {found}). Write one with the columns "
            f"{','.join(COLUMNS)}."
        )
    try:
        files = RegularFiles(folder)
        rows = _rows(table, files)
    except (UnicodeDecodeError, csv.Error) as error:
        raise DataError(f"{table} is not readable as CSV in UTF-8: {error}.") from error
    if not rows:
        raise DataError(f"{table} has no rows.")
    present: list[Record] = []
    missing: list[str] = []
    for row in rows:
        if files.holds(row.path):
            present.append(row)
        else:
            problem = f"{table}, {row.where}: the image {str(row.path)!r} does not exist"
            missing.append(settings.tolerated(problem))
    return present, missing


def _rows(table: Path, files: RegularFiles) -> list[Record]:
    with table.open(newline="", encoding="utf-8-sig") as file:
        lines = _numbered(file)
        _, columns = next(lines, (1, []))
        missing = [c for c in COLUMNS if c not in columns]
        if missing:
            raise DataError(
                f"{table} lacks the column {', '.join(map(repr, missing))}; "
                f"its columns are {', '.join(columns) or 'none'}."
            )
        records = ((n, dict(zip(columns, row, strict=False))) for n, row in lines)
        return [_row(record, f"row {n}", table, files) for n, record in records]


def _numbered(file: Iterable[str]) -> Iterator[tuple[int, list[str]]]:
    """The rows that are not empty, each with the number of its first line in an editor."""
    reader, before = csv.reader(file), 0
    for row in reader:
        first, before = before + 1, reader.line_num
        if row:
            yield first, row


def _row(record: dict[str, str], where: str, table: Path, files: RegularFiles) -> Record:
    place = f"{table}, {where}"
    values = {c: (record.get(c) or "").strip() for c in COLUMNS}
    for column, value in values.items():
        if not value:
            raise DataError(f"{place}: the column {column!r} is empty.")
    label = label_of(values["label"], place)
    try:
        split = Split(values["split"].lower())
    except ValueError:
        raise DataError(
            f"{place}: split is {values['split']!r}; it must be train, val or test."
        ) from None
    path = files.inside(values["path"], place)
    forgery = (record.get("forgery") or "").strip().lower() or ANY_FORGERY
    mask = (record.get("mask") or "").strip()
    return Record(
        path=path,
        label=label,
        original=values["original"],
        split=split,
        forgery=domain_of(label, forgery, place),
        video=(record.get("video") or "").strip() or (values["path"] if is_video(path) else ""),
        mask=files.inside(mask, place) if mask and label else None,
        where=where,
        people=_people(record.get("identity") or ""),
    )


def _people(identity: str) -> tuple[str, ...]:
    """The names in the column `identity`."""
    return tuple(name for one in identity.split(";") if (name := one.strip())) if identity else ()
