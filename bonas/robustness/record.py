"""The record of a detector's score: what every condition gave, and what follows from it.

Only AUCs, their variances and the variance of the weighted mean are kept; the value, the means of
the groups and the worst condition follow from them, so that a record cannot contradict itself.
Scores of different condition sets are numbers about different things: every function here that
takes several scores refuses them.

Perfectly separated images, AUC 1 or 0, have the estimated variance 0 although their AUC is not
known exactly, and the formulas for means take them for certain. So a mean's interval is widened, on
the side where the truth may lie, by the weighted sum of how far each separated part's own interval
reaches (Zou and Donner 2008, Statistics in Medicine 27, recover such limits; their sum of squares
needs independent parts, and a plain sum allows for any correlation).
"""

import math
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

from bonas.robustness.auc import interval
from bonas.robustness.conditions import Condition, Group
from bonas.robustness.weights import (
    ScoreWeights,
    condition_weights,
    group_means,
    robustness_weighted_auc,
)

_NORMAL = statistics.NormalDist().inv_cdf(0.975)


@dataclass(frozen=True, slots=True)
class ConditionAuc:
    """AUC under one condition.

    Attributes:
        value: the AUC, in [0, 1].
        variance: of the AUC, by cluster.
        pairs: independent comparisons behind it (`placements.Contributions.pairs`).
    """

    value: float
    variance: float
    pairs: int = 0

    def __post_init__(self) -> None:
        interval(self.value, self.variance, pairs=self.pairs)  # checks all three

    def interval(self, level: float = 0.95) -> tuple[float, float]:
        """Confidence interval on the logit scale; see `auc.interval`."""
        return interval(self.value, self.variance, level, pairs=self.pairs)

    def beyond(self, level: float = 0.95) -> tuple[float, float]:
        """How far below and above perfect separation leaves the truth; 0 where it is imperfect."""
        if self.value not in (0.0, 1.0):
            return 0.0, 0.0
        low, high = self.interval(level)
        return self.value - low, high - self.value

    @property
    def sampling_variance(self) -> float:
        """The variance; of separated images the one of which the 95 % interval is their own."""
        return self.variance or (max(self.beyond()) / _NORMAL) ** 2


@dataclass(frozen=True, slots=True)
class MeanAuc:
    """A mean of AUCs.

    Attributes:
        value: the mean, in [0, 1].
        variance: of it, as far as the parts are not separated.
        below: by how much its 95 % interval reaches further down because of those that are.
        above: the same upwards.
    """

    value: float
    variance: float
    below: float = 0.0
    above: float = 0.0

    def beyond(self) -> tuple[float, float]:
        """As that of its parts."""
        return self.below, self.above

    def interval(self) -> tuple[float, float]:
        """95 % interval; see the module's head."""
        return _widened(interval(self.value, self.variance), (self.below, self.above))


