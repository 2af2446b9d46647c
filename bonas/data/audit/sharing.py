"""What two splits share by name or byte for byte: originals and files."""

import hashlib
from collections import defaultdict
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from pathlib import Path

import torch

from bonas.data.audit.finding import Finding, Verdict
from bonas.data.audit.pictures import Picture, Progress

TAIL = 4096
"""Bytes at the end of a file that tell almost all different files of one size apart. The beginning
would not: JPEG files of one encoder open with the same tables."""

Source = Path | torch.Tensor


def data_sets(pictures: Sequence[Picture]) -> str:
    """The names of the data sets, in order."""
    return ", ".join(dict.fromkeys(p.data_set for p in pictures))


def shared_originals(pictures: Sequence[Picture]) -> list[Finding]:
    """Originals in two splits: within a data set a leak, between data sets a warning.

    Names mean the same thing only within a data set. Between two, equal names may be chance, and
    names of digits alone, which are counters, are not compared.
    """
    within: dict[tuple[str, str], dict[str, Picture]] = defaultdict(dict)
    between: dict[str, dict[str, Picture]] = defaultdict(dict)
    for picture in pictures:
        within[picture.data_set, picture.original].setdefault(picture.split, picture)
        if not picture.original.isdigit():
            between[picture.original].setdefault(f"{picture.data_set}/{picture.split}", picture)
    crossing = [
        tuple(p.name for p in group.values()) for group in within.values() if len(group) > 1
    ]
    found = Finding.of_files(
        "original in two splits",
        data_sets(pictures),
        crossing,
        found=Verdict.LEAK,
        meaning="The same person or video is trained on and tested on, so the test measures "
        "memory. Put all pictures of an original into one split.",
        otherwise="Every original lies in one split.",
    )
    if len({p.data_set for p in pictures}) < 2:
        return [found]
    across = [
        tuple(p.name for p in group.values())
        for group in between.values()
        if len({p.data_set for p in group.values()}) > 1
        and len({p.split for p in group.values()}) > 1
    ]
    return [
        found,
        Finding.of_files(
            "original in two data sets",
            data_sets(pictures),
            across,
            found=Verdict.WARNING,
            meaning="Two data sets use one name for an original, in different splits. If both "
            "come from one source, the test repeats what was trained on: leave these originals "
            "out of one of them.",
            otherwise="No name of an original occurs in different splits of two data sets.",
        ),
    ]


def shared_people(pictures: Sequence[Picture]) -> list[Finding]:
    """People in two splits of a data set, as target or as swapped-in face.

    In a table whose splits are the user's own that is a leak, in a published data set a warning:
    its split is what it is. Nothing where no picture says who is in it.
    """
    if not any(picture.people for picture in pictures):
        return []
    seen: dict[tuple[str, str], dict[str, Picture]] = defaultdict(dict)
    for picture in pictures:
        for person in picture.people:
            seen[picture.data_set, person].setdefault(picture.split, picture)
    crossing = {key: group for key, group in seen.items() if len(group) > 1}
    own = any(picture.own_split for group in crossing.values() for picture in group.values())
    remedy = (
        "Put all pictures of a person, and of whom they were swapped with, into one split."
        if own
        else "The published split, or the groups of which its reader makes splits, share people: "
        "say that scores are on known people, and test on another data set."
    )
    return [
        Finding.of_files(
            "identity in two splits",
            data_sets(pictures),
            [
                (person, *(picture.name for picture in group.values()))
                for (_, person), group in crossing.items()
            ],
            found=Verdict.LEAK if own else Verdict.WARNING,
            meaning="These people are seen in two splits, as themselves or as the face that was "
            f"swapped in, so the test measures in part whether somebody is known. {remedy}",
            otherwise="Nobody is seen in two splits, as far as the data say who is in a picture.",
        )
    ]


def identical_pictures(
    pictures: Sequence[Picture], *, progress: Progress | None = None
) -> list[list[int]]:
    """Positions of pictures with the same content, byte for byte; groups of two and more.

    Files are compared by size, then by their last bytes, then by SHA-256 of the whole, so that few
    are read whole: O(n) time, and one short read per file. Faces in memory by their pixels.

    Args:
        pictures: To be compared.
        progress: Called with (pictures looked at, pictures to be looked at), while ends are read.

    Raises:
        OSError: a file that cannot be read.
    """
    groups = [list(range(len(pictures)))]
    for key in (_size, _tail, _whole):
        left = sum(map(len, groups))
        keys: dict[int, Hashable] = {}
        for done, position in enumerate((i for group in groups for i in group), 1):
            keys[position] = key(pictures[position].source)
            if progress is not None and key is _tail:
                progress(done, left)
        groups = _divided(groups, keys)
    return groups


def content_numbers(groups: Iterable[Sequence[int]], count: int) -> list[int]:
    """For each of `count` pictures a number that it shares with its identical ones alone."""
    numbers = list(range(count))
    for group in groups:
        for position in group:
            numbers[position] = group[0]
    return numbers


def identical_findings(pictures: Sequence[Picture], groups: list[list[int]]) -> list[Finding]:
    """Identical pictures that lie in two splits, and those that carry two labels."""
    members = [[pictures[i] for i in group] for group in groups]
    splits = [m for m in members if len({p.split for p in m}) > 1]
    labels = [m for m in members if len({p.label for p in m}) > 1]
    return [
        Finding.of_files(
            "same picture in two splits",
            data_sets(pictures),
            [_one_of_each(m, lambda p: p.split) for m in splits],
            found=Verdict.LEAK,
            meaning="These pictures are trained on and tested on. Keep each in one split and "
            "look at their originals: two originals with one picture are likely one.",
            otherwise="No picture lies in two splits byte for byte.",
        ),
        Finding.of_files(
            "same picture with two labels",
            data_sets(pictures),
            [_one_of_each(m, lambda p: p.label) for m in labels],
            found=Verdict.LEAK,
            meaning="One picture cannot be real and forged: one of the labels is wrong, or a "
            "forgery was never made. Repair or remove these rows.",
            otherwise="No picture carries two labels.",
        ),
    ]


def _one_of_each(members: Sequence[Picture], key: Callable[[Picture], Hashable]) -> tuple[str, ...]:
    first: dict[Hashable, str] = {}
    for picture in members:
        first.setdefault(key(picture), picture.name)
    return tuple(first.values())


def _divided(groups: list[list[int]], keys: Mapping[int, Hashable]) -> list[list[int]]:
    """The groups divided by their keys; what is alone under its key is gone."""
    result = []
    for group in groups:
        parts: dict[Hashable, list[int]] = defaultdict(list)
        for position in group:
            parts[keys[position]].append(position)
        result += [part for part in parts.values() if len(part) > 1]
    return result


def _size(source: Source) -> Hashable:
    """Drawn faces of equal shape may be equal to each other, never to a file."""
    return source.stat().st_size if isinstance(source, Path) else tuple(source.shape)


def _tail(source: Source) -> Hashable:
    if not isinstance(source, Path):
        return _whole(source)
    with source.open("rb") as file:
        file.seek(max(0, source.stat().st_size - TAIL))
        return file.read()


def _whole(source: Source) -> Hashable:
    if isinstance(source, Path):
        with source.open("rb") as file:
            return hashlib.file_digest(file, "sha256").digest()
    return hashlib.sha256(source.cpu().numpy().tobytes()).digest()
