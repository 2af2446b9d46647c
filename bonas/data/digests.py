"""Digests of files by their content, remembered so that unchanged files are not read again.

A file counts as unchanged while its path, size, times of change and inode are: nothing that writes
to it leaves all of them, not even `os.utime`, which sets the time of the change of state. A file
that was touched, copied or moved is read once, and its digest is what it was.
"""

import contextlib
import hashlib
import json
import os
import tempfile
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

WORKERS = 2
MISSING = "missing"
"""In the place of the digest of a file that is not there."""

State = list[int]
"""Size, modification, change of state and inode."""


def file_digests(paths: Sequence[Path], memory: Path) -> list[str]:
    """SHA-256 of each file, its first 32 hexadecimal digits, or `MISSING`.

    Args:
        paths: Of the files.
        memory: A JSON file that remembers digests; written where any is new, and done without where
            it cannot be read or written.
    """
    known = _remembered(memory)
    # os.path, since a Path of each costs more than all the rest of this.
    names = [os.path.abspath(path) for path in paths]
    states = [_state(name) for name in names]
    new = [
        number
        for number, (name, state) in enumerate(zip(names, states, strict=True))
        if state is not None and known.get(name, (None,))[0] != state
    ]
    if new:
        with ThreadPoolExecutor(max_workers=WORKERS) as pool:
            for number, digest in zip(new, pool.map(_digest, (names[i] for i in new)), strict=True):
                known[names[number]] = (states[number], digest)
        _remember(memory, known)
    return [
        MISSING if state is None else known[name][1]
        for name, state in zip(names, states, strict=True)
    ]


def _state(name: str) -> State | None:
    try:
        found = os.stat(name)
    except OSError:
        return None
    return [found.st_size, found.st_mtime_ns, found.st_ctime_ns, found.st_ino]


def _digest(name: str) -> str:
    try:
        with open(name, "rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()[:32]
    except OSError:
        return MISSING


def _remembered(memory: Path) -> dict[str, tuple[State | None, str]]:
    try:
        document = json.loads(memory.read_text(encoding="utf-8"))
        return {name: (state, str(digest)) for name, (state, digest) in document.items()}
    except (OSError, ValueError, AttributeError, TypeError):
        return {}


def _remember(memory: Path, known: dict[str, tuple[State | None, str]]) -> None:
    # Whoever keeps the decoded images says where nothing can be kept.
    with contextlib.suppress(OSError):
        memory.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(
            "w", dir=memory.parent, prefix=".", delete=False, encoding="utf-8"
        ) as file:
            json.dump(known, file)
        os.replace(file.name, memory)
