"""A drawing of cells: one row each, states from left to right, an arc for every edge.

A label stands in the middle of its edge's lane, so that labels cannot meet; see `cell_lanes`.
"""

from collections.abc import Mapping, Sequence

from bonas.report.cell_lanes import LANE, NOTE, NOTE_TOP, Placed, place
from bonas.report.cell_rows import CellEdge, CellRow
from bonas.report.markup import Markup
from bonas.report.svg import CHARACTER, path, picture, rectangle, text
from spaces.graphs import NONE

RADIUS, PILL = 13.0, 22.0
ENTRY_X, ENTRY_WIDTH = 62.0, 66.0
FIRST_STATE = ENTRY_X + ENTRY_WIDTH + 40.0
STEP = 176.0  # between states, unless a label needs more
BAR = 44.0  # width of the output


def draw_cells(
    rows: Sequence[CellRow], kinds: Mapping[str, str], *, title: str, style: Markup
) -> Markup:
    """The cells from top to bottom, joined by what leads from one to the next and to the output.

    Args:
        rows: The cells.
        kinds: The style class of each operation.
        title: What is shown, for those who hear it.
        style: The style sheet that goes with the classes.
    """
    longest = max(len(shown(e.operation)) for row in rows for e in row.edges)
    step = max(STEP, label_width("x" * longest) + 2 * RADIUS + 36)
    head = max([70.0, *(label_width(" + ".join(row.heads)) for row in rows if row.heads)])
    last = FIRST_STATE + step * (max(row.states for row in rows) - 1)
    bar = last + 46 + head + 34
    placed = place(rows)
    bottom = placed[-1].bottom
    parts: list[Markup] = [style, *_output(bar, placed)]
    for number, item in enumerate(placed):
        xs = [FIRST_STATE + step * i for i in range(item.row.states)]
        parts += _entry(item, number, xs)
        parts += _head(item, xs[-1], last, head, bar)
        if number + 1 < len(placed) and placed[number + 1].row.follows:
            parts.append(_onward(item, placed[number + 1], xs[-1]))
        parts += _cell(item, xs, kinds)
    return picture(bar + BAR + 8, bottom + 12, parts, title=title, kind="architecture")


def shown(operation: str) -> str:
    """An operation's name as people write it: `sep_conv_3x3` is sep conv 3x3 with a cross."""
    words = operation.replace("_", " ").split(" ")
    crossed = (
        w.replace("x", "\N{MULTIPLICATION SIGN}") if w.replace("x", "").isdigit() else w
        for w in words
    )
    return " ".join(crossed)


def label_width(label: str) -> float:
    """Of the box around a label."""
    return CHARACTER * len(label) + 16


def _cell(item: Placed, xs: Sequence[float], kinds: Mapping[str, str]) -> list[Markup]:
    lines: list[Markup] = []
    labels: list[Markup] = []
    # Live edges are drawn last, over the others.
    for edge in sorted(item.row.edges, key=lambda e: e.live):
        kind = kinds[edge.operation] if edge.live else "none" if _absent(edge) else "dead"
        line, middle = _edge(edge, item, xs, kind)
        lines.append(line)
        labels += _pill(*middle, shown(edge.operation), kind)
    states = [s for i, x in enumerate(xs) for s in _state(x, item, i)]
    return [*lines, *states, *labels]


def _absent(edge: CellEdge) -> bool:
    return edge.operation == NONE


def _edge(
    edge: CellEdge, item: Placed, xs: Sequence[float], kind: str
) -> tuple[Markup, tuple[float, float]]:
    """The line with its arrow, and where its label stands."""
    lane = item.lanes[edge.source, edge.target]
    start, end, y = xs[edge.source], xs[edge.target], item.y
    if lane == 0:
        tip = end - RADIUS - 1
        commands = f"M{start + RADIUS:.1f},{y:.1f}H{tip - 6:.1f}{_arrow(tip, y, 1, 0)}"
        return path(commands, f"edge {kind}"), ((start + end) / 2, y)
    side = 1 if lane < 0 else -1  # in the picture, y grows downwards
    shift = 3.5 * abs(lane)
    high, leave, tip = y - LANE * lane, start + shift, end - shift
    near = y + side * (RADIUS - 1)
    commands = (
        f"M{leave:.1f},{near:.1f}C{leave:.1f},{high:.1f} {leave + 14:.1f},{high:.1f} "
        f"{leave + 44:.1f},{high:.1f}H{tip - 44:.1f}C{tip - 14:.1f},{high:.1f} "
        f"{tip:.1f},{high:.1f} {tip:.1f},{near + side * 8:.1f}"
        f"{_arrow(tip, near + side, 0, -side)}"
    )
    return path(commands, f"edge {kind}"), ((start + end) / 2, high)


