"""The `folders` layout: `real/` and `fake/` with images or videos, at any depth.

    faces/Real/anna_01.png     faces/Real/berta/0001.png
    faces/Fake/anna_07.png     faces/Fake/berta_swap.mp4

Who is in a picture is read from the first name below the class folder, a folder's or a file's: it
is what stands before the first `_`, `-`, space or dot, in any case. Above, `anna` and `berta` have
a real and a forged file each. Files of one name stay together when the splits are made from
`data.split_seed`, 60 : 20 : 20. Names that say nothing of who is in the picture (`img_1.png`) need
a table instead: with it the splits are yours to make. Two or more pictures of one folder, other
than the class folder itself, are frames of a video, of which at most `data.frames_per_video` are
taken. `real/` alone, with no other folder beside it, is a data set of real faces, for
`data.real_only`.
"""

import os
import re
from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from pathlib import Path

from bonas.data.clips import is_video, natural
from bonas.data.faces import REAL, DataError, Split
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
from bonas.data.layouts.thinning import thinned

NAME = "folders"
SIGN = "folders real/ and fake/, or real/ alone"
CLASSES = {"real": 0, "fake": 1}
RULE = (
    "A file's group is the first name below real/ or fake/ up to the first '_', '-', space or dot. "
    "Rename the files, or write a table metadata.csv."
)


def found_in(folder: Path) -> bool:
    """Whether the folder has both class folders, or that of real faces and no other."""
    if not folder.is_dir():
        return False
    places = _class_folders(folder)
    return len(places) == len(CLASSES) or _alone(folder, places)


def list_folders(folder: Path, settings: Settings) -> Listing:
    """The images and videos of the two class folders, with made splits.

    Raises:
        DataError: a class folder is missing, twice there or empty, or the names form too few
            groups.
    """
    check_folder(folder)
    places = _class_folders(folder)
    missing = [name for name in CLASSES if name not in places]
    if missing and not _alone(folder, places):
        raise DataError(
            f"{folder} has no folder {missing[0]!r} (in any case); the layout {NAME!r} needs "
            f"{' and '.join(CLASSES)}."
        )
    files, left_out = _listed(places, folder)
    check_enough([group for *_, group in files], str(folder), RULE)
    splits = made_splits(((group, label) for _, label, group in files), seed=settings.split_seed)
    pictures = Counter(path.parent for path, *_ in files if not is_video(path))
    videos = {place for place, count in pictures.items() if count > 1} - set(places.values())
    records = [
        Record(
            path=inside(folder, path, str(folder)),
            label=label,
            original=group,
            split=splits[group],
            forgery=ANY_FORGERY if label else REAL,
            video=_video(path, videos, folder),
        )
        for path, label, group in files
    ]
    kept, less = thinned(records, settings.frames_per_video)
    made = f"splits are made of {len(splits)} groups (data.split_seed = {settings.split_seed})"
    one_sided = [f"no folder {name}/" for name in missing]
    notes = (made, *one_sided, *_one_sided(records), *left_out, *less)
    return Listing(folder.resolve().name, NAME, folder, tuple(kept), notes=notes)


def _listed(
    places: Mapping[str, Path], folder: Path
) -> tuple[list[tuple[Path, int, str]], list[str]]:
    """The files of both classes, each with its label and group, and what is left out of them."""
    files: list[tuple[Path, int, str]] = []
    special: list[Path] = []
    foreign: list[Path] = []
    for name, label in CLASSES.items():
        if name not in places:
            continue
        place = places[name]
        named, unknown = _files(place, folder)
        found = [f for f in named if f.is_file()]
        others = sorted(set(named) - set(found))
        special += others
        foreign += unknown
        if not found:
            but = f" {others[0]} is no file: a link to nothing, or a pipe." if others else ""
            but += f" Files such as {unknown[0]} are of other kinds." if unknown else ""
            raise DataError(f"{place} has no images or videos.{but} Put the {name} ones there.")
        files.extend((f, label, group_of(f.relative_to(place).parts[0])) for f in found)
    notes: list[str] = []
    if special:
        # To open a pipe or a device might wait for ever.
        notes.append(f"{len(special)} names left out: no regular files, such as {special[0]}")
    if foreign:
        notes.append(f"{len(foreign)} files of other kinds left out, such as {foreign[0]}")
    return files, notes


def _one_sided(records: Sequence[Record]) -> Iterator[str]:
    """Splits without one of the classes: whoever sorted forgeries by method has them so."""
    for name, label in CLASSES.items():
        own = [r for r in records if r.label == label]
        missing = [split.value for split in Split if split not in {r.split for r in own}]
        if own and missing:
            groups = sorted({r.original for r in own})
            listed = ", ".join(groups[:3]) + (", ..." if len(groups) > 3 else "")
            yield (
                f"{name}/ has files of {len(groups)} group(s) ({listed}) and none in "
                f"{' and '.join(missing)}: a folder below it is one person or clip. Where folders "
                "are methods, write a metadata.csv with the column forgery"
            )


def _video(path: Path, videos: Collection[Path], root: Path) -> str:
    """The name of the video that a file is or belongs to; empty for a single picture."""
    named = path if is_video(path) else path.parent
    return named.relative_to(root).as_posix() if named is path or named in videos else ""


def group_of(name: str) -> str:
    """The group that a file or folder name states: what stands before the first separator."""
    return re.split(r"[_\-\s.]", name.lower(), maxsplit=1)[0] or name.lower()


def _alone(folder: Path, places: Mapping[str, Path]) -> bool:
    """Whether there are real faces and no other folder, which might be a misspelt one."""
    seen = [p for p in folder.iterdir() if p.is_dir() and not p.name.startswith(".")]
    return "real" in places and len(seen) == 1


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


def _files(folder: Path, root: Path) -> tuple[list[Path], list[Path]]:
    """The images and videos by name, and the files of other kinds; hidden ones are neither."""
    found: list[Path] = []
    for place, folders, names in os.walk(folder):
        for name in folders:
            inside(root, Path(place, name), str(root))  # a linked folder is not walked into
        folders[:] = [name for name in folders if not name.startswith(".")]
        found.extend(Path(place, name) for name in names if not name.startswith("."))
    found.sort(key=lambda f: natural(str(f)))
    read = [f for f in found if f.suffix.lower() in SUFFIXES or is_video(f)]
    return read, sorted(set(found) - set(read))
