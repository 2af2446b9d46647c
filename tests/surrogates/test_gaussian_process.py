"""Laws of the exact Gaussian process and of the pool's posterior."""

from dataclasses import replace
from statistics import NormalDist

import numpy as np
import pytest
import torch

from spaces.encodings.joined import JoinedEncoding
from spaces.encodings.multisets import PathMultisetEncoding
from spaces.encodings.onehot import OneHotEncoding
from spaces.encodings.profiles import PathProfileEncoding
from spaces.nasbench201 import NASBENCH201
from spaces.space import sample
from surrogates.gaussian_process import GaussianProcess
from surrogates.maximisation import FitFailed, maximise
from surrogates.mixture import mixed_kernel
from surrogates.pool import PoolPosterior
from surrogates.predictor import GaussianProcessPredictor

PARTS = (OneHotEncoding, PathMultisetEncoding, PathProfileEncoding)
GP = GaussianProcess(mixed_kernel((5,) * 6, paths=40, profiles=15))


def _observed(count: int, seed: int = 0) -> tuple[torch.Tensor, torch.Tensor]:
    rng = np.random.default_rng(seed)
    encoding = JoinedEncoding(tuple(e(NASBENCH201) for e in PARTS))
    features = encoding.encode([sample(NASBENCH201, rng=rng) for _ in range(count)])
    features = torch.unique(features, dim=0)
    features = features[torch.from_numpy(rng.permutation(len(features)))]
    weights = torch.from_numpy(rng.normal(size=85))
    return features, features @ weights + torch.sin(features @ weights)


@pytest.fixture(scope="module")
def fitted() -> GaussianProcessPredictor:
    return GP.fit(*_observed(60))


def _same_observations(
    fitted: GaussianProcessPredictor, features: torch.Tensor, values: torch.Tensor
) -> GaussianProcessPredictor:
    """The posterior from scratch with the hyper-parameters and scale of `fitted`."""
    covariance = fitted.covariance(features, features)
    factor = torch.linalg.cholesky(covariance + fitted.noise * torch.eye(len(features)).double())
    scaled = fitted.scale(values).unsqueeze(-1)
    whitened = torch.linalg.solve_triangular(factor, scaled, upper=False).squeeze(-1)
    return GaussianProcessPredictor(
        fitted.kernel, fitted.noise, fitted.scale, features, values, factor, whitened
    )


def test_known_noise_is_part_of_the_noise_in_the_values_units() -> None:
    features, values = _observed(40)
    noisy = replace(GP, noise_variance=3.0)
    for predictor in (noisy.fit(features, values), noisy.unfitted(features, values)):
        assert predictor.noise * predictor.scale.spread**2 >= 3.0
        shrunk = predictor.observed_means() - predictor.scale(values)
        assert shrunk.abs().max() > 0.05
    assert GP.fit(features, values).noise < 1e-2


def test_a_grown_factor_equals_the_one_from_scratch(fitted: GaussianProcessPredictor) -> None:
    features, values = _observed(90, seed=1)
    whole = torch.cat([fitted.features, features]), torch.cat([fitted.values, values])
    grown = fitted.grow(features, values)
    scratch = _same_observations(fitted, *whole)
    assert torch.allclose(grown.factor, scratch.factor, atol=1e-6)
    pool = _observed(200, seed=2)[0]
    for a, b in zip(grown.marginals(pool), scratch.marginals(pool), strict=True):
        assert torch.allclose(a, b, atol=1e-7)


def test_growing_at_once_equals_growing_by_rows(fitted: GaussianProcessPredictor) -> None:
    pool, (features, values) = _observed(200, seed=2)[0], _observed(90, seed=1)
    at_once, by_rows = PoolPosterior(fitted, pool), PoolPosterior(fitted, pool)
    at_once.grow(features, values)
    for i in range(len(values)):
        by_rows.grow(features[i : i + 1], values[i : i + 1])
    assert torch.allclose(at_once.predictor.factor, by_rows.predictor.factor, atol=1e-9)
    for count in (0, 1, 40):  # what is in between is known too
        at_once.forget(count)
        by_rows.forget(count)
        for a, b in zip(at_once.marginals, by_rows.marginals, strict=True):
            assert torch.allclose(a, b, atol=1e-9)


