"""Relaxation of `darts` networks: slots are the edges of a cell, not the space's decisions."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from torch import nn

from bonas.networks.cells import Mixture
from bonas.networks.choice_relaxation import Strengths
from bonas.networks.darts import DartsNetwork, RelaxedCells
from spaces.architecture import Architecture, Choice
from spaces.darts import CELLS, DARTS, NODES, DartsSpace, source_pairs
from spaces.graphs import NONE


@dataclass(frozen=True, slots=True)
class DartsRelaxation:
    """All 14 edges of a cell, of which each node keeps two.

    Attributes:
        width: Of the networks, as the next two; see `DartsNetwork`.
        cells: How many.
        outputs: Numbers given out per image.
    """

    width: int
    cells: int
    outputs: int = 1

    @property
    def space(self) -> DartsSpace:
        """The `darts` space."""
        return DARTS

    @property
    def slots(self) -> Mapping[str, tuple[Choice, ...]]:
        """One per cell, source and node, such as `normal/0-2`."""
        return {
            f"{cell}/{source}-{node + 2}": DARTS.operations
            for cell in CELLS
            for node in range(NODES)
            for source in range(node + 2)
        }

    @property
    def skipping(self) -> tuple[str, ...]:
        """All but those from a reduction cell's inputs, whose skips are convolutions."""
        reduced = {f"{CELLS[1]}/{source}-{node + 2}" for node in range(NODES) for source in (0, 1)}
        return tuple(slot for slot in self.slots if slot not in reduced)

    def build(self, kept: Mapping[str, Sequence[Choice]]) -> nn.Module:
        """A `DartsNetwork` whose edges hold these operations."""
        edges = {
            cell: {
                _ends(name): [str(o) for o in operations if o != NONE]
                for name, operations in kept.items()
                if name.startswith(f"{cell}/")
            }
            for cell in CELLS
        }
        return DartsNetwork(edges, width=self.width, cells=self.cells, outputs=self.outputs)

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
        best: dict[str, tuple[float, Choice]] = {}
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
        return Architecture(DARTS.name, tuple(chosen[d.name] for d in DARTS.decisions))


def _ends(slot: str) -> tuple[int, int]:
    source, target = slot.split("/")[1].split("-")
    return int(source), int(target)
