"""What is believed of a value: by itself, or as the weighted sum of its conditions."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

import torch

from bonas.strategies.belief import Belief
from bonas.strategies.history import Estimate
from bonas.strategies.noise import known_noise
from surrogates.components import residual_correlation, weighted_sum
from surrogates.gaussian_process import GaussianProcess
from surrogates.pool import PoolPosterior
from surrogates.predictor import GaussianProcessPredictor
from surrogates.scaling import Scale, compressed_scale
from surrogates.surrogate import Marginals


class Whole(Protocol):
    """The posterior of scaled values."""

    @property
    def joint(self) -> GaussianProcessPredictor | None:
        """The Gaussian process of the values, where there is a single one."""

    def observed_means(self) -> torch.Tensor:
        """Posterior means of the observations, `n` or more, pending ones behind."""

    def everywhere(self) -> Marginals:
        """Of the pool, `N`."""

    def at(self, features: torch.Tensor) -> Marginals:
        """Of other architectures, `m x d`."""

    def uncertainty(self, features: torch.Tensor | None) -> torch.Tensor:
        """How little is known of architectures, `m x d`, or of the pool: a variance, `m`, in units
        in which low outliers are compressed (`surrogates.scaling`), lest they alone be unknown."""


@dataclass(frozen=True, slots=True)
class Single:
    """One Gaussian process of the values."""

    posterior: PoolPosterior

    @property
    def joint(self) -> GaussianProcessPredictor:
        """The Gaussian process."""
        return self.posterior.predictor

    def observed_means(self) -> torch.Tensor:
        """Posterior means of the observations, pending ones behind."""
        return self.joint.observed_means()

    def everywhere(self) -> Marginals:
        """Of the pool."""
        return self.posterior.marginals

    def at(self, features: torch.Tensor) -> Marginals:
        """Of other architectures."""
        return self.joint.scaled_marginals(features)

    def uncertainty(self, features: torch.Tensor | None) -> torch.Tensor:
        """The variance."""
        return (self.everywhere() if features is None else self.at(features)).variance


@dataclass(frozen=True, slots=True)
class Composite:
    """A Gaussian process per part (see `surrogates.components`)."""

    parts: Sequence[PoolPosterior]
    weights: torch.Tensor
    correlation: torch.Tensor
    scale: Scale

    @property
    def joint(self) -> None:
        """There is no single one."""

    def observed_means(self) -> torch.Tensor:
        """Posterior means of the observations, pending ones behind."""
        return self.at(self.parts[0].predictor.features).mean

    def everywhere(self) -> Marginals:
        """Of the pool."""
        return self._sum([p.predictor.scale.undo(p.marginals) for p in self.parts])

    def at(self, features: torch.Tensor) -> Marginals:
        """Of other architectures."""
        return self._sum([p.predictor.marginals(features) for p in self.parts])

    def uncertainty(self, features: torch.Tensor | None) -> torch.Tensor:
        """The mean of the parts' variances, by their weights: the sum's is in linear units."""
        variances = [
            (p.marginals if features is None else p.predictor.scaled_marginals(features)).variance
            for p in self.parts
        ]
        shares = self.weights.abs() / self.weights.abs().sum()
        return shares @ torch.stack(variances)

    def _sum(self, believed: Sequence[Marginals]) -> Marginals:
        mean, variance = weighted_sum(believed, self.weights, self.correlation)
        return Marginals(self.scale(mean), variance / self.scale.spread**2)


class WholeBelief:
    """Beliefs on the value, or on each of its parts."""

    def __init__(
        self,
        surrogate: GaussianProcess,
        pool: torch.Tensor,
        weights: Mapping[str, float] | None,
        *,
        noise: float | None = None,
    ) -> None:
        """Believe with `surrogate`.

        Args:
            surrogate: Its settings.
            pool: Features of the candidates, `N x d`.
            weights: Names the conditions that are the parts, if any.
            noise: Variance of a value's noise; as estimates say (`bonas.strategies.noise`) where it
                is `None`. Of parts nothing is told.
        """
        self._weights = weights
        self._noise = noise
        self._beliefs = {name: Belief(surrogate, pool) for name in weights or ("",)}

    def posterior(
        self, estimates: Sequence[Estimate], features: torch.Tensor, pending: torch.Tensor
    ) -> Whole:
        """As `Belief.posterior`.

        Raises:
            ValueError: an estimate lacks a condition, or its value is not their weighted sum.
        """
        if self._weights is not None:
            for estimate in estimates:
                _check_sum(estimate, self._weights)
        if self._weights is None:
            observed = [(e.architecture, e.values[0]) for e in estimates]
            noise = known_noise(estimates, self._noise)
            belief = self._beliefs[""]
            return Single(belief.posterior(observed, features, pending, noise_variance=noise))
        posteriors = [
            belief.posterior([(e.architecture, e.aucs[name]) for e in estimates], features, pending)
            for name, belief in self._beliefs.items()
        ]
        weights = torch.tensor(list(self._weights.values()), dtype=torch.float64)
        predictors = [posterior.predictor for posterior in posteriors]
        values = torch.stack([p.values[: len(estimates)] for p in predictors])
        # Linear, but with the spread of the good values: see `compressed_scale`.
        compressed = compressed_scale(weights @ values)
        scale = Scale(compressed.centre, compressed.spread)
        # What is believed of pending ones is no error, but lets the others' look smaller.
        correlation = residual_correlation([p.head(len(estimates)) for p in predictors])
        return Composite(posteriors, weights, correlation, scale)


def _check_sum(estimate: Estimate, weights: Mapping[str, float]) -> None:
    missing = [name for name in weights if name not in estimate.aucs]
    if missing:
        raise ValueError(
            f"trial {estimate.number} has no bonas.auc.{missing[0]}, which Settings.conditions "
            f"names; it has {', '.join(estimate.aucs) or 'none'}."
        )
    total = sum(weight * estimate.aucs[name] for name, weight in weights.items())
    if len(estimate.values) != 1 or not math.isclose(total, estimate.values[0], abs_tol=1e-6):
        raise ValueError(
            f"trial {estimate.number} has the value {estimate.values}, but its conditions, "
            f"weighted by Settings.conditions, sum to {total}; give the score's own weights in a "
            "study with one maximised value."
        )
