"""The default kernel: a learned sum over three views of an architecture.

Priors are log-normal, of scaled values and per decision or share; a fit starts at their modes.

- Variances: mode e^-1. Each view may explain the values alone or nothing of them.
- Hamming weights: mode e^-2, median e^-1: architectures that differ in all of six decisions are
  all but independent, in one decision still alike.
- Weights of shares: mode 1, median e: a cell in which every second operation differs is far away.
"""

from collections.abc import Callable

from gpytorch.kernels import Kernel
from gpytorch.priors import LogNormalPrior

from surrogates.kernels import HammingKernel, SquaredExponentialKernel, TanimotoKernel, scaled

VARIANCE = LogNormalPrior(0.0, 1.0)
DECISION_WEIGHT = LogNormalPrior(-1.0, 1.0)
SHARE_WEIGHT = LogNormalPrior(1.0, 1.0)


def mixed_kernel(sizes: tuple[int, ...], *, paths: int, shares: int) -> Callable[[], Kernel]:
    """Makes the default kernel, for one-hot features, then paths, then shares of options.

    Hamming tells every two architectures apart, Tanimoto on canonical paths joins those that
    compute alike, the squared exponential on shares generalises from the first few observations.

    Args:
        sizes: The number of options of each decision.
        paths: The number of path features; 0 leaves their kernel out.
        shares: The number of shares; 0 leaves their kernel out.
    """
    first, second = sum(sizes), sum(sizes) + paths

    def kernel() -> Kernel:
        total = scaled(HammingKernel(slice(0, first), sizes, DECISION_WEIGHT), VARIANCE)
        if paths:
            total = total + scaled(TanimotoKernel(slice(first, second)), VARIANCE)
        if shares:
            columns = slice(second, second + shares)
            by_shares = SquaredExponentialKernel(columns, shares, SHARE_WEIGHT)
            total = total + scaled(by_shares, VARIANCE)
        return total.double()

    return kernel
