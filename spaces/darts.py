"""The space of DARTS (Liu et al. 2019): a normal and a reduction cell of four nodes each.

Every node adds up two operations on two different earlier states: the outputs of the two cells
before, or earlier nodes of its own. The cell's output is the concatenation of its nodes.
8 operations (`none` among them) on 8 edges and 1 * 3 * 6 * 10 wirings per cell: 3.0e9 cells and
9.1e18 combinations; without `none`, which derived architectures never have, 1.1e18.
"""

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache

import networkx as nx

from spaces.architecture import Architecture, Choice
from spaces.graphs import INPUT, NONE, OUTPUT, SKIP, SUM
from spaces.space import Decision, check

OPERATIONS = (
    NONE,
    SKIP,
    "max_pool_3x3",
    "avg_pool_3x3",
    "sep_conv_3x3_twice",
    "sep_conv_5x5_twice",
    "dil_conv_3x3",
    "dil_conv_5x5",
)
CELLS = ("normal", "reduction")
NODES = 4
_PUBLISHED = {  # our name -> the name in published genotypes
    NONE: "none",
    SKIP: "skip_connect",
    "max_pool_3x3": "max_pool_3x3",
    "avg_pool_3x3": "avg_pool_3x3",
    "sep_conv_3x3_twice": "sep_conv_3x3",
    "sep_conv_5x5_twice": "sep_conv_5x5",
    "dil_conv_3x3": "dil_conv_3x3",
    "dil_conv_5x5": "dil_conv_5x5",
}
_OURS = {published: ours for ours, published in _PUBLISHED.items()}

HALVED_SKIP = "skip_stride2"
"""A reduction cell's skip from one of its inputs: it halves the resolution by convolutions, so that
it is no identity and is not contracted."""

Edge = tuple[int, int, str]
"""Source state (0 and 1 are the cell's inputs), target state, operation."""


@dataclass(frozen=True, slots=True)
class DartsSpace:
    """Decisions per cell: of each node the two sources, such as `0-2`, and both operations."""

    name: str = "darts"
    operations: tuple[str, ...] = OPERATIONS

    @property
    def decisions(self) -> tuple[Decision, ...]:
        """Eleven per cell; the first node has only one pair of sources and no decision on it."""
        return _decisions(self.operations)

    def edges(self, architecture: Architecture) -> dict[str, tuple[Edge, ...]]:
        """The edges of both cells, two for every node, in the order of the nodes."""
        chosen: Mapping[str, Choice] = {
            d.name: c for d, c in zip(self.decisions, architecture.choices, strict=True)
        }
        found: dict[str, list[Edge]] = {cell: [] for cell in CELLS}
        for cell, node in itertools.product(CELLS, range(NODES)):
            pair = str(chosen.get(f"{cell}/{node}/sources", source_pairs(node)[0]))
            for source, slot in zip(pair.split("-"), ("first", "second"), strict=True):
                operation = str(chosen[f"{cell}/{node}/{slot}"])
                found[cell].append((int(source), node + 2, operation))
        return {cell: tuple(edges) for cell, edges in found.items()}

    def graph(self, architecture: Architecture) -> "nx.DiGraph[str]":
        """The normal cell, then the reduction cell; each input of a cell has a name of its own."""
        check(self, architecture)
        graph: nx.DiGraph[str] = nx.DiGraph()
        graph.add_node(INPUT, operation=INPUT)
        graph.add_node(OUTPUT, operation=OUTPUT)
        slots = ("first", "second")
        before = INPUT
        for cell, edges in self.edges(architecture).items():
            for state in range(NODES + 2):
                operation = f"{cell}/input{state}" if state < 2 else SUM
                graph.add_node(f"{cell}/{state}", operation=operation, cell=cell)
            graph.add_node(f"{cell}/output", operation=f"{cell}/output", cell=cell)
            graph.add_edges_from([(before, f"{cell}/0"), (before, f"{cell}/1")])
            for number, (source, target, operation) in enumerate(edges):
                name = f"{cell}/{target - 2}/{slots[number % 2]}"
                if operation == SKIP and source < 2 and cell == CELLS[1]:
                    operation = HALVED_SKIP
                graph.add_node(name, operation=operation, cell=cell, decision=name)
                graph.add_edges_from([(f"{cell}/{source}", name), (name, f"{cell}/{target}")])
            for target in range(2, NODES + 2):
                # A node of its own per concatenated state: one node's sum is not two nodes' one.
                graph.add_node(f"{cell}/kept{target}", operation=f"{cell}/kept", cell=cell)
                graph.add_edge(f"{cell}/{target}", f"{cell}/kept{target}")
                graph.add_edge(f"{cell}/kept{target}", f"{cell}/output")
            before = f"{cell}/output"
        graph.add_edge(before, OUTPUT)
        return graph


DARTS = DartsSpace()


@cache
def _decisions(operations: tuple[str, ...]) -> tuple[Decision, ...]:
    found = []
    for cell, node in itertools.product(CELLS, range(NODES)):
        pairs = source_pairs(node)
        if len(pairs) > 1:
            found.append(Decision(f"{cell}/{node}/sources", pairs))
        found.append(Decision(f"{cell}/{node}/first", operations))
        found.append(Decision(f"{cell}/{node}/second", operations))
    return tuple(found)


@cache
def source_pairs(node: int) -> tuple[str, ...]:
    """The pairs of different states that node 0, 1, ... can read, such as `0-1`."""
    return tuple(f"{a}-{b}" for a, b in itertools.combinations(range(node + 2), 2))


Genotype = Mapping[str, Sequence[tuple[str, int]]]
"""`normal` and `reduce`, each a list of (operation, source), two for every node."""


def from_genotype(genotype: Genotype) -> Architecture:
    """The architecture of a genotype in the notation of the published code.

    Raises:
        ValueError: not two edges per node, from two different earlier states, with known
            operations.
    """
    chosen: dict[str, Choice] = {}
    for cell, published in zip(CELLS, ("normal", "reduce"), strict=True):
        edges = list(genotype.get(published, ()))
        if len(edges) != 2 * NODES:
            raise ValueError(f"{published} has {len(edges)} edges; it needs {2 * NODES}.")
        for node in range(NODES):
            (first, low), (second, high) = sorted(
                edges[2 * node : 2 * node + 2], key=lambda edge: edge[1]
            )
            unknown = [name for name in (first, second) if name not in _OURS]
            if unknown or f"{low}-{high}" not in source_pairs(node):
                raise ValueError(
                    f"{published}, node {node}: {edges[2 * node : 2 * node + 2]}; a node reads two "
                    f"different states below {node + 2} by two of {', '.join(_OURS)}."
                )
            chosen[f"{cell}/{node}/sources"] = f"{low}-{high}"
            chosen[f"{cell}/{node}/first"] = _OURS[first]
            chosen[f"{cell}/{node}/second"] = _OURS[second]
    return Architecture(DARTS.name, tuple(chosen[d.name] for d in DARTS.decisions))


def to_genotype(architecture: Architecture) -> dict[str, list[tuple[str, int]]]:
    """The inverse of `from_genotype`."""
    check(DARTS, architecture)
    return {
        published: [(_PUBLISHED[operation], source) for source, _, operation in edges]
        for published, edges in zip(
            ("normal", "reduce"), DARTS.edges(architecture).values(), strict=True
        )
    }
