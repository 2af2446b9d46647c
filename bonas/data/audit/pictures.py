"""Pictures to audit: files of a data set, faces in memory, or all that a configuration names."""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import torch

from bonas.config import DataTable
from bonas.data.clips import is_video
from bonas.data.faces import DataError, DataSet, Split
from bonas.data.layouts import folders, metadata_csv
from bonas.data.layouts.named import AUTO, LAYOUTS, layout_of, list_data
from bonas.data.layouts.records import Settings, table_terms
from bonas.data.layouts.thinning import thinned
from bonas.data.reading_terms import ReadingTerms
from bonas.data.source import layout_settings
from bonas.data.synthetic_set import synthetic_faces

Progress = Callable[[int, int], None]


@dataclass(frozen=True, slots=True, eq=False)
class Picture:
    """One picture, or one video, with what its data set says about it.

    Attributes:
        name: Its path, or what tells it from others in memory.
        data_set: Whose `original` names these are.
        split: What it may be used for.
        label: 1 for forged.
        original: The real face or video that it belongs to.
        domain: `real` or the type of its forgery.
        source: Its file, or its pixels: uint8 RGB, `3 x h x w`.
        people: Who is seen in it, as far as the data set says so.
        own_split: Whether a table of the user's says its split, not a published one.
        reading: How its data set was read, where that is known.
        missing: Files that its data set names but lacks, left out as the settings allow.
    """

    name: str
    data_set: str
    split: Split
    label: int
    original: str
    domain: str
    source: Path | torch.Tensor
    people: tuple[str, ...] = ()
    own_split: bool = False
    reading: ReadingTerms | None = None
    missing: tuple[str, ...] = ()

    @property
    def is_video(self) -> bool:
        """Whether it is a video, of which only some frames are looked at."""
        return isinstance(self.source, Path) and is_video(self.source)


def pictures_of_folder(
    folder: Path,
    *,
    splits: Collection[Split] = tuple(Split),
    name: str | None = None,
    layout: str = AUTO,
    settings: Settings = Settings(),  # noqa: B008 - frozen
) -> list[Picture]:
    """The pictures and videos of a folder, none of them opened.

    An original that a table puts into two splits is no error here: the audit reports it.

    Args:
        folder: Where `metadata.csv` lies.
        splits: Which to take.
        name: Of the data set, that of the folder unless given.
        layout: Of the folder; found out unless given.
        settings: How the folder is read.

    Raises:
        DataError: a folder that cannot be read, or of which no picture is left.
    """
    data_set = name or folder.resolve().name
    own_split = False
    if metadata_csv.NAME in (layout, layout_of(folder) if layout == AUTO else ""):
        records, missing = metadata_csv.metadata_records(folder, settings)
        records, _ = thinned(records, settings.frames_per_video)
        reading = table_terms(data_set, folder, settings, skipped=len(missing))
        own_split = not _is_published(reading)
    else:
        listing = list_data(folder, layout, settings)
        records, missing = list(listing.records), list(listing.missing)
        reading = replace(listing.terms(settings), name=data_set)
    lacking = tuple(missing)
    taken = [record for record in records if record.split in splits]
    if not taken:
        # Of nothing every check would find nothing, which reads as a clean bill.
        why = f" {len(lacking)} files are missing: {lacking[0]}." if lacking else ""
        raise DataError(
            f"{folder} has no picture of the split {' or '.join(splits)} to audit.{why} Restore "
            "the files, or correct the table."
        )
    return [
        Picture(
            *(str(r.path), data_set, r.split, r.label, r.original, r.forgery, r.path),
            people=r.people,
            own_split=own_split,
            reading=reading,
            missing=lacking,
        )
        for r in taken
    ]


def _is_published(reading: ReadingTerms) -> bool:
    """Whether `bonas prepare` took the splits of a table from a published data set."""
    layout = (reading.prepared or {}).get("layout")
    return layout in [name for name in LAYOUTS if name not in (metadata_csv.NAME, folders.NAME)]


def pictures_in_memory(data: DataSet) -> list[Picture]:
    """The faces of a data set as pictures without files."""
    return [
        Picture(
            name=f"{split.value} {number} ({faces.domains[number]} of {faces.originals[number]})",
            data_set=data.name,
            split=split,
            label=int(faces.labels[number]),
            original=faces.originals[number],
            domain=faces.domains[number],
            source=faces.images[number],
            reading=data.reading,
        )
        for split, faces in data.splits.items()
        for number in range(len(faces))
    ]


def pictures_on_disk(table: DataTable) -> list[Picture]:
    """All files that a run may train, select or test on, with the splits as the run uses them.

    Of further data sets only what the run scores counts: val and test of `unseen_data`, test of
    `test`. Drawn faces are no files.

    Raises:
        DataError: as in `pictures_of_folder`.
    """
    named: list[tuple[Path, Sequence[Split], str]] = []
    if table.path is not None:
        named.append((table.path, tuple(Split), table.layout))
    named += [(path, (Split.VAL, Split.TEST), AUTO) for path in table.unseen_data]
    named += [(path, (Split.TEST,), AUTO) for path in table.test]
    settings = layout_settings(table)
    pictures: list[Picture] = []
    taken: set[str] = set()
    for path, splits, layout in named:
        name = path.resolve().name
        name = str(path) if name in taken else name
        taken.add(name)
        pictures += pictures_of_folder(
            path, splits=splits, name=name, layout=layout, settings=settings
        )
    return pictures


def pictures_of_run(
    table: DataTable, *, seed: int, progress: Progress | None = None
) -> list[Picture]:
    """`pictures_on_disk`, and the built-in faces where the run draws them.

    Args:
        table: The `[data]` table of the run.
        seed: Of the run.
        progress: Called with (identities drawn, identities in all).

    Raises:
        DataError: as in `pictures_of_folder`.
    """
    if table.layout != "synthetic":
        return pictures_on_disk(table)
    drawn = synthetic_faces(table.identities, table.size, seed=seed, progress=progress)
    return pictures_in_memory(drawn) + pictures_on_disk(table)
