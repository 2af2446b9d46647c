"""What the sampler believes between two calls is a cache."""

import logging
from dataclasses import replace

import numpy as np
import pytest
import torch
from gpytorch.kernels import Kernel

from bonas.strategies.belief import Belief, Believed, last_refit
from bonas.strategies.settings import default_surrogate
from spaces.nasbench201 import NASBENCH201
from spaces.space import sample
from surrogates.mixture import mixed_kernel

ENCODING, SURROGATE = default_surrogate(NASBENCH201)
RNG = np.random.default_rng(0)
DRAWN = list(dict.fromkeys(sample(NASBENCH201, rng=RNG) for _ in range(90)))
POOL = ENCODING.encode(DRAWN[60:])
NOBODY = POOL[:0]


def _observed(count: int) -> tuple[list[Believed], torch.Tensor]:
    values = [float(a.choices.count("conv_3x3")) for a in DRAWN[:count]]
    return list(zip(DRAWN[:count], values, strict=True)), ENCODING.encode(DRAWN[:count])


def test_hyper_parameters_are_fitted_at_stated_numbers() -> None:
    assert [last_refit(n) for n in (1, 4, 29, 31, 99, 124, 250, 999, 1_001, 1_777)] == [
        *(1, 4, 28, 30, 90, 100, 250, 900, 1_000, 1_500)
    ]


@pytest.mark.parametrize("block", [3, 32])
def test_a_belief_that_grew_has_the_bits_of_one_that_did_not(
    block: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bonas.strategies.belief.BLOCK", block)
    living = Belief(SURROGATE, POOL)
    for count in (10, 11, 12, 14, 26, 27, 38, 35, 36, 39, 37):
        pending = POOL[: count % 4]
        grown = living.posterior(*_observed(count), pending).marginals
        fresh = Belief(SURROGATE, POOL).posterior(*_observed(count), pending).marginals
        for a, b in zip(grown, fresh, strict=True):
            assert torch.equal(a, b)


@pytest.mark.parametrize("changed", [30, 32, 33, 35, 38])
def test_a_belief_forgets_what_changed_behind_its_fit(
    changed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bonas.strategies.belief.BLOCK", 3)
    observed, features = _observed(39)
    others = list(observed)
    others[changed] = (observed[changed][0], observed[changed][1] + 1.0)
    living = Belief(SURROGATE, POOL)
    living.posterior(observed, features, NOBODY)
    for sequence in (others, others[:36], observed):
        rows = features[: len(sequence)]
        grown = living.posterior(sequence, rows, NOBODY).marginals
        fresh = Belief(SURROGATE, POOL).posterior(sequence, rows, NOBODY).marginals
        for a, b in zip(grown, fresh, strict=True):
            assert torch.equal(a, b)


def test_a_belief_forgets_what_it_was_told_of_noise() -> None:
    living = Belief(SURROGATE, POOL)
    for noise in (None, 0.5, 0.0, 0.25, None):
        told = living.posterior(*_observed(20), NOBODY, noise_variance=noise).marginals
        surrogate = SURROGATE if noise is None else replace(SURROGATE, noise_variance=noise)
        fresh = Belief(surrogate, POOL).posterior(*_observed(20), NOBODY).marginals
        for a, b in zip(told, fresh, strict=True):
            assert torch.equal(a, b)


def test_pending_architectures_move_no_mean_and_lower_the_variance() -> None:
    without = Belief(SURROGATE, POOL).posterior(*_observed(20), NOBODY).marginals
    with_two = Belief(SURROGATE, POOL).posterior(*_observed(20), POOL[3:5]).marginals
    assert torch.allclose(without.mean, with_two.mean, atol=1e-9)
    assert (with_two.variance <= without.variance + 1e-12).all()
    assert (with_two.variance[3:5] < 1e-4).all()


def test_a_fit_that_fails_is_reported_and_the_last_good_one_kept(
    caplog: pytest.LogCaptureFixture,
) -> None:
    fits = iter(range(10))

    def kernel() -> Kernel:
        made = mixed_kernel((5,) * 6, paths=40, profiles=15)()
        if next(fits) == 1:  # the second fit starts where no likelihood exists
            made.kernels[0].raw_outputscale.data.fill_(torch.nan)
        return made

    belief = Belief(replace(SURROGATE, kernel=kernel), POOL)
    belief.posterior(*_observed(10), NOBODY)
    with caplog.at_level(logging.WARNING):
        posterior = belief.posterior(*_observed(13), NOBODY)
    assert "the fit to 13 observations failed" in caplog.text
    expected = SURROGATE.fit(
        _observed(10)[1], torch.tensor([v for _, v in _observed(10)[0]]).double()
    )
    assert torch.equal(posterior.predictor.factor[:10, :10], expected.factor)
