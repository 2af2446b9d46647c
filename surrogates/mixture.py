"""The default kernel: a learned sum over three views of an architecture.

Priors are log-normal, of scaled values and per decision or profile; a fit starts at their modes.

- Variances: mode e^-1, of path profiles e. Each view may explain the values alone or nothing of
  them; from few observations, profiles explain most (docs/engine.md).
- Hamming weights: mode e^-2, median e^-1: architectures that differ in all of six decisions are
  all but independent, in one decision still alike.
- Weights of profiles: mode 1: with the larger variance a trend over all cells that bends.
"""

from collections.abc import Callable
from functools import partial

from gpytorch.kernels import Kernel
from gpytorch.priors import LogNormalPrior

from surrogates.kernels import (
    HammingKernel,
    LinearKernel,
    SquaredExponentialKernel,
    TanimotoKernel,
    scaled,
)

VARIANCE = LogNormalPrior(0.0, 1.0)
DECISION_WEIGHT = LogNormalPrior(-1.0, 1.0)
PROFILE_VARIANCE = LogNormalPrior(2.0, 1.0)
PROFILE_WEIGHT = LogNormalPrior(0.5, 0.7)


def mixed_kernel(
    sizes: tuple[int, ...], *, paths: int, profiles: int, statistics: int = 0
) -> Callable[[], Kernel]:
    """Makes the default kernel, for one-hot features, paths, path profiles, then statistics.

    Hamming tells every two architectures apart, Tanimoto on canonical paths joins those that
    compute alike, the squared exponential on profiles generalises from the first few observations.

    Args:
        sizes: The number of options of each decision.
        paths: The number of path features; 0 leaves their kernel out.
        profiles: The number of profile features; 0 leaves their kernel out.
        statistics: The number of further statistics in [0, 1], such as ranks of zero-cost scores:
            a linear prior mean, and a squared exponential as for profiles. 0 leaves both out.
    """
    return partial(_mixed, sizes, paths=paths, profiles=profiles, statistics=statistics)


def _mixed(sizes: tuple[int, ...], *, paths: int, profiles: int, statistics: int) -> Kernel:
    """The kernel itself: a function of the module, as samplers that hold it are pickled."""
    first, second = sum(sizes), sum(sizes) + paths
    third = second + profiles
    total = scaled(HammingKernel(slice(0, first), sizes, DECISION_WEIGHT), VARIANCE)
    if paths:
        total = total + scaled(TanimotoKernel(slice(first, second)), VARIANCE)
    if profiles:
        columns = slice(second, third)
        by_profile = SquaredExponentialKernel(columns, profiles, PROFILE_WEIGHT)
        total = total + scaled(by_profile, PROFILE_VARIANCE)
    if statistics:
        columns = slice(third, third + statistics)
        by_statistics = SquaredExponentialKernel(columns, statistics, PROFILE_WEIGHT)
        total = total + scaled(LinearKernel(columns), VARIANCE)
        total = total + scaled(by_statistics, VARIANCE)
    return total.double()
