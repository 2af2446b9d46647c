"""Acquisitions: closed forms against Monte Carlo, and finite over extreme inputs."""

from collections.abc import Callable

import numpy as np
import pytest
import torch

from bonas.strategies.acquisition import (
    Candidates,
    independent_thompson,
    log_expected_improvement,
    log_feasibility,
    log_probability_of_improvement,
    thompson,
    upper_confidence_bound,
)
from spaces.encodings.onehot import OneHotEncoding
from spaces.nasbench201 import NASBENCH201
from spaces.space import sample
from surrogates.gaussian_process import GaussianProcess
from surrogates.kernels import HammingKernel
from surrogates.mixture import DECISION_WEIGHT
from surrogates.surrogate import Marginals

MARGINALS = Marginals(
    torch.tensor([-0.7, 0.0, 0.4, 1.5]).double(), torch.tensor([1.0, 0.25, 2.0, 0.04]).double()
)
DRAWS = MARGINALS.mean + MARGINALS.variance.sqrt() * torch.randn(
    400_000, 4, dtype=torch.float64, generator=torch.Generator().manual_seed(0)
)


@pytest.mark.parametrize("best", [-1.0, 0.0, 0.8])
def test_expected_improvement_equals_monte_carlo(best: float) -> None:
    closed = log_expected_improvement(MARGINALS, best).exp()
    assert torch.allclose(closed, (DRAWS - best).clamp_min(0).mean(0), atol=5e-3)


@pytest.mark.parametrize("best", [-1.0, 0.0, 0.8])
def test_probability_of_improvement_equals_monte_carlo(best: float) -> None:
    closed = log_probability_of_improvement(MARGINALS, best).exp()
    assert torch.allclose(closed, (best < DRAWS).double().mean(0), atol=5e-3)


def test_feasibility_equals_monte_carlo() -> None:
    closed = log_feasibility(MARGINALS).exp()
    assert torch.allclose(closed, (DRAWS <= 0).double().mean(0), atol=5e-3)


def test_the_confidence_bound_is_the_quantile_of_its_beta() -> None:
    bound = upper_confidence_bound(MARGINALS, beta=1.6448536**2)
    assert torch.allclose((bound >= DRAWS).double().mean(0), torch.tensor(0.95).double(), atol=2e-3)
    with pytest.raises(ValueError, match="beta is -1"):
        upper_confidence_bound(MARGINALS, beta=-1)


def test_independent_thompson_draws_have_the_marginals() -> None:
    generator = torch.Generator().manual_seed(0)
    draws = torch.stack(
        [independent_thompson(MARGINALS, generator=generator) for _ in range(9_000)]
    )
    assert torch.allclose(draws.mean(0), MARGINALS.mean, atol=0.06)
    assert torch.allclose(draws.var(0), MARGINALS.variance, rtol=0.06)


def test_thompson_draws_have_the_joint_posterior() -> None:
    rng = np.random.default_rng(0)
    features = OneHotEncoding(NASBENCH201).encode([sample(NASBENCH201, rng=rng) for _ in range(30)])
    kernel: Callable[[], HammingKernel] = lambda: HammingKernel(  # noqa: E731
        slice(0, 30), (5,) * 6, DECISION_WEIGHT
    ).double()
    predictor = GaussianProcess(kernel).fit(features[:20], features[:20].sum(1) + features[:20, 3])
    pool = torch.cat([features[20:], features[20:21]])  # one candidate twice
    candidates = Candidates(pool, predictor.scaled_marginals(pool), predictor)
    generator = torch.Generator().manual_seed(0)
    draws = torch.stack([thompson(candidates, generator=generator) for _ in range(9_000)])
    rows = predictor.project(pool)
    covariance = predictor.covariance(pool, pool) - rows.mT @ rows
    assert torch.allclose(draws.mean(0), candidates.marginals.mean, atol=0.06)
    assert torch.allclose(draws.T.cov(), covariance, atol=0.06)
    assert torch.allclose(draws[:, 0], draws[:, -1], atol=1e-6)


@pytest.mark.parametrize("mean", [-1e6, -50.0, 0.0, 50.0, 1e6])
@pytest.mark.parametrize("variance", [1e-12, 1.0, 1e12])
def test_scores_are_finite_over_extreme_inputs(mean: float, variance: float) -> None:
    marginals = Marginals(torch.tensor([mean]).double(), torch.tensor([variance]).double())
    assert torch.isfinite(log_expected_improvement(marginals, 0.0)).all()
    assert torch.isfinite(log_probability_of_improvement(marginals, 0.0)).all()
    assert torch.isfinite(log_feasibility(marginals)).all()


def test_expected_improvement_rises_with_the_mean_and_with_the_variance() -> None:
    means = torch.linspace(-30, 5, 400).double()
    rising = log_expected_improvement(Marginals(means, torch.ones_like(means)), 0.0)
    assert (rising.diff() > 0).all()
    variances = torch.logspace(-6, 6, 400).double()
    rising = log_expected_improvement(Marginals(torch.full_like(variances, -1.0), variances), 0.0)
    assert (rising.diff() > 0).all()
