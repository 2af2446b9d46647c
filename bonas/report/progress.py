"""Searches over time: the best score after so many seconds, of a run and of runs of several seeds.

Seconds are those of the search, training of shared weights included: what a budget is spent on.
"""

import math
import statistics
from collections.abc import Sequence
from dataclasses import dataclass

from bonas.report.facts import RunFacts
from bonas.search_cost import SECONDS, TIME_LIMIT


@dataclass(frozen=True, slots=True)
class RunGroup:
    """Runs that differ in nothing but the seed, each of another.

    Attributes:
        name: The run's, or its strategy and the number of seeds.
        runs: At least one.
    """

    name: str
    runs: tuple[RunFacts, ...]


@dataclass(frozen=True, slots=True)
class Point:
    """The best score so far, from these seconds on.

    Attributes:
        seconds: Of search.
        mean: Over the runs.
        spread: Standard deviation over the runs; 0 of one.
    """

    seconds: float
    mean: float
    spread: float


def groups_of(runs: Sequence[RunFacts]) -> list[RunGroup]:
    """The runs by all settings but the seed, in the order of the first of each.

    Runs of other time limits are other searches, and a second run of a seed tells nothing of what
    seeds change: it begins another group.
    """
    alike: dict[tuple[str, int], list[RunFacts]] = {}
    for run in runs:
        same = run.config.model_copy(update={"seed": 0}).model_dump_json()
        settings = f"{same} {run.space.name} {run.attributes.get(TIME_LIMIT)}"
        repetition = 0
        while run.config.seed in {r.config.seed for r in alike.get((settings, repetition), ())}:
            repetition += 1
        alike.setdefault((settings, repetition), []).append(run)
    return [RunGroup(_name(members), tuple(members)) for members in alike.values()]


def trial_seconds(run: RunFacts) -> list[float] | None:
    """The seconds of search at the end of each trial; `None` where the run has not noted them.

    What the trials did not take came before them: training, above all.
    """
    total = run.attributes.get(SECONDS)
    if total is None:
        return None
    taken = []
    for trial in run.trials:
        begun, ended = trial.started, trial.ended
        known = begun is not None and ended is not None
        taken.append((ended - begun).total_seconds() if known and begun and ended else 0.0)
    at, found = max(0.0, float(total) - math.fsum(taken)), []
    for seconds in taken:
        at += seconds
        found.append(at)
    return found


def progress_of(group: RunGroup) -> list[Point]:
    """Where the mean best score of the runs changes, from when each of them has one."""
    curves = [_curve(run) for run in group.runs]
    if not all(curves):
        return []
    first = max(curve[0][0] for curve in curves)
    times = sorted({first, *(at for curve in curves for at, _ in curve if at > first)})
    points = []
    for at in times:
        values = [max(v for t, v in curve if t <= at) for curve in curves]
        spread = statistics.stdev(values) if len(values) > 1 else 0.0
        points.append(Point(at, statistics.fmean(values), spread))
    return points


def seconds_spent(run: RunFacts) -> float | None:
    """Of the whole search."""
    total = run.attributes.get(SECONDS)
    return None if total is None else float(total)


def strategy_of(run: RunFacts) -> str:
    """The strategy's name; of DARTS with the order of its gradients, where that is the second."""
    config = run.config
    second = config.search.strategy == "darts" and config.gradient.order == 2
    return config.search.strategy + (" of second order" if second else "")


def _curve(run: RunFacts) -> list[tuple[float, float]]:
    """The trials that beat all earlier ones, as (seconds, score)."""
    found: list[tuple[float, float]] = []
    for trial, at in zip(run.trials, trial_seconds(run) or (), strict=False):
        if trial.value is not None and (not found or trial.value > found[-1][1]):
            found.append((at, trial.value))
    return found


def _name(members: Sequence[RunFacts]) -> str:
    if len(members) == 1:
        return members[0].name
    return f"{strategy_of(members[0])} ({len(members)} seeds)"
