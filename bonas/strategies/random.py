"""Random search: the rival that every strategy has to beat."""

import numpy as np

from bonas.strategies.history import History
from bonas.strategies.proposer import ArchitectureSampler
from spaces.architecture import Architecture


class RandomSampler(ArchitectureSampler):
    """Uniform draws without repetition (Li and Talwalkar 2020)."""

    def propose(self, history: History, *, rng: np.random.Generator) -> Architecture:
        """A uniform draw among the architectures that may be proposed."""
        return self.draw(history, rng=rng)
