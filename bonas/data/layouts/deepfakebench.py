"""Data sets as DeepfakeBench (Yan et al. 2023, arXiv:2307.01426) prepares and lists them.

    dataset_json/NAME.json = {NAME: {LABEL: {split: {[compression:] {video: {label, frames}}}}}}
    .../frames/VIDEO/*.png    .../masks/VIDEO/*.png    .../landmarks/VIDEO/*.npy

`data.path` is the JSON file, or the folder that holds `dataset_json/` (or
`preprocessing/dataset_json/`) with one file. Frames are relative to that folder or to `rgb/` or
`datasets/rgb/` in it, with slashes or backslashes. A label that ends in `real` is real; any other
is the domain of its forgeries. Masks lie where `frames` in a path is replaced by `masks`.

The published lists overlap: Celeb-DF trains on its test videos, and DeepFakeDetection is the same
in all splits. Here a video belongs to test before val before train, training videos of a tested
original are left out, and without a val split a quarter of the training groups become it.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from bonas.data.clips import Clip, natural
from bonas.data.faces import REAL, DataError, Split
from bonas.data.layouts.celeb_df import people_of, take_of
from bonas.data.layouts.faceforensics import COMPRESSIONS
from bonas.data.layouts.places import inside
from bonas.data.layouts.records import (
    Listing,
    Record,
    Settings,
    clip_records,
    read_json,
)
from bonas.data.layouts.splitting import joined, kept_apart, with_validation

NAME = "deepfakebench"
SIGN = "a folder dataset_json/ with NAME.json, or such a file"
JSON = "dataset_json"
IMAGES = ("", "rgb", "datasets/rgb", "datasets")


@dataclass(frozen=True, slots=True)
class Listed:
    """One video of the JSON file: its domain, split, name and the paths of its frames."""

    domain: str
    split: Split
    name: str
    frames: tuple[str, ...]
    place: str


def found_in(folder: Path) -> bool:
    """Whether there is a folder of JSON files, or this is one of them."""
    return bool(_files(folder))


def list_deepfakebench(folder: Path, settings: Settings) -> Listing:
    """The frames that a JSON file lists.

    Args:
        folder: The JSON file, or the folder above `dataset_json/`.
        settings: How frames are taken, and of which compression.

    Raises:
        DataError: none or several files, or a file of another form; names the place.
    """
    files = _files(folder)
    if len(files) != 1:
        names = ", ".join(f.name for f in files) or "none"
        raise DataError(
            f"{str(folder)!r} has {len(files)} lists in {JSON}/ ({names}); one is read. Let the "
            f"path be the file, such as {folder / JSON / 'NAME.json'}."
        )
    [file] = files
    root = file.parent.parent
    root = root.parent if root.name == "preprocessing" else root
    listed, notes, compressed = _listed(file, settings.compression)
    places = [root / below for below in IMAGES]
    images = next((p for p in places if _has_any(p, listed)), root)
    originals = _originals(listed)
    # The same video in several splits, and videos of one original in several.
    kept, dropped = kept_apart(listed, lambda v: v.split, lambda v: [originals[v.domain, v.name]])
    if dropped:
        notes.append(f"{dropped} entries left out: a stricter split has videos of their original")
    records: list[Record] = []
    missing: list[str] = []
    for video in kept:
        found, problem = _frames(video, originals[video.domain, video.name], root, images, settings)
        records += found
        missing += problem
    records, made = with_validation(records, seed=settings.split_seed)
    return Listing(
        *(file.stem, NAME, file, tuple(records), tuple(missing), (*notes, *made)),
        root=root,
        compression=settings.compression if compressed else None,
    )


def _files(folder: Path) -> list[Path]:
    if folder.suffix == ".json" and folder.parent.name == JSON and folder.is_file():
        return [folder]
    for place in (folder / JSON, folder / "preprocessing" / JSON):
        if place.is_dir():
            return [inside(folder, file, str(folder)) for file in sorted(place.glob("*.json"))]
    return []


def _listed(file: Path, compression: str) -> tuple[list[Listed], list[str], bool]:
    """The videos, what is to be said of them, and whether the list has compressions."""
    document = read_json(file)
    if not isinstance(document, dict) or len(document) != 1:
        raise DataError(f"{file} must be an object with one key, the name of the data set.")
    [labels] = document.values()
    listed: list[Listed] = []
    notes: list[str] = []
    compressed = False
    for label, splits in _items(labels, f"{file}"):
        domain = REAL if label.lower().endswith("real") else label.lower()
        for name, videos in _items(splits, f"{file}, {label}"):
            place = f"{file}, {label}, {name}"
            if name.lower() not in set(Split):
                raise DataError(f"{place}: a split must be one of train, val and test.")
            if isinstance(videos, dict) and isinstance(videos.get("frames"), list):
                # The published script writes so the val split of its DFDC list.
                notes.append(f"{label}, {name}: left out, one video instead of a table of videos")
                continue
            chosen = _of(videos, compression, place)
            compressed |= chosen is not videos
            for video, entry in _items(chosen, place):
                spot = f"{place}, {video}"
                frames = _checked(entry, domain, spot)
                listed.append(Listed(domain, Split(name.lower()), video, frames, spot))
    if not any(video.domain == REAL for video in listed):
        raise DataError(
            f"{file} has no real videos: none of its labels ({', '.join(labels)}) ends in 'real'."
        )
    return listed, notes, compressed


def _items(table: Any, place: str) -> Iterator[tuple[str, Any]]:
    if not isinstance(table, dict):
        raise DataError(f"{place}: must be an object, but is {str(table)[:60]!r}.")
    yield from table.items()


def _of(videos: Any, compression: str, place: str) -> Any:
    """The videos of a compression, where the list has several."""
    if not isinstance(videos, dict) or not videos or not set(videos) <= set(COMPRESSIONS):
        return videos
    if compression not in videos:
        raise DataError(
            f"{place} has no compression {compression!r}, only {', '.join(videos)}; set "
            f"data.compression to one that is there (--set data.compression={next(iter(videos))})."
        )
    return videos[compression]


def _checked(entry: Any, domain: str, place: str) -> tuple[str, ...]:
    frames = entry.get("frames") if isinstance(entry, dict) else None
    if not isinstance(frames, list) or not all(isinstance(f, str) and f for f in frames):
        raise DataError(f"{place}: the column 'frames' must be a list of paths.")
    label = str(entry.get("label", ""))
    if not label:
        raise DataError(f"{place}: the column 'label' is missing.")
    if (domain == REAL) != label.lower().endswith("real"):
        raise DataError(f"{place}: its label {label!r} contradicts the table it stands in.")
    return tuple(sorted((f.replace("\\", "/") for f in frames), key=natural))


def _originals(listed: list[Listed]) -> dict[tuple[str, str], str]:
    """The original of every video, from its name: the rules of the data sets it may come from.

    Of FaceForensics++ the two videos that are forged with each other; of DeepFakeDetection the
    target's actor; of Celeb-DF the take. A name that follows no rule is a group of its own.
    """
    pairs = joined((m[1], m[2]) for v in listed if (m := re.fullmatch(r"(\d{3})_(\d{3})", v.name)))
    result: dict[tuple[str, str], str] = {}
    for video in listed:
        acted = re.match(r"(\d\d)(_\d\d)?__", video.name)
        first = video.name.split("_")[0]
        if acted:
            original = f"actor {acted[1]}"
        elif re.fullmatch(r"\d{3}(_\d{3})?", video.name):
            original = pairs.get(first, first)
        else:
            original = take_of("", video.name)
        result[video.domain, video.name] = original
    return result


def _people(name: str) -> tuple[str, ...]:
    """Who is in a video, from its name, by the same rules."""
    if acted := re.match(r"(\d\d)(?:_(\d\d))?__", name):
        return tuple(f"actor {actor}" for actor in acted.groups() if actor)
    return tuple(name.split("_")) if re.fullmatch(r"\d{3}(_\d{3})?", name) else people_of(name)


def _has_any(images: Path, listed: list[Listed]) -> bool:
    some = [(f, video.place) for video in listed[:20] for f in video.frames[:5]]
    return any(inside(images, frame, place).is_file() for frame, place in some)


def _frames(
    video: Listed, original: str, root: Path, images: Path, settings: Settings
) -> tuple[list[Record], list[str]]:
    """The records of a video, and what is missing of it."""
    paths = [inside(root, inside(images, f, video.place), video.place) for f in video.frames]
    present = tuple(p for p in paths if p.is_file())
    problem: list[str] = []
    if len(present) < max(1, len(paths)):
        first = next((p for p in paths if p not in present), None)
        what = (
            "lists no frames"
            if first is None
            else f"{len(paths) - len(present)} of {len(paths)} frames are missing, the first is "
            f"{first}"
        )
        problem = [settings.tolerated(f"{video.place}: {what}")]
    records = clip_records(
        Clip(video.name, present),
        settings.frames_per_video,
        root=root,
        original=original,
        split=video.split,
        forgery=video.domain,
        masks=_masks(present) if video.domain != REAL else None,
    )
    people = _people(video.name)
    return [replace(record, people=people) for record in records], problem


def _masks(frames: tuple[Path, ...]) -> Mapping[str, Path]:
    found: dict[str, Path] = {}
    for frame in frames:
        place = frame.parent.parent
        mask = place.parent / "masks" / frame.parent.name / frame.name
        if place.name == "frames" and mask.is_file():
            found[frame.stem] = mask
    return found
