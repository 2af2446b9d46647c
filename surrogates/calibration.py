"""How good predictions are: rank correlation and coverage."""

from typing import NamedTuple

import scipy.stats
import torch

from surrogates.surrogate import Predictor


class Calibration(NamedTuple):
    """The quality of predictions on held-out architectures.

    Attributes:
        tau: Kendall's tau between means and values: how well they are ranked.
        coverage: Share of values inside the central 95 % interval; 0.95 is right.
    """

    tau: float
    coverage: float


def calibration(predictor: Predictor, features: torch.Tensor, values: torch.Tensor) -> Calibration:
    """The quality of a predictor on architectures that it did not observe.

    Args:
        predictor: Fitted.
        features: Of the architectures, `n x d`.
        values: Their noise-free values, `n`.

    Raises:
        ValueError: shapes that do not agree, or fewer than two values.
    """
    if values.shape != features.shape[:1] or len(values) < 2:
        raise ValueError(
            f"features are {tuple(features.shape)} and values {tuple(values.shape)}; they must be "
            "n x d and n, with n at least 2."
        )
    mean = predictor.marginals(features).mean
    lower, upper = predictor.interval(features)
    inside = (lower <= values) & (values <= upper)
    tau = scipy.stats.kendalltau(mean.numpy(), values.numpy()).statistic
    return Calibration(float(tau), float(inside.double().mean()))
