"""The `forgery` spaces: cells around central difference convolution, one per stage.

After Jin, Mu and Xu (2023, arXiv:2306.08830), who search forgery detectors with operations that
see local differences and join their cells to a cascaded pyramid. Three stages of halving
resolution, each with a cell of four nodes; every stage's cell feeds one level of a feature pyramid,
and the classifier reads all levels.

`forgery` chooses the operations alone: 8 of them on 18 edges, 8^18 = 1.8e16 combinations.
`forgery_cascade` also chooses

- `input`: what the first stage sees. Pixels; their high-pass residual, in which forgeries leave
  traces that content hides (Fridrich and Kodovsky 2012); both; or pixels and frequency bands
  (Qian et al. 2020);
- `stage1/theta`, ...: the share of the difference in a stage's central difference convolutions
  (Yu et al. 2020, equation 4, who use 0.7). 0 is an ordinary convolution, with weights of its own;
- `joins/1-3`: whether the first stage's cell also enters the third one's, past the second;
- `pyramid/3-2`, `pyramid/2-1`: whether a level of the pyramid is added to the finer one (top-down
  joins, Lin et al. 2017, section 3).

4 * 5^3 * 2^3 times as many: 7.2e19 combinations.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

import networkx as nx

from spaces.architecture import Architecture, Choice
from spaces.cell import (
    T,
    add_cell,
    cell_decisions,
    cell_edges,
    cell_expression,
    edge_name,
    split_by_cell,
)
from spaces.graphs import (
    INPUT,
    NONE,
    OUTPUT,
    SETTINGS,
    SIGNAL,
    SKIP,
    SUM,
    Terms,
    applied,
    as_operand,
    canonical_key,
    key_of_expression,
    summed,
)
from spaces.pyramid import (
    ADD,
    JOINS,
    NODES,
    STAGES,
    TOP_DOWN,
    Edges,
    Frame,
    add_join,
    add_pyramid,
    live_cells,
    live_levels,
)
from spaces.space import Decision, check

CENTRAL_DIFFERENCE = "cdc_3x3"
OPERATIONS = (
    NONE,
    SKIP,
    "conv_3x3",
    CENTRAL_DIFFERENCE,
    "sep_conv_3x3",
    "dil_conv_3x3",
    "avg_pool_3x3",
    "max_pool_3x3",
)
EDGES = len(STAGES) * len(cell_edges(NODES))
INPUTS = ("rgb", "residual", "rgb+residual", "rgb+bands")
THETAS = (0.0, 0.3, 0.5, 0.7, 0.9)


@dataclass(frozen=True, slots=True)
class ForgerySpace:
    """Three stages, a cell of four nodes each, joined into a pyramid.

    What has one option is no decision. By default that is everything but the edges.

    Attributes:
        name: Of the space.
        operations: That an edge may carry.
        inputs: What the first stage may see, of `INPUTS`.
        thetas: That central difference convolutions may have.
        theta_per_stage: Whether each stage has its own, or all have one.
        joins: Whether the joins of `JOINS` are chosen; else there are none.
        top_down: Whether those of `TOP_DOWN` are.

    Raises:
        ValueError: an unknown input, a theta outside [0, 1], or none of either.
    """

    name: str = "forgery"
    operations: tuple[str, ...] = OPERATIONS
    inputs: tuple[str, ...] = INPUTS[:1]
    thetas: tuple[float, ...] = (0.7,)
    theta_per_stage: bool = True
    joins: bool = False
    top_down: bool = False

    def __post_init__(self) -> None:
        unknown = [option for option in self.inputs if option not in INPUTS]
        if unknown or not self.inputs:
            raise ValueError(
                f"inputs is {self.inputs}; it needs at least one, all of {', '.join(INPUTS)}."
            )
        if not self.thetas or not all(0 <= theta <= 1 for theta in self.thetas):
            raise ValueError(f"thetas is {self.thetas}; it needs at least one, all in [0, 1].")

    @property
    def decisions(self) -> tuple[Decision, ...]:
        """The 18 edges, such as `stage1/0-1`, then those of the module's head that are chosen."""
        return _decisions(self)

    @property
    def neutral(self) -> dict[str, Choice]:
        """The first option of everything but the edges, which may skip: no join, say."""
        return {decision.name: decision.options[0] for decision in self.decisions[EDGES:]}

    @property
    def theta_decisions(self) -> tuple[str | None, ...]:
        """The decision on each stage's theta; `None` where there is none."""
        if len(self.thetas) == 1 or CENTRAL_DIFFERENCE not in self.operations:
            return (None,) * len(STAGES)
        return tuple(f"{stage}/theta" if self.theta_per_stage else "theta" for stage in STAGES)

    def cells(self, choices: tuple[T, ...]) -> dict[str, tuple[T, ...]]:
        """The choices on the edges of each stage's cell."""
        return split_by_cell(choices[:EDGES], STAGES, NODES)

    def frame(self, choices: Sequence[Any]) -> Frame:
        """What the choices say beside the edges."""
        if len(choices) == EDGES:
            return Frame(self.inputs[0], self.thetas[:1] * len(STAGES), frozenset())
        names = (decision.name for decision in self.decisions[EDGES:])
        chosen: dict[str | None, Any] = dict(zip(names, choices[EDGES:], strict=True))
        return Frame(
            input=chosen.get("input", self.inputs[0]),
            thetas=tuple(chosen.get(d, self.thetas[0]) for d in self.theta_decisions),
            added=frozenset(name for name, choice in chosen.items() if name and choice == ADD),
        )

    def graph(self, architecture: Architecture) -> "nx.DiGraph[str]":
        """Stem, then per stage a reduction, a cell and a pyramid level that feeds the output.

        Reductions and levels have names of their own, since stages cannot be exchanged.
        """
        check(self, architecture)
        if len(architecture.choices) > EDGES:
            return _cascade(self, architecture)
        graph: nx.DiGraph[str] = nx.DiGraph()
        graph.add_node(INPUT, operation=INPUT)
        graph.add_node(OUTPUT, operation=OUTPUT)
        end = INPUT
        for stage, choices in self.cells(architecture.choices).items():
            for entry in (f"{stage}/entry", f"{stage}/level"):
                graph.add_node(entry, operation=entry)
            graph.add_edge(end, f"{stage}/entry")
            end = add_cell(graph, stage, f"{stage}/entry", choices, NODES)
            graph.add_edges_from([(end, f"{stage}/level"), (f"{stage}/level", OUTPUT)])
        return graph

    def canonical_key(self, architecture: Architecture) -> str:
        """The canonical key of the graph."""
        if len(architecture.choices) > EDGES:
            return canonical_key(self.graph(architecture))
        end, text, levels = SIGNAL, as_operand(SIGNAL), list[Terms]()
        for stage, choices in self.cells(architecture.choices).items():
            end = cell_expression(applied(end, f"{stage}/entry", text), choices, NODES)
            text = as_operand(end)  # once for both that receive it
            levels.append(applied(end, f"{stage}/level", text))
        return key_of_expression(summed(levels))

    def live(self, architecture: Architecture) -> frozenset[str]:
        """The live edges of the cells that are reached, and what shapes or joins these cells."""
        frame = self.frame(architecture.choices)
        cells = self.cells(architecture.choices)
        edges = live_cells(cells, frame)
        found: list[str] = []
        for (stage, choices), live, theta in zip(
            cells.items(), edges, self.theta_decisions, strict=True
        ):
            found.extend(edge_name(stage, i, j) for i, j in live)
            if theta is not None and _differences(choices, live):
                found.append(theta)
        if len(self.inputs) > 1 and any(edges):
            found.append("input")
        if frame.added:
            levels = live_levels(edges, frame)
            joins = [name for name, (i, k) in JOINS.items() if edges[i] and edges[k]]
            joins += [name for name, (k, _) in TOP_DOWN.items() if levels[k]]
            found.extend(name for name in joins if name in frame.added)
        return frozenset(found)


