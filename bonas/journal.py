"""Repair of a journal whose writer was killed in the middle of a line.

Optuna appends to its journal and cannot read past a torn line: the next record would be glued to
it. Each whole line is a complete record, so cutting at the last one loses only the record that was
never finished.
"""

import json
import logging
import os
from pathlib import Path

from optuna.storages.journal import JournalFileSymlinkLock

_logger = logging.getLogger(__name__)
_BLOCK = 1 << 16


def repair_journal(path: Path) -> Path | None:
    """Cut a torn end off a journal file, under the journal's lock, and keep what was cut.

    Returns:
        The file beside the journal that holds the torn end, or `None` where nothing was torn.
    """
    if not path.is_file() or not _torn_bytes(path):
        return None
    lock = JournalFileSymlinkLock(str(path))
    lock.acquire()
    try:
        # Read again: before the lock was ours, another process may have been writing this line.
        torn = _torn_bytes(path)
        if not torn:
            return None
        kept = _free_name(path)
        kept.write_bytes(torn)
        with path.open("rb+") as file:
            file.truncate(path.stat().st_size - len(torn))
            os.fsync(file.fileno())
    finally:
        lock.release()
    _logger.warning(
        "%s ended in a torn line of %d bytes, left by a killed process; it was cut and kept in %s.",
        path,
        len(torn),
        kept.name,
    )
    return kept


def _torn_bytes(path: Path) -> bytes:
    """The bytes behind the last line that is whole: ends in a newline and is JSON."""
    content = _tail(path)
    if not content:
        return b""
    cut = content.rfind(b"\n") + 1
    start = content.rfind(b"\n", 0, max(0, cut - 1)) + 1
    if cut and not _is_json(content[start:cut]):
        return content[start:]
    return content[cut:]


def _tail(path: Path) -> bytes:
    """The end of the file, long enough to hold its last two line ends where it has them."""
    size = path.stat().st_size
    length = _BLOCK
    with path.open("rb") as file:
        while True:
            file.seek(max(0, size - length))
            content = file.read()
            if length >= size or content.count(b"\n") >= 2:
                return content
            length *= 4


def _is_json(line: bytes) -> bool:
    try:
        json.loads(line)
    except ValueError:
        return False
    return True


def _free_name(path: Path) -> Path:
    number = 1
    while (kept := path.with_name(f"{path.name}.torn-{number}")).exists():
        number += 1
    return kept
