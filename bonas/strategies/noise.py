"""The noise of estimates on shared test images: what of their errors is not common to all.

Errors of two estimates on the same images are alike: some images are hard for every network. What
is common to all moves all values and no order. The rest is noise to a surrogate, the same for all:
an own variance for each, or the covariances of the errors, did worse, as they are estimated from
the images that the errors are of (docs/decisions/0008-noise-of-estimates.md).
"""

import math
from collections.abc import Sequence

import numpy as np

from bonas.strategies.belief import last_refit
from bonas.strategies.history import WARM, Estimate


def noise_variance(estimates: Sequence[Estimate]) -> float | None:
    """Mean variance of the errors of values beyond what they have in common.

    Of the estimates that hyper-parameters are fitted to (`last_refit`), those whose errors'
    loadings are known; `None` where fewer than two are. Those of a warm start, and those with
    another number of loadings, may be of other images: what they have in common is their own.
    """
    fitted = estimates[: last_refit(len(estimates))] if estimates else []
    groups: dict[tuple[bool, int], list[tuple[float, ...]]] = {}
    for estimate in fitted:
        if estimate.loadings:
            group = (estimate.number == WARM, len(estimate.loadings))
            groups.setdefault(group, []).append(estimate.loadings)
    apart = [np.subtract(rows, np.mean(rows, axis=0)) for rows in groups.values()]
    freedom = sum(len(rows) - 1 for rows in groups.values())
    if freedom == 0:
        return None
    variance = math.fsum(float(np.square(rows).sum()) for rows in apart) / freedom
    return variance if math.isfinite(variance) else None


def known_noise(estimates: Sequence[Estimate], told: float | None) -> float | None:
    """The variance that was told, else `noise_variance`; `None` where nobody knows."""
    return noise_variance(estimates) if told is None else told
