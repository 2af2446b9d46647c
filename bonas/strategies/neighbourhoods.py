"""Which neighbourhoods local steps look into, and in which order.

The order decides how soon outliers beside the best architectures are met, of which a surrogate
expects nothing (docs/engine.md).
"""

from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass

from spaces.architecture import Architecture
from spaces.space import SearchSpace, neighbours

TURNS = 3
"""Turns that a whole neighbourhood takes."""


@dataclass(frozen=True, slots=True)
class _Neighbourhood:
    """Neighbours that may be proposed, or might have been had they not been before."""

    classes: int
    known: int
    left: list[Architecture]

    @property
    def turn(self) -> int:
        """Whose turn it is: 0 until a third of the classes are known, then 1, ..."""
        return TURNS * self.known // self.classes


def neighbourhoods(
    space: SearchSpace,
    ranked: Sequence[Architecture],
    *,
    key: Callable[[Architecture], str],
    possible: Callable[[Architecture], bool],
    known: Collection[str],
    taken: Collection[str],
    breadth: int,
) -> Iterator[list[Architecture]]:
    """What is left of each neighbourhood, the one to look into first first; none that is empty.

    A third of each of the best `breadth` neighbourhoods, rounded up, has its turn before the second
    third of any, and all of these before those of the next as many. Who proposes of each the
    neighbours first of which most is expected leaves what promises less and less. To finish one
    before the next, as a breadth of 1 does, spends the first steps on all neighbours of the best
    architecture, also where it is a local optimum.

    Neighbours that compute the same are one, and what may not be proposed at all is none: the turn
    does not depend on how many a limit forbids.

    Args:
        space: The search space.
        ranked: What was observed, the best first.
        key: The canonical key.
        possible: Whether an architecture might be proposed, had it not been before.
        known: Keys that were looked at, as far as a suggestion may know.
        taken: Keys that may not be proposed: these and perhaps others.
        breadth: How many neighbourhoods are looked into in turns.
    """

    def around(best: Architecture) -> _Neighbourhood:
        own = key(best)
        keys = {n: key(n) for n in neighbours(space, best) if possible(n)}
        classes = set(keys.values()) - {own}
        left = [n for n, of in keys.items() if of not in taken and of != own]
        return _Neighbourhood(len(classes), sum(k in known for k in classes), left)

    for first in range(0, len(ranked), breadth):
        group = []
        for best in ranked[first : first + breadth]:  # the first turn: none is read in vain
            group.append(around(best))
            if group[-1].left and group[-1].turn == 0:
                yield group[-1].left
        for turn in range(1, TURNS):
            yield from (each.left for each in group if each.left and each.turn == turn)
