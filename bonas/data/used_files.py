"""Which files something holds for, by what is listed of them: no content is read for it."""

import hashlib
import os
from collections import defaultdict
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

_DIGITS = 16


class UsedFile(NamedTuple):
    """What is listed of one file.

    Attributes:
        name: Its path below the data set.
        size: In bytes; of pixels without a file their digest.
        split: What it may be used for.
        label: 1 for forged.
        original: The real face or video that it belongs to.
        people: Who is seen in it, where that is known.
    """

    name: str
    size: int | str
    split: str
    label: int
    original: str
    people: tuple[str, ...]


def used_by_split(files: Iterable[UsedFile]) -> dict[str, dict[str, Any]]:
    """Of each split the digest of its listing, in whatever order, and how many there are."""
    splits: dict[str, list[UsedFile]] = defaultdict(list)
    for file in files:
        splits[file.split].append(file)
    return {
        split: {
            "digest": _digest(those),
            "files": len(those),
            "forged": sum(file.label for file in those),
            "originals": len({file.original for file in those}),
        }
        for split, those in splits.items()
    }


def root_of(paths: Sequence[Path]) -> str:
    """The folder that all files lie in: a copy of a data set elsewhere has the same names below."""
    return os.path.commonpath([path.parent for path in paths]) if paths else ""


def _digest(files: Sequence[UsedFile]) -> str:
    lines = sorted(repr(tuple(file)) for file in files)
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()[:_DIGITS]
