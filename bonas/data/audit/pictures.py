"""Pictures to audit: files of a data set, faces in memory, or all that a configuration names."""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch

from bonas.config import DataTable
from bonas.data.faces import DataSet, Split
from bonas.data.layouts.metadata_csv import read_rows
from bonas.data.source import synthetic_faces

Progress = Callable[[int, int], None]


@dataclass(frozen=True, slots=True, eq=False)
class Picture:
    """One picture with what its data set says about it.

    Attributes:
        name: Its path, or what tells it from others in memory.
        data_set: Whose `original` names these are.
        split: What it may be used for.
        label: 1 for forged.
        original: The real face or video that it belongs to.
        domain: `real` or the type of its forgery.
        source: Its file, or its pixels: uint8 RGB, `3 x h x w`.
    """

    name: str
    data_set: str
    split: Split
    label: int
    original: str
    domain: str
    source: Path | torch.Tensor


def pictures_of_folder(
    folder: Path, *, splits: Collection[Split] = tuple(Split), name: str | None = None
) -> list[Picture]:
    """The pictures of a folder in the `metadata.csv` layout, none of them opened.

    An original that lies in two splits is no error here: the audit reports it.

    Args:
        folder: Where `metadata.csv` lies.
        splits: Which to take.
        name: Of the data set, that of the folder unless given.

    Raises:
        DataError: a table that cannot be read; names the file and the row.
    """
    data_set = name or folder.resolve().name
    return [
        Picture(str(row.path), data_set, row.split, row.label, row.original, row.forgery, row.path)
        for row in read_rows(folder)
        if row.split in splits
    ]


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
    named: list[tuple[Path, Sequence[Split]]] = []
    if table.path is not None:
        named.append((table.path, tuple(Split)))
    named += [(path, (Split.VAL, Split.TEST)) for path in table.unseen_data]
    named += [(path, (Split.TEST,)) for path in table.test]
    pictures: list[Picture] = []
    taken: set[str] = set()
    for path, splits in named:
        name = path.resolve().name
        name = str(path) if name in taken else name
        taken.add(name)
        pictures += pictures_of_folder(path, splits=splits, name=name)
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
