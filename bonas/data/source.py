"""From the `[data]` table to data sets."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import torch

from bonas.config import DataTable
from bonas.data.faces import DataError, DataSet, Faces, Split
from bonas.data.layouts.metadata_csv import read_metadata_csv
from bonas.data.synthetic import draw_portraits

Progress = Callable[[int, int], None]
SHARES = {Split.TRAIN: 0.6, Split.VAL: 0.2, Split.TEST: 0.2}  # of the synthetic identities


@dataclass(frozen=True, slots=True)
class SearchData:
    """What a search, a training and a final test may see.

    Attributes:
        train: Both classes, without the held-back forgeries.
        val: The same of the validation split: what selects.
        test: The same of the test split: what reports.
        unseen_val: The held-back forgeries of the validation split, by type.
        unseen_test: Those of the test split, and the further data sets, by name.
        skipped: Images left out, with the reason.
    """

    train: Faces
    val: Faces
    test: Faces | None
    unseen_val: dict[str, Faces]
    unseen_test: dict[str, Faces]
    skipped: tuple[str, ...]


def load_search_data(
    table: DataTable, *, seed: int, progress: Progress | None = None
) -> SearchData:
    """Read or draw the faces and divide them by what they may be used for.

    Raises:
        DataError: data that cannot be used so; names the place and the remedy.
    """
    main = _load(table, seed=seed, progress=progress)
    present = sorted({f for faces in main.splits.values() for f in faces.forgeries})
    unknown = [f for f in table.unseen if f not in present]
    if unknown:
        raise DataError(
            f"data.unseen names {unknown[0]!r}, which is no forgery type of {main.name!r}; "
            f"its types are {', '.join(present) or 'none'}."
        )
    seen = [f for f in present if f not in table.unseen]
    if not seen and present:
        raise DataError(
            f"data.unseen holds back every forgery type of {main.name!r} "
            f"({', '.join(present)}); leave at least one for training."
        )
    train = main.require(Split.TRAIN, "training").of_domains(seen)
    val = main.require(Split.VAL, "the search")
    test = main.require(Split.TEST, "the final test") if Split.TEST in main.splits else None
    further = {}
    for path in table.test:
        other = _further(table, path)
        further[other.name] = other.require(Split.TEST, "the final test")
    return SearchData(
        train=train,
        val=val.of_domains(seen),
        test=test.of_domains(seen) if test is not None else None,
        unseen_val=_by_type(val, table.unseen),
        unseen_test=(_by_type(test, table.unseen) if test is not None else {}) | further,
        skipped=main.skipped,
    )


def _load(table: DataTable, *, seed: int, progress: Progress | None) -> DataSet:
    if table.layout == "synthetic":
        return synthetic_faces(table.identities, table.size, seed=seed, progress=progress)
    assert table.path is not None
    return read_metadata_csv(
        table.path, table.size, on_bad_image=table.on_bad_image, progress=progress
    )


def _further(table: DataTable, path: Path) -> DataSet:
    return read_metadata_csv(path, table.size, on_bad_image=table.on_bad_image)


def _by_type(faces: Faces, forgeries: tuple[str, ...]) -> dict[str, Faces]:
    return {forgery: faces.of_domains([forgery]) for forgery in forgeries}


def synthetic_faces(
    identities: int, size: int, *, seed: int, progress: Progress | None = None
) -> DataSet:
    """The built-in faces, identities divided 60 : 20 : 20 into train, val and test."""
    drawn = draw_portraits(
        range(identities),
        size,
        seed=seed,
        progress=None if progress is None else lambda done: progress(done, identities),
    )
    faces = Faces(
        torch.from_numpy(drawn.images).permute(0, 3, 1, 2).contiguous(),
        torch.from_numpy(drawn.labels),
        drawn.originals,
        drawn.domains,
    )
    order = list(dict.fromkeys(faces.originals))
    splits: dict[Split, Faces] = {}
    start = 0.0
    for split, share in SHARES.items():
        chosen = set(order[round(start * len(order)) : round((start + share) * len(order))])
        splits[split] = faces.select([i for i, o in enumerate(faces.originals) if o in chosen])
        start += share
    return DataSet("synthetic", splits)
