"""From the records of a data set to what is prepared in one piece, and to where it is written."""

import hashlib
import os
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from bonas.data.clips import evenly, is_video
from bonas.data.errors import DataError
from bonas.data.layouts.records import Listing, Record
from bonas.data.preparation.cutting import Unit

CROPS = "faces"
"""The folder of the crops in a prepared data folder; below it lie the source's own folders."""


@dataclass(frozen=True, slots=True)
class Source:
    """A unit, and what the data set says of each of its files."""

    unit: Unit
    records: tuple[Record, ...]


def sources_of(listing: Listing, root: Path, frames: int) -> list[Source]:
    """The units of a data set, in the order of its records.

    Pictures that are said to be frames of one video are one unit, at most `frames` of them, evenly.
    A crop keeps the path of its file, so that it can be found again.

    Args:
        listing: What is read.
        root: The data folder, or a file in it.
        frames: Most frames of a video.

    Raises:
        DataError: two records name one file, or a name cannot be written to a table.
    """
    groups: dict[tuple[str, ...], list[Record]] = {}
    for number, record in enumerate(listing.records):
        alone = is_video(record.path) or not record.video
        key = (str(number),) if alone else (record.forgery, record.original, record.video)
        groups.setdefault(key, []).append(record)
    chosen = [[group[i] for i in evenly(len(group), frames)] for group in groups.values()]
    places = _places([record.path for group in chosen for record in group], root)
    return [Source(_unit(group, places), tuple(group)) for group in chosen]


def _unit(records: Sequence[Record], places: dict[Path, str]) -> Unit:
    files = tuple(record.path for record in records)
    state = hashlib.sha256()
    for file in files:
        state.update(f"{places[file]} {_changed(file)}\n".encode())
    return Unit(files, tuple(places[file] for file in files), state.hexdigest()[:16])


def _changed(file: Path) -> str:
    try:
        found = file.stat()
    except OSError:
        return "missing"
    return f"{found.st_size} {found.st_mtime_ns}"


def _places(files: Sequence[Path], root: Path) -> dict[Path, str]:
    """For each file where its crops go: its path, the suffix only of videos and where it tells."""
    below = root if root.is_dir() else Path(os.path.commonpath([file.parent for file in files]))
    paths = {file: _relative(file, below) for file in files}
    short = {file: path if is_video(file) else path.with_suffix("") for file, path in paths.items()}
    # Names that differ in case alone are one file on some systems.
    times = Counter(str(path).casefold() for path in short.values())
    places = {
        file: f"{CROPS}/{path if times[str(path).casefold()] == 1 else paths[file]}"
        for file, path in short.items()
    }
    if len({place.casefold() for place in places.values()}) < len(files):
        repeated = Counter(str(_relative(file, below)).casefold() for file in files)
        name, _ = repeated.most_common(1)[0]
        raise DataError(f"{root} names the file {name!r} twice, or two that differ in case alone.")
    return places


def _relative(file: Path, below: Path) -> PurePosixPath:
    path = Path(os.path.normpath(file)).relative_to(os.path.normpath(below)).as_posix()
    try:
        path.encode()
    except UnicodeEncodeError as error:
        raise DataError(
            f"{path!r} is no name in UTF-8, as tables are written; rename it."
        ) from error
    # In tables both slashes part folders.
    return PurePosixPath(path.replace("\\", "_"))
