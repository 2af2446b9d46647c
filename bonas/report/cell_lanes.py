"""Where the edges of cells run in a drawing, and how high each cell's row is.

Neighbouring states are joined by a straight line. Longer edges leave upwards or downwards and run
in lanes; two edges share a lane only where they do not overlap.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from bonas.report.cell_rows import CellRow

LANE = 38.0  # between lanes
GUTTER = 26.0  # between rows, for the line that leads on
NOTE_TOP, NOTE = 14.0, 14.0  # below the states, where notes begin and how high one is


@dataclass(frozen=True, slots=True)
class Placed:
    """A row in the picture: its states' height, its top and its bottom, and its edges' lanes.

    Lanes are positive above the states, negative below and 0 in line with them.
    """

    row: CellRow
    y: float
    bottom: float
    lanes: Mapping[tuple[int, int], int]


def place(rows: Sequence[CellRow]) -> list[Placed]:
    """The rows from top to bottom, as high as their lanes need."""
    placed = []
    top = 0.0
    for row in rows:
        lanes = lanes_of(row)
        above, below = max(0, *lanes.values()), -min(0, *lanes.values())
        y = top + 36 + LANE * above
        notes = max(len(row.entering), len(row.merging))
        bottom = y + max(LANE * below + 24, NOTE_TOP + NOTE * notes)
        placed.append(Placed(row, y, bottom, lanes))
        top = bottom + GUTTER
    return placed


def lanes_of(row: CellRow) -> dict[tuple[int, int], int]:
    """A lane for every edge, short edges next to the states, as few lanes as that allows."""
    lanes: dict[tuple[int, int], int] = {}
    for edge in sorted(row.edges, key=lambda e: (e.target - e.source, e.source)):
        ends = (edge.source, edge.target)
        if edge.target - edge.source == 1:
            lanes[ends] = 0
            continue
        above = _free(lanes, ends, 1)
        below = _free(lanes, ends, -1)
        lanes[ends] = above if above <= -below else below
    return lanes


def _free(lanes: Mapping[tuple[int, int], int], ends: tuple[int, int], side: int) -> int:
    lane = side
    while any(
        at == lane and ends[0] < other[1] and other[0] < ends[1] for other, at in lanes.items()
    ):
        lane += side
    return lane
