"""Interval of the true positive rate at a small false positive rate, its threshold being unknown.

The threshold that lets one genuine image in a hundred through rests on the few highest scores of
genuine images; with two hundred of them, on two. A bootstrap draws these two again and never a
higher one, so that its intervals miss the truth from above far too often (0.77 to 0.86 of 95 %
intervals held it in simulations with 100 to 150 originals). Here both errors are bounded apart and
put together by the method of variance estimates recovery (Zou and Donner 2008, Statistics in
Medicine 27): with bounds `l1, u1` from the threshold alone and `l2, u2` from forged images alone,

    [v - sqrt((v - l1)^2 + (v - l2)^2),  v + sqrt((u1 - v)^2 + (u2 - v)^2)]

- The threshold: of `m` independent scores, the share of the population above the r-th highest is
  about a gamma variable with shape `r` over `m`. Ranks at which it equals the rate with probability
  1/40 and 39/40 bound the threshold. Where such a rank lies above the highest score the tail is
  continued exponentially from the highest tenth (Pickands 1975, with shape 0).
- The forged images above a known threshold: Wilson's interval of a share (1927).

Images of one original are alike: both count as many images as independent ones would carry as much
about, by the variance of their share between originals.

    n           genuine images, x_1 >= ... >= x_n
    p           share of genuine images above a threshold
"""

import math
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np
import scipy.optimize
import scipy.special

from bonas.robustness.placements import BoolArray, FloatArray, IntArray

TAIL = 0.1
"""Share of the genuine images that the tail is continued from."""


@dataclass(frozen=True, slots=True, eq=False)
class _Tail:
    """The highest scores of genuine images.

    Attributes:
        scores: `n`, falling.
        effective: how many independent images carry as much.
    """

    scores: FloatArray
    effective: float

    def threshold(self, rank: float) -> float:
        """The score at a rank among the independent images, from 1; above the highest the tail's.

        Between scores the rank is interpolated, equal scores being one.
        """
        size = len(self.scores)
        place = rank * size / self.effective
        ends = np.append(np.flatnonzero(np.diff(self.scores)), size - 1)
        if place >= ends[0] + 1:
            return float(np.interp(place, ends + 1, self.scores[ends]))
        k = round(TAIL * size)
        excess = float(np.mean(self.scores[:k] - self.scores[k]))
        beyond = float(self.scores[k]) + excess * math.log(k / place)
        return max(float(self.scores[0]), beyond)


def true_positive_interval(
    scores: FloatArray,
    forged: BoolArray,
    clusters: IntArray,
    *,
    rate: float,
    level: float,
) -> tuple[float, float]:
    """The interval of the highest true positive rate whose false positive rate is at most `rate`.

    Args:
        scores: `n`, higher means more likely forged; finite.
        forged: `n`, true where forged; at least 100 are not.
        clusters: `n`, the number of each image's original.
        rate: of false positives, in (0, 1).
        level: of the interval, in (0, 1).
    """
    tail = (1.0 - level) / 2.0
    genuine, misled = scores[~forged], scores[forged]
    falling = np.sort(genuine)[::-1]
    high = genuine >= falling[round(TAIL * falling.size) - 1]
    real = _Tail(falling, _effective(high, clusters[~forged]))
    threshold = float(falling[int(rate * falling.size + 1e-9)])
    above = misled > threshold
    value = float(above.mean())
    expected = rate * real.effective
    reached = [
        float((misled > real.threshold(_rank(expected, q))).mean()) for q in (1.0 - tail, tail)
    ]
    low, high_bound = _wilson(value, _effective(above, clusters[forged]), tail)
    return (
        max(0.0, value - math.hypot(max(0.0, value - reached[0]), value - low)),
        min(1.0, value + math.hypot(max(0.0, reached[1] - value), high_bound - value)),
    )


def _rank(expected: float, probability: float) -> float:
    """The shape whose gamma variable is below what is expected with this probability."""

    def excess(shape: float) -> float:
        return float(scipy.special.gammainc(shape, expected)) - probability

    return float(scipy.optimize.brentq(excess, 1e-9, 10.0 * expected + 50.0))


def _effective(holds: BoolArray, clusters: IntArray) -> float:
    """How many independent images tell a share as well as these, of which some are alike."""
    share, count = float(holds.mean()), len(holds)
    if share in (0.0, 1.0):
        return float(np.unique(clusters).size)
    _, number = np.unique(clusters, return_inverse=True)
    sums = np.bincount(number, holds - share)
    variance = sums.size / (sums.size - 1) * float((sums**2).sum()) / count**2
    return min(float(count), share * (1.0 - share) / variance)


def _wilson(value: float, count: float, tail: float) -> tuple[float, float]:
    """Wilson's interval of a share."""
    z = NormalDist().inv_cdf(1.0 - tail)
    spread = z * math.sqrt(value * (1.0 - value) / count + (z / count / 2.0) ** 2)
    middle, scale = value + z * z / count / 2.0, 1.0 + z * z / count
    return max(0.0, (middle - spread) / scale), min(1.0, (middle + spread) / scale)
