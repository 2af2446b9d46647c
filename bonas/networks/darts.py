"""Networks of the `darts` space as published for CIFAR-10 (Liu et al. 2019, section 3.1)."""

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import nn

from bonas.networks.cells import Mixture
from bonas.networks.heads import full_precision
from bonas.networks.operations import AveragePool2d, DilatedDepthwiseConv2d
from spaces.architecture import Architecture, Choice
from spaces.darts import CELLS, DARTS, NODES, Edge, source_pairs
from spaces.graphs import NONE, SKIP

Slots = Mapping[tuple[int, int], Sequence[str]]
"""The operations that an edge (source, target) may carry."""

MixedEdge = tuple[int, int, Mixture]
"""Source and target state, and what the edge carries."""


@dataclass(frozen=True, slots=True)
class RelaxedCells:
    """Stands where the network expects an architecture: mixtures on all edges, by cell."""

    edges: Mapping[str, Sequence[MixedEdge]]


class DartsNetwork(nn.Module):
    """Stem, cells with a reduction cell at one and two thirds of the depth, average pooling.

    Args:
        slots: The operations that each edge may carry, by cell; see `slots_of`.
        width: Channels of a node in the first cells; reduction cells double them.
        cells: How many cells.
        outputs: Numbers given out per image: 1 for a detector, which are then `n` logits.
        stem: Channels of the stem over `width`.
    """

    def __init__(
        self,
        slots: Mapping[str, Slots],
        *,
        width: int = 16,
        cells: int = 8,
        outputs: int = 1,
        stem: int = 3,
    ) -> None:
        super().__init__()
        channels = stem * width
        self.stem = nn.Sequential(
            nn.Conv2d(3, channels, 3, padding=1, bias=False), nn.BatchNorm2d(channels)
        )
        self.cells = nn.ModuleList()
        older = newer = channels
        reduced_before = False
        for number in range(cells):
            reduces = number in (cells // 3, 2 * cells // 3)
            width *= 2 if reduces else 1
            self.cells.append(
                DartsCell(
                    slots[CELLS[1] if reduces else CELLS[0]],
                    older,
                    newer,
                    width,
                    reduces=reduces,
                    reduced_before=reduced_before,
                )
            )
            older, newer, reduced_before = newer, NODES * width, reduces
        self.outputs = nn.Linear(newer, outputs)

    def forward(
        self, images: torch.Tensor, architecture: Architecture | RelaxedCells
    ) -> torch.Tensor:
        """Logits, `n`, of normalised images, `n x 3 x h x w`; several outputs are columns."""
        edges: Mapping[str, Sequence[Edge | MixedEdge]]
        if isinstance(architecture, RelaxedCells):
            edges = architecture.edges
        else:
            edges = DARTS.edges(architecture)
        older = newer = self.stem(images)
        for cell in self.cells:
            assert isinstance(cell, DartsCell)
            older, newer = newer, cell(older, newer, edges[CELLS[1] if cell.reduces else CELLS[0]])
        result = full_precision(self.outputs, newer.mean(dim=(2, 3)))
        return result.squeeze(1) if result.shape[1] == 1 else result


class DartsCell(nn.Module):
    """Four nodes behind the outputs of the two cells before; the output concatenates the nodes."""

    def __init__(
        self,
        slots: Slots,
        older: int,
        newer: int,
        channels: int,
        *,
        reduces: bool,
        reduced_before: bool,
    ) -> None:
        super().__init__()
        self.reduces = reduces
        self.older = _Halving(older, channels) if reduced_before else _pointwise(older, channels)
        self.newer = _pointwise(newer, channels)
        self.edges = nn.ModuleDict()
        for (source, target), operations in slots.items():
            stride = 2 if reduces and source < 2 else 1
            self.edges[f"{source}-{target}"] = nn.ModuleDict(
                {name: _operation(name, channels, stride) for name in operations}
            )

    def forward(
        self, older: torch.Tensor, newer: torch.Tensor, edges: Sequence[Edge | MixedEdge]
    ) -> torch.Tensor:
        """`n x 4 channels x h x w`, halved by a reduction cell; zero where a node has no input.

        What has no input is left out rather than computed from zeros: a batch norm of zeros
        multiplies gradients by 300, and a few in a row overflow.
        """
        states: list[torch.Tensor | None] = [self.older(older), self.newer(newer)]
        for node in range(NODES):
            reached: torch.Tensor | None = None
            for source, target, operation in edges:
                state = states[source] if target == node + 2 and operation != NONE else None
                if state is not None:
                    carried = self.edges[f"{source}-{target}"]
                    assert isinstance(carried, nn.ModuleDict)
                    term: torch.Tensor | None = (
                        operation(carried, state)
                        if isinstance(operation, Mixture)
                        else carried[operation](state)
                    )
                    if term is not None:
                        reached = term if reached is None else reached + term
            states.append(reached)
        live = [state for state in states[2:] if state is not None]
        if not live:
            raise ValueError(
                "no path leads through a cell; draw another architecture (spaces.space.connects "
                "tells)."
            )
        empty = torch.zeros_like(live[0])
        return torch.cat([empty if state is None else state for state in states[2:]], dim=1)


class _Halving(nn.Module):
    """Half the resolution: two pointwise convolutions on pixels of different parity."""

    def __init__(self, channels_in: int, channels_out: int) -> None:
        super().__init__()
        half = channels_out // 2
        self.relu = nn.ReLU()
        self.even = nn.Conv2d(channels_in, half, 1, stride=2, bias=False)
        self.odd = nn.Conv2d(channels_in, channels_out - half, 1, stride=2, bias=False)
        self.norm = nn.BatchNorm2d(channels_out)

    def forward(self, value: torch.Tensor) -> torch.Tensor:
        """`n x channels_in x h x w` to `n x channels_out x h/2 x w/2`, rounded up."""
        value = self.relu(value)
        # The odd pixels as the published code takes them; an odd edge has one fewer of them.
        shifted = nn.functional.pad(value[:, :, 1:, 1:], (0, 1, 0, 1))
        result: torch.Tensor = self.norm(torch.cat([self.even(value), self.odd(shifted)], dim=1))
        return result


def slots_of(options: Mapping[str, Sequence[Choice]]) -> dict[str, Slots]:
    """The slots of each cell that the options of the decisions can fill.

    Args:
        options: One each for a stand-alone network, all of them for a supernet.
    """
    return {cell: _slots(cell, options) for cell in CELLS}


def _slots(cell: str, options: Mapping[str, Sequence[Choice]]) -> Slots:
    found: dict[tuple[int, int], list[str]] = {}
    for node in range(NODES):
        pairs = options.get(f"{cell}/{node}/sources", source_pairs(node)[:1])
        for pair, (position, slot) in itertools.product(pairs, enumerate(("first", "second"))):
            source = int(str(pair).split("-")[position])
            carried = found.setdefault((source, node + 2), [])
            for option in options[f"{cell}/{node}/{slot}"]:
                if option != NONE and option not in carried:
                    carried.append(str(option))
    return found


def _pointwise(channels_in: int, channels_out: int) -> nn.Module:
    return nn.Sequential(
        nn.ReLU(), nn.Conv2d(channels_in, channels_out, 1, bias=False), nn.BatchNorm2d(channels_out)
    )


def _operation(name: str, channels: int, stride: int) -> nn.Module:
    if name == SKIP:
        return nn.Identity() if stride == 1 else _Halving(channels, channels)
    if name == "max_pool_3x3":
        return nn.MaxPool2d(3, stride, padding=1)
    if name == "avg_pool_3x3":
        return AveragePool2d(stride)
    kernel = 5 if "5x5" in name else 3
    if name.startswith("dil_conv"):
        return _separable(channels, kernel, stride, dilated=True)
    return nn.Sequential(_separable(channels, kernel, stride), _separable(channels, kernel, 1))


def _separable(channels: int, kernel: int, stride: int, *, dilated: bool = False) -> nn.Module:
    depthwise = (
        DilatedDepthwiseConv2d(channels, kernel, stride)
        if dilated
        else nn.Conv2d(channels, channels, kernel, stride, kernel // 2, groups=channels, bias=False)
    )
    return nn.Sequential(
        nn.ReLU(),
        depthwise,
        nn.Conv2d(channels, channels, 1, bias=False),
        nn.BatchNorm2d(channels),
    )
