"""Means over seeds with their intervals, and paired differences between strategies."""

from collections.abc import Sequence
from typing import TypeAlias

import numpy as np
import scipy.stats

Curve: TypeAlias = Sequence[float]


def mean_and_half_width(curves: Sequence[Curve]) -> tuple[np.ndarray, np.ndarray]:
    """Mean and half width of the 95 % t interval over runs, at each number of evaluations.

    A run that ended early keeps its last value. With one run the half width is 0.
    """
    values = _aligned(curves)
    runs = len(values)
    if runs < 2:
        return values.mean(0), np.zeros(values.shape[1])
    quantile = scipy.stats.t.ppf(0.975, runs - 1)
    return values.mean(0), quantile * values.std(0, ddof=1) / np.sqrt(runs)


def paired_difference(
    first: Sequence[Curve], second: Sequence[Curve]
) -> tuple[np.ndarray, np.ndarray]:
    """Mean of first minus second, run by run, and the half width of its 95 % t interval.

    Raises:
        ValueError: different numbers of runs.
    """
    if len(first) != len(second):
        raise ValueError(
            f"first has {len(first)} runs and second {len(second)}; pairs need one of each."
        )
    a, b = _aligned([*first, *second])[: len(first)], _aligned([*first, *second])[len(first) :]
    return mean_and_half_width(list(a - b))


def _aligned(curves: Sequence[Curve]) -> np.ndarray:
    longest = max(len(curve) for curve in curves)
    return np.asarray([[*c, *[c[-1]] * (longest - len(c))] for c in curves], dtype=np.float64)