def test_growing_by_observations_that_no_factor_tells_apart_stays_finite(
    fitted: GaussianProcessPredictor,
) -> None:
    silent = replace(fitted, noise=1e-16)  # below what is rounded off
    features, values = (rows.repeat_interleave(5, 0) for rows in _observed(3, seed=1))
    grown = silent.grow(features, values)
    assert grown.factor.isfinite().all()
    assert (grown.factor.diagonal() > 0).all()
    assert torch.equal(grown.values[len(fitted.values) :], values)
    assert grown.scaled_marginals(features).variance.isfinite().all()


@pytest.mark.parametrize("count", [60, 400])
def test_a_fit_does_not_depend_on_the_order_of_observations(count: int) -> None:
    features, values = _observed(count)
    values = values.round(decimals=1)  # many are equal
    order = torch.randperm(len(values), generator=torch.Generator().manual_seed(0))
    pool = _observed(200, seed=2)[0]
    ours, permuted = GP.fit(features, values), GP.fit(features[order], values[order])
    assert ours.noise == permuted.noise
    for a, b in zip(ours.marginals(pool), permuted.marginals(pool), strict=True):
        assert torch.allclose(a, b, rtol=0.0, atol=1e-8)


def test_the_pool_posterior_equals_the_marginals_after_growing_and_forgetting(
    fitted: GaussianProcessPredictor,
) -> None:
    pool, (features, values) = _observed(200, seed=2)[0], _observed(90, seed=1)
    posterior = PoolPosterior(fitted, pool)
    for i in range(len(values)):
        posterior.grow(features[i : i + 1], values[i : i + 1])
    expected = fitted.grow(features, values).scaled_marginals(pool)
    for a, b in zip(posterior.marginals, expected, strict=True):
        assert torch.allclose(a, b, atol=1e-7)
    posterior.forget(len(values) - 3)
    expected = fitted.grow(features[:3], values[:3]).scaled_marginals(pool)
    for a, b in zip(posterior.marginals, expected, strict=True):
        assert torch.allclose(a, b, atol=1e-8)


def test_growing_again_after_forgetting_gives_the_same_bits(
    fitted: GaussianProcessPredictor,
) -> None:
    pool, (features, values) = _observed(200, seed=2)[0], _observed(20, seed=1)
    straight, detour = PoolPosterior(fitted, pool), PoolPosterior(fitted, pool)
    for i in range(10):
        straight.grow(features[i : i + 1], values[i : i + 1])
    for i in [0, 1, 2, 12, 13]:
        detour.grow(features[i : i + 1], values[i : i + 1])
    detour.forget(2)
    for i in range(3, 10):
        detour.grow(features[i : i + 1], values[i : i + 1])
    for a, b in zip(straight.marginals, detour.marginals, strict=True):
        assert torch.equal(a, b)


@pytest.mark.parametrize("factor", [1e-6, 1.0, 1e6])
@pytest.mark.parametrize("offset", [0.0, 1e6])
def test_predictions_scale_with_the_values(factor: float, offset: float) -> None:
    features, values = _observed(40)
    pool = _observed(100, seed=2)[0]
    plain = GP.fit(features, values).marginals(pool)
    moved = GP.fit(features, values * factor + offset * factor).marginals(pool)
    assert torch.allclose(moved.mean / factor - offset, plain.mean, atol=1e-3)
    assert torch.allclose(moved.variance.sqrt() / factor, plain.variance.sqrt(), rtol=1e-2)


@pytest.mark.parametrize("value", [0.0, 5.0, -1e6, 1e-9])
def test_constant_observations_are_predicted_everywhere(value: float) -> None:
    features, _ = _observed(20)
    mean, variance = GP.fit(features, torch.full((len(features),), value).double()).marginals(
        _observed(100, seed=2)[0]
    )
    assert torch.allclose(mean, torch.tensor(value).double(), atol=1e-6)
    assert torch.isfinite(variance).all()


