"""Names of what was not trained on: each becomes a condition of the score.

A condition's name stands in keys such as `unseen/face-swap`, so it is letters, digits and any of
`_ . + -`. Folders and forgery types may be called anything: every run of other characters becomes
one `-`. Two that would get one name are told apart here or are an error, before anything is
trained. A name depends on the configuration and on the paths in it alone.
"""

import re
from collections.abc import Collection, Iterable, Mapping
from pathlib import Path

from bonas.data.errors import DataError
from bonas.robustness.conditions import Group

CLEAN = Group.CLEAN.value


def condition_name(text: str) -> str:
    """The name of a condition that comes nearest to a text; empty where nothing of it can stay."""
    if re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_.+-]*", text):
        return text
    return re.sub(r"[^A-Za-z0-9_.+-]+", "-", text).strip("-_.+")


def forgery_conditions(forgeries: Iterable[str], place: str) -> dict[str, str]:
    """The forgery types by the names of their conditions.

    Args:
        forgeries: That are held back.
        place: What names them, for messages: `data.unseen` of a folder.

    Raises:
        DataError: a type of which no name can be made, or two types of one name.
    """
    found: dict[str, str] = {}
    for forgery in forgeries:
        name = condition_name(forgery)
        rule = "a condition's name is letters, digits and any of _ . + -"
        if not name or name == CLEAN:
            raise DataError(
                f"{place}: the forgery type {forgery!r} cannot name a condition ({rule}, and not "
                f"{CLEAN!r}). Call it otherwise in the column 'forgery', or in the folder's name."
            )
        if name in found:
            raise DataError(
                f"{place}: the forgery types {found[name]!r} and {forgery!r} would both be the "
                f"condition {name!r} ({rule}). Call one of them otherwise."
            )
        found[name] = forgery
    return found


def folder_conditions(folders: Mapping[Path, str], taken: Collection[str]) -> dict[Path, str]:
    """The name of each further data set: its own, after those of its parents where need be.

    Data sets of one name, as `celeb/test` and `dfdc/test` have, are all called by as many of their
    parents as tell them apart: `celeb-test`, `dfdc-test`.

    Args:
        folders: Names of the data sets by resolved path.
        taken: Names that conditions have already.

    Raises:
        DataError: two data sets that no parent tells apart, or one of which no name can be made.
    """
    names = {path: _tail(path, name, 0) for path, name in folders.items()}
    for depth in range(1, max((len(path.parts) for path in folders), default=0)):
        doubtful = _doubtful(names, taken)
        names |= {path: _tail(path, folders[path], depth) for path in doubtful}
    for path in _doubtful(names, taken):
        others = [str(p) for p, name in names.items() if name == names[path] and p != path]
        what = f"and {others[0]} are both" if others else "is"
        raise DataError(
            f"data.unseen_data and data.test: {path} {what} called {names[path]!r} as a condition, "
            "which must be a name of its own, of letters, digits and any of _ . + -. Rename the "
            "folder."
        )
    return names


def may_name(folder: Path, name: str) -> bool:
    """Whether a condition of this name may be the data set of this folder, or of this list."""
    whole = folder.resolve()
    return any(
        _tail(whole, own, parents) == name
        for own in (whole.name, whole.stem)
        for parents in range(len(whole.parts))
    )


def _tail(path: Path, name: str, parents: int) -> str:
    above = path.parts[1:-1]
    return condition_name("-".join((*above[max(0, len(above) - parents) :], name)))


def _doubtful(names: Mapping[Path, str], taken: Collection[str]) -> list[Path]:
    """Those whose name is empty, taken, or another's too."""
    all_names = list(names.values())
    return [
        path
        for path, name in names.items()
        if name in ("", CLEAN) or name in taken or all_names.count(name) > 1
    ]
