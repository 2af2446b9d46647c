"""Belief: the Gaussian process of a sequence of observations, the same however it came about.

Hyper-parameters are fitted to the first `REFITS` observations only, always from the kernel's
start; later observations grow the factor, every `BLOCK` of them at once, those behind the last
whole block by rows. The posterior is therefore a function of the sequence, to the last bit, and
what is kept here between calls is a cache.
"""

import itertools
import logging
from collections.abc import Iterator, Sequence
from dataclasses import replace

import torch

from spaces.architecture import Architecture
from surrogates.gaussian_process import GaussianProcess
from surrogates.maximisation import FitFailed
from surrogates.pool import PoolPosterior
from surrogates.predictor import GaussianProcessPredictor

_log = logging.getLogger(__name__)

REFITS = (
    *range(1, 30, 3),
    *range(30, 100, 10),
    *range(100, 300, 25),
    *range(300, 1_000, 100),
)
"""Numbers of observations at which hyper-parameters are fitted: often while each observation
changes them, later about every tenth part."""
BLOCK = 32
"""Observations that grow the factor at once: by rows, a hundred take longer than the fit, almost
all of it memory traffic. Longer than what lies between two fits while a suggestion takes
milliseconds, in which nothing is then grown twice."""


Believed = tuple[Architecture, float]


def last_refit(count: int) -> int:
    """The latest fit at or before `count` observations; beyond 1,000 every 500th."""
    if count >= 1_000:
        return count - count % 500
    return int(max(c for c in REFITS if c <= count))


class Belief:
    """Posteriors of growing sequences of observations over one pool, which may be empty."""

    def __init__(self, surrogate: GaussianProcess, pool: torch.Tensor) -> None:
        """Believe with `surrogate`; `pool` is `N x d`, float64."""
        self._surrogate = surrogate
        self._pool = pool
        self._noise = surrogate.noise_variance
        self._fitted: list[Believed] = []
        self._grown: list[Believed] = []
        self._posterior: PoolPosterior | None = None

    def __reduce__(self) -> tuple[type["Belief"], tuple[GaussianProcess, torch.Tensor]]:
        """Without what was fitted, which is fitted again."""
        return Belief, (self._surrogate, self._pool)

    def posterior(
        self,
        observed: Sequence[Believed],
        features: torch.Tensor,
        pending: torch.Tensor,
        *,
        noise_variance: float | None = None,
    ) -> PoolPosterior:
        """The posterior of a sequence of at least one observation.

        Pending and failed architectures are believed to get their posterior median (Kriging
        believer, Ginsbourger et al. 2010), which leaves all means and lowers the variance around
        them.

        Args:
            observed: Architectures and values, in the order in which they are believed.
            features: Their features, `n x d`.
            pending: Features of architectures without a value, `p x d`.
            noise_variance: Of an observed value, in its units, squared, a function of those that
                are fitted to (`last_refit`); the surrogate's own where it is `None`.
        """
        noise = self._surrogate.noise_variance if noise_variance is None else noise_variance
        start = last_refit(len(observed))
        base, rest = list(observed[:start]), list(observed[start:])
        if base != self._fitted or noise != self._noise or self._posterior is None:
            values = _tensor([value for _, value in base])
            self._noise = noise
            predictor = self._fit(values, features[:start])
            self._posterior = PoolPosterior(predictor, self._pool)
            self._fitted, self._grown = base, []
        posterior = self._posterior
        same = _kept(self._grown, rest)
        posterior.forget(posterior.grown - same)
        more, later = _tensor([value for _, value in rest]), features[start:]
        for first, end in itertools.pairwise([*_ends(same, len(rest))]):
            posterior.grow(later[first:end], more[first:end])
        self._grown = rest
        if len(pending) > 0:  # at once: no median moves for what is believed of the others
            predictor = posterior.predictor
            believed = predictor.scale.inverse(predictor.scaled_marginals(pending).mean)
            posterior.grow(pending, believed)
        return posterior

    def _fit(self, values: torch.Tensor, features: torch.Tensor) -> GaussianProcessPredictor:
        """Fitted to the observations, or as after the last fit that succeeded."""
        surrogate = replace(self._surrogate, noise_variance=self._noise)
        try:
            return surrogate.fit(features, values)
        except FitFailed as failure:
            _log.warning(
                "the fit to %d observations failed: %s Going on with the hyper-parameters of the "
                "last fit that succeeded.",
                len(values),
                failure,
            )
        if len(values) == 1:
            return surrogate.unfitted(features, values)
        before = last_refit(len(values) - 1)
        return self._fit(values[:before], features[:before]).grow(
            features[before:], values[before:]
        )


def _kept(grown: Sequence[Believed], wanted: Sequence[Believed]) -> int:
    """How many of those that were grown stay as they are: the first ones that both have, in equal
    blocks."""
    pairs = itertools.takewhile(lambda p: p[0] == p[1], zip(grown, wanted, strict=False))
    same = sum(1 for _ in pairs)
    blocks = [len(sequence) // BLOCK for sequence in (grown, wanted)]
    common = same // BLOCK
    return same if blocks == [common, common] else min(common, *blocks) * BLOCK


def _ends(start: int, end: int) -> Iterator[int]:
    """From where what is grown at once begins, `start`, to where the last one ends."""
    yield start
    for i in range(start + 1, end + 1):
        if i % BLOCK == 0 or i > end - end % BLOCK:
            yield i


def _tensor(values: list[float]) -> torch.Tensor:
    return torch.tensor(values, dtype=torch.float64)
