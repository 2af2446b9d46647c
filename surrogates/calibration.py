"""How good predictions are: rank correlation, log-likelihood, coverage."""

from typing import NamedTuple

import scipy.stats
import torch

from surrogates.surrogate import Marginals


class Calibration(NamedTuple):
    """The quality of predictions on held-out architectures.

    Attributes:
        tau: Kendall's tau between means and values: how well they are ranked.
        log_likelihood: Median log density of the values; a mean would be set by one outlier.
        coverage: Share of values inside the central 95 % interval; 0.95 is right.
    """

    tau: float
    log_likelihood: float
    coverage: float


def calibration(predicted: Marginals, values: torch.Tensor, *, noise: float = 0.0) -> Calibration:
    """The quality of marginals against values.

    Args:
        predicted: Of the noise-free values, in the values' units, `n` each.
        values: What was observed, `n`.
        noise: Variance of the observations around the noise-free values.

    Raises:
        ValueError: shapes that do not agree, or fewer than two values.
    """
    if predicted.mean.shape != values.shape or len(values) < 2:
        raise ValueError(
            f"predicted has {tuple(predicted.mean.shape)} means and values is "
            f"{tuple(values.shape)}; both must be n, with n at least 2."
        )
    deviation = (predicted.variance + noise).sqrt()
    likelihoods = torch.distributions.Normal(predicted.mean, deviation).log_prob(values)
    inside = (values - predicted.mean).abs() <= 1.959964 * deviation
    tau = scipy.stats.kendalltau(predicted.mean.numpy(), values.numpy()).statistic
    return Calibration(float(tau), float(likelihoods.median()), float(inside.double().mean()))
