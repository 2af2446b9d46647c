"""Estimator that looks values up in a table: what strategies are measured with."""

import csv
import gzip
import io
import math
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from bonas.estimation.estimator import EstimationFailed
from bonas.observation import Observation
from spaces.architecture import Architecture, Choice
from spaces.darts import DARTS
from spaces.forgery import FORGERY, FORGERY_CASCADE
from spaces.listed import ListedSpace, listed_space
from spaces.macro import MACRO
from spaces.nasbench201 import NASBENCH201, from_arch_str, to_arch_str
from spaces.space import SearchSpace, connects, size

ARCHITECTURE = "arch_str"
FIRST_ROW = 2
"""The first row of values as people count: below the header."""
KNOWN: Mapping[str, SearchSpace] = {
    space.name: space for space in (NASBENCH201, DARTS, FORGERY, FORGERY_CASCADE, MACRO)
}
"""The spaces whose graphs a table gets if its columns are their decisions."""


@dataclass(frozen=True, slots=True)
class Objective:
    """A weighted sum of columns, maximised."""

    spec: str
    weights: Mapping[str, float]

    @classmethod
    def parse(cls, spec: str) -> "Objective":
        """The objective of `column`, `-column` or `column=weight,column=weight,...`.

        Raises:
            ValueError: an empty part, a weight that is no finite number, or a column twice.
        """
        weights: dict[str, float] = {}
        for part in spec.split(","):
            column, given, number = part.strip().partition("=")
            if not given:
                number = "-1" if column.startswith("-") else "1"
                column = column.removeprefix("-")
            try:
                weight = float(number)
            except ValueError:
                weight = math.nan
            if not column or not math.isfinite(weight) or column in weights:
                raise ValueError(
                    f"objective {spec!r} has the part {part!r}; write one column, -column to "
                    "minimise, or column=weight,column=weight with each column once."
                )
            weights[column] = weight
        return cls(spec, weights)


@dataclass(frozen=True, slots=True)
class TabularEstimator:
    """Values by architecture, read from a table.

    Attributes:
        space: The space of the table's architectures.
        values: The objective, maximised.
        parts: The objective's columns, for surrogates of the parts.
    """

    space: SearchSpace
    values: Mapping[Architecture, float]
    parts: Mapping[Architecture, Mapping[str, float]]

    @property
    def optimum(self) -> float:
        """The largest value of an architecture that can be proposed: one that is connected.

        Raises:
            ValueError: there is none.
        """
        best = sorted(self.values, key=lambda a: -self.values[a])
        for architecture in best:
            if connects(self.space, architecture):
                return self.values[architecture]
        raise ValueError(
            f"values has {len(best)} architectures, in none of which the input reaches the output."
        )

    def label(self, architecture: Architecture) -> str | list[Choice]:
        """The architecture in the table's own notation."""
        if self.space.decisions == NASBENCH201.decisions:
            return to_arch_str(architecture)
        return list(architecture.choices)

    def estimate(self, architecture: Architecture, *, seed: int) -> Observation:
        """The table's value; nothing is drawn.

        Raises:
            EstimationFailed: the architecture is not in the table.
        """
        if architecture not in self.values:
            raise EstimationFailed(f"{architecture.choices} is not in the table.")
        return Observation(value=self.values[architecture])


def read_table(
    path: Path, space: str, objective: Objective, *, decisions: Sequence[str] = ()
) -> TabularEstimator:
    """The estimator of a CSV file, compressed if its name ends in `.gz`.

    Only the architectures of its rows are ever proposed. Where the columns are the decisions of
    the named space, in any order, architectures have its graphs and canonical keys; otherwise
    nothing is known of them but their choices.

    Args:
        path: The table, with a header.
        space: Of the project's spaces, or any other name for a column per decision.
        objective: What is maximised.
        decisions: The decisions' columns. If empty, the column `arch_str` of `nasbench201`, or all
            decisions of the named space.

    Raises:
        ValueError: naming file, row and column: a column or value that is missing or no finite
            number, an architecture that cannot be read or occurs twice.
    """
    header, rows = _read_rows(path)
    columns = _decision_columns(path, space, header, objective, decisions)
    architectures, whole = _architectures(path, space, columns, rows)
    parts: dict[Architecture, Mapping[str, float]] = {}
    first: dict[Architecture, int] = {}
    for number, (architecture, row) in enumerate(zip(architectures, rows, strict=True), FIRST_ROW):
        if architecture in parts:
            raise ValueError(
                f"{path}, row {number}, column {columns[0]!r}: the architecture of row "
                f"{first[architecture]} again; leave one row per architecture."
            )
        first[architecture] = number
        parts[architecture] = {c: _number(path, number, c, row[c]) for c in objective.weights}
    found = _listed(path, columns, whole, architectures, rows)
    return TabularEstimator(found, _values(path, objective, parts), parts)


