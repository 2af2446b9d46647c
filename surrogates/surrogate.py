"""Surrogate: what is believed about architectures that were not estimated yet."""

import math
from typing import NamedTuple, Protocol

import torch
from botorch.models.model import Model


class Marginals(NamedTuple):
    """The posterior of each architecture by itself, float64, `n` each, in the values' units."""

    mean: torch.Tensor
    variance: torch.Tensor

    def interval(self, level: float = 0.95) -> "Interval":
        """The central interval of normal distributions that holds a value with probability `level`.

        Raises:
            ValueError: the level is not in (0, 1).
        """
        if not 0 < level < 1:
            raise ValueError(f"level is {level}; it must lie in (0, 1).")
        reach = math.sqrt(2) * torch.erfinv(torch.tensor(level, dtype=torch.float64))
        half = reach * self.variance.sqrt()
        return Interval(self.mean - half, self.mean + half)


class Interval(NamedTuple):
    """Lower and upper ends, `n` each."""

    lower: torch.Tensor
    upper: torch.Tensor


class Predictor(Protocol):
    """A fitted surrogate."""

    def marginals(self, features: torch.Tensor) -> Marginals:
        """Mean and variance of the noise-free value at each row of `features`, `n x d`.

        Never the joint covariance: the rows may be a whole search space.
        """

    def interval(self, features: torch.Tensor, *, level: float = 0.95) -> Interval:
        """The central credible interval of the noise-free value at each row of `features`."""


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


def check_observations(features: torch.Tensor, values: torch.Tensor) -> None:
    """Raise unless features and values can be learnt from.

    Raises:
        ValueError: shapes that do not fit, no observation, or values that are not finite.
    """
    if features.ndim != 2 or values.shape != features.shape[:1] or not len(values):
        raise ValueError(
            f"features are {tuple(features.shape)} and values {tuple(values.shape)}; "
            "they must be n x d and n, with n at least 1."
        )
    bad = torch.nonzero(~torch.isfinite(values)).flatten().tolist()
    if bad:
        raise ValueError(
            f"values[{bad[0]}] is {values[bad[0]]}; values must be finite. Leave failed "
            "observations out."
        )
