"""Exact Gaussian process with learned noise and a Cholesky factor that grows by rows.

Notation, all float64, values scaled by `surrogates.scaling`:

    n   observations            X  n x d  their features      y  n  their scaled values
    N   candidates              K  n x n  prior covariance of the values, noise-free
    L   n x n  lower factor of K + noise * I                   z  n  solves L z = y

The prior mean is constant and integrated out with a N(0, 1) prior, which adds 1 to every prior
covariance (Rasmussen and Williams 2006, section 2.7) and leaves no parameter to fit.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import torch
from botorch.models.gp_regression import SingleTaskGP
from gpytorch.constraints import GreaterThan
from gpytorch.kernels import ConstantKernel, Kernel
from gpytorch.likelihoods import GaussianLikelihood
from gpytorch.priors import LogNormalPrior
from torch.distributions import MultivariateNormal

from surrogates.kernels import dense, dense_diagonal
from surrogates.maximisation import FitFailed, log_density, maximise
from surrogates.scaling import Scale, compressed_scale
from surrogates.surrogate import Interval, Marginals, check_observations

MEAN_VARIANCE = 1.0
NOISE_FLOOR = 1e-6
"""Smallest noise variance of scaled values: keeps the factor accurate for values without."""
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
    """

    kernel: Callable[[], Kernel]
    steps: int = 40
    most: int = 300
    scale: Callable[[torch.Tensor], Scale] = compressed_scale

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
        priors = [
            (prior, module, closure) for _, module, prior, closure, _ in kernel.named_priors()
        ]

        fixed: dict[Kernel, torch.Tensor] = {}

        def log_posterior() -> torch.Tensor:
            noise = raw_noise.exp()
            prior = dense(kernel, rows, rows, fixed).add(MEAN_VARIANCE)
            covariance = prior + (NOISE_FLOOR + noise) * identity
            values_given = MultivariateNormal(
                torch.zeros_like(scaled), scale_tril=_factor(covariance), validate_args=False
            )
            total: torch.Tensor = values_given.log_prob(scaled)
            total = total + log_density(NOISE_PRIOR, noise)
            for density, module, of in priors:
                total = total + log_density(density, of(module))
            return total

        maximise(log_posterior, [*kernel.parameters(), raw_noise], steps=self.steps)
        return _predictor(kernel, float(raw_noise.detach().exp()), scale, features, values)

    def unfitted(self, features: torch.Tensor, values: torch.Tensor) -> "GaussianProcessPredictor":
        """The posterior with the hyper-parameters of the start."""
        check_observations(features, values)
        noise = float(NOISE_PRIOR.mode)
        return _predictor(self.kernel(), noise, self.scale(values), features, values)


