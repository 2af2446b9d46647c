"""The posterior of an exact Gaussian process, whose Cholesky factor grows by rows.

Notation, all float64, values scaled by `surrogates.scaling`:

    n   observations            X  n x d  their features      y  n  their scaled values
    N   candidates              K  n x n  prior covariance of the values, noise-free
    L   n x n  lower factor of K + noise * I                   z  n  solves L z = y

The prior mean is constant and integrated out with a N(0, 1) prior, which adds 1 to every prior
covariance (Rasmussen and Williams 2006, section 2.7) and leaves no parameter to fit.
"""

import math
from dataclasses import dataclass, replace

import torch
from botorch.models.gp_regression import SingleTaskGP
from gpytorch.constraints import GreaterThan
from gpytorch.kernels import ConstantKernel, Kernel
from gpytorch.likelihoods import GaussianLikelihood

from surrogates.kernels import dense, dense_diagonal
from surrogates.maximisation import FitFailed
from surrogates.scaling import Scale
from surrogates.surrogate import Interval, Marginals

MEAN_VARIANCE = 1.0
NOISE_FLOOR = 1e-6
"""Smallest noise variance of scaled values: keeps the factor accurate for values without."""


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
        return self._left_out()[0]

    def left_out_marginals(self) -> Marginals:
        """Of each observation, left out in turn, mean and variance of its scaled value, `n`."""
        errors, precisions = self._left_out()
        mean = self.scale(self.values) - errors / precisions.sqrt()
        return Marginals(mean, 1 / precisions)

    def _left_out(self) -> tuple[torch.Tensor, torch.Tensor]:
        identity = torch.eye(len(self.factor), dtype=torch.float64)
        inverse = torch.linalg.solve_triangular(self.factor, identity, upper=False)
        precisions = inverse.square().sum(0)  # P_ii, of the one factor L^-1 of P
        errors: torch.Tensor = (inverse.mT @ self.whitened) / precisions.sqrt()
        return errors, precisions

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
        covariance = prior_covariance(self.kernel, self.features, features)
        rows: torch.Tensor = torch.linalg.solve_triangular(self.factor, covariance, upper=False)
        return rows

    def prior_variance(self, features: torch.Tensor) -> torch.Tensor:
        """The prior variance of the scaled value at each row, `N`."""
        with torch.no_grad():
            return dense_diagonal(self.kernel, features).add(MEAN_VARIANCE)

    def covariance(self, first: torch.Tensor, second: torch.Tensor) -> torch.Tensor:
        """The prior covariance of scaled values between rows of both, `n x N`."""
        return prior_covariance(self.kernel, first, second)

    def grow(self, features: torch.Tensor, values: torch.Tensor) -> "GaussianProcessPredictor":
        """The posterior after `m` more observations, which add as many rows to the factor.

        Hyper-parameters and scale stay, so that the result equals the posterior from scratch with
        the same ones. With B = L^-1 k(X, new), transposed, the new rows are B and the factor of
        what is left of the new ones' covariance, S = k(new, new) + noise * I - B B'.
        """
        count, more = len(self.values), len(values)
        left = self.project(features).mT
        rest = self.covariance(features, features) - left @ left.mT
        rest.diagonal().add_(self.noise)
        if more == 1:  # nothing is known better than by its noise, whatever is rounded off
            corner = rest.clamp_min(self.noise).sqrt()
        else:
            corner, failed = torch.linalg.cholesky_ex(rest)
            if failed:
                half = more // 2
                first = self.grow(features[:half], values[:half])
                return first.grow(features[half:], values[half:])
        factor = torch.zeros(count + more, count + more, dtype=torch.float64)
        factor[:count, :count] = self.factor
        factor[count:, :count] = left
        factor[count:, count:] = corner
        errors = self.scale(values) - left @ self.whitened
        z = torch.linalg.solve_triangular(corner, errors.unsqueeze(-1), upper=False)[:, 0]
        return replace(
            self,
            features=torch.cat([self.features, features]),
            values=torch.cat([self.values, values]),
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


def prior_covariance(kernel: Kernel, a: torch.Tensor, b: torch.Tensor) -> torch.Tensor:
    """Of scaled values between rows of both, `n x m`, that of the mean included."""
    return dense(kernel, a, b).add(MEAN_VARIANCE)


def predictor_of(
    kernel: Kernel, noise: float, scale: Scale, features: torch.Tensor, values: torch.Tensor
) -> GaussianProcessPredictor:
    """The posterior of observations; `noise` is above the floor. The kernel is frozen.

    Raises:
        FitFailed: as `factor_of`.
    """
    kernel.requires_grad_(False)
    noise += NOISE_FLOOR
    covariance = prior_covariance(kernel, features, features)
    covariance.diagonal().add_(noise)
    factor = factor_of(covariance).contiguous()  # LAPACK's layout has other last bits later on
    whitened = torch.linalg.solve_triangular(factor, scale(values).unsqueeze(-1), upper=False)
    return GaussianProcessPredictor(
        kernel, noise, scale, features, values, factor, whitened.squeeze(-1)
    )


def factor_of(covariance: torch.Tensor) -> torch.Tensor:
    """The lower Cholesky factor, `n x n`.

    Raises:
        FitFailed: the covariance is not positive definite.
    """
    factor: torch.Tensor
    factor, failed = torch.linalg.cholesky_ex(covariance)
    if failed:
        raise FitFailed(f"the covariance of {len(covariance)} observations has no factor.")
    return factor


def _constant_kernel() -> Kernel:
    kernel = ConstantKernel()
    kernel.initialize(constant=torch.tensor([MEAN_VARIANCE]))
    return kernel.double().requires_grad_(False)
