"""What the errors of scores on the same test images have in common, in few numbers.

Two detectors' rows of contributions (`placements`) have the covariance of their errors as inner
product, but a number for each original, three times over. A sketch of them, in which each
contribution is added with a random sign to one of few sums, keeps inner products in expectation,
and the variance r^2 of a difference but for r^2 sqrt(2 / q) of standard deviation (CountSketch:
Charikar, Chen and Farach-Colton 2002; Thorup and Zhang 2012, lemma 1). Signs and sums depend on
the length of the rows alone.
"""

from functools import lru_cache

import numpy as np

from bonas.robustness.differences import PairableScore
from bonas.robustness.placements import FloatArray, IntArray

LOADINGS = 64
"""Of an error; its share in variances of differences is then kept to 18 % (one deviation)."""
DIGITS = 6
"""Significant ones that are kept: they are stored as text with every trial."""


def error_loadings(scored: PairableScore) -> tuple[float, ...]:
    """What the score's error takes of independent standard normals, at most 64.

    Of detectors on the same images, loadings have the covariances of their scores' errors as inner
    products (`bonas.observation.Observation.error_loadings`).
    """
    row = scored.row
    if row.size > LOADINGS:
        sums, signs = _sketch(row.size)
        row = np.bincount(sums, weights=signs * row, minlength=LOADINGS).astype(np.float64)
    return tuple(float(f"{loading:.{DIGITS}g}") for loading in row)


@lru_cache(maxsize=4)
def _sketch(size: int) -> tuple[IntArray, FloatArray]:
    """For each of so many contributions its sum and its sign."""
    rng = np.random.default_rng(np.random.SeedSequence([size]))
    return rng.integers(LOADINGS, size=size), rng.choice([-1.0, 1.0], size=size)