def _decision_columns(
    path: Path,
    space: str,
    header: Sequence[str],
    objective: Objective,
    decisions: Sequence[str],
) -> list[str]:
    """The columns that hold the architecture, checked against the header."""
    columns = list(decisions)
    if not columns and space in KNOWN:
        columns = [d.name for d in KNOWN[space].decisions]
        if space == NASBENCH201.name and not set(columns) <= set(header):
            columns = [ARCHITECTURE]
    if not columns:
        raise ValueError(
            f"decisions is empty; name the columns that hold the choices of the space {space!r}, "
            f"such as --decisions depth,width. The columns of {path} are {', '.join(header)}."
        )
    for column in [*columns, *objective.weights]:
        if column not in header:
            raise ValueError(
                f"{path} has no column {column!r}; its columns are {', '.join(header)}."
            )
        if columns.count(column) > 1:
            raise ValueError(f"decisions names the column {column!r} twice; name each once.")
        if column in columns and column in objective.weights:
            raise ValueError(
                f"the column {column!r} is a decision and part of the objective "
                f"{objective.spec!r}; it can be only one of them."
            )
    return columns


def _values(
    path: Path, objective: Objective, parts: Mapping[Architecture, Mapping[str, float]]
) -> dict[Architecture, float]:
    values = {a: sum(objective.weights[c] * v for c, v in p.items()) for a, p in parts.items()}
    for number, value in enumerate(values.values(), FIRST_ROW):
        if not math.isfinite(value):
            raise ValueError(
                f"{path}, row {number}: the objective {objective.spec!r} is {value}; it must be "
                "finite. Give its columns smaller weights."
            )
    return values


def _read_rows(path: Path) -> tuple[list[str], list[dict[str, str]]]:
    try:
        content = path.read_bytes()
        if path.suffix == ".gz":
            content = gzip.decompress(content)
        # Spreadsheets begin a file with a byte order mark and may end it with empty lines.
        lines = list(csv.reader(io.StringIO(content.decode("utf-8-sig"), newline="")))
    except (OSError, EOFError, zlib.error, UnicodeDecodeError, csv.Error) as error:
        raise ValueError(f"{path} cannot be read as a table: {error}.") from error
    while lines and not any(field.strip() for field in lines[-1]):
        lines.pop()
    if len(lines) < 2:
        raise ValueError(f"{path} has {len(lines)} lines; a table has a header and rows.")
    header, rows = lines[0], lines[1:]
    if len(set(header)) != len(header):
        twice = next(c for c in header if header.count(c) > 1)
        raise ValueError(f"{path}, row 1: the column {twice!r} occurs twice.")
    for number, row in enumerate(rows, FIRST_ROW):
        if len(row) != len(header):
            column = header[min(len(row), len(header) - 1)]
            raise ValueError(
                f"{path}, row {number}, column {column!r}: the row has {len(row)} fields, the "
                f"header {len(header)}."
            )
    return header, [dict(zip(header, row, strict=True)) for row in rows]


def _architectures(
    path: Path, space: str, columns: Sequence[str], rows: Sequence[Mapping[str, str]]
) -> tuple[list[Architecture], SearchSpace | None]:
    """Each row's architecture, and the space that knows their graphs, if there is one."""
    if columns == [ARCHITECTURE]:
        return [
            _published(path, number, row[ARCHITECTURE])
            for number, row in enumerate(rows, FIRST_ROW)
        ], NASBENCH201
    for number, row in enumerate(rows, FIRST_ROW):
        empty = [c for c in columns if not row[c].strip()]
        if empty:
            raise ValueError(f"{path}, row {number}, column {empty[0]!r}: the field is empty.")
    whole = KNOWN.get(space)
    if whole is None or {d.name for d in whole.decisions} != set(columns):
        return [Architecture(space, tuple(row[c] for c in columns)) for row in rows], None
    read = []
    for number, row in enumerate(rows, FIRST_ROW):
        choices: list[Choice] = []
        for decision in whole.decisions:
            known = {str(option): option for option in decision.options}
            if row[decision.name] not in known:
                raise ValueError(
                    f"{path}, row {number}, column {decision.name!r}: {row[decision.name]!r} is no "
                    f"option of the space {space!r}; its options are {', '.join(known)}."
                )
            choices.append(known[row[decision.name]])
        read.append(Architecture(space, tuple(choices)))
    return read, whole


def _published(path: Path, number: int, text: str) -> Architecture:
    try:
        return from_arch_str(text)
    except ValueError as error:
        raise ValueError(f"{path}, row {number}, column {ARCHITECTURE!r}: {error}") from error


def _listed(
    path: Path,
    columns: Sequence[str],
    whole: SearchSpace | None,
    architectures: Sequence[Architecture],
    rows: Sequence[Mapping[str, str]],
) -> SearchSpace:
    """The space of the rows: the whole one where they are all of it."""
    if whole is None:
        try:
            return listed_space(architectures[0].space, columns, rows)
        except ValueError as error:
            raise ValueError(f"{path}: {error}") from error
    if len(architectures) == size(whole):
        return whole
    found = ListedSpace(whole, tuple(architectures))
    if not any(connects(found, architecture) for architecture in architectures):
        raise ValueError(
            f"{path} has no architecture whose input reaches its output: nothing to search."
        )
    return found


def _number(path: Path, number: int, column: str, text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise ValueError(
            f"{path}, row {number}, column {column!r}: {text!r} is no finite number. Complete the "
            "table or leave the row out."
        )
    return value
