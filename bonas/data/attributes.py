"""Attributes of people or scenes, by which metrics are told apart: `attributes.csv`.

    original,skin,light
    anna,II,indoors
    ben,V,

A row per original, since what is said of a face holds for its forgeries; an empty field is unknown.
The table lies in the data folder, whatever the layout of the rest.
"""

import csv
from pathlib import Path

from bonas.data.faces import DataError
from bonas.robustness.scored import Attributes

FILE = "attributes.csv"
KEY = "original"
MOST_VALUES = 20  # of one attribute: more is a measurement or a name, not a group


def read_attributes(folder: Path) -> Attributes:
    """The attributes of each original of a data folder; empty where it has no table.

    Raises:
        DataError: a table without the column `original`, an original in two rows, a row with too
            many fields, or a column with more values than make groups.
    """
    table = folder / FILE
    if not table.is_file():
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
    for name in names:
        values = len({known[name] for known in found.values()})
        if values > MOST_VALUES:
            raise DataError(
                f"{table}: the column {name!r} has {values} values, more than {MOST_VALUES}; "
                "group them, or leave the column out."
            )
    return found
