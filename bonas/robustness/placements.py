"""Placement values of a scored sample, and what every cluster contributes to its AUC's error.

The area under the ROC curve (AUC) is a mean over pairs of a forged and a genuine image. Its error
is therefore, to first order, a sum over *images*: the placement value of an image is the share of
the other class that it beats. Summed over the images of a cluster (a video, or all videos made
from one original), the placements give one row per AUC whose inner products are the covariances of
the AUCs, whichever images the AUCs share.

    x           scores, higher means more likely forged
    m, n        number of forged (positive, label 1) and genuine (negative, label 0) images
    K           number of clusters
    V10, V01    placement values of the positives (m) and of the negatives (n)
    theta       AUC = mean of V10 = mean of V01

Sources: DeLong, DeLong and Clarke-Pearson (1988), Biometrics 44; Sun and Xu (2014), IEEE Signal
Processing Letters 21, for the mid-ranks; Obuchowski (1997), Biometrics 53, for clusters.
"""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.intp]
BoolArray = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True, eq=False)
class Placements:
    """Placement values of the positives, `m`, and of the negatives, `n`."""

    positives: FloatArray
    negatives: FloatArray

    @property
    def auc(self) -> float:
        """Probability that a forged image outscores a genuine one, ties counted half."""
        # An exact sum: the AUC is the same to the last bit in whatever order images come.
        return math.fsum(self.positives) / self.positives.size


@dataclass(frozen=True, slots=True, eq=False)
class Contributions:
    """One AUC with the error that each cluster contributes to it.

    Two AUCs over the same `K` clusters have the covariance `row_1 @ row_2`.

    Attributes:
        auc: the AUC, in [0, 1].
        row: `3 K`, three weighted copies of the clusters' contributions (`cluster_contributions`).
        pairs: how many disjoint pairs of a cluster with forged and a cluster with genuine images
            the sample holds: the number of independent comparisons behind the AUC.
    """

    auc: float
    row: FloatArray
    pairs: int


def checked_sample(scores: npt.ArrayLike, labels: npt.ArrayLike) -> tuple[FloatArray, BoolArray]:
    """Scores as float64 and labels as booleans (true: forged), both `n`.

    Raises:
        ValueError: not one score per label, a score that is not a number, a label other than 0 and
            1, or labels of one class only.
    """
    x, y = np.asarray(scores, dtype=np.float64), np.asarray(labels)
    if x.ndim != 1 or x.shape != y.shape:
        raise ValueError(
            f"scores and labels must be two vectors of one length, got shapes {x.shape} and "
            f"{y.shape}; pass one score and one label per image"
        )
    if np.isnan(x).any():
        raise ValueError(
            f"scores must be numbers, got NaN at {int(np.isnan(x).sum())} of {x.size} places, "
            f"first at index {int(np.isnan(x).argmax())}; look for overflow in the network"
        )
    return x, _checked_labels(y)


def placements(x: FloatArray, positive: BoolArray) -> Placements:
    """Placement values from mid-ranks, in O(n log n) (Sun and Xu 2014)."""
    ranks = _mid_ranks(x)
    m, n = int(positive.sum()), int((~positive).sum())
    above = (ranks[positive] - _mid_ranks(x[positive])) / n
    below = (ranks[~positive] - _mid_ranks(x[~positive])) / m
    return Placements(above, 1.0 - below)


def cluster_contributions(
    x: FloatArray, positive: BoolArray, clusters: IntArray, count: int
) -> Contributions:
    """The AUC of one sample and the error that each of `count` clusters contributes to it.

    With the centred sums `a_k = sum_i (V10_ki - theta) / m`, `b_k = sum_j (V01_kj - theta) / n`,
    Obuchowski's covariance of two AUCs, S10 / m + S01 / n + (S11 + S11') / (m n), is

        f10 sum_k a_k a'_k  +  f01 sum_k b_k b'_k  +  f sum_k (a_k b'_k + b_k a'_k)

    where f = I / (I - 1) counts the clusters (I10 those with positives, I01 with negatives, I all).
    It is written here as the inner product of the rows

        [sqrt(f) (a + b),  sqrt(f10 - f) a,  sqrt(f01 - f) b]

    which gives the same number for two AUCs over the same images, stays positive semi-definite
    for AUCs over different images, and is DeLong's covariance when every image is its own cluster.

    Args:
        x: scores, `n`.
        positive: true where the image is forged, `n`.
        clusters: index of each image's cluster in [0, count), `n`.
        count: number of clusters over all samples; a sample may lack some of them.

    Raises:
        ValueError: fewer than two clusters hold positives, or fewer than two hold negatives.
    """
    placed = placements(x, positive)
    theta = placed.auc
    a = np.bincount(clusters[positive], placed.positives - theta, count) / positive.sum()
    b = np.bincount(clusters[~positive], placed.negatives - theta, count) / (~positive).sum()
    with_positives = np.unique(clusters[positive]).size
    with_negatives = np.unique(clusters[~positive]).size
    if min(with_positives, with_negatives) < 2:
        raise ValueError(
            f"clusters must hold forged images in at least 2 and genuine ones in at least 2 to "
            f"estimate a variance, got {with_positives} and {with_negatives}; add videos, or "
            f"cluster by something finer"
        )
    all_clusters = np.unique(clusters).size
    f10, f01, f = (c / (c - 1) for c in (with_positives, with_negatives, all_clusters))
    row = np.concatenate([math.sqrt(f) * (a + b), math.sqrt(f10 - f) * a, math.sqrt(f01 - f) * b])
    return Contributions(theta, row, min(with_positives, with_negatives, all_clusters // 2))


def _mid_ranks(x: FloatArray) -> FloatArray:
    """Ranks from 1, `n`; equal values share the mean of their ranks."""
    _, place, count = np.unique(x, return_inverse=True, return_counts=True)
    middle: FloatArray = np.cumsum(count) - (count - 1) / 2.0
    return middle[place]


def _checked_labels(labels: npt.NDArray[Any]) -> BoolArray:
    if not np.isin(labels, (0, 1)).all():
        unknown = sorted({str(label) for label in labels[~np.isin(labels, (0, 1))]})[:3]
        raise ValueError(
            f"labels must be 0 (genuine) or 1 (forged), got {', '.join(unknown)}; map them first"
        )
    positive: BoolArray = labels.astype(bool)
    if positive.all() or not positive.any():
        raise ValueError(
            f"labels must hold both classes, got {int(positive.sum())} forged and "
            f"{int((~positive).sum())} genuine images; add images of the missing class"
        )
    return positive
