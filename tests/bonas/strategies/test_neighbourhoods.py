"""The order in which local steps look into neighbourhoods."""

import numpy as np
import pytest

from bonas.strategies.neighbourhoods import PASSES, next_neighbourhood
from spaces.architecture import Architecture
from spaces.nasbench201 import NASBENCH201
from spaces.space import neighbours, sample

BREADTH = 4
AROUND = 24  # six edges, four other operations each


@pytest.fixture
def ranked() -> list[Architecture]:
    """Architectures far apart: no neighbourhood has one of another's."""
    found: list[Architecture] = []
    rng = np.random.default_rng(0)
    near: set[Architecture] = set()
    while len(found) < 2 * BREADTH:
        drawn = sample(NASBENCH201, rng=rng)
        own = {drawn, *neighbours(NASBENCH201, drawn)}
        if not near & own:
            found.append(drawn)
            near |= own
    return found


def looked_into(ranked: list[Architecture], breadth: int = BREADTH) -> list[int]:
    """Steps until nothing is left, each by the rank of the architecture beside which it stays."""
    known = set(ranked)
    steps = []
    while left := next_neighbourhood(
        NASBENCH201, ranked, lambda n: n not in known, breadth=breadth
    ):
        assert not known & set(left)
        steps.append(next(i for i, r in enumerate(ranked) if left[0] in neighbours_of(r)))
        assert set(left) <= neighbours_of(ranked[steps[-1]])
        known.add(left[0])
    return steps


def neighbours_of(architecture: Architecture) -> set[Architecture]:
    return set(neighbours(NASBENCH201, architecture))


def test_a_third_of_each_of_the_best_comes_before_the_second_third_of_any(
    ranked: list[Architecture],
) -> None:
    third = [i for i in range(BREADTH) for _ in range(AROUND // PASSES)]
    later = [i + BREADTH for i in third]
    assert looked_into(ranked) == [*third, *third, *third, *later, *later, *later]


def test_a_breadth_of_one_finishes_one_before_the_next_begins(ranked: list[Architecture]) -> None:
    assert looked_into(ranked, 1) == [i for i in range(2 * BREADTH) for _ in range(AROUND)]


def test_every_neighbour_is_looked_at_also_of_fewer_architectures(
    ranked: list[Architecture],
) -> None:
    for count in (1, BREADTH - 1, BREADTH + 1):
        steps = looked_into(ranked[:count])
        assert sorted(steps) == [i for i in range(count) for _ in range(AROUND)]


def test_what_is_known_already_counts(ranked: list[Architecture]) -> None:
    first = list(neighbours(NASBENCH201, ranked[0]))
    known = {*ranked, *first[: AROUND // PASSES]}
    left = next_neighbourhood(NASBENCH201, ranked, lambda n: n not in known, breadth=BREADTH)
    assert set(left) == neighbours_of(ranked[1])


def test_without_open_neighbours_there_is_none(ranked: list[Architecture]) -> None:
    assert next_neighbourhood(NASBENCH201, ranked, lambda n: False, breadth=BREADTH) == []
    assert next_neighbourhood(NASBENCH201, [], lambda n: True, breadth=BREADTH) == []