FORGERY = ForgerySpace()
FORGERY_CASCADE = ForgerySpace(
    "forgery_cascade", inputs=INPUTS, thetas=THETAS, joins=True, top_down=True
)


@cache
def _decisions(space: ForgerySpace) -> tuple[Decision, ...]:
    found = [d for stage in STAGES for d in cell_decisions(stage, NODES, space.operations)]
    if len(space.inputs) > 1:
        found.append(Decision("input", space.inputs))
    thetas = dict.fromkeys(name for name in space.theta_decisions if name is not None)
    found.extend(Decision(name, space.thetas) for name in thetas)
    names = [*(JOINS if space.joins else ()), *(TOP_DOWN if space.top_down else ())]
    found.extend(Decision(name, (NONE, ADD)) for name in names)
    return tuple(found)


def _differences(choices: Sequence[object], live: Edges) -> list[tuple[int, int]]:
    """The live edges that carry a central difference convolution."""
    carried = zip(cell_edges(NODES), choices, strict=True)
    return [e for e, choice in carried if e in live and choice == CENTRAL_DIFFERENCE]


def _cascade(space: ForgerySpace, architecture: Architecture) -> "nx.DiGraph[str]":
    frame = space.frame(architecture.choices)
    cells = space.cells(architecture.choices)
    edges = live_cells(cells, frame)
    thetas = [theta for theta in space.theta_decisions if theta is not None]
    graph: nx.DiGraph[str] = nx.DiGraph(**{SETTINGS: frozenset(thetas)})
    graph.add_node(INPUT, operation=INPUT)
    graph.add_node(OUTPUT, operation=OUTPUT)
    end, ends = INPUT, list[str]()
    if len(space.inputs) > 1:
        end = "pixels"
        graph.add_node(end, operation=frame.input, decision="input")
        graph.add_edge(INPUT, end)
    for number, (stage, choices) in enumerate(cells.items()):
        start = f"{stage}/entry"
        graph.add_node(start, operation=start)
        graph.add_edge(end, start)
        joins = {n: i for n, (i, k) in JOINS.items() if space.joins and k == number}
        if joins:
            start = f"{stage}/joined"
            graph.add_node(start, operation=SUM)
            graph.add_edge(f"{stage}/entry", start)
            for name, source in joins.items():
                add_join(graph, name, ends[source], start, frame)
        end = add_cell(graph, stage, start, choices, NODES)
        ends.append(end)
        theta = space.theta_decisions[number]
        if theta is not None:
            for i, j in _differences(choices, edges[number]):
                settings = {theta: str(frame.thetas[number])}
                graph.nodes[edge_name(stage, i, j)][SETTINGS] = settings
    add_pyramid(graph, ends, frame, top_down=space.top_down)
    return graph
