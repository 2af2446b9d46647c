"""How much of an architecture is skip connections, cell by cell."""

from dataclasses import dataclass

from spaces.architecture import Architecture
from spaces.graphs import NONE, SKIP
from spaces.space import SearchSpace, live


@dataclass(frozen=True, slots=True)
class SkipCount:
    """Of one cell.

    Attributes:
        skips: Operations that hand their input on as it is.
        operations: All that lie on a path from the input to the output, skips included.
    """

    skips: int
    operations: int

    @property
    def share(self) -> float:
        """Of the operations; 0 where a cell has none."""
        return self.skips / max(1, self.operations)


def offers_skips(space: SearchSpace) -> bool:
    """Whether an architecture of the space can have skip connections."""
    return any(SKIP in decision.options for decision in space.decisions)


def skips_by_cell(space: SearchSpace, architecture: Architecture) -> dict[str, SkipCount]:
    """The live operations of each cell, and how many of them are identities.

    Counted are the graph's operations whose decisions offer a skip. What the graph does not call a
    skip is none, such as that of a `darts` reduction cell's input, which is two convolutions.
    """
    offering = {d.name for d in space.decisions if SKIP in d.options}
    used = live(space, architecture) & offering
    counts: dict[str, SkipCount] = {}
    for _, attributes in space.graph(architecture).nodes(data=True):
        decision, operation = attributes.get("decision"), attributes["operation"]
        if decision in used and operation != NONE:
            cell = str(attributes.get("cell", cell_of(decision)))
            before = counts.get(cell, SkipCount(0, 0))
            counts[cell] = SkipCount(before.skips + (operation == SKIP), before.operations + 1)
    return counts


def all_skips(counts: dict[str, SkipCount]) -> SkipCount:
    """Of all cells together."""
    return SkipCount(
        sum(count.skips for count in counts.values()),
        sum(count.operations for count in counts.values()),
    )


def cell_of(name: str) -> str:
    """The cell of a decision or slot that is named `cell/...`."""
    return name.split("/")[0]
