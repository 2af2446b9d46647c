"""Which estimates are not told from the best one."""

import numpy as np
import pytest

from bonas.estimation.supernet import observe
from bonas.observation import Observation
from bonas.robustness.conditions import CLEAN, ConditionSet
from bonas.robustness.differences import paired_differences
from bonas.robustness.score import pairable_score
from bonas.robustness.weights import ScoreWeights
from bonas.ties import Ties, difference, ties
from tests.bonas.robustness.test_score import JPEG

WEIGHTS = ScoreWeights()

COMMON = (0.05, 0.0, 0.0)
"""An error that all have: it is as large as what they differ by."""


def _estimate(value: float, own: float, sign: float = 1.0) -> Observation:
    return Observation(value=value, error_loadings=np.add(COMMON, (0.0, own, sign * own)).tolist())


def test_a_difference_has_the_error_that_two_do_not_share() -> None:
    found = difference(_estimate(0.60, 0.01), _estimate(0.63, 0.01, -1.0), WEIGHTS)
    assert found is not None
    assert found.value == pytest.approx(-0.03)
    assert found.variance == pytest.approx(0.02**2)
    alike = difference(_estimate(0.60, 0.01), _estimate(0.63, 0.01), WEIGHTS)
    assert alike is not None
    assert alike.variance == pytest.approx(0.0, abs=1e-18)


def test_estimates_within_the_interval_of_their_difference_are_ties() -> None:
    best = _estimate(0.63, 0.01)
    near, far = _estimate(0.60, 0.01, -1.0), _estimate(0.58, 0.01, -1.0)
    assert ties([near, best, far], WEIGHTS) == Ties(tied=1, others=2)
    alike = _estimate(0.629, 0.01)
    assert ties([best, alike], WEIGHTS) == Ties(tied=0, others=1), "alike, hence told apart"
    assert ties([best, best], WEIGHTS) == Ties(tied=1, others=1)


def test_errors_that_nobody_knows_tie_nothing() -> None:
    best, failed = _estimate(0.63, 0.01), Observation.failed("why")
    unknown, other = Observation(value=0.62), Observation(value=0.62, error_loadings=[0.1])
    for few in (
        [],
        [failed],
        [best],
        [best, failed],
        [best, unknown],
        [best, other],
        [unknown] * 2,
    ):
        assert ties(few, WEIGHTS) is None
    near = _estimate(0.62, 0.01, -1.0)
    assert ties([best, failed, unknown, near], WEIGHTS) == Ties(tied=1, others=1, unknown=1)


def test_perfect_separation_widens_a_difference_as_that_of_whole_scores() -> None:
    rng = np.random.default_rng(0)
    labels = {c: np.repeat([1, 0], 30) for c in (CLEAN, JPEG)}
    clusters = {c: [*range(30)] * 2 for c in labels}
    conditions = ConditionSet.of({c: {"data": "drawn"} for c in labels})
    scored = []
    for distance in (12.0, 1.5):
        predictions = {
            CLEAN: distance * labels[CLEAN] + rng.standard_normal(60),
            JPEG: 1.0 * labels[JPEG] + rng.standard_normal(60),
        }
        scored.append(pairable_score(predictions, labels, clusters, conditions=conditions))
    separated, other = (observe(s, {}, seconds=0.0, fidelity=0.1) for s in scored)
    assert separated.aucs["clean"] == 1.0
    found = difference(other, separated, WEIGHTS)
    expected = paired_differences(scored[1:], scored[:1]).score
    assert found is not None
    assert found.value == pytest.approx(expected.value)
    assert (found.below, found.above) == pytest.approx((expected.below, expected.above), rel=1e-6)
    assert found.above > 0
    assert found.variance == pytest.approx(expected.variance, rel=0.7), "a sketch"


def test_the_line_counts() -> None:
    assert "1 of 3 other architectures is not told" in Ties(1, 3).line()
    assert "2 of 3 other architectures are not told" in Ties(2, 3).line()
    assert "2 of 3 other architectures whose errors are known are" in Ties(2, 3, 1).line()
