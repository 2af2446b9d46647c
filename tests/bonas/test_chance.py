"""Whether estimates are told apart from a coin."""

import pytest

from bonas.chance import FEWEST, at_chance, chance_line
from bonas.observation import Observation, Status

SMALL = 0.04**2


def _estimate(clean: float, *, variance: float = SMALL, fidelity: float = 0.1) -> Observation:
    return Observation(
        value=clean, aucs={"clean": clean}, auc_variances={"clean": variance}, fidelity=fidelity
    )


def test_shared_weights_that_learned_are_no_chance() -> None:
    assert at_chance([_estimate(0.8 + 0.001 * i) for i in range(FEWEST)]) is None


def test_the_median_is_judged_by_its_own_interval() -> None:
    values = [0.50, 0.52, 0.53, 0.54, 0.55, 0.56, 0.57, 0.58, 0.9]
    median = at_chance([_estimate(v) for v in values])
    assert median is not None
    assert median.value == 0.55
    assert median.interval()[0] <= 0.5
    # The same values from ten times as many images.
    assert at_chance([_estimate(v, variance=SMALL / 10) for v in values]) is None


def test_one_good_architecture_among_many_at_chance_does_not_hide_them() -> None:
    assert at_chance([_estimate(0.95), *(_estimate(0.5) for _ in range(FEWEST))]) is not None


def test_weights_that_learned_the_opposite_are_no_better() -> None:
    assert at_chance([_estimate(0.2) for _ in range(FEWEST)]) is not None


@pytest.mark.parametrize(
    "other",
    [
        _estimate(0.5, fidelity=1.0),
        Observation(value=None, status=Status.FAILED, reason="diverged"),
        Observation(value=0.5, aucs={"unseen/swap": 0.5}, fidelity=0.1),
    ],
    ids=["trained alone", "failed", "no clean condition"],
)
def test_what_does_not_tell_of_shared_weights_does_not_count(other: Observation) -> None:
    few = [_estimate(0.5) for _ in range(FEWEST - 1)]
    assert at_chance([*few, other, other]) is None
    assert at_chance([*few, _estimate(0.5)]) is not None


def test_the_line_says_the_numbers_and_the_remedies() -> None:
    median = at_chance([_estimate(0.51) for _ in range(FEWEST)])
    assert median is not None
    low, high = median.interval()
    said = chance_line(median)
    for part in (f"0.510 (95 % interval {low:.3f} to {high:.3f})", "supernet.epochs", "light"):
        assert part in said
