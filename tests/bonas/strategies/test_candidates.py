from collections.abc import Sequence

import numpy as np
import pytest
import torch

from bonas.strategies.candidates import ROUNDS, climb, evolving_pool
from spaces.architecture import Architecture
from spaces.forgery import FORGERY
from spaces.space import neighbours, sample


@pytest.fixture
def ranked() -> list[Architecture]:
    rng = np.random.default_rng(0)
    return [sample(FORGERY, rng=rng) for _ in range(30)]


def test_the_pool_covers_the_neighbourhoods_of_the_best(ranked: list[Architecture]) -> None:
    pool = set(evolving_pool(FORGERY, ranked, rng=np.random.default_rng(1)))
    for best in ranked[:5]:
        assert pool >= set(neighbours(FORGERY, best))
    assert len(pool) == 1_000


def test_the_pool_leaves_out_what_is_not_allowed(ranked: list[Architecture]) -> None:
    def allowed(architecture: Architecture) -> bool:
        return architecture.choices.count("none") >= 3

    free = evolving_pool(FORGERY, ranked, rng=np.random.default_rng(1))
    assert not all(map(allowed, free))
    pool = evolving_pool(FORGERY, ranked, rng=np.random.default_rng(1), allowed=allowed)
    assert pool
    assert all(map(allowed, pool))


def test_without_observations_the_pool_is_random() -> None:
    first, again, other = (
        evolving_pool(FORGERY, [], rng=np.random.default_rng(seed), size=50) for seed in (0, 0, 1)
    )
    assert first == again
    assert not set(first) & set(other)


def _skips(architectures: Sequence[Architecture]) -> torch.Tensor:
    """An acquisition whose best is known: a skip on every edge."""
    return torch.tensor([float(a.choices.count("skip")) for a in architectures])


def test_climbing_finds_an_edit_per_round_and_keeps_the_pool(ranked: list[Architecture]) -> None:
    found, scores = climb(FORGERY, ranked, _skips(ranked), _skips)
    assert found[: len(ranked)] == ranked
    assert torch.equal(scores, _skips(found))
    assert len(set(found)) == len(found)
    assert float(scores.max()) == float(_skips(ranked).max()) + ROUNDS


def test_climbing_stops_where_nothing_is_better(ranked: list[Architecture]) -> None:
    best = Architecture("forgery", ("skip",) * 18)
    scored: list[Architecture] = []

    def score(architectures: Sequence[Architecture]) -> torch.Tensor:
        scored.extend(architectures)
        return _skips(architectures)

    found, scores = climb(FORGERY, [best], _skips([best]), score)
    assert set(scored) == set(neighbours(FORGERY, best))
    assert found[int(scores.argmax())] == best


def test_climbing_keeps_to_what_is_allowed(ranked: list[Architecture]) -> None:
    def allowed(architecture: Architecture) -> bool:
        return architecture.choices.count("skip") <= 8

    start = [a for a in ranked if allowed(a)]
    found, _ = climb(FORGERY, start, _skips(start), _skips, allowed=allowed)
    assert len(found) > len(start)
    assert all(map(allowed, found))
