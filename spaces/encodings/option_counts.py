"""Option counts: how many decisions of a cell chose each operation."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import torch

from spaces.architecture import Architecture, Choice
from spaces.space import SearchSpace, from_indices, indices

Group = tuple[tuple[int, ...], int]
"""Positions of decisions with equal options in one cell, and the number of their options."""


@dataclass(frozen=True, slots=True)
class OptionCountsEncoding:
    """One feature per option of each group: the share of the group's decisions that chose it.

    A group is the decisions of one cell that have the same options; a decision alone in its group
    is left out (one-hot features say the same). With few observations, how many convolutions a
    cell has says more of its value than where they are.

    It cannot tell apart architectures that only exchange operations within a cell: 210 different
    rows on NAS-Bench-201. Dead branches count, so that isomorphic architectures may differ.
    """

    space: SearchSpace
    _groups: tuple[Group, ...] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        graph = self.space.graph(from_indices(self.space, [0] * len(self.space.decisions)))
        cells = {d: graph.nodes[n].get("cell") for n, d in graph.nodes(data="decision") if d}
        groups: dict[tuple[object, tuple[Choice, ...]], list[int]] = {}
        for position, decision in enumerate(self.space.decisions):
            shared = (cells.get(decision.name), decision.options)
            groups.setdefault(shared, []).append(position)
        found = tuple(
            (tuple(positions), len(options))
            for (_, options), positions in groups.items()
            if len(positions) > 1
        )
        object.__setattr__(self, "_groups", found)

    @property
    def dimension(self) -> int:
        """The number of options over all groups; 0 where every decision is alone."""
        return sum(options for _, options in self._groups)

    def encode(self, architectures: Sequence[Architecture]) -> torch.Tensor:
        """Shares in [0, 1], float64, `n x d`."""
        chosen = indices(self.space, architectures)
        blocks = [np.empty((len(architectures), 0))]
        for positions, options in self._groups:
            equal = chosen[:, positions, None] == np.arange(options)
            blocks.append(equal.mean(1, dtype=np.float64))
        return torch.from_numpy(np.concatenate(blocks, axis=1))
