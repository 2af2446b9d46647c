"""What every surrogate promises: the same laws for the Gaussian process and its rivals."""

from dataclasses import dataclass

import numpy as np
import pytest
import torch

from spaces.encodings.onehot import OneHotEncoding
from spaces.nasbench201 import NASBENCH201
from spaces.space import sample
from surrogates.calibration import calibration
from surrogates.components import Components
from surrogates.ensemble import DeepEnsemble
from surrogates.forest import RandomForest
from surrogates.gaussian_process import GaussianProcess
from surrogates.mixture import mixed_kernel
from surrogates.surrogate import Interval, Marginals, Surrogate

GP = GaussianProcess(mixed_kernel((5,) * 6, paths=0, profiles=0))
SURROGATES: dict[str, Surrogate] = {
    "gaussian_process": GP,
    "ensemble": DeepEnsemble(layers=3, epochs=60),
    "forest": RandomForest(trees=60),
}


def _observed(count: int, seed: int) -> tuple[torch.Tensor, torch.Tensor]:
    rng = np.random.default_rng(seed)
    features = OneHotEncoding(NASBENCH201).encode(
        [sample(NASBENCH201, rng=rng) for _ in range(count)]
    )
    weights = torch.linspace(-2, 2, 30).double()
    return features, features @ weights


def _generator() -> torch.Generator:
    return torch.Generator().manual_seed(0)


@pytest.mark.parametrize("name", SURROGATES)
def test_predictions_rank_what_was_not_seen(name: str) -> None:
    features, values = _observed(100, 0)
    unseen, truth = _observed(200, 1)
    predictor = SURROGATES[name].fit(features, values, generator=_generator())
    assert calibration(predictor, unseen, truth).tau > 0.5
    assert (predictor.marginals(unseen).variance > 0).all()


@pytest.mark.parametrize("name", SURROGATES)
@pytest.mark.parametrize("factor", [1e-6, 1e6])
def test_scale_does_not_matter(name: str, factor: float) -> None:
    features, values = _observed(40, 0)
    unseen, truth = _observed(100, 1)
    surrogate = SURROGATES[name]
    predictor = surrogate.fit(features, values * factor, generator=_generator())
    assert calibration(predictor, unseen, truth * factor).tau > 0.3


@pytest.mark.parametrize("name", SURROGATES)
def test_constant_values_are_predicted(name: str) -> None:
    features, _ = _observed(20, 0)
    constant = torch.full((20,), 3.0).double()
    predicted = SURROGATES[name].fit(features, constant, generator=_generator()).marginals(features)
    assert torch.allclose(predicted.mean, constant, atol=0.5)
    assert torch.isfinite(predicted.variance).all()


@pytest.mark.parametrize("name", SURROGATES)
def test_the_same_generator_gives_the_same_predictions(name: str) -> None:
    features, values = _observed(30, 0)
    first, second = (
        SURROGATES[name].fit(features, values, generator=_generator()).marginals(features)
        for _ in range(2)
    )
    assert torch.equal(first.mean, second.mean)


def test_one_network_is_no_ensemble() -> None:
    with pytest.raises(ValueError, match="members is 1; it must be at least 2"):
        DeepEnsemble(members=1)


def test_a_single_component_of_weight_one_is_its_gaussian_process() -> None:
    features, values = _observed(40, 0)
    unseen, _ = _observed(50, 1)
    alone = GP.fit(features, values).marginals(unseen)
    summed = Components(GP, (1.0,)).fit(features, values.unsqueeze(1)).marginals(unseen)
    for a, b in zip(alone, summed, strict=True):
        assert torch.allclose(a, b)


def test_equal_components_are_fully_correlated_and_opposite_ones_cancel() -> None:
    features, values = _observed(40, 0)
    unseen, _ = _observed(50, 1)
    alone = GP.fit(features, values).marginals(unseen)
    twice = torch.stack([values, values], dim=1)
    summed = Components(GP, (0.5, 0.5)).fit(features, twice).marginals(unseen)
    assert torch.allclose(summed.mean, alone.mean, atol=1e-8)
    assert torch.allclose(summed.variance, alone.variance, rtol=1e-6)
    cancelled = Components(GP, (1.0, -1.0)).fit(features, twice).marginals(unseen)
    assert torch.allclose(cancelled.variance, torch.zeros(50).double(), atol=1e-8)
    with pytest.raises(ValueError, match="n x 3"):
        Components(GP, (1.0, 1.0, 1.0)).fit(features, twice)


def test_the_order_of_the_observations_does_not_matter_to_a_sum_of_components() -> None:
    features, values = _observed(40, 0)
    unseen, _ = _observed(50, 1)
    shared = torch.randn(40, dtype=torch.float64, generator=_generator())
    first, second = values + 0.5 * shared, 0.5 * shared - values**2
    parts = torch.stack([first, second], dim=1)
    order = torch.randperm(40, generator=_generator())
    components = Components(GP, (0.5, 0.5))
    whole, permuted = components.fit(features, parts), components.fit(features[order], parts[order])
    assert whole.parts[0].noise != whole.parts[1].noise, "the parts' factors differ"
    assert torch.allclose(whole.correlation, permuted.correlation, atol=1e-8)
    expected, found = whole.marginals(unseen), permuted.marginals(unseen)
    assert torch.allclose(found.mean, expected.mean, rtol=1e-8, atol=1e-8)
    assert torch.allclose(found.variance, expected.variance, rtol=1e-8, atol=1e-8)


@pytest.mark.parametrize("name", SURROGATES)
def test_intervals_widen_with_their_level_around_the_mean(name: str) -> None:
    features, values = _observed(60, 0)
    unseen, _ = _observed(50, 1)
    predictor = SURROGATES[name].fit(features, values, generator=_generator())
    narrow, wide = (predictor.interval(unseen, level=level) for level in (0.5, 0.95))
    assert (wide.lower < narrow.lower).all()
    assert (narrow.lower < narrow.upper).all()
    assert (narrow.upper < wide.upper).all()
    for level in (-0.1, 0.0, 1.0, 1.5):
        with pytest.raises(ValueError, match=f"level is {level}; it must lie in"):
            predictor.interval(unseen, level=level)


@dataclass(frozen=True)
class Known:
    """Predicts what it is given, whatever the features."""

    believed: Marginals

    def marginals(self, features: torch.Tensor) -> Marginals:
        return self.believed

    def interval(self, features: torch.Tensor, *, level: float = 0.95) -> Interval:
        return self.believed.interval(level)


def test_calibration_of_the_true_distribution_is_right() -> None:
    draws = torch.randn(20_000, generator=_generator()).double()
    mean = torch.linspace(-5, 5, 20_000).double()
    known = Known(Marginals(mean, torch.ones_like(mean)))
    found = calibration(known, mean.unsqueeze(1), mean + draws)
    assert found.coverage == pytest.approx(0.95, abs=0.005)
    assert found.tau > 0.5
    with pytest.raises(ValueError, match="n at least 2"):
        calibration(known, mean[:1].unsqueeze(1), mean[:1])
