"""What is believed of a value that is one, or the sum of its conditions."""

import numpy as np
import pytest
import torch

from bonas.strategies.history import Estimate
from bonas.strategies.settings import default_surrogate
from bonas.strategies.whole import Composite, Single, Whole, WholeBelief
from spaces.cell import CellSpace
from spaces.graphs import NONE, SKIP
from spaces.space import sample

SPACE = CellSpace("space", (NONE, SKIP, "conv", "pool"), nodes=4)
ENCODING, SURROGATE = default_surrogate(SPACE)
RNG = np.random.default_rng(0)
DRAWN = list(dict.fromkeys(sample(SPACE, rng=RNG) for _ in range(80)))
POOL = ENCODING.encode(DRAWN[40:60])
NOBODY = POOL[:0]
WEIGHTS = {"clean": 0.5, "noise": 0.5}


def _estimates(*, noise: float, opposed: bool = False) -> list[Estimate]:
    """Both conditions are one number, or the second one's error is the first one's negative."""
    rng = np.random.default_rng(1)
    found = []
    for number, architecture in enumerate(DRAWN[:40]):
        worth = float(architecture.choices.count("conv"))
        error = noise * float(rng.normal())
        aucs = {"clean": worth + error, "noise": worth - error if opposed else worth + error}
        value = sum(WEIGHTS[name] * auc for name, auc in aucs.items())
        found.append(Estimate(number, architecture, (value,), aucs))
    return found


def _posterior(
    estimates: list[Estimate], weights: dict[str, float] | None, pending: torch.Tensor = NOBODY
) -> Whole:
    features = ENCODING.encode([e.architecture for e in estimates])
    return WholeBelief(SURROGATE, POOL, weights).posterior(estimates, features, pending)


@pytest.mark.parametrize("weights", [None, WEIGHTS])
def test_two_noisy_observations_of_one_architecture_have_one_mean_between_them(
    weights: dict[str, float] | None,
) -> None:
    """A lucky observation is no incumbent."""
    exact = _estimates(noise=0.0)[:20]
    estimates = [
        Estimate(e.number, e.architecture, (v,), dict.fromkeys(WEIGHTS, v))
        for e in exact
        for v in (e.values[0] + 1.0, e.values[0] - 1.0)
    ]
    whole = _posterior(estimates, weights)
    features = ENCODING.encode([e.architecture for e in estimates])
    means = whole.observed_means()[:40]
    assert torch.allclose(means, whole.at(features).mean, atol=1e-6)
    assert torch.allclose(means[0::2], means[1::2], atol=1e-6)
    assert float(means.std()) > 0.1


@pytest.mark.parametrize("weights", [None, WEIGHTS])
def test_the_pool_is_believed_as_any_other_architectures(weights: dict[str, float] | None) -> None:
    whole = _posterior(_estimates(noise=0.3), weights)
    everywhere, elsewhere = whole.everywhere(), whole.at(POOL)
    assert torch.allclose(everywhere.mean, elsewhere.mean, atol=1e-6)
    assert torch.allclose(everywhere.variance, elsewhere.variance, atol=1e-6)


def test_conditions_that_are_one_number_are_known_as_well_as_the_number_alone() -> None:
    """Low outliers are compressed in both, lest what does not learn alone be unknown."""
    estimates = [
        Estimate(e.number, e.architecture, (v,), dict.fromkeys(WEIGHTS, v))
        for e in _estimates(noise=0.0)
        for v in (e.values[0] if e.architecture.choices.count(NONE) < 2 else -40.0,)
    ]
    single, composite = _posterior(estimates, None), _posterior(estimates, WEIGHTS)
    for features in (None, POOL):
        alone = single.uncertainty(features)
        assert torch.allclose(composite.uncertainty(features), alone, rtol=1e-9)
    linear = composite.everywhere().variance
    assert not torch.allclose(linear, composite.uncertainty(None), rtol=0.5)


@pytest.mark.parametrize("weights", [None, WEIGHTS])
def test_pending_architectures_lower_the_variance_and_move_no_mean(
    weights: dict[str, float] | None,
) -> None:
    estimates = _estimates(noise=0.3)
    without = _posterior(estimates, weights).everywhere()
    waiting = _posterior(estimates, weights, POOL[2:4]).everywhere()
    assert torch.allclose(without.mean, waiting.mean, atol=1e-6)
    assert (waiting.variance[2:4] < 0.9 * without.variance[2:4]).all()
    assert (waiting.variance <= without.variance + 1e-9).all()


def test_the_sum_of_equal_conditions_is_as_uncertain_as_one_of_them() -> None:
    """Were they taken for independent, half of the variance would be missing."""
    single = _posterior(_estimates(noise=0.3), None)
    whole = _posterior(_estimates(noise=0.3), WEIGHTS)
    assert isinstance(single, Single)
    assert isinstance(whole, Composite)
    assert torch.allclose(whole.correlation, torch.ones(2, 2).double(), atol=1e-6)
    part = whole.parts[0].predictor.marginals(POOL).variance
    assert torch.allclose(whole.at(POOL).variance * whole.scale.spread**2, part, rtol=1e-6)


def test_the_sum_of_conditions_whose_errors_cancel_is_nearly_certain() -> None:
    whole = _posterior(_estimates(noise=1.0, opposed=True), WEIGHTS)
    assert isinstance(whole, Composite)
    assert whole.correlation[0, 1] < -0.3
    part = whole.parts[0].predictor.marginals(POOL).variance
    assert (whole.at(POOL).variance * whole.scale.spread**2 < 0.5 * part).all()
