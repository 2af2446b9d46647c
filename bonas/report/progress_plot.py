"""A picture of several searches: the best score so far over the seconds of search."""

from collections.abc import Sequence
from itertools import pairwise

from bonas.report import numbers
from bonas.report.markup import Markup
from bonas.report.progress import Point, RunGroup, progress_of, seconds_spent, trial_seconds
from bonas.report.search_plots import HEIGHT, LEFT, RIGHT, axes
from bonas.report.svg import (
    SERIES,
    WIDTH,
    Scale,
    legend,
    mark,
    path,
    picture,
    polyline,
)

Place = tuple[float, float]


def progress_plot(groups: Sequence[RunGroup], *, title: str) -> Markup:
    """A line per group, its seeds' mean, with a band of one standard deviation where there are two.

    Marks are the scores of single runs where they beat what they had before. Lines go on to the
    last second of any search, since what was found stays found.

    Args:
        groups: At least one, all with seconds and a score.
        title: Of the picture.
    """
    curves = [progress_of(group) for group in groups]
    names, below = legend([group.name for group in groups], LEFT, 18, right=WIDTH - RIGHT)
    top = below + 24
    last = max(seconds_spent(run) or 0.0 for group in groups for run in group.runs)
    last = max(last, *(point.seconds for curve in curves for point in curve))
    values = [v for c in curves for p in c for v in (p.mean - p.spread, p.mean + p.spread)]
    values += [t.value for g in groups for r in g.runs for t in r.trials if t.value is not None]
    across = Scale.around([0.0, last], LEFT, WIDTH - RIGHT)
    up = Scale.around(values, top + HEIGHT, top, within=(0.0, 1.0))
    parts = [*names, *axes(across, up, up.start, ("seconds of search", "best score"), whole=False)]
    for number, (group, curve) in enumerate(zip(groups, curves, strict=True)):
        if len(group.runs) > 1:
            parts.append(_band(curve, last, across, up, f"band s{number % SERIES}"))
        means = [(across(p.seconds), up(p.mean)) for p in curve]
        parts.append(polyline(_steps(means, across(last)), f"best s{number % SERIES}"))
        parts += _marks(group, number, across, up)
    return picture(WIDTH, up.start + 48, parts, title=title)


def _marks(group: RunGroup, number: int, across: Scale, up: Scale) -> list[Markup]:
    found = []
    for run in group.runs:
        best = 0.0
        for trial, at in zip(run.trials, trial_seconds(run) or (), strict=True):
            if trial.value is None or trial.value <= best:
                continue
            best = trial.value
            note = f"{run.name}, {numbers.duration(at)}, {trial.key}: {numbers.auc(best)}"
            found.append(mark(number, across(at), up(best), note, size=3.0))
    return found


def _band(curve: Sequence[Point], last: float, across: Scale, up: Scale, kind: str) -> Markup:
    """Within one standard deviation of the mean, cut off where the scale ends."""
    edges = []
    for sign in (1, -1):
        values = [min(max(p.mean + sign * p.spread, up.low), up.high) for p in curve]
        places = [(across(p.seconds), up(v)) for p, v in zip(curve, values, strict=True)]
        edges.append(_steps(places, across(last)))
    points = " L".join(f"{x:.1f},{y:.1f}" for x, y in [*edges[0], *reversed(edges[1])])
    return path(f"M{points}Z", kind)


def _steps(places: Sequence[Place], end: float) -> list[Place]:
    """What holds from each place until the next one, and from the last until the end."""
    found = [places[0]]
    for (_, before), (x, y) in pairwise(places):
        found += [(x, before), (x, y)]
    return [*found, (end, places[-1][1])]
