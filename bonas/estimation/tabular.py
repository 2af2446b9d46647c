"""Estimator that looks values up in a table: what strategies are measured with."""

import csv
import gzip
import io
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from bonas.estimation.estimator import EstimationFailed
from bonas.observation import Observation
from spaces.architecture import Architecture, Choice
from spaces.listed import listed_space
from spaces.nasbench201 import NASBENCH201, from_arch_str, to_arch_str
from spaces.space import SearchSpace

ARCHITECTURE = "arch_str"
FIRST_ROW = 2
"""The first row of values as people count: below the header."""


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
        """The largest value of the table."""
        return max(self.values.values())

    def label(self, architecture: Architecture) -> str | list[Choice]:
        """The architecture in the table's own notation."""
        if self.space.name == NASBENCH201.name:
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

    Args:
        path: The table, with a header.
        space: `nasbench201` for a column `arch_str`; any other name for a column per decision.
        objective: What is maximised.
        decisions: The decisions' columns; needed unless the space is `nasbench201`.

    Raises:
        ValueError: naming file, row and column: a column or value that is missing or no finite
            number, an architecture that cannot be read or occurs twice.
    """
    header, rows = _read_rows(path)
    columns = [ARCHITECTURE] if space == NASBENCH201.name else list(decisions)
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
    architectures, found = _architectures(path, space, columns, rows)
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
    weights = objective.weights
    values = {a: sum(weights[c] * v for c, v in p.items()) for a, p in parts.items()}
    return TabularEstimator(found, values, parts)


def _read_rows(path: Path) -> tuple[list[str], list[dict[str, str]]]:
    try:
        content = path.read_bytes()
        if path.suffix == ".gz":
            content = gzip.decompress(content)
        lines = list(csv.reader(io.StringIO(content.decode(), newline="")))
    except (OSError, EOFError, UnicodeDecodeError, csv.Error) as error:
        raise ValueError(f"{path} cannot be read as a table: {error}.") from error
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
) -> tuple[list[Architecture], SearchSpace]:
    if space != NASBENCH201.name:
        for number, row in enumerate(rows, FIRST_ROW):
            empty = [c for c in columns if not row[c].strip()]
            if empty:
                raise ValueError(f"{path}, row {number}, column {empty[0]!r}: the field is empty.")
        choices = [tuple(row[c] for c in columns) for row in rows]
        return [Architecture(space, c) for c in choices], listed_space(space, columns, rows)
    read = []
    for number, row in enumerate(rows, FIRST_ROW):
        try:
            read.append(from_arch_str(row[ARCHITECTURE]))
        except ValueError as error:
            raise ValueError(f"{path}, row {number}, column {ARCHITECTURE!r}: {error}") from error
    return read, NASBENCH201


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
