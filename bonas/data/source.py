"""From the `[data]` table to data sets."""

import logging
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch

from bonas.config import DataTable
from bonas.data.faces import REAL, DataError, DataSet, Faces, Split
from bonas.data.layouts import metadata_csv
from bonas.data.layouts.contents import Contents
from bonas.data.layouts.named import AUTO, list_data
from bonas.data.layouts.reading import read_listing
from bonas.data.layouts.records import Settings
from bonas.data.pseudo_forged import PSEUDO, pseudo_forged
from bonas.data.reading_terms import ReadingTerms
from bonas.data.regions import Regions, joined
from bonas.data.synthetic_set import synthetic_faces
from bonas.data.unseen import condition_name, folder_conditions, forgery_conditions

_LOG = logging.getLogger(__name__)

Progress = Callable[[int, int], None]
Further = dict[Path, tuple[str, DataSet]]


@dataclass(frozen=True, slots=True)
class SearchData:
    """What a search, a training and a final test may see.

    Attributes:
        train: Both classes, without the held-back forgeries.
        val: Of the validation split the real faces and what was trained on: what selects.
        test: The same of the test split: what reports.
        unseen_val: What was not trained on, of the validation split, by the condition's name.
        unseen_test: The same of the test split, and the data sets that nothing was selected on.
        skipped: Images of any of the data sets that were left out, with the reason.
        name: Of the data set that is trained on.
        readings: How that was read, and each further one.
    """

    train: Faces
    val: Faces
    test: Faces | None
    unseen_val: dict[str, Faces]
    unseen_test: dict[str, Faces]
    skipped: tuple[str, ...]
    name: str = ""
    readings: tuple[ReadingTerms, ...] = ()


def load_search_data(
    table: DataTable, *, seed: int, progress: Progress | None = None, regions: bool = False
) -> SearchData:
    """Read or draw the faces and divide them by what they may be used for.

    Args:
        table: Which.
        seed: Of drawn faces and pseudo-forgeries.
        progress: Called with (files read, files in all).
        regions: Whether to read where images were manipulated, too; nothing else depends on it.

    Raises:
        DataError: data that cannot be used so; names the place and the remedy.
    """
    main = _load(table, seed=seed, progress=progress, regions=regions)
    present = sorted({f for faces in main.splits.values() for f in faces.forgeries})
    train = _doubled(main) if table.real_only else main.require(Split.TRAIN, "training")
    train = train.of_domains(_seen_types(table, main, present))
    seen = train.forgeries
    untrained = [f for f in present if f not in seen]
    held_back = forgery_conditions(
        present if table.rotate else untrained, f"data set {main.name!r}"
    )
    further = _further_sets(table, {*held_back, PSEUDO})
    val = _scored(main, table, Split.VAL, "the search")
    has_test = Split.TEST in main.splits
    test = _scored(main, table, Split.TEST, "the final test") if has_test else None
    unseen_val = _unseen(val, seen, table, further, Split.VAL, seed)
    unseen_test = _unseen(test, seen, table, further, Split.TEST, seed) if test is not None else {}
    for path in table.test:
        name, other = further[path.resolve()]
        unseen_test[name] = other.require(Split.TEST, "the final test")
    seen_val = _of_trained(val, seen, table, seed)
    seen_test = _of_trained(test, seen, table, seed) if test is not None else None
    scored = {"val": seen_val} | {f"val, {n}": f for n, f in unseen_val.items()}
    if seen_test is not None:
        scored |= {"test": seen_test} | {f"test, {n}": f for n, f in unseen_test.items()}
    for name, faces in scored.items():
        check_scorable(faces, f"{main.name!r} ({name})")
    read = [main, *(other for _, other in further.values())]
    skipped = tuple(s for data in read for s in data.skipped)
    terms = tuple(data.reading for data in read if data.reading is not None)
    return SearchData(
        *(train, seen_val, seen_test, unseen_val, unseen_test, skipped, main.name, terms)
    )


def _seen_types(table: DataTable, main: DataSet, present: list[str]) -> list[str]:
    """The forgery types that are trained on.

    Raises:
        DataError: a type that is held back is none of the data's, or no type is left.
    """
    unknown = [f for f in table.unseen if f not in present]
    if unknown:
        raise DataError(
            f"data.unseen names {unknown[0]!r}, which is no forgery type of {main.name!r}; "
            f"its types are {', '.join(present) or 'none'}."
        )
    if table.real_only:
        return [PSEUDO]
    seen = [f for f in present if f not in table.unseen]
    if not seen and present:
        raise DataError(
            f"data.unseen holds back every forgery type of {main.name!r} "
            f"({', '.join(present)}); leave at least one for training."
        )
    return seen


