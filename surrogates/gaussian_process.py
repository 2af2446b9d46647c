"""Exact Gaussian process with learned noise; its posterior is in `surrogates.predictor`."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from gpytorch.kernels import Kernel
from gpytorch.priors import LogNormalPrior

from surrogates.kernels import dense
from surrogates.likelihood import log_likelihood
from surrogates.maximisation import log_density, maximise
from surrogates.predictor import (
    MEAN_VARIANCE,
    NOISE_FLOOR,
    GaussianProcessPredictor,
    predictor_of,
)
from surrogates.scaling import Scale, compressed_scale
from surrogates.surrogate import check_observations

NOISE_PRIOR = LogNormalPrior(-9.0, 2.0)
"""Noise variance above the floor: between 2e-6 and 7e-3 within one deviation. Tables have none;
repeated training of one architecture moves its accuracy by a tenth of the spread at most."""


@dataclass(frozen=True, slots=True)
class GaussianProcess:
    """Settings of an exact Gaussian process.

    Attributes:
        kernel: Makes the kernel with its parameters at the start of the fit, priors registered.
        steps: Iterations of L-BFGS at most.
        most: Observations that the hyper-parameters are fitted to; of more, the better half of
            that number and an even sample of the others by rank. The posterior has them all.
        scale: Makes the scale of the values.
        noise_variance: Of an observation, in the values' units, squared, where it is known. What
            is learned comes on top.
    """

    kernel: Callable[[], Kernel]
    steps: int = 40
    most: int = 300
    scale: Callable[[torch.Tensor], Scale] = compressed_scale
    noise_variance: float = 0.0

    def fit(
        self,
        features: torch.Tensor,
        values: torch.Tensor,
        *,
        generator: torch.Generator | None = None,
    ) -> "GaussianProcessPredictor":
        """Maximum a posteriori from the kernel's start. Nothing is drawn from the generator.

        Raises:
            ValueError: shapes that do not fit, no observation, or values that are not finite.
            FitFailed: the likelihood cannot be improved; `unfitted` gives the start's posterior.
        """
        check_observations(features, values)
        # Sorted: a sum's last bits depend on its order.
        kernel, scale = self.kernel(), self.scale(values.sort().values)
        raw_noise = torch.nn.Parameter(NOISE_PRIOR.mode.log().reshape(1).double())
        fitted = _informative(features, values, self.most)
        scaled = scale(values)[fitted]
        rows, identity = features[fitted], torch.eye(len(fitted), dtype=torch.float64)
        known = self.noise_variance / scale.spread**2
        priors = [
            (prior, module, closure) for _, module, prior, closure, _ in kernel.named_priors()
        ]

        fixed: dict[Kernel, torch.Tensor] = {}

        def log_posterior() -> torch.Tensor:
            noise = raw_noise.exp()
            prior = dense(kernel, rows, rows, fixed).add(MEAN_VARIANCE)
            covariance = prior + (NOISE_FLOOR + known + noise) * identity
            total = log_likelihood(covariance, scaled) + log_density(NOISE_PRIOR, noise)
            for density, module, of in priors:
                total = total + log_density(density, of(module))
            return total

        maximise(log_posterior, [*kernel.parameters(), raw_noise], steps=self.steps)
        noise = known + float(raw_noise.detach().exp())
        return predictor_of(kernel, noise, scale, features, values)

    def unfitted(self, features: torch.Tensor, values: torch.Tensor) -> "GaussianProcessPredictor":
        """The posterior with the hyper-parameters of the start."""
        check_observations(features, values)
        scale = self.scale(values)
        noise = float(NOISE_PRIOR.mode) + self.noise_variance / scale.spread**2
        return predictor_of(self.kernel(), noise, scale, features, values)


def _informative(features: torch.Tensor, values: torch.Tensor, most: int) -> torch.Tensor:
    """Positions of at most `most` observations, best first: a function of their set alone.

    The better half of that number, and of the others an even sample by rank; equal values are
    ordered by their features.
    """
    columns = features.numpy().T[::-1]
    order = torch.from_numpy(np.lexsort((*columns, -values.numpy())))
    if len(order) <= most:
        return order
    best, others = order[: most // 2], order[most // 2 :]
    room = most - len(best)
    return torch.cat([best, others[torch.arange(room) * len(others) // room]])
