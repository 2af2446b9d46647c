"""A space that is given as a list of its architectures, such as the rows of a table."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import networkx as nx

from spaces.architecture import Architecture, Choice
from spaces.graphs import INPUT, OUTPUT
from spaces.space import Decision, check


@dataclass(frozen=True, slots=True)
class ListedSpace:
    """Named decisions of which nothing is known but the combinations that exist.

    The graph joins input and output by one node per decision, named after decision and option, so
    that no two architectures are isomorphic. A combination that is not listed is not connected and
    is therefore never proposed.
    """

    name: str
    decisions: tuple[Decision, ...]
    listed: frozenset[Architecture] = field(repr=False)

    def graph(self, architecture: Architecture) -> "nx.DiGraph[str]":
        """Input, a node per decision side by side, output."""
        check(self, architecture)
        graph: nx.DiGraph[str] = nx.DiGraph()
        graph.add_node(INPUT, operation=INPUT)
        graph.add_node(OUTPUT, operation=OUTPUT)
        for decision, choice in zip(self.decisions, architecture.choices, strict=True):
            operation = f"{decision.name}={choice}"
            graph.add_node(decision.name, operation=operation, decision=decision.name)
            if architecture in self.listed:
                graph.add_edges_from([(INPUT, decision.name), (decision.name, OUTPUT)])
        return graph


def listed_space(
    name: str, decisions: Sequence[str], rows: Sequence[Mapping[str, Choice]]
) -> ListedSpace:
    """The space of the given rows; a decision's options are its values, in the rows' order.

    Raises:
        ValueError: a decision has fewer than two values, or a row lacks one.
    """
    options: dict[str, dict[Choice, None]] = {decision: {} for decision in decisions}
    for number, row in enumerate(rows):
        for decision in decisions:
            if decision not in row:
                raise ValueError(f"rows[{number}] lacks the decision {decision!r}.")
            options[decision].setdefault(row[decision])
    architectures = (Architecture(name, tuple(row[d] for d in decisions)) for row in rows)
    return ListedSpace(
        name,
        tuple(Decision(d, tuple(values)) for d, values in options.items()),
        frozenset(architectures),
    )