def _doubled(data: DataSet) -> Faces:
    """The real training faces twice: as themselves, and as what blended copies stand in for.

    Raises:
        DataError: there are none.
    """
    faces = data.splits.get(Split.TRAIN)
    real = faces.of_domains([]) if faces is not None else None
    if real is None or not len(real):
        raise DataError(
            f"data set {data.name!r} has no real images in the split 'train', which "
            "data.real_only trains on. Assign some to it."
        )
    return Faces(
        torch.cat([real.images, real.images]),
        torch.cat([real.labels, torch.ones_like(real.labels)]),
        real.originals * 2,
        (REAL,) * len(real) + (PSEUDO,) * len(real),
        # The copies that are trained on in the second's place bring regions of their own.
        regions=joined(real.regions, Regions.none(real.images, known=False)),
        hulls=None if real.hulls is None else torch.cat([real.hulls, real.hulls]),
    )


def check_scorable(faces: Faces, name: str) -> None:
    """An AUC with an interval needs real and forged images of at least two originals each.

    Raises:
        DataError: there are fewer; says of which kind in `name`.
    """
    for label, kind in enumerate(("real", "forged")):
        labels = faces.labels.tolist()
        found = {o for o, y in zip(faces.originals, labels, strict=True) if y == label}
        if len(found) < 2:
            raise DataError(
                f"{name} has {kind} images of {len(found)} original(s); a score with an interval "
                "needs at least 2. Add faces to this split."
            )


def _scored(main: DataSet, table: DataTable, split: Split, purpose: str) -> Faces:
    """A split to score on: with both classes, or real faces at least where they are blended.

    Raises:
        DataError: it lacks a class.
    """
    faces = main.splits.get(split)
    if table.real_only and faces is not None and 0 in faces.labels:
        return faces
    return main.require(split, purpose)


def _of_trained(faces: Faces, seen: Sequence[str], table: DataTable, seed: int) -> Faces:
    """The real faces and those types that were trained on, blends made of the faces themselves."""
    return pseudo_forged(faces, seed=seed) if table.real_only else faces.of_domains(seen)


def _unseen(
    faces: Faces, seen: Sequence[str], table: DataTable, further: Further, split: Split, seed: int
) -> dict[str, Faces]:
    """The conditions of the `unseen` group in a split of the main and further data, by name."""
    untrained = dict.fromkeys([*table.unseen, *(f for f in faces.forgeries if f not in seen)])
    found = {condition_name(forgery): faces.of_domains([forgery]) for forgery in untrained}
    if table.pseudo_forgeries and not table.real_only:
        found[PSEUDO] = pseudo_forged(faces, seed=seed)
    for path in table.unseen_data:
        name, other = further[path.resolve()]
        found[name] = other.require(split, "the score's unseen group")
    return found


def _further_sets(table: DataTable, taken: Collection[str]) -> Further:
    """The further data sets by resolved path, each with the name of its condition.

    Raises:
        DataError: one that cannot be read, is named twice, or is unseen data and trained on.
    """
    trained = table.path and table.path.resolve()  # as `test` it is seen, and the report says so
    read: dict[Path, DataSet] = {}
    for key, paths in (("unseen_data", table.unseen_data), ("test", table.test)):
        for path in paths:
            if path.resolve() in read or (key == "unseen_data" and path.resolve() == trained):
                raise DataError(
                    f"data.{key} names {str(path)!r}, which is named already; what is trained on "
                    "is not unseen, and what selects cannot be the final test. Name it once."
                )
            read[path.resolve()] = _read(table, path, AUTO, None)
    names = folder_conditions({path: data.name for path, data in read.items()}, taken)
    return {path: (names[path], data) for path, data in read.items()}


def _load(
    table: DataTable, *, seed: int, progress: Progress | None, regions: bool = False
) -> DataSet:
    if table.layout == "synthetic":
        count, size = table.identities, table.size
        return synthetic_faces(count, size, seed=seed, progress=progress, regions=regions)
    assert table.path is not None
    return _read(table, table.path, table.layout, progress, regions=regions)


def _read(
    table: DataTable,
    path: Path,
    layout: str,
    progress: Progress | None,
    *,
    regions: bool = False,
) -> DataSet:
    settings = layout_settings(table)
    listing = list_data(path, layout, settings)
    if listing.layout != metadata_csv.NAME or listing.notes:
        # Unless a table says it all, the reader decided something, which must be seen.
        _LOG.warning("%s", Contents.of(listing).text())
    return read_listing(listing, table.size, settings, progress=progress, regions=regions)


def layout_settings(table: DataTable) -> Settings:
    """What the readers of layouts take of the table."""
    return Settings(
        on_bad_image=table.on_bad_image,
        frames_per_video=table.frames_per_video,
        compression=table.compression,
        split_seed=table.split_seed,
    )


def read_data(path: Path, size: int, progress: Progress | None = None) -> DataSet:
    """A data set that no configuration names, in any layout that is read.

    Raises:
        DataError: as its reader.
    """
    return read_folder(DataTable(path=path, size=size, layout="auto"), progress)


def read_folder(table: DataTable, progress: Progress | None = None) -> DataSet:
    """The data set at the path of a table, read as the table says.

    Raises:
        DataError: as its reader.
    """
    return _load(table, seed=0, progress=progress)
