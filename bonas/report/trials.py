"""What the trials of a search say together: progress, trade-offs, groups that are flat."""

import math
import statistics
from collections.abc import Sequence
from dataclasses import dataclass

from bonas.report.facts import RunFacts, TrialFacts
from bonas.robustness.conditions import Condition, Group
from bonas.robustness.record import ConditionAuc, RobustnessScore, flat_groups, mean_of
from bonas.robustness.weights import ScoreWeights
from bonas.strategies.bananas import INITIAL as BANANAS_INITIAL
from bonas.strategies.settings import Settings

PARAMETERS = "parameters"
"""The cost that every report shows scores against."""
FLAT = 0.01
"""A group whose means differ by at most this over all architectures is flagged: a hundredth of
AUC moves the score by 0.001 to 0.004 at the default weights, less than what repeats differ by."""
INITIAL = {"bayesian": Settings().initial, "bananas": BANANAS_INITIAL}
"""Random architectures that a strategy begins with, where it does."""


@dataclass(frozen=True, slots=True)
class GroupSpread:
    """How far architectures differ in one group.

    Attributes:
        group: Which one.
        conditions: How many it has.
        low, middle, high: Lowest, median and highest mean AUC of an architecture.
        flat: Whether the group adds a constant to the score.
        reach: Half the width of the 95 % interval of one architecture's mean AUC, the median.
    """

    group: Group
    conditions: int
    low: float
    middle: float
    high: float
    flat: bool
    reach: float

    @property
    def in_doubt(self) -> bool:
        """Whether all architectures lie within the interval of the middle one."""
        return not self.flat and self.high - self.low <= 2 * self.reach


def best_so_far(trials: Sequence[TrialFacts]) -> list[tuple[int, float]]:
    """The trials that beat all earlier ones, as (number, score)."""
    steps: list[tuple[int, float]] = []
    for trial in trials:
        if trial.value is not None and (not steps or trial.value > steps[-1][1]):
            steps.append((trial.number, trial.value))
    return steps


def pareto_front(trials: Sequence[TrialFacts], cost: str = PARAMETERS) -> list[TrialFacts]:
    """The trials that no other beats in score at as low a cost, by cost."""
    priced = with_cost(trials, cost)
    front: list[TrialFacts] = []
    for trial in sorted(
        priced, key=lambda t: (t.observation.cost[cost], -(t.value or 0.0), t.number)
    ):
        if not front or (trial.value or 0.0) > (front[-1].value or 0.0):
            front.append(trial)
    return front


def with_cost(trials: Sequence[TrialFacts], cost: str = PARAMETERS) -> list[TrialFacts]:
    """The trials with a score and this cost."""
    return [t for t in trials if t.value is not None and cost in t.observation.cost]


def parameters(trial: TrialFacts) -> float:
    """Of the stand-alone network."""
    return trial.observation.cost[PARAMETERS]


def random_until(facts: RunFacts) -> int | None:
    """The last trial that was proposed without regard to scores; `None` where that is unknown.

    A strategy that starts at random counts scored architectures, each once.
    """
    strategy = facts.config.search.strategy
    if strategy == "random" and facts.trials:
        return facts.trials[-1].number
    wanted = INITIAL.get(strategy)
    if wanted is None or not facts.trials or facts.config.search.warm_start:
        return None
    scored: set[str] = set()
    for trial in facts.trials:
        if trial.value is not None:
            scored.add(trial.key)
        if len(scored) == wanted:
            return trial.number
    return facts.trials[-1].number


def group_spreads(facts: RunFacts) -> tuple[GroupSpread, ...]:
    """The groups in the order of `Group`; none before two architectures have a score."""
    weights = ScoreWeights(**facts.config.score.weights.model_dump())
    distinct = {t.key: t for t in facts.complete if t.observation.aucs}
    scores = [_score(facts, trial, weights) for trial in distinct.values()]
    if len(scores) < 2:
        return ()
    flat = flat_groups(scores, FLAT)
    means = [score.group_means for score in scores]
    present = [condition.group for condition, _ in scores[0].conditions]
    found = []
    for group in means[0]:
        values = sorted(m[group] for m in means)
        middle = (values[(len(values) - 1) // 2] + values[len(values) // 2]) / 2
        reach = statistics.median(_reach(score, group) for score in scores)
        count, same = present.count(group), group in flat
        found.append(GroupSpread(group, count, values[0], middle, values[-1], same, reach))
    return tuple(found)


def _reach(score: RobustnessScore, group: Group) -> float:
    mean = mean_of([auc for condition, auc in score.conditions if condition.group is group])
    low, high = mean.interval()
    return (high - low) / 2


def seconds_of(trials: Sequence[TrialFacts]) -> float:
    """Time spent estimating."""
    return math.fsum(t.observation.cost.get("seconds", 0.0) for t in trials)


def _score(facts: RunFacts, trial: TrialFacts, weights: ScoreWeights) -> RobustnessScore:
    observation = trial.observation
    conditions = tuple(
        (
            Condition.from_key(key),
            ConditionAuc(auc, observation.auc_variances.get(key, 0.0)),
        )
        for key, auc in sorted(observation.aucs.items())
    )
    digest = str(facts.attributes.get("bonas.conditions", ""))
    return RobustnessScore(digest, conditions, weights, observation.variance)
