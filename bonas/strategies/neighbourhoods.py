"""Which neighbourhood a local step looks into.

The order in which the best architectures' neighbours are proposed decides how soon outliers beside
them are met, of which a surrogate expects nothing (docs/engine.md).
"""

from collections.abc import Callable, Sequence

from spaces.architecture import Architecture
from spaces.space import SearchSpace, neighbours

PASSES = 3
"""Turns in which a neighbourhood is known whole."""


def next_neighbourhood(
    space: SearchSpace,
    ranked: Sequence[Architecture],
    is_open: Callable[[Architecture], bool],
    *,
    breadth: int,
) -> list[Architecture]:
    """The neighbours to choose from, or none where none is open.

    A third of each of the best `breadth` neighbourhoods is looked into before the second third of
    any, and all of these before those of the next as many. Of a neighbourhood, the neighbours are
    proposed first of which most is expected, so that what remains of it promises less and less. To
    finish one before the next begins, as a breadth of 1 does, spends the first steps on all
    neighbours of the best architecture, also where it is a local optimum.

    Args:
        space: The search space.
        ranked: What was observed, the best first.
        is_open: Whether an architecture may be proposed.
        breadth: How many neighbourhoods are looked into in turns.
    """
    for first in range(0, len(ranked), breadth):
        around = [list(neighbours(space, best)) for best in ranked[first : first + breadth]]
        still = [[n for n in near if is_open(n)] for near in around]
        for turn in range(1, PASSES + 1):
            for near, left in zip(around, still, strict=True):
                if left and PASSES * (len(near) - len(left)) < turn * len(near):
                    return left
    return []
