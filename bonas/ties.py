"""Which estimates of a search are not told from the best one on the images that they share.

Most of the error of two scores on the same images is common to both and says nothing of which is
better. What is left is known from their errors' loadings (`bonas.robustness.loadings`).
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass

import numpy as np

from bonas.observation import Observation
from bonas.robustness.conditions import Condition
from bonas.robustness.differences import Difference
from bonas.robustness.record import ConditionAuc, weighted_mean
from bonas.robustness.weights import ScoreWeights


@dataclass(frozen=True, slots=True)
class Ties:
    """How many architectures are not told from the best one.

    Attributes:
        tied: Those whose paired 95 % interval of the difference to the best holds 0.
        others: All but the best whose errors are known.
        unknown: Those whose errors are not, as of an earlier version's estimates.
    """

    tied: int
    others: int
    unknown: int = 0

    def to_json(self) -> dict[str, int]:
        """All of it."""
        return asdict(self)

    def line(self) -> str:
        """For people: what it means."""
        are = "is" if self.tied == 1 else "are"
        known = " whose errors are known" if self.unknown else ""
        return (
            f"{self.tied} of {self.others} other architectures{known} {are} not told from the best "
            "on the validation faces (95 % intervals of differences on the same faces, each by "
            "itself): between them the order may be chance."
        )


def difference(one: Observation, other: Observation, weights: ScoreWeights) -> Difference | None:
    """The score of one estimate less that of another on the same images, with its error.

    As `bonas.robustness.differences.paired_differences`, to the sketch's accuracy of about a tenth
    of the interval's width. What other weights of the networks would give is not in it. `None`
    where one failed, or where what their errors share is not known.
    """
    if one.value is None or other.value is None:
        return None
    if not one.error_loadings or len(one.error_loadings) != len(other.error_loadings):
        return None
    apart = np.subtract(one.error_loadings, other.error_loadings)
    (low, high), (other_low, other_high) = _beyond(one, weights), _beyond(other, weights)
    value, variance = one.value - other.value, float(apart @ apart)
    return Difference(value, variance, low + other_high, high + other_low)


def ties(observations: Sequence[Observation], weights: ScoreWeights) -> Ties | None:
    """The ties of a search's architectures; `None` where no difference to the best is known.

    Args:
        observations: One of each architecture (`Study.means`).
        weights: Of the score.
    """
    scored = [o for o in observations if o.value is not None]
    if not scored:
        return None
    first = max(range(len(scored)), key=lambda i: scored[i].value or 0.0)
    others = [o for i, o in enumerate(scored) if i != first]
    found = [difference(o, scored[first], weights) for o in others]
    known = [d for d in found if d is not None]
    if not known:
        return None
    tied = sum(d.interval()[1] >= 0 for d in known)
    return Ties(tied, len(known), len(others) - len(known))


def _beyond(observation: Observation, weights: ScoreWeights) -> tuple[float, float]:
    """How far perfectly separated conditions leave the score below and above."""
    aucs = {
        Condition.from_key(key): ConditionAuc(auc, observation.auc_variances.get(key, 0.0))
        for key, auc in observation.aucs.items()
    }
    if not aucs or observation.value is None:
        return 0.0, 0.0
    return weighted_mean(observation.value, observation.variance, aucs, weights).beyond()
