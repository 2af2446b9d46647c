"""Acquisitions in closed form: a score for each candidate from what is believed of it.

Everything is maximised, in the surrogate's scaled units. `mean` and `variance` are `N`, float64, of
the noise-free value; `best` is the incumbent's posterior mean, so that a lucky noisy observation is
no incumbent. Scores are `N` and finite for every input.
"""

import math
from dataclasses import dataclass
from typing import Protocol

import torch
from botorch.acquisition.analytic import _log_ei_helper
from botorch.utils.probability.utils import log_ndtr

from surrogates.predictor import GaussianProcessPredictor
from surrogates.surrogate import Marginals

SHORT_LIST = 500
"""Candidates whose joint posterior is drawn from at most; a draw costs its third power."""


@dataclass(frozen=True, slots=True)
class Candidates:
    """Candidates and what is believed of them.

    Attributes:
        features: Their features, `N x d`.
        marginals: Mean and variance of each, scaled.
        predictor: The Gaussian process behind them, for joint draws; `None` for a sum of several.
    """

    features: torch.Tensor
    marginals: Marginals
    predictor: GaussianProcessPredictor | None


class Acquisition(Protocol):
    """A score per candidate."""

    def __call__(
        self, candidates: Candidates, best: float, *, generator: torch.Generator
    ) -> torch.Tensor:
        """Scores, `N`; the highest is proposed."""


@dataclass(frozen=True, slots=True)
class LogExpectedImprovement:
    """`log_expected_improvement`; the default."""

    def __call__(
        self, candidates: Candidates, best: float, *, generator: torch.Generator
    ) -> torch.Tensor:
        """Scores, `N`; nothing is drawn."""
        return log_expected_improvement(candidates.marginals, best)


@dataclass(frozen=True, slots=True)
class LogProbabilityOfImprovement:
    """`log_probability_of_improvement`."""

    def __call__(
        self, candidates: Candidates, best: float, *, generator: torch.Generator
    ) -> torch.Tensor:
        """Scores, `N`; nothing is drawn."""
        return log_probability_of_improvement(candidates.marginals, best)


@dataclass(frozen=True, slots=True)
class UpperConfidenceBound:
    """`upper_confidence_bound` with a constant beta."""

    beta: float = 4.0

    def __post_init__(self) -> None:
        if not 0 <= self.beta < math.inf:
            raise ValueError(f"beta is {self.beta}; it must be finite and not negative.")

    def __call__(
        self, candidates: Candidates, best: float, *, generator: torch.Generator
    ) -> torch.Tensor:
        """Scores, `N`; nothing is drawn."""
        return upper_confidence_bound(candidates.marginals, beta=self.beta)


@dataclass(frozen=True, slots=True)
class IndependentThompson:
    """`independent_thompson`."""

    def __call__(
        self, candidates: Candidates, best: float, *, generator: torch.Generator
    ) -> torch.Tensor:
        """One draw from each marginal, `N`."""
        return independent_thompson(candidates.marginals, generator=generator)


@dataclass(frozen=True, slots=True)
class Thompson:
    """`thompson`."""

    def __call__(
        self, candidates: Candidates, best: float, *, generator: torch.Generator
    ) -> torch.Tensor:
        """One joint draw, `N`."""
        return thompson(candidates, generator=generator)


def log_expected_improvement(marginals: Marginals, best: float) -> torch.Tensor:
    r"""Logarithm of the expected improvement over the incumbent.

    .. math:: \log \sigma + \log\bigl(\phi(u) + u \Phi(u)\bigr), \quad u = (\mu - f^*) / \sigma

    in the numerically stable form of Ament et al. (2023), equation 9.
    """
    deviation = marginals.variance.sqrt()
    return deviation.log() + _log_ei_helper((marginals.mean - best) / deviation)


def log_probability_of_improvement(marginals: Marginals, best: float) -> torch.Tensor:
    """Logarithm of the probability that the value exceeds the incumbent (Kushner 1964)."""
    score: torch.Tensor = log_ndtr((marginals.mean - best) / marginals.variance.sqrt())
    return score


def log_feasibility(violations: Marginals) -> torch.Tensor:
    """Logarithm of the probability that a violation is at most 0 (Gardner et al. 2014, eq. 7).

    Args:
        violations: Mean and variance of the constraint's value, feasible where it is at most 0.
    """
    score: torch.Tensor = log_ndtr(-violations.mean / violations.variance.sqrt())
    return score


def upper_confidence_bound(marginals: Marginals, *, beta: float) -> torch.Tensor:
    """Mean plus `sqrt(beta)` deviations (Srinivas et al. 2010, equation 6).

    Raises:
        ValueError: beta is negative.
    """
    if not beta >= 0:
        raise ValueError(f"beta is {beta}; it must not be negative.")
    return marginals.mean + math.sqrt(beta) * marginals.variance.sqrt()


def independent_thompson(marginals: Marginals, *, generator: torch.Generator) -> torch.Tensor:
    """One draw per candidate from its marginal, correlations left out (BANANAS, section 5)."""
    noise = torch.randn(len(marginals.mean), dtype=torch.float64, generator=generator)
    return marginals.mean + noise * marginals.variance.sqrt()


def thompson(candidates: Candidates, *, generator: torch.Generator) -> torch.Tensor:
    """One draw from the joint posterior (Thompson 1933) of the 500 likeliest to be best.

    These are the highest by two deviations above the mean; all others score below every draw.
    """
    bound = upper_confidence_bound(candidates.marginals, beta=4.0)
    chosen = torch.topk(bound, min(SHORT_LIST, len(bound))).indices
    features, predictor = candidates.features[chosen], candidates.predictor
    if predictor is None:
        raise ValueError("a joint draw needs one Gaussian process; use IndependentThompson.")
    rows = predictor.project(features)
    covariance = predictor.covariance(features, features) - rows.mT @ rows
    values, vectors = torch.linalg.eigh(covariance)  # candidates may coincide: no Cholesky
    noise = torch.randn(len(chosen), dtype=torch.float64, generator=generator)
    draw = candidates.marginals.mean[chosen] + vectors @ (values.clamp_min(0).sqrt() * noise)
    scores: torch.Tensor = bound - bound.max() + draw.min() - 1.0
    scores[chosen] = draw
    return scores
