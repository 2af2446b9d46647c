"""The Deepfake Detection Challenge (Dolhansky et al. 2020, arXiv:2006.07397).

    dfdc_train_part_N/metadata.json = {"a.mp4": {"label", "original", "split"}, ...}
    dfdc_train_part_N/a.mp4 or dfdc_train_part_N/frames/a/*.png

One part alone, a folder with `metadata.json`, is read too. A forgery's group is the video it was
made from. The published training parts all say `train`: then the three splits are made from
`data.split_seed`; otherwise theirs are kept, and without a `val` a quarter of the training groups
becomes it. The tables do not say who is in a video, so that a
person may appear on both sides of a split.
"""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from bonas.data.clips import frames_in, natural
from bonas.data.faces import DataError, Split
from bonas.data.layouts.places import inside
from bonas.data.layouts.records import (
    ANY_FORGERY,
    Listing,
    Record,
    Settings,
    check_folder,
    clip_records,
    domain_of,
    label_of,
    read_table,
)
from bonas.data.layouts.splitting import check_enough, made_splits, with_validation

NAME = "dfdc"
SIGN = "folders dfdc_train_part_N/, or a table metadata.json"
TABLE = "metadata.json"
SPLITS = {"train": Split.TRAIN, "val": Split.VAL, "validation": Split.VAL, "test": Split.TEST}


def found_in(folder: Path) -> bool:
    """Whether the folder is a part or has parts."""
    return bool(_parts(folder))


def list_dfdc(folder: Path, settings: Settings) -> Listing:
    """The videos, or frames of them, that the tables of all parts name.

    Raises:
        DataError: no part, a table without a column, or an entry against its rule; names it.
    """
    check_folder(folder)
    parts = _parts(folder)
    if not parts:
        raise DataError(f"{folder} has no dfdc_train_part_N/ and no {TABLE}.")
    records: list[Record] = []
    missing: list[str] = []
    for part in parts:
        table = inside(folder, part / TABLE, str(folder))
        for name, entry in read_table(table).items():
            place = f"{table}, {name!r}"
            label, original, split = _entry(name, entry, place)
            found = clip_of(
                part, name, settings, root=folder, label=label, original=original, place=place
            )
            if not found:
                missing.append(settings.tolerated(f"{place}: the video does not exist"))
            records.extend(replace(record, split=split) for record in found)
    notes: tuple[str, ...] = ()
    if records and all(record.split is Split.TRAIN for record in records):
        records = _divided(records, folder, settings.split_seed)
        notes = (
            f"every video says train: the splits are made (data.split_seed = "
            f"{settings.split_seed})",
        )
    else:
        records, made = with_validation(records, seed=settings.split_seed)
        notes = tuple(made)
    return Listing(folder.resolve().name, NAME, folder, tuple(records), tuple(missing), notes)


def clip_of(
    folder: Path,
    name: str,
    settings: Settings,
    *,
    root: Path,
    label: int,
    original: str,
    place: str,
    forgery: str = ANY_FORGERY,
) -> list[Record]:
    """The records of a video that a table names, in train: its frames where there are any.

    Args:
        folder: Of the table.
        name: That the table gives the video, relative to the folder.
        settings: How many frames.
        root: The data folder.
        label: 1 for forged.
        original: The group.
        place: Of the entry, for messages.
        forgery: The domain of a forged one.

    Raises:
        DataError: the name leaves the data folder, or a forgery is called `real`.
    """
    file = inside(root, inside(folder, name, place), place)
    frames = file.parent / "frames" / file.stem
    domain = domain_of(label, forgery, place)
    clip = frames_in(frames) if frames.is_dir() else None
    if clip is None or not clip.files:
        if not file.is_file():
            return []
        return [
            Record(file, label, original, Split.TRAIN, domain, f"{domain}/{name}", where=repr(name))
        ]
    return clip_records(
        clip,
        settings.frames_per_video,
        root=root,
        original=original,
        split=Split.TRAIN,
        forgery=domain,
    )


def required(entry: dict[str, Any], column: str, place: str) -> Any:
    """A value of an entry.

    Raises:
        DataError: the entry has none.
    """
    if entry.get(column) in (None, ""):
        raise DataError(f"{place}: the column {column!r} is missing.")
    return entry[column]


def _entry(name: str, entry: dict[str, Any], place: str) -> tuple[int, str, Split]:
    label = label_of(required(entry, "label", place), place)
    original = str(required(entry, "original", place)) if label else name
    given = str(required(entry, "split", place)).lower()
    if given not in SPLITS:
        raise DataError(f"{place}: split is {given!r}; it must be one of {', '.join(SPLITS)}.")
    return label, original, SPLITS[given]


def _divided(records: Sequence[Record], folder: Path, seed: int) -> list[Record]:
    groups = [(record.original, record.label) for record in records]
    check_enough([g for g, _ in groups], str(folder), "A group is a real video and its forgeries.")
    splits = made_splits(groups, seed=seed)
    return [replace(record, split=splits[record.original]) for record in records]


def _parts(folder: Path) -> list[Path]:
    if not folder.is_dir():
        return []
    if (folder / TABLE).is_file():
        return [folder]
    parts = [p for p in folder.glob("dfdc_train_part_*") if p.is_dir()]
    return sorted(parts, key=lambda p: natural(p.name))
