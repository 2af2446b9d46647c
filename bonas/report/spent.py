"""What a search spent, and what one by gradient says of itself, for pages and machines."""

import statistics
from collections.abc import Iterator, Sequence
from typing import Any

from bonas.report import numbers
from bonas.report.contestants import headline_of
from bonas.report.facts import RunFacts
from bonas.report.markup import Markup, element, paragraph
from bonas.report.progress import RunGroup, progress_of, seconds_spent, strategy_of
from bonas.search_cost import GRADIENT, SearchCost
from bonas.strategies.collapse import verdict


def search_multiply_adds(run: RunFacts) -> float | None:
    """Of forward passes in training and in estimates; `None` where the run has not noted them."""
    cost = SearchCost.of_attributes(run.attributes)
    return None if cost is None else cost.total(t.observation for t in run.trials)


def spent(run: RunFacts) -> dict[str, Any]:
    """As JSON."""
    return {
        "strategy": run.config.search.strategy,
        "seed": run.config.seed,
        "seconds": seconds_spent(run),
        "multiply_adds": search_multiply_adds(run),
        "gradient": run.attributes.get(GRADIENT),
    }


def selection_set(run: RunFacts) -> str | None:
    """The digest of the conditions that its selection scores hold for; `None` if not known."""
    known = run.attributes.get("bonas.conditions")
    return None if known is None else str(known)


def tested_set(run: RunFacts) -> str | None:
    """The digest of those that its best architecture was tested under; `None` without a test."""
    series = headline_of(run)
    return None if series is None else series.tested_on[0]


def group_figures(group: RunGroup) -> dict[str, Any]:
    """Means over the seeds as JSON, `None` where a run lacks the number, and the mean's course.

    A seed draws noise, splits or built-in faces too, so that runs of several seeds are scored on
    several condition sets. `conditions` and `test_conditions` name them by run: means are compared
    where these are the same.
    """
    best = [run.best.value if run.best is not None else None for run in group.runs]
    tests = [headline_of(run) for run in group.runs]
    return {
        "name": group.name,
        "runs": [str(run.path) for run in group.runs],
        "seeds": [run.config.seed for run in group.runs],
        "strategy": strategy_of(group.runs[0]),
        "collapsed": [collapsed(run) for run in group.runs],
        "score": summary(best),
        "conditions": [selection_set(run) for run in group.runs],
        "test_score": summary([None if t is None else t.score.value for t in tests]),
        "test_conditions": [tested_set(run) for run in group.runs],
        "versions": sorted({v for run in group.runs for v in _versions(run)}),
        "seconds": summary([seconds_spent(run) for run in group.runs]),
        "multiply_adds": summary([search_multiply_adds(run) for run in group.runs]),
        "course": [
            {"seconds": p.seconds, "mean": p.mean, "spread": p.spread} for p in progress_of(group)
        ],
    }


def collapsed(run: RunFacts) -> bool | None:
    """Whether a search by gradient fell to skip connections; `None` of other strategies."""
    said = run.attributes.get(GRADIENT)
    fell: bool | None = None if said is None else said["collapsed"]
    return fell


def gradient_paragraph(run: RunFacts) -> Markup | None:
    """How far a search by gradient collapsed to skips; `None` of other strategies."""
    said = run.attributes.get(GRADIENT)
    if said is None:
        return None
    taken = said.get("seconds")
    time = "" if taken is None else f" in {numbers.duration(float(taken))}"
    return paragraph(
        element("b", verdict(said)),
        f" {numbers.count(said['steps'])} steps{time}, {numbers.tera(said['multiply_adds'])} "
        "multiply-adds in forward passes.",
        kind="flagged" if said["collapsed"] else "",
    )


def _versions(run: RunFacts) -> Iterator[str]:
    """Of bonas: those that searched and tested."""
    series = headline_of(run)
    tested = () if series is None else series.records
    known = [run.attributes.get("bonas.version"), *(r.protocol.get("version") for r in tested)]
    yield from (str(version) for version in known if version is not None)


def summary(values: Sequence[float | None]) -> dict[str, float | None] | None:
    """Mean and standard deviation; `None` unless all are known."""
    known = [value for value in values if value is not None]
    if not known or len(known) < len(values):
        return None
    spread = statistics.stdev(known) if len(known) > 1 else None
    return {"mean": statistics.fmean(known), "spread": spread}
