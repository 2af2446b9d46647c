"""The `forgery` space: cells around central difference convolution, one per stage.

After Jin et al. (2023), who search forgery detectors with operations that see local differences.
Three stages of halving resolution, each with a cell of four nodes; every stage's cell feeds one
level of a feature pyramid, and the classifier reads all levels. 8 operations on 18 edges:
8^18 = 1.8e16 combinations.
"""

from dataclasses import dataclass

import networkx as nx

from spaces.architecture import Architecture
from spaces.cell import add_cell, cell_decisions, edge_name, live_edges, split_by_cell
from spaces.graphs import INPUT, NONE, OUTPUT, SKIP
from spaces.space import Decision, check

OPERATIONS = (
    NONE,
    SKIP,
    "conv_3x3",
    "cdc_3x3",
    "sep_conv_3x3",
    "dil_conv_3x3",
    "avg_pool_3x3",
    "max_pool_3x3",
)
STAGES = ("stage1", "stage2", "stage3")
NODES = 4


@dataclass(frozen=True, slots=True)
class ForgerySpace:
    """Three stages, a cell of four nodes each, joined into a pyramid."""

    name: str = "forgery"
    operations: tuple[str, ...] = OPERATIONS

    @property
    def decisions(self) -> tuple[Decision, ...]:
        """The 18 edges, such as `stage1/0-1`."""
        return tuple(d for stage in STAGES for d in cell_decisions(stage, NODES, self.operations))

    def graph(self, architecture: Architecture) -> "nx.DiGraph[str]":
        """Stem, then per stage a reduction, a cell and a pyramid level that feeds the output.

        Reductions and levels have names of their own, since stages cannot be exchanged.
        """
        check(self, architecture)
        graph: nx.DiGraph[str] = nx.DiGraph()
        graph.add_node(INPUT, operation=INPUT)
        graph.add_node(OUTPUT, operation=OUTPUT)
        end = INPUT
        for stage, choices in split_by_cell(architecture.choices, STAGES, NODES).items():
            for entry in (f"{stage}/entry", f"{stage}/level"):
                graph.add_node(entry, operation=entry)
            graph.add_edge(end, f"{stage}/entry")
            end = add_cell(graph, stage, f"{stage}/entry", choices, NODES)
            graph.add_edges_from([(end, f"{stage}/level"), (f"{stage}/level", OUTPUT)])
        return graph

    def live(self, architecture: Architecture) -> frozenset[str]:
        """The live edges of each cell up to the first one that nothing passes through."""
        found: list[str] = []
        for stage, choices in split_by_cell(architecture.choices, STAGES, NODES).items():
            edges = live_edges(choices, NODES)
            if not edges:
                break
            found.extend(edge_name(stage, i, j) for i, j in edges)
        return frozenset(found)


FORGERY = ForgerySpace()
