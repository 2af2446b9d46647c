"""A drawing of stages: one row each, their layers from left to right."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import networkx as nx

from bonas.report.cell_drawing import label_width, shown
from bonas.report.markup import Markup
from bonas.report.svg import WIDTH, path, picture, rectangle, text
from spaces.graphs import INPUT, OUTPUT

TOP, ROW, BOX, GAP, MARGIN = 24.0, 68.0, 28.0, 34.0, 8.0
BOLD = 8.5  # mean width of a bold character at 13 px, rounded up


@dataclass(frozen=True, slots=True)
class StageRow:
    """A stage.

    Attributes:
        name: Of the stage.
        operations: Of its layers, without the stage's name.
    """

    name: str
    operations: tuple[str, ...]


def stage_rows(graph: "nx.DiGraph[str]") -> tuple[StageRow, ...] | None:
    """The stages from the input on, or `None` for a graph that is no chain of cells."""
    chain = list(nx.topological_sort(graph))
    if any(graph.in_degree(n) > 1 or graph.out_degree(n) > 1 for n in chain):
        return None
    found: dict[str, list[str]] = {}
    for node in chain:
        operation, cell = graph.nodes[node]["operation"], graph.nodes[node].get("cell")
        if operation in (INPUT, OUTPUT):
            continue
        if cell is None:
            return None
        found.setdefault(str(cell), []).append(str(operation).removeprefix(f"{cell}/"))
    return tuple(StageRow(name, tuple(layers)) for name, layers in found.items()) or None


def draw_stages(
    rows: Sequence[StageRow], kinds: Mapping[str, str], *, title: str, style: Markup
) -> Markup:
    """The stages from top to bottom, each behind the one above.

    Args:
        rows: The stages.
        kinds: The style class of each operation, by its name up to the first underscore.
        title: What is shown, for those who hear it.
        style: The style sheet that goes with the classes.
    """
    left = MARGIN + GAP + max(BOLD * len(word) for word in ["input", *(r.name for r in rows)])
    parts: list[Markup] = [style, text(MARGIN, TOP + 18, "input", "small")]
    end = widest = 0.0
    for number, row in enumerate(rows):
        y = TOP + ROW * number
        parts += [text(MARGIN, y + 4, row.name, "title"), _entry(end, left, y, first=not number)]
        end = left
        for place, operation in enumerate(row.operations):
            if place:
                parts.append(path(_arrow(end, end + GAP, y), "wire"))
                end += GAP
            width = label_width(shown(operation))
            parts += _layer(end, y, width, operation, kinds)
            end += width
        widest = max(widest, end + GAP)
    parts += [
        path(_arrow(end, end + GAP, y), "wire"),
        text(end + GAP + 6, y + 4, "output", "small"),
    ]
    room = max(WIDTH, widest, end + GAP + label_width("output"))
    return picture(room, y + ROW / 2, parts, title=title, kind="architecture")


def _entry(before: float, left: float, y: float, *, first: bool) -> Markup:
    """The line to a row's first layer: from the input, or from the end of the row above."""
    if first:
        return path(_arrow(left - GAP / 2, left, y), "wire")
    above, between, turn = y - ROW, y - ROW / 2, left - GAP / 2
    back = f"M{before:.1f},{above:.1f}h{GAP / 2:.1f}V{between:.1f}H{turn:.1f}V{y:.1f}"
    return path(f"{back}{_arrow(turn, left, y)}", "wire")


def _arrow(start: float, end: float, y: float) -> str:
    tip = end - 1
    return (
        f"M{start:.1f},{y:.1f}H{tip:.1f}"
        f"M{tip - 7:.1f},{y - 4:.1f}L{tip:.1f},{y:.1f}L{tip - 7:.1f},{y + 4:.1f}"
    )


def _layer(
    x: float, y: float, width: float, operation: str, kinds: Mapping[str, str]
) -> list[Markup]:
    kind = kinds.get(operation.partition("_")[0])
    styles = ("box", "box-name") if kind is None else (f"pill {kind}", f"name {kind}")
    box = (x, y - BOX / 2, width, BOX)
    return [
        rectangle(*box, "ground", radius=6),
        rectangle(*box, styles[0], radius=6),
        text(x + width / 2, y + 4, shown(operation), styles[1], anchor="middle"),
    ]
