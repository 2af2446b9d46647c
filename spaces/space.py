"""SearchSpace: decisions and a graph; sampling and neighbourhoods follow from these two.

A space of which only some combinations exist lists them (`SupportsEnumeration`); every function
here then stays within them.
"""

import itertools
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol, TypeGuard, runtime_checkable

import networkx as nx
import numpy as np

from spaces.architecture import Architecture, Choice
from spaces.graphs import NONE, SETTINGS, SKIP, canonical_key, is_connected, live_decisions


@dataclass(frozen=True, slots=True)
class Decision:
    """A named choice among at least two distinct options."""

    name: str
    options: tuple[Choice, ...]

    def __post_init__(self) -> None:
        if len(self.options) < 2 or len(set(self.options)) != len(self.options):
            raise ValueError(
                f"decision {self.name!r} has options {self.options}; it needs at least two, "
                "all different. A decision with one option is a constant: leave it out."
            )


@runtime_checkable
class SearchSpace(Protocol):
    """What can be built. Three members; everything else is derived by functions on them."""

    @property
    def name(self) -> str:
        """The name that its architectures carry."""

    @property
    def decisions(self) -> tuple[Decision, ...]:
        """The decisions, in the order of an architecture's choices."""

    def graph(self, architecture: Architecture) -> "nx.DiGraph[str]":
        """The architecture as a directed acyclic graph with operations on nodes.

        The node attributes are those that `spaces.graphs` describes.
        """


@runtime_checkable
class SupportsLive(Protocol):
    """A space that tells live decisions without a graph: a thousandth of the time."""

    def live(self, architecture: Architecture) -> frozenset[str]:
        """`live_decisions` of the architecture's graph: all that have an effect."""


@runtime_checkable
class SupportsCanonicalKey(Protocol):
    """A space that tells canonical keys without a graph: a tenth of the time."""

    def canonical_key(self, architecture: Architecture) -> str:
        """`spaces.graphs.canonical_key` of the architecture's graph."""


@runtime_checkable
class SupportsNeutral(Protocol):
    """A space in which what a network costs is a sum over its live decisions.

    Without it that holds of a space whose decisions all offer a skip.
    """

    @property
    def neutral(self) -> Mapping[str, Choice]:
        """The option that adds nothing, or least, of each decision that offers no skip."""


@runtime_checkable
class SupportsEnumeration(SearchSpace, Protocol):
    """A space of which only some combinations exist, such as the rows of a table."""

    @property
    def whole(self) -> SearchSpace:
        """The space of all combinations, which knows their graphs."""

    @property
    def architectures(self) -> Sequence[Architecture]:
        """Those that exist, all different, in a fixed order."""

    def holds(self, architecture: Architecture) -> bool:
        """Whether the architecture is one of them."""

    def near(self, architecture: Architecture) -> Sequence[Architecture]:
        """Those that differ from an architecture in exactly one decision; it may be none."""


REJECTIONS = 8
"""Combinations in a row that do not exist before a change of an architecture gives up."""


def enumerates(space: SearchSpace) -> TypeGuard[SupportsEnumeration]:
    """Whether only some combinations exist: `isinstance` of the Protocol, but it costs nothing."""
    return hasattr(space, "holds") and isinstance(space, SupportsEnumeration)


def neutral_options(space: SearchSpace) -> dict[str, Choice]:
    """Of each decision the option that adds nothing, or least, to what a network costs.

    Raises:
        ValueError: there is none, since a decision's cost depends on others.
    """
    if enumerates(space):
        return neutral_options(space.whole)
    known = space.neutral if isinstance(space, SupportsNeutral) else {}
    found = {decision.name: known.get(decision.name, SKIP) for decision in space.decisions}
    if any(found[decision.name] not in decision.options for decision in space.decisions):
        raise ValueError(
            f"search.limits are not available in the space {space.name!r}, where a "
            "decision's cost depends on others; remove them."
        )
    return found


def live(space: SearchSpace, architecture: Architecture) -> frozenset[str]:
    """The decisions whose operation lies on a path from the input to the output."""
    if enumerates(space):
        return live(space.whole, architecture)
    tell: Callable[[Architecture], frozenset[str]] | None = getattr(space, "live", None)
    return live_decisions(space.graph(architecture)) if tell is None else tell(architecture)


def canonical_key_of(space: SearchSpace, architecture: Architecture) -> str:
    """The canonical key: architectures with one key are treated as one."""
    # As `isinstance(space, SupportsCanonicalKey)`, which takes two thirds of a cell's key.
    tell: Callable[[Architecture], str] | None = getattr(space, "canonical_key", None)
    return canonical_key(space.graph(architecture)) if tell is None else tell(architecture)


def unused(space: SearchSpace, architecture: Architecture) -> frozenset[str]:
    """The decisions that chose an operation which no path uses, or what has no effect on one.

    A decision without the option `none` chose no operation but, say, the wiring: it is used,
    unless the space itself tells live decisions, or the graph says that it sets a parameter.
    """
    if enumerates(space):
        return unused(space.whole, architecture)
    used, tells = live(space, architecture), isinstance(space, SupportsLive)
    parameters = () if tells else space.graph(architecture).graph.get(SETTINGS, ())
    return frozenset(
        d.name
        for d in space.decisions
        if d.name not in used and (tells or NONE in d.options or d.name in parameters)
    )


def connects(space: SearchSpace, architecture: Architecture) -> bool:
    """Whether the architecture exists and anything of the input reaches the output."""
    if enumerates(space):
        return space.holds(architecture) and connects(space.whole, architecture)
    return bool(live(space, architecture)) or is_connected(space.graph(architecture))


