"""Maximum a posteriori hyper-parameters by a few steps of L-BFGS from a stated start."""

from collections.abc import Callable

import numpy as np
import scipy.optimize
import torch
from gpytorch.priors import LogNormalPrior, Prior


class FitFailed(RuntimeError):
    """The hyper-parameters' posterior could not be evaluated or improved."""


def maximise(
    objective: Callable[[], torch.Tensor], parameters: list[torch.nn.Parameter], *, steps: int
) -> float:
    """Move the parameters, in place, to a maximum of the objective and return its value.

    Args:
        objective: A differentiable scalar of the parameters; it may raise `FitFailed`
            where it does not exist.
        parameters: Where they stand is the start.
        steps: Iterations of L-BFGS at most.

    Raises:
        FitFailed: the objective is not finite at the start or no step could be taken; the
            parameters are then where they were.
    """
    start = _flat([p.detach() for p in parameters])

    def negative(point: np.ndarray) -> tuple[float, np.ndarray]:
        _assign(parameters, point)
        try:
            value = objective()
            gradients = torch.autograd.grad(value, parameters)
        except FitFailed:
            return np.inf, np.zeros_like(point)
        return -float(value.detach()), -_flat(list(gradients))

    first, slope = negative(start)
    if not np.isfinite(first) or not np.isfinite(slope).all():
        _assign(parameters, start)
        raise FitFailed(f"the log posterior is {-first} at the start of the fit.")

    def told(point: np.ndarray) -> tuple[float, np.ndarray]:
        return (first, slope) if np.array_equal(point, start) else negative(point)

    result = scipy.optimize.minimize(
        told, start, jac=True, method="L-BFGS-B", options={"maxiter": steps}
    )
    if not np.isfinite(result.fun) or not np.isfinite(result.x).all() or result.fun > first:
        _assign(parameters, start)
        raise FitFailed(f"L-BFGS ended at {-result.fun} ({result.message}).")
    _assign(parameters, result.x)
    return -float(result.fun)


def log_density(prior: Prior, values: torch.Tensor) -> torch.Tensor:
    """The logarithm of the values' prior density, up to a constant.

    Of log-normals without the class's own checks, which take longer than the rest of a small fit.
    """
    if not isinstance(prior, LogNormalPrior):
        total: torch.Tensor = prior.log_prob(values).sum()
        return total
    logarithm = values.log()
    deviation = (logarithm - prior.loc) / prior.scale
    density: torch.Tensor = -(logarithm + 0.5 * deviation.square()).sum()
    return density


def _flat(tensors: list[torch.Tensor]) -> np.ndarray:
    return np.concatenate([t.reshape(-1).numpy() for t in tensors]).astype(np.float64)


def _assign(parameters: list[torch.nn.Parameter], point: np.ndarray) -> None:
    position = 0
    with torch.no_grad():
        for parameter in parameters:
            part = point[position : position + parameter.numel()]
            parameter.copy_(torch.from_numpy(part.copy()).reshape(parameter.shape))
            position += parameter.numel()
