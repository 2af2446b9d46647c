"""Areas under curves, and how far to trust them.

Every function takes scores (higher: more likely forged) and labels (1 forged, 0 genuine), works in
float64 and counts ties half. They are written out rather than taken from scikit-learn because the
intervals need the placement values, of which the AUC is the mean.

An AUC without its error is half a number: frames of one video, videos of one original and
corruptions of one image all rise and fall together. `delong` gives the joint covariance of several
AUCs over the same images, by image or by cluster.
"""

import math
from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np
import numpy.typing as npt

from bonas.robustness.placements import (
    BoolArray,
    FloatArray,
    checked_sample,
    cluster_contributions,
    placements,
)


@dataclass(frozen=True, slots=True, eq=False)
class PairedAuc:
    """AUCs of several score sets over the same images, with their joint covariance.

    Attributes:
        values: `m`, one AUC per score set.
        covariance: `m x m`.
    """

    values: FloatArray
    covariance: FloatArray

    def __post_init__(self) -> None:
        m = self.values.size
        if self.values.shape != (m,) or self.covariance.shape != (m, m):
            raise ValueError(
                f"values and covariance must be m and m x m, got {self.values.shape} and "
                f"{self.covariance.shape}; `delong` builds both"
            )

    def difference(self, first: int, second: int) -> tuple[float, float]:
        """`AUC_first - AUC_second` and its variance, paired."""
        c = self.covariance
        variance = c[first, first] + c[second, second] - 2.0 * c[first, second]
        # Rounding can leave a difference of near-equal numbers a hair below zero.
        return float(self.values[first] - self.values[second]), max(0.0, float(variance))


def auc(scores: npt.ArrayLike, labels: npt.ArrayLike) -> float:
    """Probability that a forged image outscores a genuine one, ties counted half.

    The Mann-Whitney statistic over the number of pairs; equal to the area under the ROC curve.

    Args:
        scores: `n`, higher means more likely forged; infinities are ranked, NaN is refused.
        labels: `n`, 1 forged and 0 genuine.

    Raises:
        ValueError: lengths differ, NaN scores, labels other than 0 and 1, or a single class.
    """
    return placements(*checked_sample(scores, labels)).auc


def average_precision(scores: npt.ArrayLike, labels: npt.ArrayLike) -> float:
    """Mean precision over the recall gained at each threshold, `sum_t (R_t - R_t-1) P_t`.

    No interpolation; images with equal scores enter together. Arguments and errors as `auc`.
    """
    true, false = _counts_above(*checked_sample(scores, labels))
    return float(np.sum(np.diff(true) / true[-1] * (true[1:] / (true[1:] + false[1:]))))


def equal_error_rate(scores: npt.ArrayLike, labels: npt.ArrayLike) -> float:
    """Error rate where missed forgeries and false alarms are equally frequent, FNR = FPR.

    Between two thresholds the ROC curve is taken as the straight line that joins them, so the rate
    is where that polygon meets the diagonal FNR = FPR, and exists whatever the ties. Arguments and
    errors as `auc`.
    """
    true, false = _counts_above(*checked_sample(scores, labels))
    false_positive, false_negative = false / false[-1], 1.0 - true / true[-1]
    # Every threshold admits at least one image, so the difference strictly rises from -1 to 1.
    return float(np.interp(0.0, false_positive - false_negative, false_positive))