@dataclass(frozen=True, slots=True)
class GaussianProcessPredictor:
    """The posterior of a Gaussian process with fixed hyper-parameters.

    Attributes:
        kernel: The fitted kernel; its parameters are frozen.
        noise: Noise variance of scaled values, floor included.
        scale: From values to scaled values.
        features: X, `n x d`.
        factor: L, `n x n`.
        whitened: z, `n`.
    """

    kernel: Kernel
    noise: float
    scale: Scale
    features: torch.Tensor
    values: torch.Tensor
    factor: torch.Tensor
    whitened: torch.Tensor

    def marginals(self, features: torch.Tensor) -> Marginals:
        """Mean and variance at each row of `features`, `N x d`, in the values' units."""
        return self.scale.undo(self.scaled_marginals(features))

    def interval(self, features: torch.Tensor, *, level: float = 0.95) -> Interval:
        """The central credible interval of the noise-free value at each row of `features`.

        Its ends are quantiles: not symmetric around the mean where values are compressed. Variances
        are raised until the observations, each left out in turn, lie in their intervals as often as
        they should: hyper-parameters that maximise a likelihood are too sure of themselves. What
        counts is the ceil(level * (n + 1))-th smallest error of n, as in conformal prediction (Lei
        et al. 2018, arXiv:1604.04173, section 2.2), or the largest where n is too small for that.
        """
        believed = self.scaled_marginals(features)
        lower, upper = believed.interval(level)  # refuses a level that is none
        widening = math.sqrt(self._overconfidence(level))
        lower = believed.mean + widening * (lower - believed.mean)
        upper = believed.mean + widening * (upper - believed.mean)
        return Interval(self.scale.inverse(lower), self.scale.inverse(upper))

    def _overconfidence(self, level: float) -> float:
        """By how much variances are too small for the leave-one-out errors, at least 1."""
        errors = self.left_out_errors()
        rank = min(math.ceil(level * (len(errors) + 1)), len(errors))
        expected = math.sqrt(2) * float(torch.erfinv(torch.tensor(level, dtype=torch.float64)))
        return max(1.0, float(errors.abs().kthvalue(rank).values) / expected) ** 2

    def left_out_errors(self) -> torch.Tensor:
        """Of each observation, left out in turn, the error over its standard deviation, `n`.

        With P the inverse of K + noise * I, the error of observation i is [P y]_i / P_ii, its
        variance 1 / P_ii (Rasmussen and Williams 2006, equation 5.12). Scaled values, O(n^3).
        """
        identity = torch.eye(len(self.factor), dtype=torch.float64)
        inverse = torch.linalg.solve_triangular(self.factor, identity, upper=False)
        precisions = inverse.square().sum(0)  # P_ii, of the one factor L^-1 of P
        errors: torch.Tensor = (inverse.mT @ self.whitened) / precisions.sqrt()
        return errors

    def scaled_marginals(self, features: torch.Tensor) -> Marginals:
        """Mean and variance of scaled values at each row of `features`, `N x d`."""
        rows = self.project(features)
        variance = self.prior_variance(features) - rows.square().sum(0)
        return Marginals(rows.mT @ self.whitened, variance.clamp_min(1e-12))

    def observed_means(self) -> torch.Tensor:
        """The posterior means of the observations' own scaled values, `n`.

        K (K + noise I)^-1 y = y - noise * (K + noise I)^-1 y, hence O(n^2).
        """
        solved: torch.Tensor = torch.linalg.solve_triangular(
            self.factor.mT, self.whitened.unsqueeze(-1), upper=True
        )
        return self.factor @ self.whitened - self.noise * solved.squeeze(-1)

    def project(self, features: torch.Tensor) -> torch.Tensor:
        """L^-1 k(X, candidates), `n x N`."""
        covariance = _prior_covariance(self.kernel, self.features, features)
        rows: torch.Tensor = torch.linalg.solve_triangular(self.factor, covariance, upper=False)
        return rows

    def prior_variance(self, features: torch.Tensor) -> torch.Tensor:
        """The prior variance of the scaled value at each row, `N`."""
        with torch.no_grad():
            return dense_diagonal(self.kernel, features).add(MEAN_VARIANCE)

    def covariance(self, first: torch.Tensor, second: torch.Tensor) -> torch.Tensor:
        """The prior covariance of scaled values between rows of both, `n x N`."""
        return _prior_covariance(self.kernel, first, second)

    def grow(self, features: torch.Tensor, values: torch.Tensor) -> "GaussianProcessPredictor":
        """The posterior after more observations; each adds one row to the factor.

        Hyper-parameters and scale stay, so that the result equals the posterior from scratch with
        the same ones.
        """
        grown, known = self, torch.cat([self.features, features])
        for i in range(len(values)):
            # Views of one tensor: features are the larger part of what would be copied.
            upto = known[: len(self.features) + i + 1]
            grown = grown._grow_by_one(upto, values[i : i + 1])
        return grown

    def _grow_by_one(self, known: torch.Tensor, value: torch.Tensor) -> "GaussianProcessPredictor":
        """With `known` the features so far and, last, those of the value."""
        count, row = len(known) - 1, known[-1:]
        left = self.project(row)[:, 0]
        pivot = (self.prior_variance(row)[0] + self.noise - left.square().sum()).clamp_min(
            self.noise
        )
        factor = torch.empty(count + 1, count + 1, dtype=torch.float64)
        factor[:count, :count] = self.factor
        factor[:count, count] = 0.0
        factor[count, :count] = left
        factor[count, count] = pivot.sqrt()
        z = (self.scale(value) - left @ self.whitened) / pivot.sqrt()
        return replace(
            self,
            features=known,
            values=torch.cat([self.values, value]),
            factor=factor,
            whitened=torch.cat([self.whitened, z]),
        )

    def head(self, count: int) -> "GaussianProcessPredictor":
        """The posterior of the first `count` observations, with the same hyper-parameters."""
        return replace(
            self,
            features=self.features[:count],
            values=self.values[:count],
            factor=self.factor[:count, :count].clone(),  # laid out as a grown one
            whitened=self.whitened[:count],
        )

    @property
    def model(self) -> SingleTaskGP:
        """The posterior of the scaled values as a BoTorch model."""
        likelihood = GaussianLikelihood(noise_constraint=GreaterThan(0.5 * self.noise))
        likelihood.noise = self.noise
        model = SingleTaskGP(
            self.features,
            self.scale(self.values).unsqueeze(-1),
            likelihood=likelihood,
            covar_module=self.kernel + _constant_kernel(),
            outcome_transform=None,
        )
        model.mean_module.initialize(constant=0.0)
        model.eval()
        return model


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


def _prior_covariance(kernel: Kernel, a: torch.Tensor, b: torch.Tensor) -> torch.Tensor:
    return dense(kernel, a, b).add(MEAN_VARIANCE)


def _predictor(
    kernel: Kernel, noise: float, scale: Scale, features: torch.Tensor, values: torch.Tensor
) -> GaussianProcessPredictor:
    kernel.requires_grad_(False)
    noise += NOISE_FLOOR
    covariance = _prior_covariance(kernel, features, features)
    covariance.diagonal().add_(noise)
    factor = _factor(covariance).contiguous()  # LAPACK's layout has other last bits later on
    whitened = torch.linalg.solve_triangular(factor, scale(values).unsqueeze(-1), upper=False)
    return GaussianProcessPredictor(
        kernel, noise, scale, features, values, factor, whitened.squeeze(-1)
    )


def _factor(covariance: torch.Tensor) -> torch.Tensor:
    factor: torch.Tensor
    factor, failed = torch.linalg.cholesky_ex(covariance)
    if failed:
        raise FitFailed(f"the covariance of {len(covariance)} observations has no factor.")
    return factor


def _constant_kernel() -> Kernel:
    kernel = ConstantKernel()
    kernel.initialize(constant=torch.tensor([MEAN_VARIANCE]))
    return kernel.double().requires_grad_(False)
