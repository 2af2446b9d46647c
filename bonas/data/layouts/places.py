"""Places: paths that a data set names, none of which leaves its folder."""

import os
import stat
from functools import lru_cache
from pathlib import Path

from bonas.data.errors import DataError


class RegularFiles:
    """The files of a data folder, asked for once in each folder that its table names.

    To ask the system for every file by itself takes most of the time of a start from the cache.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._root = str(folder)
        self._within = f"{self._root}{os.sep}" if folder.is_absolute() else None
        self._names: dict[str, frozenset[str]] = {}

    def inside(self, path: str, place: str) -> Path:
        """As the function `inside`."""
        below = self._folder / path.replace("\\", "/")
        name = str(below)
        if self._within and self._has(name):
            above = name.rpartition(os.sep)[0]
            if _is_within(above + os.sep, self._root, ""):
                return below if name.startswith(self._within) else _below(self._folder, below)
        return inside(self._folder, path, place)

    def holds(self, path: Path) -> bool:
        """Whether there is a regular file, perhaps over a symbolic link."""
        return self._has(str(path)) or path.is_file()

    def _has(self, name: str) -> bool:
        above, _, last = name.rpartition(os.sep)
        names = self._names.get(above)
        if names is None:
            names = self._names[above] = _regular(above or os.curdir)
        return last in names


def _regular(folder: str) -> frozenset[str]:
    """Names of the files in a folder that are no links; none where there is no such folder."""
    try:
        with os.scandir(folder) as entries:
            return frozenset(e.name for e in entries if e.is_file(follow_symlinks=False))
    except (OSError, ValueError):
        return frozenset()


def inside(folder: Path, path: str | Path, place: str) -> Path:
    """A path below a folder, whether or not there is a file; it begins with the folder as given.

    Args:
        folder: That it may not leave, by `..`, as an absolute path or over a symbolic link.
        path: A name relative to the folder or absolute, with slashes or backslashes, or a path that
            was found below it.
        place: Who names it, for messages.

    Raises:
        DataError: it leaves the folder, or is no path at all.
    """
    below = folder / path.replace("\\", "/") if isinstance(path, str) else path
    name = str(below)
    try:
        # Folders are resolved once: of thousands of files only the last part is looked at. They are
        # not normalised before, as `link/..` is another place than the link stands in.
        here = "" if os.path.isabs(name) else os.getcwd()
        above, _, last = name.rpartition(os.sep)
        plain = last not in ("", ".", "..") and not _is_link(name)
        if plain and _is_within(f"{above}{os.sep}" if above or not here else "", str(folder), here):
            return _below(folder, below)
        within = below.resolve().is_relative_to(folder.resolve())
    except (OSError, ValueError, RuntimeError) as error:
        # Without the path again, which may be as long as a table pleases.
        why = error.strerror if isinstance(error, OSError) else error
        raise DataError(f"{place}: {str(path)[:80]!r} is no usable path ({why}).") from error
    if not within:
        raise DataError(
            f"{place}: path {str(path)!r} leaves the data folder {folder}; only files inside it "
            "are read. Copy the file there."
        )
    return _below(folder, below)


def _below(folder: Path, below: Path) -> Path:
    """The path, rebased where a table names it from the root of the disk.

    Rows of both kinds have one folder above them then, and one file one name.
    """
    name = str(below)
    if not os.path.isabs(name) or name.startswith(f"{folder}{os.sep}"):
        return below
    above, root = below.parent.resolve(), folder.resolve()
    # A link outside may lead inside: then it is called what it leads to.
    named = above / below.name if above.is_relative_to(root) else below.resolve()
    return folder / named.relative_to(root)


def _is_link(path: str) -> bool:
    """As `os.path.islink`, which hides names that the system refuses."""
    try:
        return stat.S_ISLNK(os.lstat(path).st_mode)
    except (FileNotFoundError, NotADirectoryError):
        return False


@lru_cache(maxsize=10_000)
def _is_within(inner: str, outer: str, here: str) -> bool:
    """Whether a folder lies in another, both as they are seen from a third."""
    inside, above = (os.path.realpath(os.path.join(here, place)) for place in (inner, outer))
    return Path(inside).is_relative_to(above)
