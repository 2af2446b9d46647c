"""The `folders` layout: `real/` and `fake/` with images or videos, at any depth.

    faces/Real/anna_01.png     faces/Real/berta/0001.png
    faces/Fake/anna_07.png     faces/Fake/berta_swap.mp4

Who is in a picture is read from the first name below the class folder, a folder's or a file's: it
is what stands before the first `_`, `-`, space or dot, in any case. Above, `anna` and `berta` have
a real and a forged file each. Files of one name stay together when the splits are made from
`data.split_seed`, 60 : 20 : 20. Names that say nothing of who is in the picture (`img_1.png`) need
a table instead: with it the splits are yours to make.
"""

import os
import re
from pathlib import Path

from bonas.data.clips import is_video, natural
from bonas.data.faces import REAL, DataError
from bonas.data.images import SUFFIXES
from bonas.data.layouts.places import inside
from bonas.data.layouts.records import (
    ANY_FORGERY,
    Listing,
    Record,
    Settings,
    check_folder,
)
from bonas.data.layouts.splitting import check_enough, made_splits

NAME = "folders"
SIGN = "folders real/ and fake/"
CLASSES = {"real": 0, "fake": 1}
RULE = (
    "A file's group is the first name below real/ or fake/ up to the first '_', '-', space or dot. "
    "Rename the files, or write a table metadata.csv."
)


def found_in(folder: Path) -> bool:
    """Whether the folder has both class folders."""
    if not folder.is_dir():
        return False
    return len(_class_folders(folder)) == len(CLASSES)


def list_folders(folder: Path, settings: Settings) -> Listing:
    """The images and videos of the two class folders, with made splits.

    Raises:
        DataError: a class folder is missing, twice there or empty, or the names form too few
            groups.
    """
    check_folder(folder)
    places = _class_folders(folder)
    missing = [name for name in CLASSES if name not in places]
    if missing:
        raise DataError(
            f"{folder} has no folder {missing[0]!r} (in any case); the layout {NAME!r} needs "
            f"{' and '.join(CLASSES)}."
        )
    files: list[tuple[Path, int, str]] = []
    special: list[Path] = []
    for name, label in CLASSES.items():
        named = _files(places[name], folder)
        found = [f for f in named if f.is_file()]
        others = sorted(set(named) - set(found))
        special += others
        if not found:
            but = f" {others[0]} is no file: a link to nothing, or a pipe." if others else ""
            raise DataError(
                f"{places[name]} has no images or videos.{but} Put the {name} ones there."
            )
        files.extend((f, label, group_of(f.relative_to(places[name]).parts[0])) for f in found)
    check_enough([group for *_, group in files], str(folder), RULE)
    splits = made_splits(((group, label) for _, label, group in files), seed=settings.split_seed)
    records = tuple(
        Record(
            path=inside(folder, path, str(folder)),
            label=label,
            original=group,
            split=splits[group],
            forgery=ANY_FORGERY if label else REAL,
            video=str(path.relative_to(folder)) if is_video(path) else "",
        )
        for path, label, group in files
    )
    notes = [f"splits are made of {len(splits)} groups (data.split_seed = {settings.split_seed})"]
    if special:
        # To open a pipe or a device might wait for ever.
        notes.append(f"{len(special)} names left out: no regular files, such as {special[0]}")
    return Listing(folder.resolve().name, NAME, folder, records, notes=tuple(notes))


def group_of(name: str) -> str:
    """The group that a file or folder name states: what stands before the first separator."""
    return re.split(r"[_\-\s.]", name.lower(), maxsplit=1)[0] or name.lower()


def _class_folders(folder: Path) -> dict[str, Path]:
    found: dict[str, Path] = {}
    for place in sorted(folder.iterdir()):
        name = place.name.lower()
        if name in CLASSES and place.is_dir():
            if name in found:
                raise DataError(
                    f"{folder} has both {found[name].name!r} and {place.name!r}; keep one."
                )
            found[name] = place
    return found


def _files(folder: Path, root: Path) -> list[Path]:
    found: list[Path] = []
    for place, folders, names in os.walk(folder):
        for name in folders:
            inside(root, Path(place, name), str(root))  # a linked folder is not walked into
        folders[:] = [name for name in folders if not name.startswith(".")]
        found.extend(Path(place, name) for name in names if not name.startswith("."))
    read = [f for f in found if f.suffix.lower() in SUFFIXES or is_video(f)]
    return sorted(read, key=lambda f: natural(str(f)))
