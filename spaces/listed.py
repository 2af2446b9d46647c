"""A space that is given as a list of its architectures, such as the rows of a table."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import networkx as nx

from spaces.architecture import Architecture, Choice
from spaces.graphs import INPUT, OUTPUT
from spaces.space import Decision, SearchSpace, check, neighbours


@dataclass(frozen=True, slots=True)
class PlainSpace:
    """Named decisions of which nothing is known but their options.

    The graph joins input and output by one node per decision, named after decision and option, so
    that no two architectures are isomorphic.
    """

    name: str
    decisions: tuple[Decision, ...]

    def graph(self, architecture: Architecture) -> "nx.DiGraph[str]":
        """Input, a node per decision side by side, output."""
        check(self, architecture)
        graph: nx.DiGraph[str] = nx.DiGraph()
        graph.add_node(INPUT, operation=INPUT)
        graph.add_node(OUTPUT, operation=OUTPUT)
        for decision, choice in zip(self.decisions, architecture.choices, strict=True):
            node = f"decision/{decision.name}"  # a column may be called `input`
            operation = f"{decision.name}={choice}"
            graph.add_node(node, operation=operation, decision=decision.name)
            graph.add_edges_from([(INPUT, node), (node, OUTPUT)])
        return graph

    def live(self, architecture: Architecture) -> frozenset[str]:
        """All decisions."""
        return frozenset(decision.name for decision in self.decisions)


@dataclass(frozen=True, slots=True)
class ListedSpace:
    """Those architectures of a space that are listed; no other is ever drawn or proposed.

    Attributes:
        whole: The space that they belong to, whose name, decisions and graphs they keep.
        architectures: They, in a fixed order.

    Raises:
        ValueError: none is listed, one is twice, or one is no point of the space.
    """

    whole: SearchSpace
    architectures: tuple[Architecture, ...] = field(repr=False)
    _members: frozenset[Architecture] = field(init=False, repr=False, compare=False)
    # Neighbours by architecture: strategies ask for those of the best ones again and again.
    _near: dict[Architecture, tuple[Architecture, ...]] = field(
        init=False, repr=False, compare=False
    )

    def __post_init__(self) -> None:
        members = frozenset(self.architectures)
        if not members or len(members) != len(self.architectures):
            raise ValueError(
                f"architectures has {len(self.architectures)} entries, {len(members)} of them "
                "different; list at least one, each once."
            )
        for architecture in self.architectures:
            check(self.whole, architecture)
        object.__setattr__(self, "_members", members)
        object.__setattr__(self, "_near", {})

    @property
    def name(self) -> str:
        """Of the whole space."""
        return self.whole.name

    @property
    def decisions(self) -> tuple[Decision, ...]:
        """Of the whole space."""
        return self.whole.decisions

    def graph(self, architecture: Architecture) -> "nx.DiGraph[str]":
        """As in the whole space."""
        return self.whole.graph(architecture)

    def holds(self, architecture: Architecture) -> bool:
        """Whether the architecture is listed."""
        return architecture in self._members

    def near(self, architecture: Architecture) -> tuple[Architecture, ...]:
        """The listed architectures that differ in exactly one decision."""
        if architecture not in self._near:
            around = neighbours(self.whole, architecture)
            self._near[architecture] = tuple(filter(self._members.__contains__, around))
        return self._near[architecture]


def listed_space(
    name: str, decisions: Sequence[str], rows: Sequence[Mapping[str, Choice]]
) -> ListedSpace:
    """The space of the given rows; a decision's options are its values, in the rows' order.

    Raises:
        ValueError: a decision has fewer than two values, a row lacks one, or one is there twice.
    """
    options: dict[str, dict[Choice, None]] = {decision: {} for decision in decisions}
    for number, row in enumerate(rows):
        for decision in decisions:
            if decision not in row:
                raise ValueError(f"rows[{number}] lacks the decision {decision!r}.")
            options[decision].setdefault(row[decision])
    architectures = (Architecture(name, tuple(row[d] for d in decisions)) for row in rows)
    whole = PlainSpace(name, tuple(Decision(d, tuple(values)) for d, values in options.items()))
    return ListedSpace(whole, tuple(architectures))
