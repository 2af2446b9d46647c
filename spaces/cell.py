"""Cell spaces (micro search): a small DAG with an operation on each edge."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import TypeVar

import networkx as nx

from spaces.architecture import Architecture, Choice
from spaces.graphs import (
    AS_PUBLISHED,
    INPUT,
    NONE,
    OUTPUT,
    SIGNAL,
    SUM,
    Terms,
    add_applied,
    applied,
    as_operand,
    key_of_expression,
    summed,
)
from spaces.space import Decision, check

T = TypeVar("T")


@cache
def cell_edges(nodes: int) -> tuple[tuple[int, int], ...]:
    """The edges (source, target) of a full DAG, by target and then by source."""
    return tuple((i, j) for j in range(1, nodes) for i in range(j))


def edge_name(cell: str, source: int, target: int) -> str:
    """The decision that chooses the operation on an edge, such as `stage1/0-2`."""
    return f"{cell}/{source}-{target}"


@dataclass(frozen=True, slots=True)
class CellSpace:
    """One cell of `nodes` nodes, every edge of which carries one of `operations`.

    A node is the sum of its incoming edges, the first node is the cell's input and the last one
    its output (Dong and Yang 2020, figure 1). The cell has `nodes * (nodes - 1) / 2` decisions.

    Attributes:
        name: Of the space.
        operations: That an edge may carry.
        nodes: Of the cell.
        cell: Its name.
        as_published: Whether cells are told apart as NAS-Bench-201 does, which takes some that
            compute the same for different ones (`spaces.graphs.canonical_key`).
    """

    name: str
    operations: tuple[str, ...]
    nodes: int = 4
    cell: str = "cell"
    as_published: bool = False

    @property
    def decisions(self) -> tuple[Decision, ...]:
        """One decision per edge, named as `edge_name` says."""
        return cell_decisions(self.cell, self.nodes, self.operations)

    def graph(self, architecture: Architecture) -> "nx.DiGraph[str]":
        """Input, one node per edge's operation, one sum per cell node, output."""
        check(self, architecture)
        graph: nx.DiGraph[str] = nx.DiGraph(**({AS_PUBLISHED: True} if self.as_published else {}))
        graph.add_node(INPUT, operation=INPUT)
        end = add_cell(graph, self.cell, INPUT, architecture.choices, self.nodes)
        graph.add_node(OUTPUT, operation=OUTPUT)
        graph.add_edge(end, OUTPUT)
        return graph

    def live(self, architecture: Architecture) -> frozenset[str]:
        """The edges on a path from the cell's input to its output."""
        edges = live_edges(architecture.choices, self.nodes)
        return frozenset(edge_name(self.cell, i, j) for i, j in edges)

    def canonical_key(self, architecture: Architecture) -> str:
        """The canonical key of the graph."""
        choices = architecture.choices
        return key_of_expression(
            cell_expression(SIGNAL, choices, self.nodes, as_published=self.as_published)
        )


@cache
def cell_decisions(cell: str, nodes: int, operations: tuple[str, ...]) -> tuple[Decision, ...]:
    """One decision per edge of a cell."""
    return tuple(Decision(edge_name(cell, i, j), operations) for i, j in cell_edges(nodes))


def add_cell(
    graph: "nx.DiGraph[str]", cell: str, source: str, choices: tuple[Choice, ...], nodes: int
) -> str:
    """Add a cell behind the node `source`, in place, and return the name of its last sum."""
    states = [source, *(f"{cell}/{j}" for j in range(1, nodes))]
    for state in states[1:]:
        graph.add_node(state, operation=SUM, cell=cell)
    for (i, j), choice in zip(cell_edges(nodes), choices, strict=True):
        edge = edge_name(cell, i, j)
        graph.add_node(edge, operation=str(choice), cell=cell, decision=edge)
        graph.add_edges_from([(states[i], edge), (edge, states[j])])
    return states[-1]


def cell_expression(
    received: Terms, choices: Sequence[object], nodes: int, *, as_published: bool = False
) -> Terms:
    """The expression of a cell's last node, as `spaces.graphs` builds it from the cell's graph.

    Args:
        received: The expression of the cell's first node.
        choices: The operations on the edges.
        nodes: Of the cell.
        as_published: Whether sums are those of NAS-Bench-201.
    """
    operations = iter(map(str, choices))
    state, operands = received, list[tuple[Terms, str]]()
    for _ in range(1, nodes):
        operands.append((state, as_operand(state)))
        # Edges are ordered by target and then by source.
        if as_published:
            parts = [applied(terms, next(operations), text) for terms, text in operands]
            state = summed(parts, as_published=True)
            continue
        total: dict[str, int] = {}
        for terms, text in operands:
            add_applied(total, terms, next(operations), text)
        state = total
    return state


def split_by_cell(
    choices: tuple[T, ...], cells: tuple[str, ...], nodes: int
) -> dict[str, tuple[T, ...]]:
    """The choices of consecutive cells of equal size, by cell."""
    count = len(cell_edges(nodes))
    starts = range(0, len(choices), count)
    return {c: choices[s : s + count] for c, s in zip(cells, starts, strict=True)}


def live_edges(choices: Sequence[object], nodes: int) -> frozenset[tuple[int, int]]:
    """The edges on a path from the cell's first node to its last one; `none` breaks a path."""
    open_edges = [e for e, c in zip(cell_edges(nodes), choices, strict=True) if c != NONE]
    reached, needed = {0}, {nodes - 1}
    for source, target in open_edges:
        if source in reached:
            reached.add(target)
    for source, target in sorted(open_edges, reverse=True):
        if target in needed:
            needed.add(source)
    return frozenset((i, j) for i, j in open_edges if i in reached and j in needed)