@dataclass(frozen=True, slots=True)
class RobustnessScore:
    """Score of one detector on one set of conditions.

    `a < b`, `max(...)` and `sorted(...)` order scores by value and refuse scores of other sets.

    Attributes:
        digest: of the condition set.
        conditions: what was measured under each condition, sorted by the condition's key.
        weights: of the groups.
        variance: of the value, conditions being correlated.
    """

    digest: str
    conditions: tuple[tuple[Condition, ConditionAuc], ...]
    weights: ScoreWeights
    variance: float

    def __post_init__(self) -> None:
        keys = [condition.key for condition, _ in self.conditions]
        if keys != sorted(set(keys)):
            raise ValueError(
                f"conditions must be different and sorted by key, got {keys}; "
                f"score_conditions builds them"
            )
        interval(self.value, self.variance)  # checks both, and the weights

    def __lt__(self, other: "RobustnessScore") -> bool:
        require_comparable((self, other))
        return self.value < other.value

    @property
    def aucs(self) -> dict[Condition, float]:
        """AUC of each condition."""
        return {condition: auc.value for condition, auc in self.conditions}

    @property
    def value(self) -> float:
        """The robustness-weighted AUC, to be maximised."""
        return robustness_weighted_auc(self.aucs, self.weights)

    @property
    def group_means(self) -> dict[Group, float]:
        """Mean AUC of each group present."""
        return group_means(self.aucs)

    @property
    def worst(self) -> tuple[Condition, ConditionAuc]:
        """The condition with the lowest AUC, the first by key among equals."""
        return min(self.conditions, key=lambda pair: pair[1].value)

    def interval(self, level: float = 0.95) -> tuple[float, float]:
        """Confidence interval of the value, on the logit scale; see `auc.interval`."""
        beyond = _beyond(dict(self.conditions), self.weights, level)
        return _widened(interval(self.value, self.variance, level), beyond)

    @property
    def mean(self) -> MeanAuc:
        """The value as a mean, with its error."""
        return weighted_mean(self.value, self.variance, dict(self.conditions), self.weights)

    def to_json(self) -> dict[str, Any]:
        """Everything, with the value beside what it follows from."""
        return {
            "digest": self.digest,
            "value": self.value,
            "variance": self.variance,
            "weights": self.weights.to_json(),
            "conditions": {
                condition.key: {"auc": auc.value, "variance": auc.variance, "pairs": auc.pairs}
                for condition, auc in self.conditions
            },
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Self:
        """The score that `to_json` wrote.

        Raises:
            ValueError: the value does not follow from the conditions.
        """
        conditions = sorted(data["conditions"].items())
        measured = (
            (Condition.from_key(key), ConditionAuc(part["auc"], part["variance"], part["pairs"]))
            for key, part in conditions
        )
        weights = ScoreWeights(**data["weights"])
        score = cls(data["digest"], tuple(measured), weights, data["variance"])
        if not math.isclose(score.value, data["value"], rel_tol=0.0, abs_tol=1e-9):
            raise ValueError(
                f"value must be the weighted mean {score.value} of the conditions, got "
                f"{data['value']}; the record was altered, evaluate again"
            )
        return score


def weighted_mean(
    value: float,
    variance: float,
    conditions: Mapping[Condition, ConditionAuc],
    weights: ScoreWeights,
) -> MeanAuc:
    """A score, its conditions being separated or not, where its variance is that of the others."""
    return MeanAuc(value, variance, *_beyond(conditions, weights, 0.95))


def mean_of(parts: Sequence[ConditionAuc | MeanAuc]) -> MeanAuc:
    """The mean with the largest error that any correlation of the parts allows.

    Whatever the correlation, the standard error of a mean is at most the mean of the standard
    errors (Cauchy and Schwarz).
    """
    value = min(1.0, math.fsum(p.value for p in parts) / len(parts))
    reaches = [p.beyond() for p in parts]
    # What reaches beyond is the whole error of a separated condition.
    errors = [
        0.0 if isinstance(p, ConditionAuc) and any(r) else math.sqrt(p.variance)
        for p, r in zip(parts, reaches, strict=True)
    ]
    below, above = (statistics.fmean(r[side] for r in reaches) for side in (0, 1))
    return MeanAuc(value, statistics.fmean(errors) ** 2, below, above)


def average(scores: Sequence[RobustnessScore]) -> float:
    """Mean value of scores of one condition set, for instance over seeds.

    Raises:
        ValueError: no score, or scores of different sets or weights.
    """
    require_comparable(scores)
    return math.fsum(score.value for score in scores) / len(scores)


def flat_groups(scores: Sequence[RobustnessScore], tolerance: float) -> tuple[Group, ...]:
    """Groups whose mean AUC is the same for all detectors, within `tolerance` from low to high.

    Such a group adds a constant to the score: it costs evaluation and tells nothing apart.

    Raises:
        ValueError: fewer than two scores, a negative tolerance, or scores of different sets.
    """
    require_comparable(scores)
    if len(scores) < 2 or not tolerance >= 0.0:
        raise ValueError(
            f"flat groups need at least 2 scores and a tolerance of at least 0, got {len(scores)} "
            f"and {tolerance}; evaluate more detectors"
        )
    means = [score.group_means for score in scores]
    spread = {g: max(m[g] for m in means) - min(m[g] for m in means) for g in means[0]}
    return tuple(group for group, width in spread.items() if width <= tolerance)


def require_comparable(scores: Sequence[RobustnessScore]) -> None:
    """Pass scores of one condition set with one choice of weights.

    Raises:
        ValueError: no score, or scores that differ in either.
    """
    digests = sorted({score.digest for score in scores})
    if len(digests) != 1:
        raise ValueError(
            f"scores must be of one condition set, got {len(digests)} digests "
            f"{', '.join(d[:12] for d in digests)}; evaluate all detectors on the same set"
        )
    weights = {tuple(score.weights.to_json().values()) for score in scores}
    if len(weights) != 1:
        raise ValueError(
            f"scores must have the same weights, got {sorted(weights)}; choose one and score again"
        )


def _beyond(
    conditions: Mapping[Condition, ConditionAuc], weights: ScoreWeights, level: float
) -> tuple[float, float]:
    shares = condition_weights(conditions.keys(), weights)
    reaches = [(shares[c], auc.beyond(level)) for c, auc in conditions.items()]
    below, above = (math.fsum(s * r[side] for s, r in reaches) for side in (0, 1))
    return below, above


def _widened(bounds: tuple[float, float], beyond: tuple[float, float]) -> tuple[float, float]:
    return max(0.0, bounds[0] - beyond[0]), min(1.0, bounds[1] + beyond[1])
