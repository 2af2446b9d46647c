"""Graphs made of cells, read as rows of states and labelled edges; what drawings of cells need."""

from dataclasses import dataclass

import networkx as nx

from spaces.graphs import INPUT, OUTPUT, SETTINGS, SUM, live_decisions


@dataclass(frozen=True, slots=True)
class CellEdge:
    """An edge of a cell.

    Attributes:
        source: Position of the state that it leaves.
        target: Position of the state that it enters, to the right.
        operation: What it carries.
        live: Whether it lies on a path from the input to the output.
    """

    source: int
    target: int
    operation: str
    live: bool


@dataclass(frozen=True, slots=True)
class CellRow:
    """A cell.

    Attributes:
        name: Of the cell.
        sources: What its first states are, outside the cell.
        states: How many, the sources included.
        edges: By target and source.
        entering: What else is chosen and used before the first state: what the input is, cells
            that are joined, parameters of the cell's operations.
        heads: What stands between the cell's end and the output, other cells apart.
        merging: What is joined to these.
        reaches_output: Whether the cell's end is joined to the output other than by a cell.
        follows: Whether its first source is fed by the cell above.
    """

    name: str
    sources: tuple[str, ...]
    states: int
    edges: tuple[CellEdge, ...]
    entering: tuple[str, ...]
    heads: tuple[str, ...]
    merging: tuple[str, ...]
    reaches_output: bool
    follows: bool

    @property
    def live(self) -> bool:
        """Whether anything passes through."""
        return any(edge.live for edge in self.edges)


def cell_rows(graph: "nx.DiGraph[str]") -> tuple[CellRow, ...] | None:
    """The cells from the input on, or `None` for a graph that is not made of cells.

    In a cell every decision's node joins two states, and states are sums, or come from outside.
    """
    order = {node: position for position, node in enumerate(nx.topological_sort(graph))}
    cells: dict[str, list[str]] = {}
    for node in order:
        if graph.nodes[node].get("cell") is not None:
            cells.setdefault(str(graph.nodes[node]["cell"]), []).append(node)
    rows: list[CellRow] = []
    ends: list[str] = []
    for name, members in cells.items():
        states = _states(graph, members, order)
        if states is None:
            return None
        row = _row(graph, name, members, states, previous=ends[-1] if ends else None)
        rows.append(row)
        ends.append(states[-1])
    return tuple(rows) or None


def _states(
    graph: "nx.DiGraph[str]", members: list[str], order: dict[str, int]
) -> list[str] | None:
    """Sources and sums in topological order, if the cell is made as `cell_rows` says."""
    sums = [n for n in members if graph.nodes[n].get("decision") is None]
    chosen = [n for n in members if graph.nodes[n].get("decision") is not None]
    if any(graph.nodes[n]["operation"] != SUM for n in sums) or not chosen:
        return None
    if any(graph.in_degree(n) != 1 or graph.out_degree(n) != 1 for n in chosen):
        return None
    before = {next(iter(graph.predecessors(n))) for n in chosen}
    after = {next(iter(graph.successors(n))) for n in chosen}
    inner = set(sums)
    if not after <= inner:
        return None
    return [*sorted(before - inner, key=order.__getitem__), *sums]


def _row(
    graph: "nx.DiGraph[str]",
    name: str,
    members: list[str],
    states: list[str],
    *,
    previous: str | None,
) -> CellRow:
    position = {state: number for number, state in enumerate(states)}
    live = live_decisions(graph)
    edges = []
    for node in members:
        decision = graph.nodes[node].get("decision")
        if decision is None:
            continue
        source, target = next(iter(graph.predecessors(node))), next(iter(graph.successors(node)))
        operation = str(graph.nodes[node]["operation"])
        edges.append(CellEdge(position[source], position[target], operation, decision in live))
    outside = [s for s in states if s not in members]
    heads, merging, joined = _heads(graph, states[-1], live)
    return CellRow(
        name=name,
        sources=tuple(_label(graph, s) for s in outside),
        states=len(states),
        edges=tuple(sorted(edges, key=lambda e: (e.target, e.source))),
        entering=(*_joining(graph, outside[0], live), *_settings(graph, members)),
        heads=heads,
        merging=merging,
        reaches_output=joined,
        follows=previous is not None and nx.has_path(graph, previous, outside[0]),
    )


def _heads(
    graph: "nx.DiGraph[str]", end: str, live: frozenset[str]
) -> tuple[tuple[str, ...], tuple[str, ...], bool]:
    """Nodes outside cells from a cell's end to the output, that lead to no other cell; what is
    joined to them; whether the output is reached. Chosen nodes lead to what others have."""
    heads, merging = list[str](), list[str]()
    joined = False
    waiting = list(graph.successors(end))
    while waiting:
        node = waiting.pop(0)
        if graph.nodes[node]["operation"] == OUTPUT:
            joined = True
        elif graph.nodes[node].get("decision") is None and not any(
            graph.nodes[d].get("cell") for d in {node, *nx.descendants(graph, node)}
        ):
            if graph.in_degree(node) > 1:
                merging += _joining(graph, node, live)
            else:
                heads.append(_label(graph, node))
            waiting += graph.successors(node)
    return tuple(dict.fromkeys(heads)), tuple(merging), joined


def _joining(graph: "nx.DiGraph[str]", target: str, live: frozenset[str]) -> list[str]:
    """The chosen nodes outside cells through which a node receives something, described."""
    found = []
    waiting = [target]
    while waiting:
        node = waiting.pop(0)
        if graph.nodes[node].get("cell") is not None:
            continue
        decision = graph.nodes[node].get("decision")
        if decision is None:
            waiting += graph.predecessors(node)
        elif decision in live:
            before = next(iter(graph.predecessors(node)))
            operation = str(graph.nodes[before]["operation"])
            origin = str(graph.nodes[before].get("cell") or operation.partition("/")[0])
            chosen = str(graph.nodes[node]["operation"])
            found.append(chosen if operation == INPUT else f"+ {origin}")
    return found


def _settings(graph: "nx.DiGraph[str]", members: list[str]) -> list[str]:
    """The parameters of a cell's operations that are chosen, such as `theta 0.7`."""
    chosen = (graph.nodes[n].get(SETTINGS, {}).items() for n in members)
    texts = (f"{name.rpartition('/')[2]} {value}" for items in chosen for name, value in items)
    return list(dict.fromkeys(texts))


def _label(graph: "nx.DiGraph[str]", node: str) -> str:
    """What a node outside the cell is: its operation's last part, or the cell that it ends.

    A sum is what it adds up, what is chosen apart.
    """
    cell = graph.nodes[node].get("cell")
    if cell is not None:
        return str(cell)
    operation = str(graph.nodes[node]["operation"])
    if operation == SUM:
        fixed = [n for n in graph.predecessors(node) if graph.nodes[n].get("decision") is None]
        return " + ".join(_label(graph, n) for n in fixed)
    return "input" if operation == INPUT else operation.rpartition("/")[2]
