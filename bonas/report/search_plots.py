"""Pictures of a search: its history, and its scores against what the networks cost."""

from collections.abc import Sequence
from dataclasses import dataclass

from bonas.report import numbers
from bonas.report.facts import TrialFacts
from bonas.report.markup import Markup
from bonas.report.svg import (
    SERIES,
    WIDTH,
    Scale,
    cross,
    legend,
    line,
    mark,
    picture,
    polyline,
    rectangle,
    text,
)
from bonas.report.trials import PARAMETERS, best_so_far, pareto_front

LEFT, RIGHT, HEIGHT = 64.0, 24.0, 300.0
FAILED = 22.0  # height of the lane for failed trials
UNITS = {
    PARAMETERS: (1e3, "thousand parameters"),
    "multiply_adds": (1e6, "million multiply-adds"),
    "activations": (1e3, "thousand activations"),
    "seconds": (1.0, "seconds of the estimate"),
}
"""Of an axis: what a cost is divided by, and its name."""


@dataclass(frozen=True, slots=True)
class HistoryLine:
    """One search.

    Attributes:
        name: Of the run.
        trials: Finished ones, by number.
        random_until: The last trial proposed without regard to scores, where known.
    """

    name: str
    trials: tuple[TrialFacts, ...]
    random_until: int | None = None


def history_plot(runs: Sequence[HistoryLine], *, title: str) -> Markup:
    """Each trial's score as a mark, the best so far as a line, failed ones as crosses below."""
    values = [t.value for run in runs for t in run.trials if t.value is not None]
    last = max(t.number for run in runs for t in run.trials)
    names, below = legend([run.name for run in runs], LEFT, 18, right=WIDTH - RIGHT)
    several = len(runs) > 1
    top = below + 24 if several else 26.0
    floor = top + HEIGHT + (FAILED if any(t.value is None for r in runs for t in r.trials) else 0)
    across = Scale(-0.5, max(last + 0.5, 1.5), LEFT, WIDTH - RIGHT)
    up = Scale.around(values or [0.0, 1.0], top + HEIGHT, top, within=(0.0, 1.0))
    parts: list[Markup] = list(names) if several else _random_phase(runs[0], across, top)
    parts += axes(across, up, floor, ("trial", "score"), whole=True)
    if floor > up.start:
        parts.append(text(LEFT - 8, floor - 6, "failed", "tick", anchor="end"))
    for number, run in enumerate(runs):
        parts += _run(run, number, across, up, floor - 10)
    return picture(WIDTH, floor + 48, parts, title=title)


def cost_plot(
    trials: Sequence[TrialFacts],
    *,
    title: str,
    cost: str = PARAMETERS,
    members: Sequence[TrialFacts] | None = None,
) -> Markup:
    """Score against a cost with the Pareto front: no other is better and as cheap.

    Args:
        trials: With a score and the cost; at least one.
        title: What a screen reader says.
        cost: Its name.
        members: Of a front in more than these two objectives, whose marks are round; those on
            the line where `None`.
    """
    top = 26.0
    front = pareto_front(trials, cost)
    unit, name = UNITS.get(cost, (1.0, cost))
    across = Scale.around((t.observation.cost[cost] / unit for t in trials), LEFT, WIDTH - RIGHT)
    up = Scale.around((t.value or 0.0 for t in trials), top + HEIGHT, top, within=(0.0, 1.0))
    places = {
        t.number: (across(t.observation.cost[cost] / unit), up(t.value or 0.0)) for t in trials
    }
    parts = axes(across, up, up.start, (name, "score"), whole=False)
    steps = [(places[front[0].number][0], up.start)]
    for trial in front:
        x, y = places[trial.number]
        steps += [(x, steps[-1][1]), (x, y)]
    parts.append(polyline([*steps, (across.end, steps[-1][1])], "best s0"))
    round_marks = {t.number for t in (front if members is None else members)}
    for trial in sorted(trials, key=lambda t: t.number in round_marks):
        on_front = trial.number in round_marks
        x, y = places[trial.number]
        note = " (Pareto front)" if on_front else ""
        parts.append(mark(0 if on_front else 2, x, y, _title(trial) + note, size=3.6))
    parts.append(_named(front[-1], places, across))
    return picture(WIDTH, top + HEIGHT + 48, parts, title=title)


def _named(best: TrialFacts, places: dict[int, tuple[float, float]], across: Scale) -> Markup:
    x, y = places[best.number]
    right_half = x > (across.start + across.end) / 2
    anchor, shift = ("end", -9) if right_half else ("start", 9)
    return text(x + shift, y - 7, f"best: {best.key}", "label", anchor=anchor)


def _random_phase(run: HistoryLine, across: Scale, top: float) -> list[Markup]:
    if run.random_until is None:
        return []
    end = min(across(run.random_until + 0.5), across.end)
    shade = rectangle(across.start, top, end - across.start, HEIGHT, "random")
    return [shade, text(across.start + 6, top + HEIGHT - 8, "scores not used yet", "tick")]


def axes(
    across: Scale, up: Scale, floor: float, names: tuple[str, str], *, whole: bool
) -> list[Markup]:
    """Ticks, lines and names; `whole` leaves out the ticks between whole numbers."""
    parts = []
    for tick in up.ticks:
        parts.append(line(across.start, up(tick), across.end, up(tick), "grid"))
        parts.append(text(across.start - 8, up(tick) + 4, f"{tick:g}", "tick", anchor="end"))
    for tick in across.ticks:
        if whole and tick != int(tick):
            continue
        parts.append(line(across(tick), floor, across(tick), floor + 4, "axis"))
        parts.append(text(across(tick), floor + 16, f"{tick:g}", "tick", anchor="middle"))
    parts.append(line(across.start, floor, across.end, floor, "axis"))
    horizontal, vertical = names
    parts.append(text(across.end, floor + 36, horizontal, "label", anchor="end"))
    parts.append(text(across.start - 8, up.end - 12, vertical, "label", anchor="end"))
    return parts


def _run(run: HistoryLine, number: int, across: Scale, up: Scale, failed_y: float) -> list[Markup]:
    parts: list[Markup] = []
    steps: list[tuple[float, float]] = []
    for trial, value in best_so_far(run.trials):
        if steps:
            steps.append((across(trial), steps[-1][1]))
        steps.append((across(trial), up(value)))
    if steps:
        end = across(run.trials[-1].number)
        parts.append(polyline([*steps, (end, steps[-1][1])], f"best s{number % SERIES}"))
    for trial_facts in run.trials:
        x = across(trial_facts.number)
        if trial_facts.value is None:
            parts.append(cross(x, failed_y, _title(trial_facts)))
        else:
            parts.append(mark(number, x, up(trial_facts.value), _title(trial_facts), size=3.4))
    return parts


def _title(trial: TrialFacts) -> str:
    if trial.value is None:
        return f"trial {trial.number}, {trial.key}: failed, {trial.observation.reason}"
    cost = trial.observation.cost.get("parameters")
    size = f", {numbers.count(cost)} parameters" if cost is not None else ""
    return f"trial {trial.number}, {trial.key}: {numbers.auc(trial.value)}{size}"
