"""What two detectors differ by on the same test images, with the error of that difference.

Most of the error of two AUCs is common to them: some images are easy for every detector. It cancels
where the contributions of the clusters (`placements.Contributions`) are subtracted row by row:

    d      =  mean over trainings of  sum_c w_c AUC_c   -  the same of the other detector
    var d  =  | mean over trainings of  sum_c w_c row_c  -  the same of the other detector |^2

over the conditions c of a group or of the score. The error is of the test images alone: it holds
for these trainings, and what other seeds would give is not in it.

Where conditions are perfectly separated, the interval is wider by as far as their own intervals
reach in its direction (`record`): two detectors without an error on few images need not be equal.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import NormalDist
from typing import Any, Self

import numpy as np

from bonas.robustness.conditions import Condition, Group
from bonas.robustness.placements import FloatArray
from bonas.robustness.record import RobustnessScore, require_comparable
from bonas.robustness.weights import ScoreWeights, condition_weights

_EQUAL = ScoreWeights(1.0, 1.0, 1.0, 1.0)
_REACH = NormalDist().inv_cdf(0.975)


@dataclass(frozen=True, slots=True, eq=False)
class PairableScore:
    """A score with what it takes to compare it, image by image, with another of the same set.

    Attributes:
        score: of one detector.
        rows: of each condition the contributions, `3 K`, over the clusters of all conditions.
    """

    score: RobustnessScore
    rows: Mapping[Condition, FloatArray]

    def __post_init__(self) -> None:
        if odd := self.rows.keys() ^ self.score.aucs.keys():
            raise ValueError(
                f"rows must be of the score's conditions, got "
                f"{', '.join(sorted(c.key for c in odd))} in one of them only; evaluate again"
            )
        if len(shapes := {row.shape for row in self.rows.values()}) != 1:
            raise ValueError(
                f"rows must be over the same clusters, got shapes {sorted(shapes)}; evaluate again"
            )

    @property
    def clusters(self) -> int:
        """How many."""
        return int(next(iter(self.rows.values())).size) // 3

    @property
    def row(self) -> FloatArray:
        """The contributions to the score itself, `3 K`."""
        return _mean([self], condition_weights(list(self.score.aucs), self.score.weights))[2]


@dataclass(frozen=True, slots=True)
class Difference:
    """A difference of two AUCs, or of two means of AUCs.

    Attributes:
        value: in [-1, 1].
        variance: over test images, as far as conditions are not separated.
        below: by how much its 95 % interval reaches further down because of those that are.
        above: the same upwards.
    """

    value: float
    variance: float
    below: float = 0.0
    above: float = 0.0

    def interval(self) -> tuple[float, float]:
        """95 % interval over test images."""
        reach = _REACH * math.sqrt(self.variance)
        low, high = self.value - reach - self.below, self.value + reach + self.above
        return max(-1.0, low), min(1.0, high)

    def to_json(self) -> dict[str, Any]:
        """All of it, with the interval written out."""
        return {
            "value": self.value,
            "variance": self.variance,
            "below": self.below,
            "above": self.above,
            "interval": list(self.interval()),
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Self:
        """What `to_json` wrote."""
        return cls(data["value"], data["variance"], data["below"], data["above"])


@dataclass(frozen=True, slots=True)
class PairedDifferences:
    """One detector less another.

    Attributes:
        score: the difference of their scores.
        groups: those of the means of each group.
    """

    score: Difference
    groups: Mapping[Group, Difference]

    def to_json(self) -> dict[str, Any]:
        """All of it."""
        groups = {group.value: d.to_json() for group, d in self.groups.items()}
        return {"score": self.score.to_json(), "groups": groups}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Self:
        """What `to_json` wrote."""
        groups = {Group(name): Difference.from_json(d) for name, d in data["groups"].items()}
        return cls(Difference.from_json(data["score"]), groups)


def paired_differences(
    first: Sequence[PairableScore], second: Sequence[PairableScore]
) -> PairedDifferences:
    """Means over the trainings of one network less those of another, tested on the same images.

    Raises:
        ValueError: no training of either, or scores of different condition sets, weights or
            clusters.
    """
    if not first or not second:
        raise ValueError(
            f"a difference needs a training of both networks, got {len(first)} and {len(second)}; "
            f"evaluate both"
        )
    everyone = (*first, *second)
    require_comparable([tested.score for tested in everyone])
    if len(sizes := {tested.clusters for tested in everyone}) != 1:
        raise ValueError(
            f"contributions must be over the same clusters, got {sorted(sizes)} of them; evaluate "
            f"all detectors on the same images"
        )
    score = first[0].score
    groups = {
        group: condition_weights([c for c in score.aucs if c.group is group], _EQUAL)
        for group in score.group_means
    }
    whole = condition_weights(list(score.aucs), score.weights)
    return PairedDifferences(
        _difference(first, second, whole),
        {group: _difference(first, second, shares) for group, shares in groups.items()},
    )


def _difference(
    first: Sequence[PairableScore],
    second: Sequence[PairableScore],
    shares: Mapping[Condition, float],
) -> Difference:
    value, (low, high), row = _mean(first, shares)
    other, (other_low, other_high), other_row = _mean(second, shares)
    # The difference is least where the first is as low, and the second as high, as they may be.
    below, above = low + other_high, high + other_low
    apart = row - other_row
    return Difference(value - other, float(apart @ apart), below, above)


def _mean(
    trainings: Sequence[PairableScore], shares: Mapping[Condition, float]
) -> tuple[float, tuple[float, float], FloatArray]:
    """Weighted AUC, how far it reaches beyond, and its row; means over the trainings."""
    share = {c: s / len(trainings) for c, s in shares.items()}
    parts = [(share[c], a) for t in trainings for c, a in t.score.conditions if c in share]
    value = math.fsum(s * auc.value for s, auc in parts)
    reaches = [(s, auc.beyond()) for s, auc in parts]
    beyond = (math.fsum(s * r[0] for s, r in reaches), math.fsum(s * r[1] for s, r in reaches))
    row: FloatArray = np.sum([share[c] * t.rows[c] for t in trainings for c in share], axis=0)
    return value, beyond, row
