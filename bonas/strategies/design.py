"""The first architectures of a search, before there is anything to believe."""

import numpy as np

from spaces.architecture import Architecture, Choice
from spaces.space import SearchSpace, sample


def pure_architectures(space: SearchSpace, *, rng: np.random.Generator) -> list[Architecture]:
    """Architectures in which all decisions of a kind choose the same option, in random order.

    What a cell computes is in large part a mixture: how much of each operation it has. The
    mixtures of one component alone are the corners between which all others lie, and the simplex
    designs for mixtures begin with them (Scheffe 1958, section 2). Random architectures lie near
    the middle: of cells of six edges with five operations one in 3,125 is pure.

    Decisions are of a kind where they have the same options. Of the kind with the most decisions,
    or of each where several have as many, there is an architecture per option; all other decisions
    are drawn. Not all may be connected, or in the space's table.
    """
    kinds: dict[tuple[Choice, ...], list[int]] = {}
    for position, decision in enumerate(space.decisions):
        kinds.setdefault(decision.options, []).append(position)
    most = max(len(positions) for positions in kinds.values())
    found = []
    for options, positions in kinds.items():
        for option in options if len(positions) == most > 1 else ():
            choices = list(sample(space, rng=rng).choices)
            for position in positions:
                choices[position] = option
            found.append(Architecture(space.name, tuple(choices)))
    return [found[i] for i in rng.permutation(len(found))]
