"""Path encoding (White, Neiswanger and Savani 2021, BANANAS): which operation sequences occur."""

import hashlib
import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import networkx as nx
import numpy as np
import torch

from spaces.architecture import Architecture
from spaces.encodings.wiring import WiringPath, fixed_paths, radices, side_by_side
from spaces.graphs import INPUT, NONE, OUTPUT, SUM
from spaces.space import SearchSpace, indices

HASHED_FEATURES = 1024
"""Features of a space whose wiring is chosen: operation sequences are hashed into this many."""
MOST_PATHS = 10_000
"""Paths that are read from one cell of such a space; further ones are left out."""


@dataclass(frozen=True, slots=True)
class _Block:
    """The features of one path: mixed-radix numbers of the options along it, and their columns."""

    decisions: tuple[int, ...]
    radices: np.ndarray
    columns: np.ndarray  # radix number -> feature, -1 where the path is dead or cut off


@dataclass(frozen=True, slots=True)
class PathEncoding:
    """One feature per path and sequence of operations along it; 1 where the path reads like that.

    A path is positional: the same sequence along other edges is another feature, and each cell has
    features of its own. A path with a `none` yields nothing. Shorter paths come first, so that
    `features` (the truncated encoding of the paper, section 4) keeps the likeliest ones.

    Where decisions also choose the wiring (see `spaces.encodings.wiring`), the fall-back reads
    every graph, drops positions and hashes each operation sequence into one of 1,024 features,
    so that sequences may collide. Where paths say nothing beyond the decisions, as in a table of
    choices, there are none: `dimension` is 0.

    It cannot tell apart architectures that differ only on dead branches, or only in parameters of
    their operations (`settings` of `spaces.graphs`): 9,445 different rows on
    NAS-Bench-201; truncated to 40 features 1,945, to 20 features 85. Isomorphic architectures have
    different rows, since edges have positions.

    Attributes:
        space: The search space.
        features: The number of features kept, or `None` for all.
    """

    space: SearchSpace
    features: int | None = None
    _blocks: tuple[_Block, ...] | None = field(init=False, repr=False, compare=False)
    _total: int = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        if self.features is not None and self.features < 1:
            raise ValueError(
                f"features is {self.features}; it must be at least 1, or None for all paths."
            )
        paths = () if side_by_side(self.space) else fixed_paths(self.space)
        if paths is None:
            blocks, total = None, min(self.features or HASHED_FEATURES, HASHED_FEATURES)
        else:
            blocks, total = _blocks(self.space, paths, self.features)
        object.__setattr__(self, "_blocks", blocks)
        object.__setattr__(self, "_total", total)

    @property
    def dimension(self) -> int:
        """The number of features."""
        return self._total

    def encode(self, architectures: Sequence[Architecture]) -> torch.Tensor:
        """Zeros and ones, float64, `n x d`."""
        rows = np.zeros((len(architectures), self._total))
        if self._blocks is None:
            for row, architecture in zip(rows, architectures, strict=True):
                for sequence in sequences(self.space.graph(architecture)):
                    row[bucket(sequence, self._total)] = 1.0
            return torch.from_numpy(rows)
        chosen = indices(self.space, architectures)
        for block in self._blocks:
            columns = block.columns[chosen[:, block.decisions] @ block.radices]
            kept = np.flatnonzero(columns >= 0)
            rows[kept, columns[kept]] = 1.0
        return torch.from_numpy(rows)


def _blocks(
    space: SearchSpace, paths: tuple[WiringPath, ...], features: int | None
) -> tuple[tuple[_Block, ...], int]:
    blocks, total = [], 0
    for path in paths:
        options = [space.decisions[i].options for i in path.decisions]
        sizes = [len(o) for o in options]
        alive = np.ones(sizes, dtype=bool)
        for axis, names in enumerate(options):
            for k, name in enumerate(names):
                if str(name) == NONE:
                    np.moveaxis(alive, axis, 0)[k] = False
        columns = np.full(alive.size, -1, dtype=np.int64)
        room = alive.sum() if features is None else min(alive.sum(), features - total)
        columns[np.flatnonzero(alive.ravel())[:room]] = np.arange(total, total + room)
        blocks.append(_Block(path.decisions, radices(sizes), columns))
        total += int(room)
    return tuple(blocks), total


def sequences(graph: "nx.DiGraph[str]", *, drop: tuple[str, ...] = ()) -> Iterator[str]:
    """The operations along each path through each cell, without sums and those to drop.

    A cell's paths run between the nodes at which edges enter and leave it; nodes without a cell
    form one. The paths of a whole network would be the product of its cells' paths.

    Raises:
        ValueError: the graph has a cycle, along which paths would never end.
    """
    operation = dict(graph.nodes(data="operation"))
    left_out = {SUM, *drop}
    cells: dict[str | None, set[str]] = {}
    for node, cell in graph.nodes(data="cell"):
        if operation[node] not in (INPUT, OUTPUT):
            cells.setdefault(cell, set()).add(node)
    dead = {node for node, name in operation.items() if name == NONE}
    for cell, inside in cells.items():
        paths = _paths_through(graph, inside, dead)
        for path in itertools.islice(paths, MOST_PATHS):
            named = [operation[node] for node in path if operation[node] not in left_out]
            yield ">".join(named if cell is None else [str(cell), *named])


def _paths_through(
    graph: "nx.DiGraph[str]", inside: set[str], dead: set[str]
) -> Iterator[tuple[str, ...]]:
    starts = [n for n in inside - dead if any(p not in inside for p in graph.predecessors(n))]
    ends = {n for n in inside if any(s not in inside for s in graph.successors(n))}
    pending: list[tuple[str, ...]] = [(n,) for n in sorted(starts, reverse=True)]
    while pending:
        path = pending.pop()
        if path[-1] in ends:
            yield path
        for node in sorted(graph.successors(path[-1]), reverse=True):
            if node in path:
                raise ValueError(
                    f"the graph has a cycle through the node {node!r}; the graph of an "
                    "architecture must be acyclic. Give nodes of different operations different "
                    "names."
                )
            if node in inside and node not in dead:
                pending.append((*path, node))


def bucket(sequence: str, buckets: int) -> int:
    """The feature that a sequence is hashed to, the same in every process."""
    return int.from_bytes(hashlib.sha256(sequence.encode()).digest()[:8], "big") % buckets
