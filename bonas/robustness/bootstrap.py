"""Cluster bootstrap of what is counted above thresholds, many draws at once.

Images of one original rise and fall together, so whole originals are drawn, with replacement, a
real face always with its forgeries (Field and Welsh 2007, Journal of the Royal Statistical Society
B 69). A draw is how often each cluster was drawn, and a metric a function of images weighted so.
Images are sorted once; a draw then needs sums over them, never a sort.

    n, K, B     images, clusters, draws
    T           distinct scores
    N1, N0      forged and genuine images
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from bonas.robustness.placements import BoolArray, FloatArray, IntArray

Weights = npt.NDArray[np.floating[Any]]
"""Whole numbers: exact in float32 up to 16 million images."""

_CELLS = 1_000_000  # weights of images held at once: 4 MB, which a processor's cache holds


@dataclass(frozen=True, slots=True, eq=False)
class Counts:
    """How many images reach each threshold, in every draw.

    Attributes:
        forged: `(N1 + 1) x B`, the weights of the highest 0, 1, ... forged images summed.
        genuine: `(N0 + 1) x B`, the same of genuine ones.
        reached: `(T + 1) x 2`, how many forged and genuine images reach each threshold, from none
            to all: rows of the two.
    """

    forged: Weights
    genuine: Weights
    reached: IntArray

    def average_precision(self) -> FloatArray:
        """`sum_t (R_t - R_t-1) P_t`, `B`; see `auc.average_precision`."""
        # Only thresholds that admit forged images change the recall.
        admits = np.flatnonzero(np.diff(self.reached[:, 0])) + 1
        true = self.forged[self.reached[admits, 0]]
        shown = self.genuine[self.reached[admits, 1]]
        shown += true
        gained = np.diff(true, axis=0, prepend=0)
        np.maximum(shown, 1, out=shown)  # where nothing is shown, nothing is gained
        true /= shown
        gained *= true
        result: FloatArray = gained.sum(axis=0, dtype=np.float64) / self.forged[-1]
        return result

    def equal_error_rate(self) -> FloatArray:
        """Where the ROC polygon meets FNR = FPR, `B`; see `auc.equal_error_rate`."""

        def excess(t: IntArray) -> FloatArray:  # FPR - FNR, which rises from -1 to 1
            return self._false_positive(t) - 1.0 + self._true_positive(t)

        after = self._first(lambda t: excess(t) >= 0.0)
        low, high = excess(after - 1), excess(after)
        start, end = self._false_positive(after - 1), self._false_positive(after)
        result: FloatArray = start + (end - start) * low / (low - high)
        return result

    def true_positive_rate(self, false_positive_rate: float) -> FloatArray:
        """The largest TPR of a threshold whose FPR is at most the given one, below 1, `B`."""
        # The margin: a tenth of ten may come out a rounding error above a tenth.
        over = self._first(lambda t: self._false_positive(t) > false_positive_rate + 1e-9)
        return self._true_positive(over - 1)

    def _first(self, holds: Callable[[IntArray], BoolArray]) -> IntArray:
        """The first threshold of each draw, `B`, at which something holds that then remains so.

        It must hold at the last threshold and not at the first: bisection.
        """
        low = np.zeros(self.forged.shape[1], dtype=np.intp)
        high = np.full_like(low, len(self.reached) - 1)
        while (high - low > 1).any():
            middle = (low + high) // 2
            below = holds(middle)
            high = np.where(below, middle, high)
            low = np.where(below, low, middle)
        return high

    def _true_positive(self, t: IntArray) -> FloatArray:
        return _share(self.forged, self.reached[t, 0])

    def _false_positive(self, t: IntArray) -> FloatArray:
        return _share(self.genuine, self.reached[t, 1])


def _share(sums: Weights, rows: IntArray) -> FloatArray:
    taken = sums[rows, np.arange(rows.size)].astype(np.float64)
    result: FloatArray = taken / sums[-1]
    return result


@dataclass(frozen=True, slots=True, eq=False)
class RankedSample:
    """A sample in falling order of its scores, to be counted under many weights.

    Attributes:
        forged: `N1`, the clusters of the forged images in this order.
        genuine: `N0`, those of the genuine ones.
        reached: as in `Counts`.
    """

    forged: IntArray
    genuine: IntArray
    reached: IntArray

    @classmethod
    def of(cls, scores: FloatArray, forged: BoolArray, clusters: IntArray) -> Self:
        """The sample of scores, labels and numbers of clusters, each `n`."""
        order = np.argsort(-scores, kind="stable")
        label, cluster = forged[order], clusters[order]
        ends = np.append(np.flatnonzero(np.diff(scores[order])), order.size - 1)
        above = np.stack([np.cumsum(label)[ends], np.cumsum(~label)[ends]], axis=1)
        reached = np.concatenate([np.zeros((1, 2), dtype=np.intp), above])
        return cls(cluster[label], cluster[~label], reached)

    def counts(self, drawn: Weights) -> Counts:
        """The counts when cluster `k` counts `drawn[b, k]` times, `B x K`; exact in its dtype."""
        columns = np.ascontiguousarray(drawn.T)
        forged = _summed(columns[self.forged])
        return Counts(forged, _summed(columns[self.genuine]), self.reached)


def cluster_draws(
    clusters: int, draws: int, images: int, *, rng: np.random.Generator
) -> Iterator[Weights]:
    """How often each cluster is drawn, float32, in blocks `b x K` of `draws` rows in all.

    Args:
        clusters: `K`; each row sums to it.
        draws: `B`.
        images: `n`, which decides how many rows fit into a block; the rows do not depend on it.
        rng: of the draws.
    """
    rows = max(1, _CELLS // max(images, clusters))
    for start in range(0, draws, rows):
        count = min(rows, draws - start)
        chosen = rng.integers(clusters, size=(count, clusters))
        chosen += clusters * np.arange(count)[:, None]
        flat = np.bincount(chosen.ravel(), minlength=count * clusters)
        yield flat.reshape(count, clusters).astype(np.float32)


def _summed(rows: Weights) -> Weights:
    """Sums of the first 0, 1, ... rows."""
    sums = np.empty((len(rows) + 1, rows.shape[1]), dtype=rows.dtype)
    sums[0] = 0
    # Row by row: numpy's own cumulative sum over rows does not use the vector unit.
    for number, row in enumerate(rows):
        np.add(sums[number], row, out=sums[number + 1])
    return sums
