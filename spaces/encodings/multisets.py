"""Canonical path multisets: how often each operation sequence leads from input to output."""

import itertools
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial

import numpy as np
import torch

from spaces.architecture import Architecture
from spaces.encodings.paths import HASHED_FEATURES, bucket, sequences
from spaces.encodings.remembered import Remembered
from spaces.encodings.wiring import WiringPath, fixed_paths, radices, side_by_side
from spaces.graphs import NONE, SKIP
from spaces.space import SearchSpace, indices


@dataclass(frozen=True, slots=True)
class _Block:
    decisions: tuple[int, ...]
    radices: np.ndarray
    columns: np.ndarray  # radix number -> feature, -1 where the path is dead


@dataclass(frozen=True, slots=True)
class PathMultisetEncoding:
    """One feature per cell and operation sequence: the number of paths that read like that.

    Skips are contracted, paths with a `none` are dead, and positions are dropped, so that the
    encoding is the same for isomorphic architectures: equal canonical keys have equal rows, as
    long as no cell is dead, which the cells behind it do not see. It cannot tell apart
    architectures with the same paths that share them differently: 4,120 different rows on
    NAS-Bench-201, of 6,466 classes.

    Where decisions also choose the wiring, the fall-back reads every graph and hashes the
    sequences of each cell into 1,024 features. Where paths say nothing beyond the decisions, as in
    a table of choices, there are none: `dimension` is 0.
    """

    space: SearchSpace
    _blocks: tuple[_Block, ...] | None = field(init=False, repr=False, compare=False)
    _total: int = field(init=False, repr=False, compare=False)
    _columns: Remembered[tuple[int, ...]] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        paths = () if side_by_side(self.space) else fixed_paths(self.space)
        vocabulary: dict[tuple[str, ...], int] = {}
        blocks = None
        if paths is not None:
            blocks = tuple(_block(self.space, path, vocabulary) for path in paths)
        object.__setattr__(self, "_blocks", blocks)
        object.__setattr__(self, "_total", HASHED_FEATURES if blocks is None else len(vocabulary))
        object.__setattr__(self, "_columns", Remembered(partial(_hashed, self.space)))

    @property
    def dimension(self) -> int:
        """The number of different sequences over all cells."""
        return self._total

    def encode(self, architectures: Sequence[Architecture]) -> torch.Tensor:
        """Counts, float64, `n x d`."""
        rows = np.zeros((len(architectures), self._total))
        if self._blocks is None:
            for row, architecture in zip(rows, architectures, strict=True):
                for column in self._columns(architecture):
                    row[column] += 1.0
            return torch.from_numpy(rows)
        chosen = indices(self.space, architectures)
        for block in self._blocks:
            columns = block.columns[chosen[:, block.decisions] @ block.radices]
            alive = np.flatnonzero(columns >= 0)
            rows[alive, columns[alive]] += 1.0
        return torch.from_numpy(rows)


def _hashed(space: SearchSpace, architecture: Architecture) -> tuple[int, ...]:
    """The feature of every path, read from the graph."""
    found = sequences(space.graph(architecture), drop=(SKIP,))
    return tuple(bucket(sequence, HASHED_FEATURES) for sequence in found)


def _block(space: SearchSpace, path: WiringPath, vocabulary: dict[tuple[str, ...], int]) -> _Block:
    options = [tuple(map(str, space.decisions[i].options)) for i in path.decisions]
    columns = []
    for sequence in itertools.product(*options):
        if NONE in sequence:
            columns.append(-1)
        else:
            word = (path.cell, *(operation for operation in sequence if operation != SKIP))
            columns.append(vocabulary.setdefault(word, len(vocabulary)))
    sizes = [len(o) for o in options]
    return _Block(path.decisions, radices(sizes), np.asarray(columns, dtype=np.int64))
