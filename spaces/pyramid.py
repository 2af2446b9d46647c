"""Cells of several stages joined to a pyramid: what lies around the operations of the cells."""

from collections.abc import Sequence
from dataclasses import dataclass

import networkx as nx

from spaces.cell import T, live_edges
from spaces.graphs import NONE, OUTPUT

STAGES = ("stage1", "stage2", "stage3")
NODES = 4
ADD = "add"
JOINS = {
    f"joins/{i + 1}-{k + 1}": (i, k) for k in range(len(STAGES)) for i in range(k - 1)
}  # name -> the stage that is left and the one that is entered, past those between
TOP_DOWN = {f"pyramid/{k + 2}-{k + 1}": (k + 1, k) for k in reversed(range(len(STAGES) - 1))}
"""Name -> the level that is left and the finer one that it is added to."""


Edges = frozenset[tuple[int, int]]


@dataclass(frozen=True, slots=True)
class Frame:
    """What an architecture has around the operations of its cells.

    Attributes:
        input: What the first stage sees, of `INPUTS`.
        thetas: Of each stage's central difference convolutions.
        added: The joins of `JOINS` and `TOP_DOWN` that are there.
    """

    input: str
    thetas: tuple[float, ...]
    added: frozenset[str]


def live_cells(cells: dict[str, tuple[T, ...]], frame: Frame) -> list[Edges]:
    """The live edges of each stage; a stage is entered from the one before and by joins."""
    found: list[Edges] = []
    for number, choices in enumerate(cells.values()):
        entered = number == 0 or bool(found[number - 1])
        if not entered and frame.added:
            sources = (i for name, (i, k) in JOINS.items() if k == number and name in frame.added)
            entered = any(found[i] for i in sources)
        found.append(live_edges(choices, NODES) if entered else frozenset())
    return found


def live_levels(edges: Sequence[Edges], frame: Frame) -> list[bool]:
    """Whether anything reaches each level of the pyramid, from its stage or from above."""
    levels = [bool(live) for live in edges]
    for name, (above, level) in TOP_DOWN.items():
        levels[level] |= name in frame.added and levels[above]
    return levels


def add_join(graph: "nx.DiGraph[str]", name: str, source: str, target: str, frame: Frame) -> None:
    """The join of that name, an operation of its own, from a node to a sum."""
    graph.add_node(name, operation=ADD if name in frame.added else NONE, decision=name)
    graph.add_edges_from([(source, name), (name, target)])


def add_pyramid(
    graph: "nx.DiGraph[str]",
    ends: Sequence[str],
    frame: Frame,
    *,
    top_down: bool,
) -> None:
    """A level behind every cell, coarser ones joined to finer ones, all of them to the output."""
    heads = []
    for stage, end in zip(STAGES, ends, strict=True):
        heads.append(f"{stage}/level")
        graph.add_node(heads[-1], operation=heads[-1])
        graph.add_edge(end, heads[-1])
    for name, (above, level) in TOP_DOWN.items() if top_down else ():
        merged = f"{STAGES[level]}/merged"
        graph.add_node(merged, operation=merged)
        graph.add_edge(heads[level], merged)
        add_join(graph, name, heads[above], merged, frame)
        heads[level] = merged
    graph.add_edges_from((head, OUTPUT) for head in heads)
