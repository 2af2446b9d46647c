"""Which estimates are not told from the best one."""

import numpy as np
import pytest

from bonas.observation import Observation
from bonas.ties import Ties, difference, ties

COMMON = (0.05, 0.0, 0.0)
"""An error that all have: it is as large as what they differ by."""


def _estimate(value: float, own: float, sign: float = 1.0) -> Observation:
    return Observation(value=value, error_loadings=np.add(COMMON, (0.0, own, sign * own)).tolist())


def test_a_difference_has_the_error_that_two_do_not_share() -> None:
    found = difference(_estimate(0.60, 0.01), _estimate(0.63, 0.01, -1.0))
    assert found is not None
    assert found.value == pytest.approx(-0.03)
    assert found.variance == pytest.approx(0.02**2)
    alike = difference(_estimate(0.60, 0.01), _estimate(0.63, 0.01))
    assert alike is not None
    assert alike.variance == pytest.approx(0.0, abs=1e-18)


def test_estimates_within_the_interval_of_their_difference_are_ties() -> None:
    best = _estimate(0.63, 0.01)
    near, far = _estimate(0.60, 0.01, -1.0), _estimate(0.58, 0.01, -1.0)
    assert ties([near, best, far]) == Ties(tied=1, others=2)
    assert ties([best, _estimate(0.629, 0.01)]) == Ties(tied=0, others=1), "alike, hence told apart"
    assert ties([best, best]) == Ties(tied=1, others=1)


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
        assert ties(few) is None
    assert ties([best, failed, unknown, _estimate(0.62, 0.01, -1.0)]) == Ties(tied=1, others=1)


def test_the_line_counts() -> None:
    assert "1 of 3 other architectures is not told" in Ties(1, 3).line()
    assert "2 of 3 other architectures are not told" in Ties(2, 3).line()
