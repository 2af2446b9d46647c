"""Continuous relaxation of cell spaces: every edge carries a weighted sum of its operations.

Liu et al. (2019), equation 2: the weights are a softmax over an edge's strengths, which are learned
by gradient beside the operations' own weights. A relaxed network is the supernet of its builder,
called with mixtures in the place of operations.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

import torch
from torch import nn
from torch.nn import functional

from bonas.networks.builder import DartsBuilder, NetworkBuilder, seeded
from bonas.networks.cells import Mixture, RelaxedChoices
from bonas.networks.darts import DartsNetwork, RelaxedCells
from bonas.networks.operations import OPERATIONS
from spaces.architecture import Architecture, Choice
from spaces.darts import CELLS, NODES, source_pairs
from spaces.graphs import NONE
from spaces.space import connects

Strengths = Mapping[str, Mapping[str, float]]
"""The softmax weight of each operation, by slot."""

START_DEVIATION = 1e-3


class Relaxation(Protocol):
    """How the networks of a builder are relaxed, and what is derived from learned strengths."""

    @property
    def builder(self) -> NetworkBuilder:
        """Of the space."""

    @property
    def slots(self) -> Mapping[str, tuple[str, ...]]:
        """The operations that each edge may carry."""

    def build(self, kept: Mapping[str, Sequence[str]]) -> nn.Module:
        """A network whose slots hold these operations; initialised by torch's RNG."""

    def relaxed(self, mixtures: Mapping[str, Mixture]) -> RelaxedChoices | RelaxedCells:
        """What the network is called with in the place of an architecture."""

    def derive(self, strengths: Strengths) -> Architecture:
        """The discrete architecture of the strongest operations."""


@dataclass(frozen=True, slots=True)
class EdgeRelaxation:
    """For spaces in which each decision is the operation on an edge."""

    builder: NetworkBuilder

    @property
    def slots(self) -> Mapping[str, tuple[str, ...]]:
        """One per decision."""
        return {d.name: tuple(map(str, d.options)) for d in self.builder.space.decisions}

    def build(self, kept: Mapping[str, Sequence[str]]) -> nn.Module:
        """The builder's network with fewer options."""
        return self.builder.build(kept)

    def relaxed(self, mixtures: Mapping[str, Mixture]) -> RelaxedChoices:
        """The mixtures in the order of the decisions."""
        return RelaxedChoices(tuple(mixtures[d.name] for d in self.builder.space.decisions))

    def derive(self, strengths: Strengths) -> Architecture:
        """Per edge the strongest operation; `none` is left out where it would cut all paths."""
        strongest = Architecture(self.builder.space.name, self._strongest(strengths))
        if connects(self.builder.space, strongest):
            return strongest
        some = {s: {o: w for o, w in options.items() if o != NONE} or options
                for s, options in strengths.items()}  # fmt: skip
        return Architecture(self.builder.space.name, self._strongest(some))

    def _strongest(self, strengths: Strengths) -> tuple[Choice, ...]:
        return tuple(
            max(strengths[d.name], key=strengths[d.name].__getitem__)
            for d in self.builder.space.decisions
        )


