"""Statistics of an architecture as features: size, operations counted, zero-cost scores."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import networkx as nx
import numpy as np
import torch
from scipy.stats import rankdata

from spaces.architecture import Architecture, Choice
from spaces.graphs import NONE, SKIP, canonical_key, simplify
from spaces.space import Decision, SearchSpace


@dataclass(frozen=True, slots=True)
class StatisticsEncoding:
    """Features given from outside, scaled to [0, 1] by `ranges`.

    Whoever has parameters, FLOPs or zero-cost scores fills the mapping, in which architectures of
    one class share one vector, or gives the function. It tells apart what the statistics do:
    `operation_statistics` have 414 different rows on NAS-Bench-201.

    Attributes:
        space: The search space.
        statistics: Canonical key to values, `d` of them each; or what computes them for an
            architecture, so that a large space needs no table. It is asked once for each.
        ranges: Lowest and highest value of each feature, which become 0 and 1.
    """

    space: SearchSpace
    statistics: Mapping[str, Sequence[float]] | Callable[[Architecture], Sequence[float]]
    ranges: tuple[tuple[float, float], ...]
    _computed: dict[Architecture, Sequence[float]] = field(
        init=False, repr=False, compare=False, default_factory=dict
    )

    def __post_init__(self) -> None:
        for low, high in self.ranges:
            if not low < high:
                raise ValueError(f"ranges has ({low}, {high}); the first must be the lower one.")

    @property
    def dimension(self) -> int:
        """The number of statistics."""
        return len(self.ranges)

    def encode(self, architectures: Sequence[Architecture]) -> torch.Tensor:
        """Scaled statistics, float64, `n x d`.

        Raises:
            KeyError: an architecture whose key has no statistics in a mapping.
        """
        low, high = np.asarray(self.ranges, dtype=np.float64).reshape(-1, 2).T
        rows = np.empty((len(architectures), self.dimension))
        for row, architecture in zip(rows, architectures, strict=True):
            row[:] = (np.asarray(self._of(architecture), dtype=np.float64) - low) / (high - low)
        return torch.from_numpy(rows)

    def _of(self, architecture: Architecture) -> Sequence[float]:
        if not isinstance(self.statistics, Mapping):
            if architecture not in self._computed:
                self._computed[architecture] = self.statistics(architecture)
            return self._computed[architecture]
        key = canonical_key(self.space.graph(architecture))
        if key not in self.statistics:
            raise KeyError(
                f"statistics has no entry for the canonical key {key} of "
                f"{architecture.choices}; give one for every architecture of the space, or a "
                "function that computes them."
            )
        return self.statistics[key]


def ranked(
    space: SearchSpace, scores: Mapping[Architecture, Sequence[float]]
) -> StatisticsEncoding:
    """Each score as its rank among the architectures given, from 0 for the lowest to 1.

    Zero-cost scores spread over many orders of magnitude; only their order says something. Of
    architectures with one canonical key the first one's scores stay. Where an architecture has
    none, such as an empty field of a table, it is minus infinity, which ranks lowest: every
    architecture that may become a candidate needs an entry.

    Raises:
        ValueError: fewer than two architectures, or a score that is not a number.
    """
    by_key: dict[str, Sequence[float]] = {}
    for architecture, values in scores.items():
        by_key.setdefault(canonical_key(space.graph(architecture)), values)
    table = np.asarray(list(by_key.values()), dtype=np.float64).reshape(max(1, len(by_key)), -1)
    if len(by_key) < 2:
        raise ValueError(
            f"scores has {len(by_key)} different architectures; ranks need two or more."
        )
    for architecture, values in scores.items():
        if np.isnan(np.asarray(values, dtype=np.float64)).any():
            raise ValueError(
                f"scores has {tuple(values)} for {architecture.choices}; each must be a number, "
                "minus infinity where there is none."
            )
    ranks = (rankdata(table, axis=0) - 1) / (len(table) - 1)
    return StatisticsEncoding(
        space, dict(zip(by_key, ranks.tolist(), strict=True)), ((0.0, 1.0),) * table.shape[1]
    )


def ranked_among(
    space: SearchSpace,
    score: Callable[[Architecture], Sequence[float]],
    reference: Sequence[Architecture],
) -> StatisticsEncoding:
    """Each score as its rank among those of reference architectures, in [0, 1].

    For spaces too large to score every architecture, as `ranked` needs it: the score is computed
    for the reference, and then for what is met, once for each. Where an architecture has none, it
    is minus infinity, which ranks lowest.

    Args:
        space: The search space.
        score: Of an architecture, a function of it alone.
        reference: Architectures that stand for the space, such as 100 random ones.

    Raises:
        ValueError: fewer than two of the reference, or a score that is not a number.
    """
    if len(reference) < 2:
        raise ValueError(f"reference has {len(reference)} architectures; ranks need two or more.")

    def numbers(architecture: Architecture) -> np.ndarray:
        found = np.asarray(score(architecture), dtype=np.float64)
        if np.isnan(found).any():
            raise ValueError(
                f"score is {tuple(found.tolist())} for {architecture.choices}; it must be a "
                "number, minus infinity where there is none."
            )
        return found

    columns = np.sort([numbers(architecture) for architecture in reference], axis=0).T

    def ranks(architecture: Architecture) -> list[float]:
        pairs = zip(columns, numbers(architecture), strict=True)
        counts = [c.searchsorted(v, "left") + c.searchsorted(v, "right") for c, v in pairs]
        return [float(count) / (2 * len(reference)) for count in counts]

    return StatisticsEncoding(space, ranks, ((0.0, 1.0),) * len(columns))


def operation_statistics(space: SearchSpace, architecture: Architecture) -> tuple[float, ...]:
    """Live nodes of every operation of the space, then depth and number of edges.

    Operations come in the order of the options in which they first occur; `none` and `skip`, which
    a simplified graph does not hold, are left out. Where several decisions choose a node together,
    as in spaces of stages, the node counts for the option of each, and a number counts by itself
    for each kind of decision, such as `kernel=3` of `stage1/kernel` and `stage2/kernel`.
    """
    names = {_named(d, option): 0.0 for d in space.decisions for option in d.options}
    chosen = {
        d.name: _named(d, option)
        for d, option in zip(space.decisions, architecture.choices, strict=True)
    }
    graph = simplify(space.graph(architecture))
    for _, attributes in graph.nodes(data=True):
        shaping = [chosen[name] for name in attributes.get("decisions", ())]
        for name in shaping or [attributes["operation"]]:
            if name in names:
                names[name] += 1.0
    counts = [count for name, count in names.items() if name not in (NONE, SKIP)]
    depths: dict[str, int] = {}
    for node in _in_order(graph):
        depths[node] = max((depths[p] + 1 for p in graph.predecessors(node)), default=0)
    return (*counts, float(max(depths.values(), default=0)), float(graph.number_of_edges()))


def _named(decision: Decision, option: Choice) -> str:
    """What an option is counted as: a number of one kind of decision is no other kind's."""
    if isinstance(option, str):
        return option
    return f"{decision.name.rpartition('/')[2]}={option}"


def _in_order(graph: "nx.DiGraph[str]") -> list[str]:
    return list(nx.topological_sort(graph))
