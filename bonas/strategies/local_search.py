"""Local search (White, Nolen and Savani 2021): move to the first better neighbour."""

import numpy as np

from bonas.strategies.history import Estimate, History
from bonas.strategies.proposer import ArchitectureSampler
from spaces.architecture import Architecture
from spaces.space import SearchSpace, connects, neighbours


class LocalSearchSampler(ArchitectureSampler):
    """From the best of a few random architectures to better neighbours, and from a local optimum
    to a new random start.

    Where the search stands is read off the sequence of estimates: a better one moves it, and once
    all neighbours of the place were estimated before, any one does: it was a new start. With
    several workers, neighbours of earlier places and starts that were drawn side by side come in
    between; they are no starts as long as the place has neighbours to look at.
    """

    most_objectives = 1

    def __init__(self, space: SearchSpace, *, seed: int = 0, initial: int = 10) -> None:
        """Start from the best of `initial` random architectures."""
        super().__init__(space, seed=seed)
        if initial < 1:
            raise ValueError(f"initial is {initial}; it must be at least 1.")
        self._initial = initial
        self._connected: dict[Architecture, list[tuple[Architecture, str]]] = {}

    def propose(self, history: History, *, rng: np.random.Generator) -> Architecture:
        """A random neighbour of where the search stands, or a new start."""
        if len(history.estimates) < self._initial:
            return self.draw(history, rng=rng)
        place = self._place(history)
        around = list(neighbours(self.space, place.architecture))
        for i in map(int, rng.permutation(len(around))):
            if self.is_open(around[i], history):
                return around[i]
        return self.draw(history, rng=rng)

    def _place(self, history: History) -> Estimate:
        keys = [self.reader.key(e.architecture) for e in history.estimates]
        # Failed ones are of no place and counted out at once. Pending ones may still move it.
        failed = history.taken - set(keys) - {self.reader.key(a) for a in history.pending}
        place = max(history.estimates[: self._initial], key=lambda e: e.values[0])
        left = self._around(place) - failed - set(keys[: self._initial])
        for number in range(self._initial, len(keys)):
            estimate = history.estimates[number]
            if not left or estimate.values[0] > place.values[0]:
                place = estimate
                left = self._around(place) - failed - set(keys[: number + 1])
            else:
                left.discard(keys[number])
        return place

    def _around(self, place: Estimate) -> set[str]:
        """The canonical keys of the neighbours that may ever be proposed."""
        found = self._connected.get(place.architecture)
        if found is None:
            near = neighbours(self.space, place.architecture)
            found = [(n, self.reader.key(n)) for n in near if connects(self.space, n)]
            self._connected[place.architecture] = found
        return {key for near, key in found if self.allowed is None or self.allowed(near)}
