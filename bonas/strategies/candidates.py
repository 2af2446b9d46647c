"""Candidates: the architectures among which the acquisition chooses.

A space of at most `EXHAUSTIVE` combinations is its own pool. A larger one gets a pool that evolves
with the observations and always covers the neighbourhood of the best.
"""

from collections.abc import Callable, Sequence

import numpy as np

from spaces.architecture import Architecture
from spaces.space import SearchSpace, crossover, mutate, neighbours, sample

EXHAUSTIVE = 20_000
"""Largest space whose architectures are all scored at every step."""


def evolving_pool(
    space: SearchSpace,
    ranked: Sequence[Architecture],
    *,
    rng: np.random.Generator,
    size: int = 1_000,
    allowed: Callable[[Architecture], bool] | None = None,
) -> list[Architecture]:
    """Architectures near the best and anywhere: all one-edit neighbours of the best five,
    mutations of radius two and three, crossovers of the best twenty, and a quarter random draws.

    Args:
        space: The search space.
        ranked: Observed architectures, best first.
        rng: Where draws come from.
        size: How many at most; fewer where the space does not give as many in a few draws.
        allowed: Leaves out the others.
    """
    near = (n for best in ranked[:5] for n in neighbours(space, best))
    found = dict.fromkeys(n for n in near if allowed is None or allowed(n))
    elite = ranked[:20]
    for _ in range(4 * size):
        if len(found) >= size:
            break
        draw = rng.random()
        if not elite or draw < 0.25:
            candidate = sample(space, rng=rng)
        elif draw < 0.5 and len(elite) > 1:
            first, second = rng.choice(len(elite), size=2, replace=False)
            candidate = crossover(space, elite[first], elite[second], rng=rng)
        else:
            radius = min(int(rng.integers(2, 4)), len(space.decisions))
            candidate = mutate(space, elite[int(rng.integers(len(elite)))], rng=rng, radius=radius)
        if allowed is None or allowed(candidate):
            found[candidate] = None
    return list(found)
