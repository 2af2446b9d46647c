"""The log likelihood of a Gaussian process, with its gradient in closed form."""

from typing import Any

import torch
from torch.autograd.function import once_differentiable

from surrogates.predictor import factor_of


def log_likelihood(covariance: torch.Tensor, values: torch.Tensor) -> torch.Tensor:
    r"""The logarithm of N(values; 0, covariance), up to the constant, differentiable once.

    .. math:: -\tfrac{1}{2} y^\top K^{-1} y - \tfrac{1}{2} \log\lvert K \rvert

    (Rasmussen and Williams 2006, equation 5.8.) Its derivative to an entry of K is that of
    :math:`\tfrac{1}{2} (\alpha \alpha^\top - K^{-1})` with :math:`\alpha = K^{-1} y` (equation
    5.9): from the factor, in about a third of the time of going back through it.

    Args:
        covariance: K, `n x n`, symmetric; only it gets a gradient.
        values: y, `n`.

    Raises:
        FitFailed: the covariance is not positive definite.
    """
    likelihood: torch.Tensor = _LogLikelihood.apply(covariance, values)  # type: ignore[no-untyped-call]
    return likelihood


class _LogLikelihood(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, covariance: torch.Tensor, values: torch.Tensor) -> torch.Tensor:
        factor = factor_of(covariance)
        whitened = torch.linalg.solve_triangular(factor, values.unsqueeze(-1), upper=False)
        ctx.save_for_backward(factor, whitened)
        likelihood: torch.Tensor = -0.5 * whitened.square().sum() - factor.diagonal().log().sum()
        return likelihood

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, *gradients: torch.Tensor) -> tuple[torch.Tensor, None]:
        factor, whitened = ctx.saved_tensors
        solved = torch.linalg.solve_triangular(factor.mT, whitened, upper=True)  # alpha, n x 1
        slope = 0.5 * (solved @ solved.mT - torch.cholesky_inverse(factor))
        return gradients[0] * slope, None
