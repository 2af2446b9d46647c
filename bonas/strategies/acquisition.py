"""Acquisitions in closed form: a score for each candidate from its marginals alone.

Everything is maximised. `mean` and `variance` are `N`, float64, of the noise-free value; `best` is
the incumbent in the same units. Each function returns `N` scores, finite for every input.
"""

import math

import torch
from botorch.acquisition.analytic import _log_ei_helper
from botorch.utils.probability.utils import log_ndtr

from surrogates.surrogate import Marginals


def log_expected_improvement(marginals: Marginals, best: float) -> torch.Tensor:
    r"""Logarithm of the expected improvement over the incumbent.

    .. math:: \log \sigma + \log\bigl(\phi(u) + u \Phi(u)\bigr), \quad u = (\mu - f^*) / \sigma

    in the numerically stable form of Ament et al. (2023), equation 9.
    """
    deviation = marginals.variance.sqrt()
    return deviation.log() + _log_ei_helper((marginals.mean - best) / deviation)


def log_probability_of_improvement(marginals: Marginals, best: float) -> torch.Tensor:
    """Logarithm of the probability that the value exceeds the incumbent (Kushner 1964)."""
    return log_ndtr((marginals.mean - best) / marginals.variance.sqrt())


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
