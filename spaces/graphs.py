"""Architectures as graphs: what the operations compute, and when two of them are the same.

A graph is a `networkx.DiGraph` whose nodes carry

- `operation`: a name; `INPUT` and `OUTPUT` occur once, `SUM` and `SKIP` hand on what they
  receive, `NONE` hands on nothing, any other name is an operation on the sum of its inputs;
- `cell` (may be absent): the cell that the node belongs to;
- `decision` (may be absent): the decision that chose the operation;
- `decisions` (may be absent): those that chose it together, where there are several.
- `settings` (may be absent): what further decisions chose as the operation's parameters, by
  decision, as text. Only operations that are used carry it, so that a parameter of nothing is no
  difference.

Graph attributes, which may be absent: `settings` names all decisions that only set parameters,
`as_published` asks for the canonical keys of NAS-Bench-201.

An operation that receives nothing yields nothing: branches behind it are dead.
"""

import hashlib
from collections.abc import Iterable, Mapping
from collections.abc import Set as AbstractSet
from typing import Any, TypeAlias

import networkx as nx

INPUT = "input"
OUTPUT = "output"
SUM = "sum"
SKIP = "skip"
NONE = "none"
SETTINGS = "settings"
PASSING = frozenset({SUM, SKIP, OUTPUT})
"""Operations that change nothing: a node of one is the sum of what reaches it."""
AS_PUBLISHED = "as_published"
Terms: TypeAlias = Mapping[str, int]
"""The expression of a node's value: the terms of a sum, and how often each occurs. Of a dead node
there is none."""
SIGNAL: Terms = {"0": 1}
"""The expression of the input."""
_DEAD = "#"
_LONGEST = 64  # characters, beyond which a digest stands for an expression within another


def canonical_key(graph: "nx.DiGraph[str]") -> str:
    """Sixteen hexadecimal digits: architectures with one key are treated as one.

    The key hashes the output's expression: a skip is contracted into its input, an operation on a
    dead input is dead, nested sums are one sum, and a sum is the multiset of its live terms. Graphs
    of one key therefore compute the same function of the input, whatever their operations are, up
    to rounding and to whether equal branches share weights. Isomorphic graphs have one key.

    With the graph attribute `as_published` it is the expression by which NAS-Bench-201 tells its
    cells apart (Dong and Yang 2020, section 2.1: 6,466 of 15,625). There dead terms of a sum and
    sums within sums leave a mark, without which 4,930 keys remain.
    """
    return key_of_expression(_output_expression(graph))


def is_connected(graph: "nx.DiGraph[str]") -> bool:
    """Whether anything of the input reaches the output."""
    return len(_live_nodes(graph)) > 2 or _directly_joined(graph)


def simplify(graph: "nx.DiGraph[str]") -> "nx.DiGraph[str]":
    """The graph without `NONE`, `SKIP`, single-input `SUM` and dead nodes; attributes are kept.

    A skip or sum that several operations share is contracted by joining its predecessors with its
    successors. Where that would need two edges between one pair of nodes (the sum of a value and
    itself), the second connection keeps its `SKIP` node, so that no multiplicity is lost.
    """
    live = _live_nodes(graph)
    result = graph.subgraph(live).copy()
    for node in list(nx.topological_sort(result)):
        operation = result.nodes[node]["operation"]
        if operation not in (SUM, SKIP):
            continue
        before, after = list(result.predecessors(node)), list(result.successors(node))
        if any(result.has_edge(p, s) for p in before for s in after):
            continue
        result.add_edges_from((p, s) for p in before for s in after)
        result.remove_node(node)
    return result


def live_decisions(graph: "nx.DiGraph[str]") -> frozenset[str]:
    """The decisions whose operation lies on a path from the input to the output, and those that
    set a parameter of such an operation."""
    found: set[str] = set()
    for node in _live_nodes(graph):
        attributes = graph.nodes[node]
        found.update(attributes.get("decisions", ()), attributes.get(SETTINGS, ()))
        if attributes.get("decision") is not None:
            found.add(attributes["decision"])
    return frozenset(found)


def described(attributes: Mapping[str, Any]) -> str:
    """A node's operation with its parameters, such as `cdc_3x3[0.7]`, from its attributes."""
    settings = attributes.get(SETTINGS)
    operation = str(attributes["operation"])
    return f"{operation}[{','.join(settings.values())}]" if settings else operation


