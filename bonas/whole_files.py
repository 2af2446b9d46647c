"""Files of a run that are written whole or not at all, and JSON that is read or named.

A killed process, a full disk or a power cut leaves what was there before, never half of a file.
"""

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

from bonas.config import ConfigError

Content = TypeVar("Content")


def write_whole(path: Path, text: str) -> None:
    """Write a text file in UTF-8; a crash leaves the old one.

    Raises:
        OSError: it cannot be written; nothing is left of it.
    """
    # Another process may write the same file at the same time.
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        with temporary.open("w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)


def write_json(path: Path, document: Any, *, indent: int | None = 2) -> None:
    """Write a JSON document; a crash leaves the old file.

    Raises:
        OSError: as in `write_whole`.
        TypeError, ValueError: it is no JSON; nothing is written.
    """
    write_whole(path, json.dumps(document, indent=indent) + "\n")


def read_json(path: Path, content: Callable[[Any], Content], remedy: str) -> Content:
    """What a JSON file says.

    Args:
        path: Of the file.
        content: Makes it of the document; raises where that is another.
        remedy: A sentence for who cannot use the file.

    Raises:
        ConfigError: it is torn, or of another kind or version; names the file and the remedy.
        OSError: there is none.
    """
    try:
        return content(json.loads(path.read_text(encoding="utf-8")))
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        why = f"{type(error).__name__}: {error}"
        raise ConfigError(f"{path} is torn or of another version ({why}). {remedy}") from error
