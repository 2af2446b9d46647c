"""One surrogate per condition and their weighted sum.

A robustness score is a known function of parts, v = sum_c w_c v_c, each of which may be easier to
predict than the sum (composite objectives, Astudillo and Frazier 2019; linear here, hence exact).
"""

from collections.abc import Sequence
from dataclasses import dataclass

import torch

from surrogates.gaussian_process import GaussianProcess, GaussianProcessPredictor
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

        The parts' residuals are correlated: conditions share images. What the processes leave
        unexplained, L_c^-1 y_c, is white with unit variance in each part; its correlation between
        parts is taken for the correlation of the predictions.

        Raises:
            ValueError: the number of parts is not that of the weights.
        """
        if parts.ndim != 2 or parts.shape[1] != len(self.weights):
            raise ValueError(
                f"parts is {tuple(parts.shape)}; it must be n x {len(self.weights)}, a column per "
                "weight."
            )
        fitted = [self.surrogate.fit(features, part.contiguous()) for part in parts.T]
        white = torch.stack([predictor.whitened for predictor in fitted])
        norms = white.norm(dim=1).clamp_min(1e-12)
        correlation = (white @ white.T) / (norms.unsqueeze(0) * norms.unsqueeze(1))
        correlation.fill_diagonal_(1.0)
        return ComponentsPredictor(fitted, torch.tensor(self.weights).double(), correlation)


@dataclass(frozen=True, slots=True)
class ComponentsPredictor:
    """Fitted parts, their weights, `m`, and their correlation, `m x m`."""

    parts: Sequence[GaussianProcessPredictor]
    weights: torch.Tensor
    correlation: torch.Tensor

    def marginals(self, features: torch.Tensor) -> Marginals:
        """Mean and variance of the weighted sum at each row of `features`, `N x d`."""
        believed = [part.marginals(features) for part in self.parts]
        means = torch.stack([marginals.mean for marginals in believed])
        deviations = torch.stack([marginals.variance.sqrt() for marginals in believed])
        weighted = self.weights.unsqueeze(1) * deviations
        variance = (weighted * (self.correlation @ weighted)).sum(0)
        return Marginals(self.weights @ means, variance.clamp_min(1e-18))

    def interval(self, features: torch.Tensor, *, level: float = 0.95) -> Interval:
        """The interval of normal distributions with the marginals' moments."""
        return self.marginals(features).interval(level)
