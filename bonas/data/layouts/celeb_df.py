"""Celeb-DF v1 and v2 (Li et al. 2020, arXiv:1909.12962).

    Celeb-real/id0_0000.mp4            a celebrity, and the number of the take
    Celeb-synthesis/id0_id1_0000.mp4   the take id0_0000 with the face of id1
    YouTube-real/00000.mp4             somebody else
    List_of_testing_videos.txt         `1 path` for a REAL and `0 path` for a forged video

Instead of video files a folder may have `frames/NAME/*.png`. **The list's labels are the opposite
of those used here, where 1 is forged**; a line whose label contradicts its folder is an error.

A group is a take with its forgeries. The published list tests some forgeries of takes that it
leaves to training: those training videos are left out. It does not divide people, who appear on
both sides. The validation split is made of a quarter of the training people, so that no one is the
target of a training and a validation video.
"""

import re
from dataclasses import replace
from pathlib import Path

from bonas.data.clips import Clip, clips_in
from bonas.data.faces import REAL, DataError, Split
from bonas.data.layouts.places import inside
from bonas.data.layouts.records import (
    ANY_FORGERY,
    Listing,
    Record,
    Settings,
    check_folder,
    clip_records,
)
from bonas.data.layouts.splitting import kept_apart, with_validation

NAME = "celeb-df"
SIGN = "folders Celeb-real/ and Celeb-synthesis/"
LIST = "List_of_testing_videos.txt"
FOLDERS = {"Celeb-real": 0, "YouTube-real": 0, "Celeb-synthesis": 1}
LISTED = {"1": 0, "0": 1}
"""From the list's label to ours."""


def found_in(folder: Path) -> bool:
    """Whether the folder has real or forged celebrities."""
    return any((folder / name).is_dir() for name in ("Celeb-real", "Celeb-synthesis"))


def list_celeb_df(folder: Path, settings: Settings) -> Listing:
    """The videos or frames, tested on what the published list names.

    Raises:
        DataError: a folder or the list is missing, or a line is against its rule; names it.
    """
    check_folder(folder)
    clips: dict[str, Clip] = {}
    for name in FOLDERS:
        if (folder / name).is_dir():
            found = clips_in(inside(folder, name, str(folder))).values()
            clips |= {f"{name}/{clip.name}": clip for clip in found}
        elif name != "YouTube-real":
            raise DataError(f"{folder} has no folder {name!r}; the layout {NAME!r} needs it.")
    tested, missing = _tested(folder, set(clips), settings)
    empty = [key for key, clip in clips.items() if not clip.files]
    missing += [settings.tolerated(f"{folder / key} has no images") for key in empty]
    kept, dropped = kept_apart(
        [key for key in clips if key not in empty],
        lambda key: Split.TEST if key in tested else Split.TRAIN,
        lambda key: [take_of(*key.split("/"))],
    )
    records: list[Record] = []
    for key in kept:
        place, name = key.split("/")
        taken = clip_records(
            clips[key],
            settings.frames_per_video,
            root=folder,
            original=take_of(place, name),
            split=Split.TEST if key in tested else Split.TRAIN,
            forgery=ANY_FORGERY if FOLDERS[place] else REAL,
        )
        records += [replace(record, people=people_of(name)) for record in taken]
    # The names of both real folders may coincide; a video is known by its folder too.
    records = [replace(r, video=f"{r.forgery}/{r.original}/{r.video}") for r in records]
    records, notes = with_validation(
        records, seed=settings.split_seed, key=lambda r: r.original.partition("_")[0]
    )
    if dropped:
        notes.append(f"{dropped} training videos left out: the test has videos of the same take")
    called = folder.resolve().name
    return Listing(called, NAME, folder, tuple(records), tuple(missing), tuple(notes))


def take_of(folder: str, name: str) -> str:
    """The real take that a video is, or was made from."""
    if folder == "YouTube-real":
        return f"youtube {name}"
    swapped = re.fullmatch(r"(id\d+)_id\d+_(\d+)", name)
    return f"{swapped[1]}_{swapped[2]}" if swapped else name


def people_of(name: str) -> tuple[str, ...]:
    """The celebrities in a video, target first; somebody on YouTube has no name."""
    seen = re.fullmatch(r"(id\d+)(?:_(id\d+))?_\d+", name)
    return tuple(person for person in seen.groups() if person) if seen else ()


def _tested(folder: Path, clips: set[str], settings: Settings) -> tuple[set[str], list[str]]:
    """The listed videos that exist, as `folder/name`, and those that do not."""
    file = inside(folder, LIST, str(folder))
    if not file.is_file():
        raise DataError(f"{file} does not exist. It belongs to the data set; copy it there.")
    tested: set[str] = set()
    missing: list[str] = []
    text = file.read_text(encoding="utf-8-sig", errors="replace")
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip():
            continue
        place = f"{file}, line {number}"
        label, _, listed = line.strip().partition(" ")
        path = inside(folder, listed.strip(), place).relative_to(folder)
        if label not in LISTED or len(path.parts) != 2 or path.parts[0] not in FOLDERS:
            raise DataError(
                f"{place}: {line.strip()!r} is not of the form '1 Celeb-real/NAME.mp4' or "
                "'0 Celeb-synthesis/NAME.mp4'."
            )
        if LISTED[label] != FOLDERS[path.parts[0]]:
            raise DataError(
                f"{place}: label {label} contradicts the folder {path.parts[0]}; in this list 1 is "
                "real and 0 forged."
            )
        key = f"{path.parts[0]}/{path.stem}"
        if key in clips:
            tested.add(key)
        else:
            missing.append(settings.tolerated(f"{place}: the video {str(path)!r} does not exist"))
    return tested, missing
