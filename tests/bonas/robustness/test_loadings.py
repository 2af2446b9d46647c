"""Loadings keep what errors of detectors on the same images have in common."""

from dataclasses import replace

import numpy as np
import pytest

from bonas.robustness.differences import PairableScore, paired_differences
from bonas.robustness.loadings import LOADINGS, _sketch, error_loadings
from tests.bonas.robustness.test_differences import with_noise
from tests.bonas.robustness.test_score import overlapping


def _detectors(originals: int, count: int = 12) -> list[PairableScore]:
    rng = np.random.default_rng(1)
    sample = overlapping(rng, originals)
    return [with_noise(sample, rng) for _ in range(count)]


def test_of_few_contributions_covariances_are_exact() -> None:
    scored = _detectors(originals=20)
    assert scored[0].row.size == 60
    rows = np.array([s.row for s in scored])
    loadings = np.array([error_loadings(s) for s in scored])
    assert loadings @ loadings.T == pytest.approx(rows @ rows.T, rel=1e-4)
    assert np.square(loadings[0]).sum() == pytest.approx(scored[0].score.variance, rel=1e-4)


def test_of_many_they_are_few_and_keep_the_variances_of_differences() -> None:
    scored = _detectors(originals=400)
    loadings = np.array([error_loadings(s) for s in scored])
    assert loadings.shape == (12, LOADINGS)
    pairs = [(i, j) for i in range(12) for j in range(i)]
    kept = np.array([np.square(loadings[i] - loadings[j]).sum() for i, j in pairs])
    exact = [paired_differences([scored[i]], [scored[j]]).score.variance for i, j in pairs]
    ratios = kept / np.array(exact)
    assert ratios.mean() == pytest.approx(1.0, abs=0.15)
    assert ratios.std() < 2.5 * np.sqrt(2 / LOADINGS)


def test_they_are_a_function_of_the_score() -> None:
    one, other = _detectors(originals=100, count=2)
    again = replace(one, rows=dict(reversed(list(one.rows.items()))))
    assert error_loadings(again) == pytest.approx(error_loadings(one), rel=1e-4)
    assert error_loadings(one) != error_loadings(other)
    before = error_loadings(one)
    _sketch.cache_clear()
    assert error_loadings(one) == before


def test_the_sketch_is_the_same_in_every_process() -> None:
    sums, signs = _sketch(300)
    assert sums[:8].tolist() == [3, 42, 48, 35, 47, 24, 58, 16]
    assert signs[:8].tolist() == [-1, 1, 1, -1, -1, 1, 1, 1]
    assert set(_sketch(3_000)[0].tolist()) == set(range(LOADINGS))
