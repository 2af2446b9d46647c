"""The front is non-dominated and complete."""

import itertools

import numpy as np
import pytest
import torch

from bonas.front import front_of
from bonas.strategies.pareto import non_dominated


@pytest.mark.parametrize("objectives", [1, 2, 3])
def test_the_front_is_what_nothing_dominates_and_all_of_it(objectives: int) -> None:
    rng = np.random.default_rng(objectives)
    points = rng.integers(0, 6, (60, objectives)).astype(float)  # with ties and repeats
    expected = non_dominated(torch.from_numpy(points)).nonzero().squeeze(1).tolist()
    assert front_of(points.tolist()) == expected


def test_the_order_of_objectives_and_points_plays_no_part() -> None:
    points = np.random.default_rng(0).normal(size=(40, 3))
    front = front_of(points.tolist())
    for order in itertools.permutations(range(3)):
        assert front_of(points[:, order].tolist()) == front
    turned = front_of(points[::-1].tolist())
    assert sorted(39 - i for i in turned) == front


def test_of_nothing_there_is_no_front() -> None:
    assert front_of([]) == []
