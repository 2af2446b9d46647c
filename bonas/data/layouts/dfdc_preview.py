"""The preview of the Deepfake Detection Challenge (Dolhansky et al. 2019, arXiv:1910.08854).

    dataset.json = {"method_A/.../a.mp4": {"label", "set", "target_id", "swapped_id"}, ...}
    original_videos/..., method_A/..., method_B/...

The first folder of a path names the method, which is the domain. A group is the person in the
target video. A training video of a person who is in the test set, as target or as swapped-in face,
is left out. There is no validation set: it is made of a quarter of the training people.
"""

from dataclasses import replace
from pathlib import Path

from bonas.data.faces import DataError, Split
from bonas.data.layouts.dfdc import SPLITS, clip_of, required
from bonas.data.layouts.places import inside
from bonas.data.layouts.records import (
    ANY_FORGERY,
    Listing,
    Record,
    Settings,
    check_folder,
    label_of,
    read_table,
)
from bonas.data.layouts.splitting import kept_apart, with_validation

NAME = "dfdc-preview"
SIGN = "a table dataset.json"
TABLE = "dataset.json"


def found_in(folder: Path) -> bool:
    """Whether the folder has the table."""
    return (folder / TABLE).is_file()


def list_dfdc_preview(folder: Path, settings: Settings) -> Listing:
    """The videos, or frames of them, that the table names.

    Raises:
        DataError: no table, one without a column, or an entry against its rule; names it.
    """
    check_folder(folder)
    table = inside(folder, TABLE, str(folder))
    found: list[tuple[list[Record], Split, list[str]]] = []
    missing: list[str] = []
    for name, entry in read_table(table).items():
        place = f"{table}, {name!r}"
        label = label_of(required(entry, "label", place), place)
        target = f"person {required(entry, 'target_id', place)}"
        people = [target]
        if label:
            people.append(f"person {required(entry, 'swapped_id', place)}")
        given = str(required(entry, "set", place)).lower()
        if given not in SPLITS:
            raise DataError(f"{place}: set is {given!r}; it must be one of {', '.join(SPLITS)}.")
        parts = Path(name.replace("\\", "/")).parts
        records = clip_of(
            folder,
            name,
            settings,
            root=folder,
            label=label,
            original=target,
            place=place,
            forgery=parts[0].lower() if len(parts) > 1 else ANY_FORGERY,
        )
        seen = [replace(record, people=tuple(people)) for record in records]
        if seen:
            found.append((seen, SPLITS[given], people))
        else:
            missing.append(settings.tolerated(f"{place}: the video does not exist"))
    kept, dropped = kept_apart(found, lambda f: f[1], lambda f: f[2])
    divided = [replace(record, split=split) for records, split, _ in kept for record in records]
    divided, notes = with_validation(divided, seed=settings.split_seed)
    if dropped:
        notes.append(f"{dropped} videos left out: their people are in a stricter split")
    name = folder.resolve().name
    return Listing(name, NAME, folder, tuple(divided), tuple(missing), tuple(notes))
