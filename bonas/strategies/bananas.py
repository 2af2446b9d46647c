"""BANANAS as published (White, Neiswanger and Savani 2021)."""

import numpy as np
import torch

from bonas.strategies.acquisition import independent_thompson
from bonas.strategies.history import Estimate, History
from bonas.strategies.proposer import ArchitectureSampler
from spaces.architecture import Architecture
from spaces.encodings.encoding import Encoding
from spaces.encodings.onehot import OneHotEncoding
from spaces.encodings.paths import PathEncoding
from spaces.space import SearchSpace, mutate
from surrogates.ensemble import DeepEnsemble

INITIAL = 10
BATCH = 10
CANDIDATES = 100
PARENTS = 10


class BananasSampler(ArchitectureSampler):
    """An ensemble of networks on paths, independent Thompson sampling over mutations.

    Every ten estimates the ensemble is trained anew; the ten architectures of highest draw among
    mutations of the best are proposed until the next training (algorithm 1 of the paper).
    """

    most_objectives = 1

    def __init__(
        self,
        space: SearchSpace,
        *,
        seed: int = 0,
        features: int | None = None,
        surrogate: DeepEnsemble | None = None,
    ) -> None:
        """Keep `features` paths, or all where `None`; decisions where paths say nothing more.

        The paper's truncated encoding (section 4) is the one with fewer features than paths.
        """
        super().__init__(space, seed=seed)
        paths = PathEncoding(space, features)
        self._encoding: Encoding = paths if paths.dimension else OneHotEncoding(space)
        self._surrogate = surrogate or DeepEnsemble()
        self._ranked: tuple[tuple[Estimate, ...], list[Architecture]] = ((), [])

    def propose(self, history: History, *, rng: np.random.Generator) -> Architecture:
        """The best-ranked architecture of the current batch that is still open."""
        known = len(history.estimates)
        if known < INITIAL:
            return self.draw(history, rng=rng)
        seen = history.estimates[: known - (known - INITIAL) % BATCH]
        if seen != self._ranked[0]:
            self._ranked = (seen, self._rank(seen))
        for architecture in self._ranked[1]:
            if self.is_open(architecture, history):
                return architecture
        return self.draw(history, rng=rng)

    def _rank(self, seen: tuple[Estimate, ...]) -> list[Architecture]:
        rng = np.random.default_rng(np.random.SeedSequence([self.seed, len(seen), 1]))
        generator = torch.Generator().manual_seed(int(rng.integers(2**62)))
        values = torch.tensor([e.values[0] for e in seen], dtype=torch.float64)
        architectures = [e.architecture for e in seen]
        predictor = self._surrogate.fit(
            self._encoding.encode(architectures), values, generator=generator
        )
        best = sorted(seen, key=lambda e: -e.values[0])[:PARENTS]
        known = set(architectures)
        pool: dict[Architecture, None] = {}
        for parent in best:
            for _ in range(2 * CANDIDATES // PARENTS):
                child = mutate(self.space, parent.architecture, rng=rng)
                if child not in known:
                    pool.setdefault(child)
        candidates = list(pool)
        if not candidates:  # a table's last rows
            return []
        scores = independent_thompson(
            predictor.marginals(self._encoding.encode(candidates)), generator=generator
        )
        return [candidates[i] for i in torch.argsort(scores, descending=True).tolist()]
