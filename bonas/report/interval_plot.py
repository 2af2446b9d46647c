"""A dot-and-interval plot: rows of AUCs, a lane for each series, a dot for each seed."""

from collections.abc import Sequence
from dataclasses import dataclass

from bonas.report import numbers
from bonas.report.markup import Markup
from bonas.report.svg import (
    CHARACTER,
    SERIES,
    WIDTH,
    Scale,
    legend,
    line,
    mark,
    picture,
    rectangle,
    text,
)
from bonas.robustness.record import ConditionAuc, MeanAuc

CHANCE = 0.5
RIGHT = 24.0
TOP = 32.0
GAP = 12.0  # between rows
HEADING = 26.0


@dataclass(frozen=True, slots=True)
class Row:
    """One row.

    Attributes:
        label: What is measured.
        lanes: For each series, the AUC of each seed; empty where it was not measured.
        heading: Stands above the row where it begins a group.
    """

    label: str
    lanes: tuple[tuple[ConditionAuc | MeanAuc, ...], ...]
    heading: str = ""


def interval_plot(rows: Sequence[Row], series: Sequence[str], *, title: str) -> Markup:
    """The rows on one axis of AUCs, with 95 % intervals and a line at chance.

    Args:
        rows: From top to bottom.
        series: The name of each lane.
        title: What the picture shows, for those who hear it.
    """
    left = 16 + CHARACTER * max(len(row.label) for row in rows)
    shown = [auc for row in rows for lane in row.lanes for auc in lane]
    bounds = [b for auc in shown for b in auc.interval()]
    scale = Scale.around([CHANCE, *bounds], left, WIDTH - RIGHT, within=(0.0, 1.0))
    names, last = legend(series, left, 18, right=WIDTH - RIGHT)
    top = last + TOP + 10
    lane = _lane_height(rows, len(series))
    tops = _tops(rows, top, lane)
    bottom = tops[-1] + lane * len(series) + GAP
    parts: list[Markup] = [*names, *_axis(scale, top, bottom)]
    for row, y in zip(rows, tops, strict=True):
        parts += _row(row, series, y, lane, scale)
    parts.append(text((left + WIDTH - RIGHT) / 2, bottom + 36, "AUC", "label", anchor="middle"))
    return picture(WIDTH, bottom + 44, parts, title=title)


def _lane_height(rows: Sequence[Row], series: int) -> float:
    seeds = max((len(lane) for row in rows for lane in row.lanes), default=1)
    return max(12.0 if series == 1 else 11.0, 5.0 * seeds + 3.0)


def _tops(rows: Sequence[Row], top: float, lane: float) -> list[float]:
    tops = []
    y = top
    for row in rows:
        y += HEADING if row.heading else 0.0
        tops.append(y)
        y += lane * len(row.lanes) + GAP
    return tops


def _axis(scale: Scale, top: float, bottom: float) -> list[Markup]:
    parts = []
    for tick in scale.ticks:
        x = scale(tick)
        parts.append(line(x, top, x, bottom, "grid"))
        for y in (top - 6, bottom + 16):
            parts.append(text(x, y, f"{tick:g}", "tick", anchor="middle"))
    x = scale(CHANCE)
    parts.append(line(x, top, x, bottom, "chance"))
    parts.append(text(x, top - 19, "chance", "tick", anchor="middle"))
    return parts


def _row(row: Row, series: Sequence[str], y: float, lane: float, scale: Scale) -> list[Markup]:
    parts = []
    if row.heading:
        parts.append(text(4, y - 7, row.heading, "heading"))
        parts.append(line(4, y - 2, WIDTH - RIGHT, y - 2, "rule"))
    height = lane * len(row.lanes)
    parts.append(rectangle(scale.start, y, scale.end - scale.start, height + 4, "band"))
    parts.append(text(scale.start - 10, y + height / 2 + 6, row.label, "label", anchor="end"))
    for number, aucs in enumerate(row.lanes):
        middle = y + lane * (number + 0.5) + 2
        for seed, auc in enumerate(aucs):
            at = middle + 5.0 * (seed - (len(aucs) - 1) / 2)
            parts += _dot(auc, f"{series[number]}, {row.label}", number, at, scale)
    return parts


def _dot(
    auc: ConditionAuc | MeanAuc, name: str, number: int, y: float, scale: Scale
) -> list[Markup]:
    low, high = auc.interval()
    title = f"{name}: {numbers.auc(auc.value)}, 95 % interval {numbers.interval((low, high))}"
    whisker = line(scale(low), y, scale(high), y, f"whisker s{number % SERIES}")
    return [whisker, mark(number, scale(auc.value), y, title, size=3.2)]
