"""The posterior of a fixed pool of candidates, grown one observation at a time.

With L, z and k as in `surrogates.predictor`, let R = L^-1 k(X, pool), `n x N`. Then the
pool's mean is R' z and its variance k(pool) - column sums of R^2. A new observation adds a row to
R, hence one term to each: O(nN) instead of O(n^2 N), which is what keeps a suggestion over all
15,625 architectures of NAS-Bench-201 at milliseconds.
"""

import torch

from surrogates.predictor import GaussianProcessPredictor
from surrogates.surrogate import Marginals


class PoolPosterior:
    """Mean and variance of scaled values over a pool, for each number of observations so far.

    It holds the rows of R of the predictor's observations and appends to them; `forget` drops
    the latest rows. Bits depend on which observations were appended together, and on nothing else:
    not on what was appended and forgotten before.
    """

    def __init__(self, predictor: GaussianProcessPredictor, pool: torch.Tensor) -> None:
        """Start from a predictor's observations; `pool` is `N x d`, float64."""
        count = len(predictor.values)
        self._pool = pool
        self._predictor = predictor
        self._rows = torch.empty(count + 64, len(pool), dtype=torch.float64)
        self._rows[:count] = predictor.project(pool)
        self._means = [self._rows[:count].mT @ predictor.whitened]
        self._variances = [predictor.prior_variance(pool) - self._rows[:count].square().sum(0)]

    @property
    def predictor(self) -> GaussianProcessPredictor:
        """The Gaussian process with the observations so far."""
        return self._predictor

    @property
    def grown(self) -> int:
        """The number of observations appended since the start."""
        return len(self._means) - 1

    @property
    def marginals(self) -> Marginals:
        """Mean and variance of scaled values, `N` each."""
        return Marginals(self._means[-1], self._variances[-1].clamp_min(1e-12))

    def grow(self, features: torch.Tensor, values: torch.Tensor) -> None:
        """Append observations: features `m x d`, values `m` in their own units."""
        before, count = self._predictor, len(self._predictor.values)
        self._predictor = after = before.grow(features, values)
        while count + len(values) > len(self._rows):
            self._rows = torch.cat([self._rows, torch.empty_like(self._rows)])
        rows = before.covariance(features, self._pool)
        rows -= after.factor[count:, :count] @ self._rows[:count]
        rows = torch.linalg.solve_triangular(after.factor[count:, count:], rows, upper=False)
        self._rows[count : count + len(values)] = rows
        for row, z in zip(rows, after.whitened[count:], strict=True):
            self._means.append(self._means[-1] + row * z)
            self._variances.append(self._variances[-1] - row.square())

    def forget(self, count: int) -> None:
        """Drop the latest `count` observations that were appended."""
        if not 0 <= count <= self.grown:
            raise ValueError(f"count is {count}; it must lie in [0, {self.grown}].")
        keep = self.grown + 1 - count
        del self._means[keep:], self._variances[keep:]
        self._predictor = self._predictor.head(len(self._predictor.values) - count)
