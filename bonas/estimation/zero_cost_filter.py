"""A filter of candidates: only those that a zero-cost proxy ranks high are worth an estimate."""

import math
from collections.abc import Callable

import numpy as np

from bonas.estimation.supernet import uniform_paths
from bonas.estimation.zero_cost import ZeroCostEstimator
from spaces.architecture import Architecture
from spaces.graphs import canonical_key

REFERENCE = 100
"""Random architectures by which the filter learns what a high score is."""


class ZeroCostFilter:
    """Holds for the architectures whose proxy is among the highest of what may be proposed.

    A proxy's scale means nothing by itself: the threshold is a quantile of random architectures'
    scores. Set it as a sampler's `promising`.

    Args:
        estimator: Scores untrained networks.
        share: Of the random architectures that pass, in (0, 1].
        seed: Of the random architectures and of all networks' initial weights.
        reference: How many random architectures.
        draw: Of these; uniformly from the space unless given. Where limits leave little of it, what
            is high among all is seldom within them: draw what they allow.
        progress: Called with (random architectures scored, in all).

    Raises:
        ValueError: the share is outside its range, or no random architecture has a score.
    """

    def __init__(
        self,
        estimator: ZeroCostEstimator,
        *,
        share: float = 0.5,
        seed: int = 0,
        reference: int = REFERENCE,
        draw: Callable[[np.random.Generator], Architecture] | None = None,
        progress: Callable[[int, int], None] | None = None,
    ) -> None:
        if not 0 < share <= 1:
            raise ValueError(f"share is {share}; it must lie in (0, 1].")
        self._estimator, self._seed = estimator, seed
        self._scores: dict[str, float] = {}
        rng = np.random.default_rng(np.random.SeedSequence([seed]))
        draw = draw or uniform_paths(estimator.builder.space)
        scores = []
        for done in range(1, reference + 1):
            scores.append(self.score(draw(rng)))
            if progress is not None:
                progress(done, reference)
        finite = [s for s in scores if math.isfinite(s)]
        if not finite:
            raise ValueError(
                f"{estimator.proxy} is not finite for any of {len(scores)} random architectures "
                f"of the space {estimator.builder.space.name!r}; choose another proxy."
            )
        self.threshold = float(np.quantile(finite, 1 - share))

    def __call__(self, architecture: Architecture) -> bool:
        """Whether the architecture's score reaches the threshold."""
        return self.score(architecture) >= self.threshold

    def score(self, architecture: Architecture) -> float:
        """The proxy, computed once per canonical key; minus infinity where it is not finite."""
        key = canonical_key(self._estimator.builder.space.graph(architecture))
        if key not in self._scores:
            self._scores[key] = self._estimator.score(architecture, seed=self._seed)
        return self._scores[key]
