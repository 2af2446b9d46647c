"""One-hot encoding: every option of every decision is a feature."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import torch

from spaces.architecture import Architecture
from spaces.space import SearchSpace, indices


@dataclass(frozen=True, slots=True)
class OneHotEncoding:
    """One feature per option, 1 where it is chosen: d is the total number of options.

    It tells every two architectures apart, also isomorphic ones: 15,625 different rows on
    NAS-Bench-201, whose cells compute 4,930 different functions.
    """

    space: SearchSpace
    sizes: tuple[int, ...] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "sizes", tuple(len(d.options) for d in self.space.decisions))

    @property
    def dimension(self) -> int:
        """The total number of options."""
        return sum(self.sizes)

    def encode(self, architectures: Sequence[Architecture]) -> torch.Tensor:
        """Zeros and ones, float64, `n x d`; the options of a decision lie side by side."""
        chosen = indices(self.space, architectures)
        starts = np.concatenate(([0], np.cumsum(self.sizes)[:-1]))
        rows = np.zeros((len(architectures), self.dimension))
        np.put_along_axis(rows, chosen + starts, 1.0, axis=1)
        return torch.from_numpy(rows)