@dataclass(frozen=True, slots=True)
class DartsRelaxation:
    """For the `darts` space: all 14 edges of a cell, of which each node keeps two."""

    builder: DartsBuilder

    @property
    def slots(self) -> Mapping[str, tuple[str, ...]]:
        """One per cell, source and node, such as `normal/0-2`."""
        return {
            f"{cell}/{source}-{node + 2}": self.builder.space.operations
            for cell in CELLS
            for node in range(NODES)
            for source in range(node + 2)
        }

    def build(self, kept: Mapping[str, Sequence[str]]) -> nn.Module:
        """A `DartsNetwork` whose edges hold these operations."""
        edges = {
            cell: {
                _ends(name): [o for o in operations if o != NONE]
                for name, operations in kept.items()
                if name.startswith(f"{cell}/")
            }
            for cell in CELLS
        }
        return DartsNetwork(
            edges, width=self.builder.width, cells=self.builder.cells, outputs=self.builder.outputs
        )

    def relaxed(self, mixtures: Mapping[str, Mixture]) -> RelaxedCells:
        """The mixtures by cell."""
        return RelaxedCells(
            {
                cell: tuple(
                    (*_ends(name), mixture)
                    for name, mixture in mixtures.items()
                    if name.startswith(f"{cell}/")
                )
                for cell in CELLS
            }
        )

    def derive(self, strengths: Strengths) -> Architecture:
        """Per node the two edges of the strongest operations other than `none`.

        `none` takes part in the softmax and is never kept (Liu et al. 2019, section 2.4).
        """
        best: dict[str, tuple[float, str]] = {}
        for name, options in strengths.items():
            some = {o: w for o, w in options.items() if o != NONE}
            operation = max(some, key=some.__getitem__)
            best[name] = (some[operation], operation)
        chosen: dict[str, Choice] = {}
        for cell in CELLS:
            for node in range(NODES):
                names = [f"{cell}/{source}-{node + 2}" for source in range(node + 2)]
                kept = sorted(range(node + 2), key=lambda s: -best[names[s]][0])[:2]
                low, high = sorted(kept)
                assert f"{low}-{high}" in source_pairs(node)
                chosen[f"{cell}/{node}/sources"] = f"{low}-{high}"
                chosen[f"{cell}/{node}/first"] = best[names[low]][1]
                chosen[f"{cell}/{node}/second"] = best[names[high]][1]
        space = self.builder.space
        return Architecture(space.name, tuple(chosen[d.name] for d in space.decisions))


def relaxation_of(builder: NetworkBuilder) -> Relaxation:
    """The relaxation of a builder's networks.

    Raises:
        ValueError: a space with decisions other than operations on edges.
    """
    if isinstance(builder, DartsBuilder):
        return DartsRelaxation(builder)
    for decision in builder.space.decisions:
        foreign = [o for o in decision.options if o != NONE and o not in OPERATIONS]
        if foreign:
            raise ValueError(
                f"gradient strategies need operations to choose from, but {decision.name!r} of "
                f"the space {builder.space.name!r} offers {foreign[0]!r}; use another strategy."
            )
    return EdgeRelaxation(builder)


class RelaxedNetwork(nn.Module):
    """A network with a mixture on every slot, and the mixtures' strengths.

    Args:
        relaxation: Of the space's networks.
        kept: The operations of each slot; all of them where none are given.
        seed: Of the initial weights and strengths.
    """

    def __init__(
        self,
        relaxation: Relaxation,
        kept: Mapping[str, Sequence[str]] | None = None,
        *,
        seed: int,
    ) -> None:
        super().__init__()
        self.relaxation = relaxation
        self.kept = {s: tuple(o) for s, o in (kept or relaxation.slots).items()}
        self.network = seeded(lambda: relaxation.build(self.kept), seed)
        generator = torch.Generator().manual_seed(seed)
        self.strengths = nn.ParameterList(
            START_DEVIATION * torch.randn(len(options), generator=generator)
            for options in self.kept.values()
        )
        self.skip_dropout = 0.0

    @property
    def weights(self) -> list[nn.Parameter]:
        """The operations' parameters."""
        return list(self.network.parameters())

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        """Logits, `n`, of normalised images, `n x 3 x h x w`."""
        mixtures = {
            slot: Mixture(
                dict(zip(options, functional.softmax(strength, dim=0), strict=True)),
                self.skip_dropout if self.training else 0.0,
            )
            for (slot, options), strength in zip(self.kept.items(), self.strengths, strict=True)
        }
        logits: torch.Tensor = self.network(images, self.relaxation.relaxed(mixtures))
        return logits

    def softmax(self) -> dict[str, dict[str, float]]:
        """The weight of each operation, by slot."""
        return {
            slot: dict(zip(options, functional.softmax(strength.detach(), 0).tolist(), strict=True))
            for (slot, options), strength in zip(self.kept.items(), self.strengths, strict=True)
        }


def _ends(slot: str) -> tuple[int, int]:
    source, target = slot.split("/")[1].split("-")
    return int(source), int(target)
