"""Which option of which decision goes with which score, over the trials of a search."""

import statistics
from collections.abc import Sequence
from dataclasses import dataclass

from bonas.report.facts import TrialFacts
from spaces.architecture import Choice
from spaces.space import SearchSpace

FEWEST = 20  # trials below which nothing is said: several options would rest on no trial at all


@dataclass(frozen=True, slots=True)
class OptionScore:
    """The trials that chose one option.

    Attributes:
        option: Which one.
        trials: How many chose it.
        mean: Of their scores; `None` without a trial.
    """

    option: Choice
    trials: int
    mean: float | None


@dataclass(frozen=True, slots=True)
class DecisionScore:
    """One decision.

    Attributes:
        name: Of the decision.
        options: In the space's order.
        explained: Share of the scores' variance that the decision alone explains, adjusted for
            the number of options: about 0 for one without influence, and possibly below.
    """

    name: str
    options: tuple[OptionScore, ...]
    explained: float


def decision_scores(space: SearchSpace, trials: Sequence[TrialFacts]) -> tuple[DecisionScore, ...]:
    """Every decision of the space, over the trials that have a score."""
    result = []
    for position, decision in enumerate(space.decisions):
        chosen: dict[Choice, list[float]] = {option: [] for option in decision.options}
        for trial in trials:
            if trial.value is not None:
                chosen[trial.architecture.choices[position]].append(trial.value)
        options = tuple(
            OptionScore(o, len(v), statistics.fmean(v) if v else None) for o, v in chosen.items()
        )
        result.append(DecisionScore(decision.name, options, _explained(list(chosen.values()))))
    return tuple(result)


def _explained(groups: Sequence[Sequence[float]]) -> float:
    """Adjusted share `1 - (1 - eta^2) (n - 1) / (n - k)` of k groups with n values (Ezekiel)."""
    filled = [g for g in groups if g]
    values = [v for g in filled for v in g]
    n, k = len(values), len(filled)
    centre = statistics.fmean(values) if values else 0.0
    total = sum((v - centre) ** 2 for v in values)
    if n <= k or total == 0.0:
        return 0.0
    within = sum((v - statistics.fmean(g)) ** 2 for g in filled for v in g)
    return 1.0 - within / total * (n - 1) / (n - k)
