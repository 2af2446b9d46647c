"""Path profiles: how often each operation occurs in a cell and on its paths."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial

import numpy as np
import torch

from spaces.architecture import Architecture, Choice
from spaces.encodings.remembered import Remembered
from spaces.encodings.wiring import fixed_paths
from spaces.graphs import NONE, SKIP
from spaces.space import SearchSpace, from_indices, indices, live

Paths = tuple[tuple[int, ...], ...]
"""Each path by the positions of the decisions on it."""


@dataclass(frozen=True, slots=True)
class _Group:
    """Decisions of one cell that have the same options."""

    decisions: tuple[int, ...]
    options: tuple[Choice, ...]
    paths: Paths  # of the cell; empty where there is only one, or where they are not fixed

    @property
    def counted(self) -> list[int]:
        """Options whose number on a path is of interest: those that do something."""
        return [i for i, option in enumerate(self.options) if str(option) not in (NONE, SKIP)]

    @property
    def dimension(self) -> int:
        return len(self.options) + (3 * len(self.counted) + 1 if self.paths else 0)


@dataclass(frozen=True, slots=True)
class PathProfileEncoding:
    """Per cell: shares of operations among its decisions; the fewest, the mean and the most
    occurrences of each operation on a live path; the share of paths that are live.

    All lie in [0, 1]. With few observations, how many convolutions every path has, and how many
    the cell, says more of an architecture's value than where they are (docs/engine.md). Dead
    decisions count as `none`, or as nothing where that is no option; whether a decision is dead is
    judged within its cell.

    Decisions count together where they have the same options; a decision alone in its cell with
    its options is left out (one-hot features say the same). Decisions that choose an operation
    together, as in spaces of stages, count over all stages. Where a cell has one path, or where
    decisions also choose the wiring, there are shares alone.

    It cannot tell apart architectures whose paths have the same operations in another order:
    1,480 different rows on NAS-Bench-201. Equal branches count twice, so that isomorphic
    architectures may differ.
    """

    space: SearchSpace
    _groups: tuple[_Group, ...] = field(init=False, repr=False, compare=False)
    _live: Remembered[frozenset[str]] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_live", Remembered(partial(live, self.space)))
        object.__setattr__(self, "_groups", tuple(_groups(self.space)))

    @property
    def dimension(self) -> int:
        """The number of features over all cells; 0 where every decision is alone."""
        return sum(group.dimension for group in self._groups)

    def encode(self, architectures: Sequence[Architecture]) -> torch.Tensor:
        """Profiles, float64, `n x d`."""
        chosen = indices(self.space, architectures)
        names = [decision.name for decision in self.space.decisions]
        used = np.zeros(chosen.shape, dtype=bool)
        if not all(group.paths for group in self._groups):
            for row, architecture in zip(used, architectures, strict=True):
                lives = self._live(architecture)
                row[:] = [name in lives for name in names]
        none = [_position(d.options) for d in self.space.decisions]
        passing = chosen != np.asarray(none, dtype=np.int64)
        blocks = [np.empty((len(architectures), 0))]
        for group in self._groups:
            blocks.append(_profile(group, chosen, used, passing))
        return torch.from_numpy(np.concatenate(blocks, axis=1))


def _groups(space: SearchSpace) -> Iterator[_Group]:
    graph = space.graph(from_indices(space, [0] * len(space.decisions)))
    cells = {d: graph.nodes[n].get("cell") for n, d in graph.nodes(data="decision") if d}
    paths: dict[str, list[tuple[int, ...]]] = {}
    for path in fixed_paths(space) or ():
        paths.setdefault(path.cell, []).append(path.decisions)
    found: dict[tuple[str | None, tuple[Choice, ...]], list[int]] = {}
    for position, decision in enumerate(space.decisions):
        found.setdefault((cells.get(decision.name), decision.options), []).append(position)
    for (cell, options), decisions in found.items():
        if len(decisions) > 1:
            own = paths.get(cell or "", [])
            if not any(set(decisions) & set(path) for path in own):
                own = []
            yield _Group(tuple(decisions), options, tuple(own) if len(own) > 1 else ())


def _position(options: tuple[Choice, ...]) -> int:
    names = [str(option) for option in options]
    return names.index(NONE) if NONE in names else -1


def _profile(
    group: _Group, chosen: np.ndarray, used: np.ndarray, passing: np.ndarray
) -> np.ndarray:
    """Features, `n x d`, from options, `n x decisions`, and whether each is live and not `none`.

    Whether a decision is live is not read where the group has paths: they say it faster.
    """
    none = _position(group.options)
    alive = np.empty((len(chosen), 0), dtype=bool)
    if group.paths:
        alive = np.stack([passing[:, path].all(axis=1) for path in group.paths], axis=1)
        used = np.zeros(chosen.shape, dtype=bool)
        for number, path in enumerate(group.paths):
            used[:, path] |= alive[:, [number]]
    hits = [used & (chosen == option) for option in range(len(group.options))]
    if none >= 0:
        hits[none] = ~used
    features = [hit[:, group.decisions].mean(axis=1) for hit in hits]
    if group.paths:
        longest = max(len(path) for path in group.paths)
        own = np.isin(np.arange(chosen.shape[1]), group.decisions)
        for option in group.counted:
            hit = own & (chosen == option)
            counts = np.stack([hit[:, path].sum(axis=1) for path in group.paths], axis=1)
            fewest = np.where(alive, counts, longest).min(axis=1) * alive.any(axis=1)
            mean = (counts * alive).sum(axis=1) / np.maximum(alive.sum(axis=1), 1)
            most = (counts * alive).max(axis=1)
            features += [fewest / longest, mean / longest, most / longest]
        features.append(alive.mean(axis=1))
    return np.stack(features, axis=1)
