"""Records: what every layout turns a folder into, before an image is opened."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

from bonas.data.clips import Clip
from bonas.data.faces import REAL, DataError, Split
from bonas.data.layouts.places import inside
from bonas.data.reading_terms import ReadingTerms

METADATA = "metadata.csv"
"""The table of the layout that has its name."""
PREPARED = "prepare.json"
"""Beside that table, what `bonas prepare` made the images with."""
ANY_FORGERY = "fake"
"""The domain of forgeries whose type the data set does not name."""


class OnBadImage(StrEnum):
    """What to do with an image that cannot be read."""

    ERROR = "error"
    SKIP = "skip"


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """How folders are read.

    Attributes:
        on_bad_image: Whether a missing or unreadable file is an error or left out and named.
        frames_per_video: Frames taken of a video, evenly; all where it has fewer.
        compression: Of the data sets that come in several: `raw`, `c23` or `c40`.
        split_seed: Of splits that the data set does not bring along.
    """

    on_bad_image: OnBadImage = OnBadImage.ERROR
    frames_per_video: int = 32
    compression: str = "c23"
    split_seed: int = 0

    def tolerated(self, problem: str) -> str:
        """The problem, where files with problems are left out.

        Raises:
            DataError: they are errors.
        """
        if self.on_bad_image is OnBadImage.ERROR:
            raise DataError(
                f'{problem}. Repair or remove it, or set data.on_bad_image = "skip" '
                "(--set data.on_bad_image=skip) to leave such images out."
            )
        return problem


@dataclass(frozen=True, slots=True)
class Record:
    """One image or video file that exists, not opened yet.

    Attributes:
        path: Of the file.
        label: 1 for forged.
        original: The real face or video it belongs to.
        split: What it may be used for.
        forgery: `real` or the type of forgery.
        video: Name of the video that it is or belongs to; empty for a single image.
        mask: Where the forged region is drawn, an image or a video, if the data set says so.
        where: Its line in a table, for messages.
        people: Who is seen in it, as target or as swapped-in face, where the data set says so.
    """

    path: Path
    label: int
    original: str
    split: Split
    forgery: str
    video: str = ""
    mask: Path | None = None
    where: str = ""
    people: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Listing:
    """The records of a data set; no original lies in two splits.

    Attributes:
        name: Of the data set.
        layout: That it was read as.
        source: The table or folder that says so, for messages.
        records: At least one.
        missing: Files that the data set names but lacks, left out as the settings allow.
        notes: What the reader decided, for the user: left-out videos, splits it made.
        root: The data folder, which no file leaves; the source or its folder unless given.
        compression: Which of its copies was read; `None` of data sets that have one.
    """

    name: str
    layout: str
    source: Path
    records: tuple[Record, ...]
    missing: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    root: Path | None = None
    compression: str | None = None

    def __post_init__(self) -> None:
        if not self.records:
            why = "".join(f" {note}." for note in (*self.missing[:1], *self.notes))
            raise DataError(
                f"{self.source} has no images or videos of the layout {self.layout!r}.{why}"
            )
        first: dict[str, Record] = {}
        for record in self.records:
            seen = first.setdefault(record.original, record)
            if seen.split is not record.split:
                raise DataError(
                    f"{self.source}: original {record.original!r} lies in two splits, "
                    f"{seen.split.value!r} ({seen.where or seen.path}) and {record.split.value!r} "
                    f"({record.where or record.path}); a group must not cross splits, or the test "
                    "repeats what was trained on."
                )

    @property
    def folder(self) -> Path:
        """The data folder, which no file leaves."""
        if self.root is not None:
            return self.root
        return self.source if self.source.is_dir() else self.source.parent

    def terms(self, settings: Settings, *, skipped: int | None = None) -> ReadingTerms:
        """On which it is read.

        Args:
            settings: Of how.
            skipped: Files left out in all; those that are missing unless given.

        Raises:
            DataError: what says how it was prepared leaves the data folder.
        """
        found = len(self.missing) if skipped is None else skipped
        if self.layout == METADATA:
            return table_terms(self.name, self.folder, settings, skipped=found)
        return ReadingTerms(
            name=self.name,
            layout=self.layout,
            compression=self.compression,
            split_seed=settings.split_seed,
            frames_per_video=settings.frames_per_video,
            on_bad_image=settings.on_bad_image.value,
            skipped=found,
        )

    def place(self, record: Record) -> str:
        """A record's file, and the line of the table that names it."""
        return f"{self.source}, {record.where}: {record.path}" if record.where else str(record.path)