@pytest.mark.parametrize(("count", "level", "rank"), [(30, 0.9, 28), (30, 0.5, 16), (10, 0.95, 10)])
def test_intervals_are_widened_by_leave_one_out_errors(count: int, level: float, rank: int) -> None:
    features, values = _observed(count)
    predictor = GP.fit(features, values)
    errors = []
    for i in range(count):
        others = [k for k in range(count) if k != i]
        without = _same_observations(predictor, features[others], values[others])
        mean, variance = without.scaled_marginals(features[i : i + 1])
        errors.append((predictor.scale(values[i]) - mean) / (variance + predictor.noise).sqrt())
    # Of n errors the ceil(level * (n + 1))-th smallest, or the largest.
    ranked = float(torch.cat(errors).abs().sort().values[rank - 1])
    pool = _observed(20, seed=2)[0]
    mean, variance = predictor.scaled_marginals(pool)
    lower, upper = predictor.interval(pool, level=level)
    half = max(NormalDist().inv_cdf((1 + level) / 2), ranked) * variance.sqrt()
    assert torch.allclose(predictor.scale(upper), mean + half, rtol=1e-5)
    assert torch.allclose(predictor.scale(lower), mean - half, rtol=1e-5)


def test_an_observation_left_out_is_believed_as_if_it_had_not_been_made(
    fitted: GaussianProcessPredictor,
) -> None:
    believed = fitted.left_out_marginals()
    for i in (0, 17, 40):
        others = [j for j in range(len(fitted.values)) if j != i]
        without = _same_observations(fitted, fitted.features[others], fitted.values[others])
        expected = without.scaled_marginals(fitted.features[i : i + 1])
        assert float(believed.mean[i]) == pytest.approx(float(expected.mean), abs=1e-6)
        variance = float(expected.variance) + fitted.noise
        assert float(believed.variance[i]) == pytest.approx(variance, rel=1e-6)


def test_observed_means_are_the_means_at_the_observations(
    fitted: GaussianProcessPredictor,
) -> None:
    expected = fitted.scaled_marginals(fitted.features).mean
    assert torch.allclose(fitted.observed_means(), expected, atol=1e-8)


def test_one_observation_is_enough() -> None:
    features, values = _observed(10)
    mean, variance = GP.fit(features[:1], values[:1]).marginals(features)
    assert torch.isfinite(mean).all()
    assert (variance > 0).all()


def test_the_botorch_model_has_the_same_posterior(fitted: GaussianProcessPredictor) -> None:
    pool = _observed(50, seed=2)[0]
    with torch.no_grad():
        posterior = fitted.model.posterior(pool.unsqueeze(1))
    mean, variance = fitted.scaled_marginals(pool)
    assert torch.allclose(posterior.mean.flatten(), mean, atol=1e-6)
    assert torch.allclose(posterior.variance.flatten(), variance, atol=1e-6)


def test_closed_form_marginals_equal_samples_of_the_joint_posterior(
    fitted: GaussianProcessPredictor,
) -> None:
    pool = _observed(12, seed=2)[0]
    torch.manual_seed(0)
    with torch.no_grad():
        samples = fitted.model.posterior(pool).sample(torch.Size([20_000])).squeeze(-1)
    mean, variance = fitted.scaled_marginals(pool)
    assert torch.allclose(samples.mean(0), mean, atol=0.05)
    assert torch.allclose(samples.var(0), variance, rtol=0.06)


@pytest.mark.parametrize(
    ("features", "values", "message"),
    [
        (torch.zeros(2, 85), torch.zeros(3), r"\(2, 85\) and values \(3,\)"),
        (torch.zeros(0, 85), torch.zeros(0), "n at least 1"),
        (torch.zeros(2, 85), torch.tensor([1.0, torch.nan]), r"values\[1\] is nan"),
    ],
)
def test_bad_observations_are_named(
    features: torch.Tensor, values: torch.Tensor, message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        GP.fit(features, values)


def test_a_fit_that_cannot_start_says_so_and_leaves_the_parameters() -> None:
    parameter = torch.nn.Parameter(torch.ones(2).double())
    with pytest.raises(FitFailed, match="nan at the start"):
        maximise(lambda: (parameter * torch.nan).sum(), [parameter], steps=5)
    assert torch.equal(parameter.detach(), torch.ones(2).double())


def test_forgetting_more_than_was_grown_is_refused(fitted: GaussianProcessPredictor) -> None:
    with pytest.raises(ValueError, match="count is 1"):
        PoolPosterior(fitted, fitted.features).forget(1)