def _live_nodes(graph: "nx.DiGraph[str]") -> set[str]:
    source, sink = _only(graph, INPUT), _only(graph, OUTPUT)
    closed = {n for n, o in graph.nodes(data="operation") if o == NONE}
    reached = _reachable(source, graph.succ, closed)
    if sink not in reached:
        return {source, sink}
    return reached & _reachable(sink, graph.pred, closed)


def _reachable(
    start: str, beyond: Mapping[str, Iterable[str]], closed: AbstractSet[str]
) -> set[str]:
    """Start and what can be reached from it.

    Not by networkx, whose calls cost more than such a small graph takes to be searched.
    """
    found, pending = {start}, [start]
    while pending:
        for node in beyond[pending.pop()]:
            if node not in found and node not in closed:
                found.add(node)
                pending.append(node)
    return found


def _only(graph: "nx.DiGraph[str]", operation: str) -> str:
    nodes = [n for n, o in graph.nodes(data="operation") if o == operation]
    if len(nodes) != 1:
        raise ValueError(
            f"the graph has {len(nodes)} nodes with the operation {operation!r}; it needs one."
        )
    return str(nodes[0])


def _directly_joined(graph: "nx.DiGraph[str]") -> bool:
    return bool(graph.has_edge(_only(graph, INPUT), _only(graph, OUTPUT)))


def summed(parts: Iterable[Terms], *, as_published: bool = False) -> Terms:
    """The expression of a sum of expressions.

    Args:
        parts: What is added up.
        as_published: Whether the sum is one term, in which dead parts and nested sums are seen.
    """
    if as_published:
        whole = "+".join(sorted(map(_text, parts))) or _DEAD
        return {} if whole == _DEAD else {whole: 1}
    live = [part for part in parts if part]
    if len(live) == 1:
        return live[0]
    total: dict[str, int] = {}
    for part in live:
        for term, count in part.items():
            total[term] = total.get(term, 0) + count
    return total


def applied(received: Terms, operation: str, operand: str | None = None) -> Terms:
    """The expression of an operation on what it receives.

    Args:
        received: What the operation is applied to.
        operation: Its name, with its settings.
        operand: `as_operand(received)`, where several operations receive the same.
    """
    total: dict[str, int] = {}
    add_applied(total, received, operation, operand)
    return total


def add_applied(
    total: dict[str, int], received: Terms, operation: str, operand: str | None = None
) -> None:
    """Add the expression of `applied` to a sum, in place."""
    if operation == NONE or not received:
        return
    if operation in PASSING:
        for term, count in received.items():
            total[term] = total.get(term, 0) + count
        return
    within = as_operand(received) if operand is None else operand
    term = f"({within})@{operation!r}"  # quoted: a name may hold what expressions are made of
    total[term] = total.get(term, 0) + 1


def as_operand(expression: Terms) -> str:
    """An expression as it is written within another."""
    text = _text(expression)
    # Written out, expressions would grow with the number of paths through the whole network.
    return text if len(text) <= _LONGEST else _digest(text)


def key_of_expression(expression: Terms) -> str:
    """The canonical key of the architecture whose output has this expression."""
    return _digest(_text(expression))


def _output_expression(graph: "nx.DiGraph[str]") -> Terms:
    as_published = bool(graph.graph.get(AS_PUBLISHED))
    expressions: dict[str, Terms] = {}
    for node in nx.topological_sort(graph):
        attributes = graph.nodes[node]
        if attributes["operation"] == INPUT:
            expressions[node] = SIGNAL
            continue
        received = summed(
            (expressions[p] for p in graph.predecessors(node)), as_published=as_published
        )
        passing = attributes["operation"] in (NONE, *PASSING)
        operation = attributes["operation"] if passing else described(attributes)
        expressions[node] = applied(received, operation)
    return expressions[_only(graph, OUTPUT)]


def _text(expression: Terms) -> str:
    if len(expression) > 1 or 1 not in expression.values():
        counted = sorted(expression.items())
        return "+".join([t if n == 1 else f"{n}*{t}" for t, n in counted]) or _DEAD
    return next(iter(expression))  # the usual case, in a third of the time


def _digest(expression: str) -> str:
    return hashlib.sha256(expression.encode()).hexdigest()[:16]
