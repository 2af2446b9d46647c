"""Which neighbourhood a local step looks into.

The order in which the best architectures' neighbours are proposed decides how soon outliers beside
them are met, of which a surrogate expects nothing (docs/engine.md).
"""

from collections.abc import Callable, Sequence

from spaces.architecture import Architecture
from spaces.space import SearchSpace, neighbours

BREADTH = 4
"""Architectures whose neighbourhoods are looked into in turns."""
PASSES = 3
"""Turns in which a neighbourhood is known whole."""


def next_neighbourhood(
    space: SearchSpace,
    ranked: Sequence[Architecture],
    is_open: Callable[[Architecture], bool],
) -> list[Architecture]:
    """The neighbours to choose from, or none where none is open.

    A third of each of the best four neighbourhoods is looked into before the second third of any,
    and all of these before those of the next four. Within one, the neighbours of which most is
    expected are proposed first, so that what remains of a neighbourhood promises less than what the
    next begins with; one finished before the next begins would be a depth-first search, which
    spends its first steps on all of the best architecture's neighbours, also where that is a local
    optimum.

    Args:
        space: The search space.
        ranked: What was observed, the best first.
        is_open: Whether an architecture may be proposed.
    """
    for first in range(0, len(ranked), BREADTH):
        around = [list(neighbours(space, best)) for best in ranked[first : first + BREADTH]]
        still = [[n for n in near if is_open(n)] for near in around]
        for turn in range(1, PASSES + 1):
            for near, left in zip(around, still, strict=True):
                if left and PASSES * (len(near) - len(left)) < turn * len(near):
                    return left
    return []
