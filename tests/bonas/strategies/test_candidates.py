import numpy as np
import pytest

from bonas.strategies.candidates import evolving_pool
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
