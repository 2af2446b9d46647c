"""The noise of estimates on shared test images: what of their errors is not common to all.

Errors of two estimates on the same images are alike: some images are hard for every network. What
is common to all moves all values and no order. The rest is noise to a surrogate, the same for all:
an own variance for each, or the covariances of the errors, did worse, as they are estimated from
the images that the errors are of (docs/decisions/0008-noise-of-estimates.md).
"""

from collections.abc import Sequence

import numpy as np

from bonas.strategies.belief import last_refit
from bonas.strategies.history import Estimate


def noise_variance(estimates: Sequence[Estimate]) -> float | None:
    """Mean variance of the errors of values beyond what they have in common.

    Of the estimates that hyper-parameters are fitted to (`last_refit`), those whose errors'
    loadings are known; `None` where fewer than two are.

    Raises:
        ValueError: two of the estimates have different numbers of loadings.
    """
    counts = {len(e.loadings): e.number for e in reversed(estimates) if e.loadings}
    if len(counts) > 1:
        (count, number), (other, another) = list(counts.items())[:2]
        raise ValueError(
            f"trial {number} has {count} error loadings and trial {another} {other}: their values "
            "are not of the same images, and cannot be compared. Begin a study of its own."
        )
    fitted = estimates[: last_refit(len(estimates))] if estimates else []
    rows = np.array([e.loadings for e in fitted if e.loadings])
    if len(rows) < 2:
        return None
    return float(np.square(rows - rows.mean(0)).sum() / (len(rows) - 1))


def known_noise(estimates: Sequence[Estimate], told: float | None) -> float | None:
    """The variance that was told, else `noise_variance`; `None` where nobody knows."""
    return noise_variance(estimates) if told is None else told