def delong(
    scores: npt.ArrayLike, labels: npt.ArrayLike, clusters: Sequence[Hashable] | None = None
) -> PairedAuc:
    """AUCs of `m` score sets over the same `n` images, with their covariance.

    Without clusters DeLong et al. (1988), images being independent; with clusters Obuchowski
    (1997), independent being only the clusters, each of which may hold both classes. When every
    image is its own cluster the two are equal.

    Args:
        scores: `m x n`, or `n` for a single score set.
        labels: `n`, 1 forged and 0 genuine.
        clusters: `n`, the video or original that each image comes from.

    Raises:
        ValueError: as `auc`; one cluster per image is not given; or fewer than two clusters hold
            forged or genuine images.
    """
    sets = np.atleast_2d(np.asarray(scores, dtype=np.float64))
    checked = [checked_sample(row, labels) for row in sets]
    if not checked:
        raise ValueError("scores must hold at least one score set, got none; pass an m x n array")
    size = checked[0][0].size
    if clusters is not None and len(clusters) != size:
        raise ValueError(
            f"clusters must name one cluster per image, got {len(clusters)} for {size} images; "
            f"pass None where images are independent"
        )
    names = range(size) if clusters is None else clusters
    numbers = {name: number for number, name in enumerate(dict.fromkeys(names))}
    index = np.array([numbers[name] for name in names], dtype=np.intp)
    parts = [cluster_contributions(x, positive, index, len(numbers)) for x, positive in checked]
    rows = np.stack([part.row for part in parts])
    return PairedAuc(np.array([part.auc for part in parts]), rows @ rows.T)


def interval(
    value: float, variance: float, level: float = 0.95, *, pairs: int = 0
) -> tuple[float, float]:
    """Confidence interval of an AUC, symmetric on the logit scale, within [0, 1].

    `logit(value) +- z sqrt(variance) / (value (1 - value))`, which covers better than the plain
    normal interval near 1 and cannot leave [0, 1] (Pepe 2003, chapter 5).

    The logit is infinite where the sample separates perfectly, and its estimated variance is 0
    although the AUC is not known exactly. There `pairs` independent comparisons, all won, bound the
    AUC by `((1 - level) / 2) ** (1 / pairs)` (Clopper and Pearson 1934); with `pairs=0` the
    interval shrinks to the point, as it does for every other value with variance 0.

    Args:
        value: the AUC, in [0, 1].
        variance: of the AUC, not negative.
        level: share of such intervals that contain the truth, in (0, 1).
        pairs: disjoint pairs of a cluster with forged and one with genuine images
            (`placements.Contributions.pairs`).

    Raises:
        ValueError: an argument is outside its range.
    """
    _check_interval(value, variance, level, pairs)
    tail = (1.0 - level) / 2.0
    if value in (0.0, 1.0) and variance == 0.0:
        bound = tail ** (1.0 / pairs) if pairs else 1.0
        return (bound, 1.0) if value == 1.0 else (0.0, 1.0 - bound)
    if variance == 0.0:
        return value, value
    reach = NormalDist().inv_cdf(1.0 - tail) * math.sqrt(variance)
    if value in (0.0, 1.0):
        return max(0.0, value - reach), min(1.0, value + reach)
    centre, half = math.log(value / (1.0 - value)), reach / (value * (1.0 - value))
    return _logistic(centre - half), _logistic(centre + half)


def _check_interval(value: float, variance: float, level: float, pairs: int) -> None:
    if not 0.0 <= value <= 1.0:
        raise ValueError(f"value must be an AUC in [0, 1], got {value}; pass it as a fraction")
    if not 0.0 <= variance < math.inf:
        raise ValueError(f"variance must be finite and not negative, got {variance}; see `delong`")
    if not 0.0 < level < 1.0:
        raise ValueError(f"level must lie in (0, 1), got {level}; 0.95 is customary")
    if pairs < 0:
        raise ValueError(f"pairs must not be negative, got {pairs}; pass 0 where unknown")


def _logistic(t: float) -> float:
    """`1 / (1 + exp(-t))`, without overflow for any t."""
    return 0.5 * (1.0 + math.tanh(0.5 * t))


def _counts_above(x: FloatArray, positive: BoolArray) -> tuple[FloatArray, FloatArray]:
    """Positives and negatives at or above each distinct threshold, from none to all."""
    values, place = np.unique(-x, return_inverse=True)
    true = np.bincount(place[positive], minlength=values.size)
    false = np.bincount(place[~positive], minlength=values.size)
    start = np.zeros(1)
    return np.concatenate([start, np.cumsum(true)]), np.concatenate([start, np.cumsum(false)])
