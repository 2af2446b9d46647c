"""Cells as torch modules: every edge holds the operations that it may carry."""

from collections.abc import Mapping, Sequence

import torch
from torch import nn

from bonas.networks.operations import OPERATIONS
from spaces.architecture import Choice
from spaces.cell import cell_edges, edge_name, live_edges
from spaces.graphs import NONE


class Edge(nn.Module):
    """One edge: a module for each operation that it may carry; a call uses one of them."""

    def __init__(self, operations: Sequence[Choice], channels: int) -> None:
        super().__init__()
        named = {str(o): OPERATIONS[str(o)](channels) for o in operations if o != NONE}
        self.operations = nn.ModuleDict(named)

    def forward(self, value: torch.Tensor, operation: str) -> torch.Tensor:
        """The value through the named operation; the shape stays."""
        result: torch.Tensor = self.operations[operation](value)
        return result


class Cell(nn.Module):
    """A DAG of `nodes` nodes, each the sum of its incoming edges.

    Args:
        name: The cell's name in the search space.
        options: The operations that each edge may carry, by decision.
        nodes: Number of nodes, the input included.
        channels: Channels of every value in the cell.
    """

    def __init__(
        self, name: str, options: Mapping[str, Sequence[Choice]], nodes: int, channels: int
    ) -> None:
        super().__init__()
        self.edges = nn.ModuleDict(
            {f"{i}-{j}": Edge(options[edge_name(name, i, j)], channels)
             for i, j in cell_edges(nodes)}
        )  # fmt: skip
        self._ends = cell_edges(nodes)
        self._nodes = nodes

    def forward(self, value: torch.Tensor, choices: Sequence[Choice]) -> torch.Tensor | None:
        """The last node's value, or `None` where no path reaches it.

        Args:
            value: `n x channels x h x w`.
            choices: One operation per edge, in the order of `cell_edges`.
        """
        live = live_edges(tuple(choices), self._nodes)
        states: list[torch.Tensor | None] = [value] + [None] * (self._nodes - 1)
        for (i, j), choice in zip(self._ends, choices, strict=True):
            source = states[i]
            if (i, j) not in live or source is None:
                continue
            term = self.edges[f"{i}-{j}"](source, str(choice))
            reached = states[j]
            states[j] = term if reached is None else reached + term
        return states[-1]
