"""One surrogate per condition and their weighted sum.

A robustness score is a known function of parts, v = sum_c w_c v_c, each of which may be easier to
predict than the sum (composite objectives, Astudillo and Frazier 2019; linear here, hence exact).
"""

from collections.abc import Sequence
from dataclasses import dataclass

import torch

from surrogates.gaussian_process import GaussianProcess
from surrogates.predictor import GaussianProcessPredictor
from surrogates.surrogate import Interval, Marginals


@dataclass(frozen=True, slots=True)
class Components:
    """Settings: one Gaussian process for every part, with hyper-parameters of its own.

    Attributes:
        surrogate: Fitted to each part.
        weights: The weight of each part in the sum.
    """

    surrogate: GaussianProcess
    weights: tuple[float, ...]

    def fit(self, features: torch.Tensor, parts: torch.Tensor) -> "ComponentsPredictor":
        """The predictor after observing the parts, `n x m`, at `features`, `n x d`.

        Raises:
            ValueError: the number of parts is not that of the weights.
        """
        if parts.ndim != 2 or parts.shape[1] != len(self.weights):
            raise ValueError(
                f"parts is {tuple(parts.shape)}; it must be n x {len(self.weights)}, a column per "
                "weight."
            )
        fitted = [self.surrogate.fit(features, part.contiguous()) for part in parts.T]
        weights = torch.tensor(self.weights).double()
        return ComponentsPredictor(fitted, weights, residual_correlation(fitted))


@dataclass(frozen=True, slots=True)
class ComponentsPredictor:
    """Fitted parts, their weights, `m`, and their correlation, `m x m`."""

    parts: Sequence[GaussianProcessPredictor]
    weights: torch.Tensor
    correlation: torch.Tensor

    def marginals(self, features: torch.Tensor) -> Marginals:
        """Mean and variance of the weighted sum at each row of `features`, `N x d`."""
        believed = [part.marginals(features) for part in self.parts]
        return weighted_sum(believed, self.weights, self.correlation)

    def interval(self, features: torch.Tensor, *, level: float = 0.95) -> Interval:
        """The interval of normal distributions with the marginals' moments."""
        return self.marginals(features).interval(level)


def residual_correlation(parts: Sequence[GaussianProcessPredictor]) -> torch.Tensor:
    """The correlation of what the parts leave unexplained, `m x m`.

    The parts' residuals are correlated: conditions share images. What a process leaves
    unexplained of an observation is its error when it is left out, over its standard deviation;
    the correlation of these between parts is taken for the correlation of their predictions. They
    belong to the observations, whatever their order: the entries of L_c^-1 y_c, white too, do
    not, since each part's factor L_c conditions on the observations before.
    """
    errors = torch.stack([predictor.left_out_errors() for predictor in parts])
    norms = errors.norm(dim=1).clamp_min(1e-12)
    correlation: torch.Tensor = (errors @ errors.T) / (norms.unsqueeze(0) * norms.unsqueeze(1))
    return correlation.fill_diagonal_(1.0)


def weighted_sum(
    believed: Sequence[Marginals], weights: torch.Tensor, correlation: torch.Tensor
) -> Marginals:
    """The marginals of a weighted sum of `m` parts with the given correlation, `m x m`."""
    means = torch.stack([marginals.mean for marginals in believed])
    deviations = torch.stack([marginals.variance.sqrt() for marginals in believed])
    weighted = weights.unsqueeze(1) * deviations
    variance = (weighted * (correlation @ weighted)).sum(0)
    return Marginals(weights @ means, variance.clamp_min(1e-18))
