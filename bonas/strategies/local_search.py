"""Local search (White, Nolen and Savani 2021): move to the first better neighbour."""

from collections.abc import Sequence

import numpy as np

from bonas.strategies.history import Estimate, History
from bonas.strategies.proposer import ArchitectureSampler
from spaces.architecture import Architecture
from spaces.space import SearchSpace, neighbours


class LocalSearchSampler(ArchitectureSampler):
    """From the best of a few random architectures to better neighbours, and from a local optimum
    to a new random start.

    Where the search stands is read off the sequence of estimates: a neighbour of the place moves
    it if it is better, any other architecture was a new start.
    """

    most_objectives = 1

    def __init__(self, space: SearchSpace, *, seed: int = 0, initial: int = 10) -> None:
        """Start from the best of `initial` random architectures."""
        super().__init__(space, seed=seed)
        if initial < 1:
            raise ValueError(f"initial is {initial}; it must be at least 1.")
        self._initial = initial

    def propose(self, history: History, *, rng: np.random.Generator) -> Architecture:
        """A random neighbour of where the search stands, or a new start."""
        if len(history.estimates) < self._initial:
            return self.draw(history, rng=rng)
        place = self._place(history.estimates)
        around = list(neighbours(self.space, place.architecture))
        for i in map(int, rng.permutation(len(around))):
            if self.is_open(around[i], history):
                return around[i]
        return self.draw(history, rng=rng)

    def _place(self, estimates: Sequence[Estimate]) -> Estimate:
        place = max(estimates[: self._initial], key=lambda e: e.values[0])
        for estimate in estimates[self._initial :]:
            if (
                _differences(place.architecture, estimate.architecture) > 1
                or estimate.values[0] > place.values[0]
            ):
                place = estimate
        return place


def _differences(first: Architecture, second: Architecture) -> int:
    return sum(a != b for a, b in zip(first.choices, second.choices, strict=True))
