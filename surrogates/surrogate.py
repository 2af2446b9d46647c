"""Surrogate: what is believed about architectures that were not estimated yet."""

from typing import NamedTuple, Protocol

import torch
from botorch.models.model import Model


class Marginals(NamedTuple):
    """The posterior of each architecture by itself, float64, `n` each, in the values' units."""

    mean: torch.Tensor
    variance: torch.Tensor


class Predictor(Protocol):
    """A fitted surrogate."""

    def marginals(self, features: torch.Tensor) -> Marginals:
        """Mean and variance of the noise-free value at each row of `features`, `n x d`.

        Never the joint covariance: the rows may be a whole search space.
        """


class Surrogate(Protocol):
    """Settings of a surrogate. Fitting returns a predictor, so nothing can be unfitted."""

    def fit(
        self, features: torch.Tensor, values: torch.Tensor, *, generator: torch.Generator
    ) -> Predictor:
        """The predictor after observing `values`, `n`, at `features`, `n x d`; both float64.

        Values are maximised and may have any scale; features are as an encoding gives them.
        """


class SupportsBotorch(Protocol):
    """A predictor that is a Gaussian process."""

    @property
    def model(self) -> Model:
        """The same posterior as a BoTorch model, for Monte Carlo acquisitions."""
