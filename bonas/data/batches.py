"""Batches of pairs: each real face beside a forgery of the same original.

A network that sees both in one batch cannot tell them apart by who is in the picture, the first
shortcut that a small data set offers, and every batch is balanced whatever the data set's shares.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from bonas.data.faces import Faces


@dataclass(frozen=True, slots=True)
class PairedBatches:
    """The order in which images are trained on, a function of (seed, epoch) alone.

    An epoch pairs every original that has both kinds, one image of each drawn at random, and
    matches the remaining real and forged images at random, the fewer of them repeated.

    Attributes:
        both: Per original that has both kinds, its real and its forged positions.
        reals: Positions of real images whose original has no forgery.
        fakes: Positions of forged images whose original has no real image.
        pairs: Pairs in a batch: half its images.
        seed: Seed of the order.
    """

    both: tuple[tuple[tuple[int, ...], tuple[int, ...]], ...]
    reals: tuple[int, ...]
    fakes: tuple[int, ...]
    pairs: int
    seed: int

    @classmethod
    def of(cls, faces: Faces, batch_size: int, *, seed: int) -> "PairedBatches":
        """Batches over faces that contain both classes.

        Raises:
            ValueError: the batch size is odd or below 2, or there are fewer pairs than it needs.
        """
        if batch_size < 2 or batch_size % 2:
            raise ValueError(f"batch_size is {batch_size}; pairs need an even number, 2 or more.")
        groups: dict[str, tuple[list[int], list[int]]] = {}
        for position, (original, label) in enumerate(
            zip(faces.originals, faces.labels.tolist(), strict=True)
        ):
            groups.setdefault(original, ([], []))[label].append(position)
        both = tuple((tuple(r), tuple(f)) for r, f in groups.values() if r and f)
        reals = tuple(i for r, f in groups.values() if not f for i in r)
        fakes = tuple(i for r, f in groups.values() if not r for i in f)
        batches = cls(both, reals, fakes, batch_size // 2, seed)
        if batches.steps_per_epoch < 1:
            raise ValueError(
                f"batch_size is {batch_size}, but the {len(faces)} images form only "
                f"{batches._pairs_per_epoch} pairs of a real and a forged one; lower it."
            )
        return batches

    @property
    def steps_per_epoch(self) -> int:
        """Whole batches in one pass over the pairs."""
        return self._pairs_per_epoch // self.pairs

    def epoch(self, number: int) -> np.ndarray:
        """Positions of the images of each batch, int64, `steps x batch`; real and forged alternate.

        Args:
            number: Which pass over the pairs; each has an order of its own.
        """
        rng = np.random.default_rng(np.random.SeedSequence([self.seed, number]))
        drawn = [(_draw(r, rng), _draw(f, rng)) for r, f in self.both]
        count = self._loose
        if count:
            loose = zip(_cycle(self.reals, count, rng), _cycle(self.fakes, count, rng), strict=True)
            drawn.extend(loose)
        order = rng.permutation(len(drawn))[: self.steps_per_epoch * self.pairs]
        pairs: np.ndarray = np.asarray(drawn, dtype=np.int64)[order]
        return pairs.reshape(self.steps_per_epoch, 2 * self.pairs)

    @property
    def _pairs_per_epoch(self) -> int:
        return len(self.both) + self._loose

    @property
    def _loose(self) -> int:
        return max(len(self.reals), len(self.fakes)) if self.reals and self.fakes else 0


def _draw(positions: Sequence[int], rng: np.random.Generator) -> int:
    return positions[int(rng.integers(len(positions)))]


def _cycle(positions: Sequence[int], count: int, rng: np.random.Generator) -> list[int]:
    order = rng.permutation(len(positions))
    return [positions[order[i % len(order)]] for i in range(count)]
