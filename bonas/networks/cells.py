"""Cells as torch modules: every edge holds the operations that it may carry."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import nn
from torch.nn import functional

from bonas.networks.operations import OPERATIONS, CentralDifference
from spaces.architecture import Choice
from spaces.cell import cell_edges, edge_name, live_edges
from spaces.graphs import NONE


@dataclass(frozen=True, slots=True)
class Mixture:
    """Operations with a weight each, to be used in the place of one (`bonas.networks.relaxation`).

    Attributes:
        weights: Of each option, scalars.
        skip_dropout: Share of a skip's elements that are set to zero (Chen et al. 2019, section
            3.4.1): skips learn fastest and would win before the others can show what they do.
    """

    weights: Mapping[Choice, torch.Tensor]
    skip_dropout: float = 0.0

    def __call__(
        self,
        operations: nn.ModuleDict,
        value: torch.Tensor,
        theta: float | torch.Tensor | None = None,
    ) -> torch.Tensor | None:
        """The weighted sum of the operations' results; `None` where only `none` is mixed.

        Args:
            operations: By name.
            value: `n x channels x h x w`.
            theta: Of central difference convolutions among them; their own unless given.
        """
        total: torch.Tensor | None = None
        for choice, weight in self.weights.items():
            name = str(choice)
            if name == NONE:
                continue
            operation = operations[name]
            differs = theta is not None and isinstance(operation, CentralDifference)
            term = operation(value, theta) if differs else operation(value)
            if isinstance(operation, nn.AvgPool2d | nn.MaxPool2d):
                # Of unit variance, as the convolutions' results are behind their batch norms: else
                # a weight would also have to make up for a difference of scale.
                term = functional.batch_norm(term, None, None, training=True)
            # A reduction cell's skip from an input is a convolution.
            if self.skip_dropout and isinstance(operation, nn.Identity):
                term = functional.dropout(term, self.skip_dropout)
            total = weight * term if total is None else total + weight * term
        return total


@dataclass(frozen=True, slots=True)
class RelaxedChoices:
    """Stands where networks expect an architecture: a mixture for each decision, in their order."""

    choices: tuple[Mixture, ...]


class Edge(nn.Module):
    """One edge: a module for each operation that it may carry; a call uses one of them."""

    def __init__(self, operations: Sequence[Choice], channels: int) -> None:
        super().__init__()
        named = {str(o): OPERATIONS[str(o)](channels) for o in operations if o != NONE}
        self.operations = nn.ModuleDict(named)

    def forward(
        self,
        value: torch.Tensor,
        operation: Choice | Mixture,
        theta: float | torch.Tensor | None = None,
    ) -> torch.Tensor | None:
        """The value through the named operation or a mixture of them; the shape stays.

        Args:
            value: `n x channels x h x w`.
            operation: Which one.
            theta: Of a central difference convolution; its own unless given.
        """
        if isinstance(operation, Mixture):
            return operation(self.operations, value, theta)
        module = self.operations[str(operation)]
        differs = theta is not None and isinstance(module, CentralDifference)
        result: torch.Tensor = module(value, theta) if differs else module(value)
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

    def forward(
        self,
        value: torch.Tensor,
        choices: Sequence[Choice | Mixture],
        theta: float | torch.Tensor | None = None,
    ) -> torch.Tensor | None:
        """The last node's value, or `None` where no path reaches it.

        Args:
            value: `n x channels x h x w`.
            choices: One operation per edge, or a mixture, in the order of `cell_edges`.
            theta: Of the cell's central difference convolutions; their own unless given.
        """
        live = live_edges(choices, self._nodes)
        states: list[torch.Tensor | None] = [value] + [None] * (self._nodes - 1)
        for (i, j), choice in zip(self._ends, choices, strict=True):
            source = states[i]
            if (i, j) not in live or source is None:
                continue
            term = self.edges[f"{i}-{j}"](source, choice, theta)
            reached = states[j]
            if term is not None:
                states[j] = term if reached is None else reached + term
        return states[-1]
