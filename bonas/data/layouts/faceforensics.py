"""FaceForensics++ (Roessler et al. 2019, arXiv:1901.08971), as its download script lays it out.

    original_sequences/{youtube,actors}/{raw,c23,c40}/videos/NNN.mp4 or frames/NNN/*.png
    manipulated_sequences/METHOD/{raw,c23,c40}/videos/TARGET_SOURCE.mp4 or frames/TARGET_SOURCE/
    manipulated_sequences/METHOD/masks/videos/... or METHOD/{c}/masks/TARGET_SOURCE/*.png
    train.json, val.json, test.json (here or in splits/): lists of pairs of ids

The data set's own script extracts frames to `images/`, which is read as `frames/` is.

Every method is a domain. The two videos of a pair are forged with each other's faces, so that a
pair is one `original`, and all of it lies in the pair's split. DeepFakeDetection and the actors'
videos stand in no split file: its actors are divided from `data.split_seed`, and what joins actors
of two splits is left out.
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from bonas.data.clips import clips_in, frames_in, is_video, looked_for
from bonas.data.faces import REAL, DataError, Split
from bonas.data.layouts.places import inside
from bonas.data.layouts.records import (
    Listing,
    Record,
    Settings,
    check_folder,
    clip_records,
    read_json,
)
from bonas.data.layouts.splitting import made_splits

NAME = "faceforensics"
SIGN = "folders original_sequences/ and manipulated_sequences/"
METHODS = (
    "Deepfakes",
    "Face2Face",
    "FaceSwap",
    "NeuralTextures",
    "FaceShifter",
    "DeepFakeDetection",
)
ACTED = "DeepFakeDetection"
COMPRESSIONS = ("raw", "c23", "c40")
Groups = dict[str, tuple[str, Split]]
"""For every video or actor its original and its split."""


def found_in(folder: Path) -> bool:
    """Whether the folder has one of the two folders of sequences."""
    return any((folder / f"{kind}_sequences").is_dir() for kind in ("original", "manipulated"))


def list_faceforensics(folder: Path, settings: Settings) -> Listing:
    """The videos or frames of one compression, with the published splits.

    Raises:
        DataError: the compression is not there, or a split file is missing or puts a video into
            two splits.
    """
    check_folder(folder)
    left_out: Counter[str] = Counter()
    missing: list[str] = []
    records: list[Record] = []
    found = _found(folder, settings.compression)
    acted = {name for _, place in found for name in clips_in(place) if _is_acted(place)}
    groups = _pairs(folder) if any(not _is_acted(place) for _, place in found) else {}
    groups |= _actors(acted, settings.split_seed)
    without: list[Path] = []
    for domain, place in found:
        masks = {} if domain == REAL else _masks(place.parent)
        clips = clips_in(place)
        without += [] if clips else [place]
        for clip in clips.values():
            ids = _ids(clip.name, acted=_is_acted(place))
            unknown = [i for i in ids if i not in groups]
            if unknown:
                left_out["of no pair in the split files"] += 1
            elif len({groups[i][1] for i in ids}) > 1:
                left_out["made of faces of two splits"] += 1
            elif not clip.files:
                missing.append(
                    settings.tolerated(f"{place}: its video {clip.name!r} has no images")
                )
            else:
                original, split = groups[ids[0]]
                taken = clip_records(
                    clip,
                    settings.frames_per_video,
                    root=folder,
                    original=original,
                    split=split,
                    forgery=domain,
                    masks=masks.get(clip.name) or _mask_frames(folder, place, clip.name),
                )
                records += [replace(record, people=tuple(ids)) for record in taken]
    notes = [f"{count} videos left out: {why}" for why, count in sorted(left_out.items())]
    notes += [f"{place} has no videos: {looked_for()}" for place in without]
    notes += _methods_left_out(folder, settings.compression, dict(found))
    if acted:
        notes.append(f"splits of actors are made (data.split_seed = {settings.split_seed})")
    name = folder.resolve().name
    return Listing(
        *(name, NAME, folder, tuple(records), tuple(missing), tuple(notes)),
        compression=settings.compression,
    )


def _found(folder: Path, compression: str) -> list[tuple[str, Path]]:
    """Domain and folder of every sequence that has the compression."""
    sequences = [(REAL, folder / "original_sequences" / s) for s in ("youtube", "actors")]
    sequences += [(m.lower(), folder / "manipulated_sequences" / m) for m in METHODS]
    found = [(d, s / compression) for d, s in sequences if (s / compression).is_dir()]
    if not found:
        present = [c for c in COMPRESSIONS if any((s / c).is_dir() for _, s in sequences)]
        raise DataError(
            f"{folder} has no sequences of the compression {compression!r}; it has "
            f"{', '.join(present) or 'none'}. Set data.compression to one that is there (--set "
            f"data.compression={present[0] if present else 'c23'})."
        )
    for _, place in found:
        inside(folder, place, str(folder))
    return found


def _methods_left_out(folder: Path, compression: str, found: Mapping[str, Path]) -> list[str]:
    return [
        f"{name} left out: it has no {compression}"
        for name in METHODS
        if (folder / "manipulated_sequences" / name).is_dir() and name.lower() not in found
    ]


def _is_acted(place: Path) -> bool:
    return place.parent.name in ("actors", ACTED)


def _ids(name: str, *, acted: bool) -> list[str]:
    """The ids in a name, target first: `003_000`, or of actors `03_14__scene__code`."""
    ids = name.partition("__")[0].split("_")
    return [f"actor {i}" for i in ids] if acted else ids


def _pairs(folder: Path) -> Groups:
    groups: Groups = {}
    for split in Split:
        places = [folder / f"{split}.json", folder / "splits" / f"{split}.json"]
        file = next((p for p in places if p.is_file()), None)
        if file is None:
            raise DataError(
                f"{places[0]} does not exist. It belongs to the data set (a list of pairs of ids, "
                "in its repository under dataset/splits); copy the three split files there."
            )
        pairs = read_json(inside(folder, file, str(folder)))
        if not isinstance(pairs, list):
            raise DataError(f"{file} must be a list of pairs of ids.")
        for number, pair in enumerate(pairs):
            if not (isinstance(pair, list) and len(pair) == 2 and all(map(_is_id, pair))):
                raise DataError(f"{file}, entry {number}: {pair!r} is not a pair of ids.")
            for one in pair:
                known = groups.setdefault(one, ("_".join(sorted(pair)), split))
                if known[1] is not split:
                    raise DataError(
                        f"{file}, entry {number}: {one!r} lies in two splits, "
                        f"{known[1].value!r} and {split.value!r}."
                    )
    return groups


def _is_id(value: object) -> bool:
    return isinstance(value, str) and bool(value)


def _actors(names: set[str], seed: int) -> Groups:
    actors = sorted({i for name in names for i in _ids(name, acted=True)})
    splits = made_splits(((actor, label) for actor in actors for label in (0, 1)), seed=seed)
    return {actor: (actor, splits[actor]) for actor in actors}


def _masks(method: Path) -> dict[str, Mapping[str, Path] | Path]:
    """By the name of a clip its video of masks, or masks by the stem of their frame."""
    place = method / "masks"
    if not place.is_dir():
        return {}
    return {
        name: files[0] if is_video(files[0]) else {mask.stem: mask for mask in files}
        for name, clip in clips_in(place).items()
        if (files := clip.files)
    }


def _mask_frames(folder: Path, place: Path, name: str) -> Mapping[str, Path]:
    """Masks by the stem of their frame; one set serves every compression."""
    for compression in dict.fromkeys((place.name, "c23")):
        masks = place.parent / compression / "masks" / name
        if masks.is_dir():
            inside(folder, masks, str(folder))
            return {mask.stem: mask for mask in frames_in(masks).files}
    return {}
