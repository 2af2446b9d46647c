"""The wiring of a space: its paths from input to output, cell by cell, found once per space.

In many spaces a decision chooses the operation on a node and nothing else, so that all graphs of
the space have the same nodes and edges. Then the paths are the same for all architectures, only
the operations along them differ, and encodings follow from index arithmetic.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import networkx as nx
import numpy as np

from spaces.architecture import Architecture
from spaces.graphs import INPUT, NONE, OUTPUT, SETTINGS, SKIP
from spaces.space import Decision, SearchSpace, from_indices

LONGEST_SEARCH = 20_000
"""Paths of a cell, or operation sequences of a path, beyond which they are not enumerated."""


@dataclass(frozen=True, slots=True)
class WiringPath:
    """One path through one cell: the decisions met on the way, as positions in the space."""

    cell: str
    decisions: tuple[int, ...]


def fixed_paths(space: SearchSpace) -> tuple[WiringPath, ...] | None:
    """The paths of every cell, shorter ones first, or `None` where the wiring is not fixed.

    The wiring counts as fixed if every single decision can be changed without adding or removing
    a node or an edge, and if a node that belongs to a decision carries its option as operation.
    Nodes without a cell form one cell; a cell's paths run between the nodes at which edges enter
    and leave it. Decisions that only set parameters are on no path. `None` as well where
    enumerating would not end: more than 20,000 paths in a cell or sequences along a path.

    Raises:
        ValueError: the graph of the first options has a cycle.
    """
    zeros = [0] * len(space.decisions)
    reference = space.graph(from_indices(space, zeros))
    if not nx.is_directed_acyclic_graph(reference):
        raise ValueError(
            f"the space {space.name!r} has graphs with a cycle; the graph of an architecture must "
            "be acyclic. Give nodes of different operations different names."
        )
    positions = {decision.name: i for i, decision in enumerate(space.decisions)}
    for i, decision in enumerate(space.decisions):
        for option in range(len(decision.options)):
            changed = from_indices(space, [*zeros[:i], option, *zeros[i + 1 :]])
            if not _same_wiring(reference, space.graph(changed), changed, space.decisions):
                return None
    found: list[WiringPath] = []
    for cell in _cells(reference):
        paths = _cell_paths(reference, cell, positions)
        if paths is None:
            return None
        found.extend(paths)
    longest = max((_sequences(space, path) for path in found), default=0)
    if longest > LONGEST_SEARCH:
        return None
    return tuple(sorted(found, key=lambda path: len(path.decisions)))


def side_by_side(space: SearchSpace) -> bool:
    """Whether paths say nothing beyond the decisions, so that one-hot features say all there is.

    So it is where each path holds one decision, alone between input and output, and no two
    decisions offer the same operation: the graph of a table of choices.
    """
    zeros = [0] * len(space.decisions)
    seen: dict[str, set[str]] = {decision.name: set() for decision in space.decisions}
    for i, decision in enumerate(space.decisions):
        for option in range(len(decision.options)):
            graph = space.graph(from_indices(space, [*zeros[:i], option, *zeros[i + 1 :]]))
            for node, attributes in graph.nodes(data=True):
                operation, name = attributes["operation"], attributes.get("decision")
                if operation in (INPUT, OUTPUT):
                    continue
                around = [*graph.predecessors(node), *graph.successors(node)]
                joined = [graph.nodes[n]["operation"] for n in around] == [INPUT, OUTPUT]
                if name not in seen or not joined or {NONE, SKIP} & {operation}:
                    return False
                seen[name].add(operation)
    return len(set().union(*seen.values())) == sum(map(len, seen.values())) and all(
        len(seen[d.name]) == len(d.options) for d in space.decisions
    )


def _sequences(space: SearchSpace, path: WiringPath) -> int:
    return math.prod(len(space.decisions[i].options) for i in path.decisions)


def _same_wiring(
    reference: "nx.DiGraph[str]",
    graph: "nx.DiGraph[str]",
    architecture: Architecture,
    decisions: tuple[Decision, ...],
) -> bool:
    chosen: Mapping[str, object] = {
        d.name: c for d, c in zip(decisions, architecture.choices, strict=True)
    }
    named = {n: d for n, d in graph.nodes(data="decision") if d is not None}
    return (
        set(reference.nodes) == set(graph.nodes)
        and set(reference.edges) == set(graph.edges)
        and {*named.values(), *graph.graph.get(SETTINGS, ())} == set(chosen)
        and all(graph.nodes[n]["operation"] == str(chosen[d]) for n, d in named.items())
    )


def _cells(graph: "nx.DiGraph[str]") -> list[str | None]:
    """The cells that hold a decision, in topological order; `None` for nodes without a cell."""
    cells: dict[str | None, None] = {}
    for node in nx.lexicographical_topological_sort(graph):
        if graph.nodes[node].get("decision") is not None:
            cells.setdefault(graph.nodes[node].get("cell"))
    return list(cells)


def _cell_paths(
    graph: "nx.DiGraph[str]", cell: str | None, positions: Mapping[str, int]
) -> list[WiringPath] | None:
    inside = {n for n, c in graph.nodes(data="cell") if c == cell}
    if cell is None:  # input and output frame the network, they are not part of what is chosen
        inside -= {n for n, o in graph.nodes(data="operation") if o in (INPUT, OUTPUT)}
    starts = [n for n in inside if any(p not in inside for p in graph.predecessors(n))]
    ends = {n for n in inside if any(s not in inside for s in graph.successors(n))}
    found: list[WiringPath] = []
    pending: list[tuple[str, tuple[int, ...]]] = [(n, ()) for n in sorted(starts, reverse=True)]
    while pending:
        node, before = pending.pop()
        decision = graph.nodes[node].get("decision")
        here = before if decision is None else (*before, positions[decision])
        if node in ends:
            found.append(WiringPath(cell or "", here))
        if len(found) > LONGEST_SEARCH:
            return None
        pending.extend((s, here) for s in sorted(graph.successors(node)) if s in inside)
    return found


def radices(sizes: Sequence[int]) -> np.ndarray:
    """The place values of a mixed-radix number, the last digit counting ones, int64."""
    places = [int(np.prod(sizes[k + 1 :])) for k in range(len(sizes))]
    return np.asarray(places, dtype=np.int64)