def _arrow(x: float, y: float, across: int, down: int) -> str:
    """Path commands of an arrow's head with its tip at (x, y)."""
    left = (x - 7 * across - 4 * down, y - 7 * down - 4 * across)
    right = (x - 7 * across + 4 * down, y - 7 * down + 4 * across)
    return f"M{left[0]:.1f},{left[1]:.1f}L{x:.1f},{y:.1f}L{right[0]:.1f},{right[1]:.1f}"


def _pill(x: float, y: float, label: str, kind: str) -> list[Markup]:
    width = label_width(label)
    box = (x - width / 2, y - PILL / 2, width, PILL)
    return [
        rectangle(*box, "ground", radius=PILL / 2),
        rectangle(*box, f"pill {kind}", radius=PILL / 2),
        text(x, y + 4, label, f"name {kind}", anchor="middle"),
    ]


def _state(x: float, item: Placed, number: int) -> list[Markup]:
    used = {p for e in item.row.edges if e.live for p in (e.source, e.target)}
    kind = "" if number in used else " dead"
    box = (x - RADIUS, item.y - RADIUS, 2 * RADIUS, 2 * RADIUS)
    circle = rectangle(*box, f"state{kind}", radius=RADIUS)
    return [circle, text(x, item.y + 4, number, f"number{kind}", anchor="middle")]


def _entry(item: Placed, number: int, xs: Sequence[float]) -> list[Markup]:
    """The cell's name, and what feeds its first states."""
    row, y = item.row, item.y
    top = y - LANE * max(0, *item.lanes.values()) - 16
    kind = "wire" if row.live else "wire dead"
    parts = [text(ENTRY_X, top, row.name, "title")]
    label = shown(row.sources[0])
    parts += _box(ENTRY_X, y, ENTRY_WIDTH, label)
    tip = xs[0] - RADIUS - 1
    parts.append(
        path(f"M{ENTRY_X + ENTRY_WIDTH:.1f},{y:.1f}H{tip:.1f}{_arrow(tip, y, 1, 0)}", kind)
    )
    parts += _notes(ENTRY_X, y, row.entering)
    for extra, name in enumerate(row.sources[1:], start=1):
        parts.append(text(xs[extra], y + RADIUS + 14, shown(name), "small", anchor="middle"))
    if number == 0 and row.sources[0] != "input":
        parts.append(text(8, y + 4, "input", "small"))
        tip = ENTRY_X - 1
        parts.append(path(f"M40,{y:.1f}H{tip:.1f}{_arrow(tip, y, 1, 0)}", kind))
    return parts


def _head(item: Placed, end: float, last: float, width: float, bar: float) -> list[Markup]:
    """From the cell's end to the output."""
    row, y = item.row, item.y
    if not row.reaches_output:
        return []
    kind = "wire" if row.live else "wire dead"
    tip = bar - 1
    wire = path(f"M{end + RADIUS:.1f},{y:.1f}H{tip:.1f}{_arrow(tip, y, 1, 0)}", kind)
    if not row.heads:
        return [wire]
    box = _box(last + 46, y, width, " + ".join(map(shown, row.heads)))
    return [wire, *box, *_notes(last + 46, y, row.merging)]


def _notes(x: float, y: float, notes: Sequence[str]) -> list[Markup]:
    """Lines of text below a box that begins at x."""
    lines = (y + NOTE_TOP + NOTE * (i + 1) - 2 for i in range(len(notes)))
    return [text(x, line, note, "small") for line, note in zip(lines, notes, strict=True)]


def _onward(item: Placed, following: Placed, end: float) -> Markup:
    """From a cell's end, around its row, to what feeds the next cell."""
    kind = "wire" if item.row.live and following.row.live else "wire dead"
    right, left, between = end + RADIUS + 14, 26.0, item.bottom + 8
    y, tip = following.y, ENTRY_X - 1
    return path(
        f"M{end + RADIUS:.1f},{item.y:.1f}H{right - 6:.1f}q6,0 6,6V{between - 8:.1f}q0,8 -8,8"
        f"H{left + 8:.1f}q-8,0 -8,8V{y - 8:.1f}q0,8 8,8H{tip:.1f}{_arrow(tip, y, 1, 0)}",
        kind,
    )


def _output(x: float, placed: Sequence[Placed]) -> list[Markup]:
    joined = [p.y for p in placed if p.row.reaches_output] or [placed[-1].y]
    top, bottom = min(joined) - 34, max(joined) + 34
    middle = (top + bottom) / 2
    label = (
        f'<text transform="translate({x + BAR / 2 + 4:.1f},{middle:.1f}) rotate(-90)" '
        'text-anchor="middle" class="box-name">output</text>'
    )
    return [rectangle(x, top, BAR, bottom - top, "box", radius=6), Markup(label)]


def _box(x: float, y: float, width: float, label: str) -> list[Markup]:
    return [
        rectangle(x, y - 14, width, 28, "ground", radius=6),
        rectangle(x, y - 14, width, 28, "box", radius=6),
        text(x + width / 2, y + 4, label, "box-name", anchor="middle"),
    ]
