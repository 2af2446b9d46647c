"""Candidates: the architectures among which the acquisition chooses.

A space of at most `EXHAUSTIVE` combinations is its own pool. A larger one gets a pool that evolves
with the observations and always covers the neighbourhood of the best.
"""

from collections.abc import Callable, Sequence

import numpy as np
import torch

from spaces.architecture import Architecture
from spaces.space import SearchSpace, crossover, mutate, neighbours, sample

EXHAUSTIVE = 20_000
"""Largest space whose architectures are all scored at every step."""
CLIMBERS = 3
"""Candidates from which local search on the acquisition goes on in each round."""
ROUNDS = 4
"""Edits by which it leaves the pool at most."""


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


def climb(
    space: SearchSpace,
    pool: Sequence[Architecture],
    scores: torch.Tensor,
    score: Callable[[Sequence[Architecture]], torch.Tensor],
    *,
    allowed: Callable[[Architecture], bool] | None = None,
) -> tuple[list[Architecture], torch.Tensor]:
    """The pool, and what local search on the acquisition found from its best candidates.

    In every round all neighbours of the best three candidates join, until the best one has been
    looked around or four rounds are over.

    Args:
        space: The search space.
        pool: Candidates, at least one.
        scores: Of the pool, `N`.
        score: Scores further candidates, `m`.
        allowed: Leaves out the others.
    """
    known = dict.fromkeys(pool)
    expanded: set[Architecture] = set()
    for _ in range(ROUNDS):
        architectures = list(known)
        best = torch.topk(scores, min(CLIMBERS, len(scores))).indices.tolist()
        if architectures[best[0]] in expanded:
            break
        starts = [architectures[i] for i in best if architectures[i] not in expanded]
        expanded.update(starts)
        near = dict.fromkeys(n for start in starts for n in neighbours(space, start))
        fresh = [n for n in near if n not in known and (allowed is None or allowed(n))]
        if fresh:
            known |= dict.fromkeys(fresh)
            scores = torch.cat([scores, score(fresh)])
    return list(known), scores
