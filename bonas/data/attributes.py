"""Attributes of people or scenes, by which metrics are told apart: `attributes.csv`.

    original,skin,light
    anna,II,indoors
    ben,V,

A row per original, since what is said of a face holds for its forgeries; an empty field is unknown.
The table lies in the data folder, whatever the layout of the rest: for a list of DeepfakeBench that
is the folder above its `dataset_json/`.

Originals are called as the reader of the layout calls them, in any case: the layout `folders` takes
groups in any case too, so that whoever writes names as the files have them is understood.
"""

import csv
import logging
from collections.abc import Collection, Iterable
from pathlib import Path

from bonas.data.faces import DataError, DataSet
from bonas.data.layouts.places import inside
from bonas.robustness.scored import Attributes

FILE = "attributes.csv"
KEY = "original"
MOST_VALUES = 20  # of one attribute: more is a measurement or a name, not a group
SHOWN = 3

_LOG = logging.getLogger(__name__)


def attributes_of(path: Path, data: DataSet) -> Attributes:
    """The attributes of a data set's originals, under the names that it has for them.

    Names of one case are the same where a single original and a single row have them. Rows of no
    original are left out with a warning.

    Args:
        path: Where the data set was read from, a folder or a list.
        data: What was read.

    Raises:
        DataError: as in `read_attributes`, or no row is of any of the originals.
    """
    known = read_attributes(path)
    if not known:
        return {}
    originals = {original for faces in data.splits.values() for original in faces.originals}
    names = _names(known, originals)
    strays = [row for row in known if row not in names]
    if strays:
        told = (
            f"{table_of(path)}: {len(strays)} of its {len(known)} originals are none of the data's "
            f"{len(originals)}, such as {_shown(strays)}; the data call theirs "
            f"{_shown(sorted(originals))}."
        )
        if not names:
            raise DataError(f"{told} Write the names as the data have them, or remove the table.")
        _LOG.warning("%s", told)
    return {name: known[row] for row, name in names.items()}


def read_attributes(path: Path) -> Attributes:
    """The attributes of each original by the names of the table; empty where there is none.

    Args:
        path: The data folder, or a list in it.

    Raises:
        DataError: a table without the column `original` or without rows, an original in two rows, a
            row with too many fields, a column with more values than make groups, or a table that
            lies outside the data folder.
    """
    table = table_of(path)
    if table is None:
        return {}
    found: dict[str, dict[str, str]] = {}
    try:
        with table.open(newline="", encoding="utf-8-sig") as file:
            reader = csv.DictReader(file, restkey="")
            names = [name for name in reader.fieldnames or () if name != KEY]
            if KEY not in (reader.fieldnames or ()):
                raise DataError(
                    f"{table} lacks the column {KEY!r}; its columns are "
                    f"{', '.join(names) or 'none'}."
                )
            for number, row in enumerate(reader, 2):
                original = (row[KEY] or "").strip()
                if "" in row or not original or original in found:
                    problem = (
                        "has more fields than the table has columns" if "" in row
                        else f"has the original {original!r}, as an earlier row" if original
                        else "has no original"
                    )  # fmt: skip
                    raise DataError(f"{table}, row {number}: {problem}; mend the table.")
                found[original] = {name: (row[name] or "").strip() for name in names}
    except (UnicodeDecodeError, csv.Error) as error:
        raise DataError(f"{table} is not readable as CSV in UTF-8: {error}.") from error
    if not found:
        raise DataError(f"{table} has no rows; write one for each original, or remove the table.")
    for name in names:
        values = len({known[name] for known in found.values()} - {""})
        if values > MOST_VALUES:
            raise DataError(
                f"{table}: the column {name!r} has {values} values, more than {MOST_VALUES}; "
                "group them, or leave the column out."
            )
    return found


def table_of(path: Path) -> Path | None:
    """The table of attributes of a data folder, or of a list in it; `None` where it has none.

    Raises:
        DataError: the table is a link to outside the data folder.
    """
    folder = path
    if path.is_file():  # dataset_json/NAME.json, or preprocessing/dataset_json/NAME.json
        folder = path.parent.parent
        folder = folder.parent if folder.name == "preprocessing" else folder
    table = inside(folder, FILE, str(folder))
    return table if table.is_file() else None


def _names(known: Collection[str], originals: set[str]) -> dict[str, str]:
    """What the data call the originals of the rows, by what the table calls them."""
    rows, there = _alone(known), _alone(originals)
    names = {row: row for row in known if row in originals}
    taken = set(names)
    for folded, row in rows.items():
        name = there.get(folded)
        if name is not None and name not in taken:
            names[row] = name
    return names


def _alone(names: Iterable[str]) -> dict[str, str]:
    """The names that no other equals regardless of case, by what they are then."""
    every: dict[str, list[str]] = {}
    for name in names:
        every.setdefault(name.casefold(), []).append(name)
    return {folded: those[0] for folded, those in every.items() if len(those) == 1}


def _shown(names: list[str]) -> str:
    return ", ".join(map(repr, names[:SHOWN]))
