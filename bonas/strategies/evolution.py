"""Regularised evolution (Real, Aggarwal, Huang and Le 2019)."""

import numpy as np

from bonas.strategies.history import History
from bonas.strategies.proposer import ArchitectureSampler
from spaces.architecture import Architecture
from spaces.space import SearchSpace, mutate

ATTEMPTS = 200
"""Tournaments whose child is taken already before the strategy draws at random."""


class RegularisedEvolutionSampler(ArchitectureSampler):
    """The latest architectures are the population; the best of a tournament has a child.

    A child differs from its parent in one decision. Ageing removes the oldest, not the worst
    (Real et al. 2019, algorithm 1). The defaults are those of NASLib for tabular benchmarks.
    """

    most_objectives = 1

    def __init__(
        self, space: SearchSpace, *, seed: int = 0, population: int = 30, tournament: int = 10
    ) -> None:
        """Evolve `population` architectures; parents win against `tournament - 1` others."""
        super().__init__(space, seed=seed)
        if not 1 <= tournament <= population:
            raise ValueError(
                f"tournament is {tournament} and population {population}; "
                "they must satisfy 1 <= tournament <= population."
            )
        self._population = population
        self._tournament = tournament

    def propose(self, history: History, *, rng: np.random.Generator) -> Architecture:
        """A child of a tournament's winner, or a uniform draw until the population is full."""
        alive = history.estimates[-self._population :]
        if len(alive) < self._population:
            return self.draw(history, rng=rng)
        for _ in range(ATTEMPTS):
            chosen = rng.choice(len(alive), size=self._tournament, replace=False)
            parent = max((alive[i] for i in chosen), key=lambda e: e.values[0])
            child = mutate(self.space, parent.architecture, rng=rng)
            if self.is_open(child, history):
                return child
        return self.draw(history, rng=rng)