def size(space: SearchSpace) -> int:
    """The number of combinations of choices that exist, isomorphic ones counted separately."""
    if enumerates(space):
        return len(space.architectures)
    return math.prod(len(decision.options) for decision in space.decisions)


def check(space: SearchSpace, architecture: Architecture) -> None:
    """Raise unless the architecture is a point of the space.

    Raises:
        ValueError: another space's architecture, a wrong number of choices, a choice that is not
            among the options of its decision, or a combination that does not exist.
    """
    if architecture.space != space.name:
        raise ValueError(
            f"the architecture belongs to the space {architecture.space!r}, not to {space.name!r}."
        )
    if len(architecture.choices) != len(space.decisions):
        raise ValueError(
            f"the architecture has {len(architecture.choices)} choices; "
            f"the space {space.name!r} has {len(space.decisions)} decisions."
        )
    for decision, choice in zip(space.decisions, architecture.choices, strict=True):
        if choice not in decision.options:
            raise ValueError(
                f"{choice!r} is no option of the decision {decision.name!r}; "
                f"its options are {', '.join(map(repr, decision.options))}."
            )
    if enumerates(space) and not space.holds(architecture):
        raise ValueError(
            f"{architecture.choices} is none of the {len(space.architectures)} combinations that "
            f"exist in the space {space.name!r}; choose one of its `architectures`."
        )


def indices(space: SearchSpace, architectures: Sequence[Architecture]) -> np.ndarray:
    """The position of each choice among its decision's options, int64, `n x decisions`."""
    positions = [{c: i for i, c in enumerate(d.options)} for d in space.decisions]
    rows = [[p[c] for p, c in zip(positions, a.choices, strict=True)] for a in architectures]
    return np.asarray(rows, dtype=np.int64).reshape(len(architectures), len(positions))


def from_indices(space: SearchSpace, positions: Sequence[int]) -> Architecture:
    """The architecture with the option at each position; the inverse of one row of `indices`."""
    choices = (d.options[i] for d, i in zip(space.decisions, positions, strict=True))
    return Architecture(space.name, tuple(choices))


def sample(space: SearchSpace, *, rng: np.random.Generator) -> Architecture:
    """A uniform draw: each choice by itself, or one of the combinations that exist."""
    if enumerates(space):
        return _one_of(space.architectures, rng=rng)
    return from_indices(space, [int(rng.integers(len(d.options))) for d in space.decisions])


def mutate(
    space: SearchSpace, architecture: Architecture, *, rng: np.random.Generator, radius: int = 1
) -> Architecture:
    """The architecture with `radius` different decisions changed to another option.

    Where only some combinations exist, eight changes are tried; if none of them exists, one
    decision is changed to one that does, and where there is no such neighbour either, the result
    is a uniform draw.

    Raises:
        ValueError: radius is below 1 or above the number of decisions.
    """
    if not 1 <= radius <= len(space.decisions):
        raise ValueError(f"radius is {radius}; it must lie in [1, {len(space.decisions)}].")
    changed = _mutated(space, architecture, rng=rng, radius=radius)
    if not enumerates(space) or space.holds(changed):
        return changed
    whole, near = space.whole, space.near(architecture)
    tried = (_mutated(whole, architecture, rng=rng, radius=radius) for _ in range(REJECTIONS - 1))
    found = next(filter(space.holds, tried), None)
    return found or _one_of(near or space.architectures, rng=rng)


def neighbours(space: SearchSpace, architecture: Architecture) -> Iterator[Architecture]:
    """All architectures that differ in exactly one decision, in the order of the decisions."""
    if enumerates(space):
        yield from space.near(architecture)
        return
    for position, decision in enumerate(space.decisions):
        before, after = architecture.choices[:position], architecture.choices[position + 1 :]
        for option in decision.options:
            if option != architecture.choices[position]:
                yield Architecture(space.name, (*before, option, *after))


def crossover(
    space: SearchSpace, first: Architecture, second: Architecture, *, rng: np.random.Generator
) -> Architecture:
    """Uniform crossover: each choice comes from either parent with probability one half.

    Where only some combinations exist, eight are tried; if none of them exists, the result is
    the first parent.
    """
    for _ in range(REJECTIONS):
        take_first = rng.random(len(space.decisions)) < 0.5
        pairs = zip(first.choices, second.choices, take_first, strict=True)
        child = Architecture(space.name, tuple(a if take else b for a, b, take in pairs))
        if not enumerates(space) or space.holds(child):
            return child
    return first


def enumerate_space(space: SearchSpace) -> Iterator[Architecture]:
    """Every architecture, the last decision varying fastest, or in the order in which they are
    listed. Look at `size` first."""
    if enumerates(space):
        yield from space.architectures
        return
    for choices in itertools.product(*(d.options for d in space.decisions)):
        yield Architecture(space.name, choices)


def _mutated(
    space: SearchSpace, architecture: Architecture, *, rng: np.random.Generator, radius: int
) -> Architecture:
    choices = list(architecture.choices)
    for position in rng.choice(len(choices), size=radius, replace=False):
        others = [o for o in space.decisions[position].options if o != choices[position]]
        choices[position] = others[int(rng.integers(len(others)))]
    return Architecture(space.name, tuple(choices))


def _one_of(architectures: Sequence[Architecture], *, rng: np.random.Generator) -> Architecture:
    return architectures[int(rng.integers(len(architectures)))]