def table_terms(name: str, folder: Path, settings: Settings, *, skipped: int) -> ReadingTerms:
    """On which a folder with a table of its own is read, `metadata.csv`.

    Args:
        name: Of the data set.
        folder: Where the table lies.
        settings: Of how.
        skipped: Files left out in all.

    Raises:
        DataError: what says how it was prepared leaves the data folder.
    """
    return ReadingTerms(
        name=name,
        layout=METADATA,
        frames_per_video=settings.frames_per_video,
        on_bad_image=settings.on_bad_image.value,
        skipped=skipped,
        prepared=_prepared(folder),
    )


def _prepared(folder: Path) -> Mapping[str, Any] | None:
    """What `bonas prepare` noted in a folder; `None` where it did not, or where that is damaged."""
    file = inside(folder, folder / PREPARED, str(folder))
    try:
        found = read_json(file)
    except DataError:
        return None  # only an origin is lost, which the protocol shows
    return found if isinstance(found, dict) else None


def clip_records(
    clip: Clip,
    count: int,
    *,
    root: Path,
    original: str,
    split: Split,
    forgery: str = REAL,
    masks: Mapping[str, Path] | Path | None = None,
) -> list[Record]:
    """The records of a clip: one per video file, or one for each of `count` frames.

    Args:
        clip: What is read.
        count: Most frames that are taken of a folder of frames.
        root: The data folder, which no file may leave.
        original: The group of all of them.
        split: Their split.
        forgery: `real` or the type.
        masks: By the stem of a frame, or one for the whole clip.
    """
    records: list[Record] = []
    for path in clip.spread(count):
        mask = masks.get(path.stem) if isinstance(masks, Mapping) else masks
        records.append(
            Record(
                path=inside(root, path, str(root)),
                label=int(forgery != REAL),
                original=original,
                split=split,
                forgery=forgery,
                video=f"{forgery}/{clip.name}",
                mask=None if mask is None else inside(root, mask, str(root)),
            )
        )
    return records


def check_folder(folder: Path) -> None:
    """Refuse what is no folder.

    Raises:
        DataError: it does not exist, or is a file.
    """
    if folder.is_file():
        raise DataError(
            f"data folder {str(folder)!r} is a file; name the folder that holds the data set."
        )
    if not folder.is_dir():
        raise DataError(f"data folder {str(folder)!r} does not exist.")


def read_json(path: Path) -> Any:
    """The content of a JSON file.

    Raises:
        DataError: there is none, or it is no JSON.
    """
    if not path.is_file():
        raise DataError(f"{path} does not exist.")
    try:
        return json.loads(path.read_text(encoding="utf-8-sig"))
    except (OSError, ValueError, RecursionError) as error:
        raise DataError(f"{path} is not readable as JSON: {error}.") from error


def read_table(path: Path) -> dict[str, dict[str, Any]]:
    """A JSON file that describes files by name.

    Raises:
        DataError: as in `read_json`, or it is no such table.
    """
    document = read_json(path)
    if not isinstance(document, dict) or not all(isinstance(v, dict) for v in document.values()):
        raise DataError(f"{path} must be an object with an object for each video.")
    return document


def label_of(value: Any, place: str) -> int:
    """0 for REAL and 1 for FAKE, in any case.

    Raises:
        DataError: it is neither.
    """
    found = {"real": 0, "fake": 1}.get(str(value).strip().lower())
    if found is None:
        raise DataError(f"{place}: label is {value!r}; it must be REAL or FAKE.")
    return found


def domain_of(label: int, forgery: str, place: str) -> str:
    """`real`, or of a forged image the type of its forgery.

    Raises:
        DataError: the type of a forged image is called `real`.
    """
    if label and forgery == REAL:
        raise DataError(
            f"{place}: forgery is {forgery!r}, but its label is FAKE. Correct the label, or name "
            "the forgery otherwise."
        )
    return forgery if label else REAL
