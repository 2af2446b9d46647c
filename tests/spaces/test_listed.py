"""Spaces of which only some combinations exist."""

import itertools
import pickle

import numpy as np
import pytest
import torch

from spaces.architecture import Architecture
from spaces.darts import DARTS
from spaces.encodings.multisets import PathMultisetEncoding
from spaces.encodings.paths import PathEncoding
from spaces.encodings.profiles import PathProfileEncoding
from spaces.forgery import FORGERY, FORGERY_CASCADE
from spaces.graphs import canonical_key, live_decisions
from spaces.listed import ListedSpace, PlainSpace, listed_space
from spaces.macro import MACRO
from spaces.nasbench201 import NASBENCH201
from spaces.space import (
    Decision,
    SearchSpace,
    check,
    connects,
    crossover,
    enumerate_space,
    live,
    mutate,
    neighbours,
    sample,
    unused,
)
from tests.spaces.contract import SpaceLaws

RNG = np.random.default_rng(0)
PART = ListedSpace(
    NASBENCH201, tuple(dict.fromkeys(sample(NASBENCH201, rng=RNG) for _ in range(400)))
)
SPARSE = listed_space(
    "sparse",
    [f"d{i}" for i in range(12)],
    [{f"d{i}": int(c) for i, c in enumerate(RNG.integers(6, size=12))} for _ in range(80)],
)
FULL = listed_space(
    "full",
    ("a", "b", "c"),
    [dict(zip("abc", c, strict=True)) for c in itertools.product(range(3), range(4), "xy")],
)
PLAIN = PlainSpace("plain", (Decision("depth", (2, 4, 8)), Decision("kind", ("a", "b"))))
EVERY: list[SearchSpace] = [
    *(NASBENCH201, FORGERY, FORGERY_CASCADE, MACRO, DARTS),
    *(PART, SPARSE, FULL, PLAIN),
]


@pytest.mark.parametrize("space", EVERY, ids=lambda s: f"{type(s).__name__}-{s.name}")
class TestSpaces(SpaceLaws):
    """All spaces, whole and listed."""


def test_only_listed_architectures_are_points_of_the_space() -> None:
    missing = next(a for a in enumerate_space(NASBENCH201) if not PART.holds(a))
    connected = next(a for a in enumerate_space(NASBENCH201) if connects(PART, a))
    assert PART.holds(connected)
    assert not connects(PART, missing)
    with pytest.raises(ValueError, match=r"none of the 39[0-9] combinations that exist"):
        check(PART, missing)


def test_a_part_of_a_space_has_the_graphs_of_the_whole() -> None:
    for architecture in PART.architectures[:20]:
        expected = canonical_key(NASBENCH201.graph(architecture))
        assert canonical_key(PART.graph(architecture)) == expected
        assert live(PART, architecture) == live(NASBENCH201, architecture)
        assert unused(PART, architecture) == unused(NASBENCH201, architecture)


def test_neighbours_are_the_listed_ones() -> None:
    members = set(PART.architectures)
    for architecture in PART.architectures[:20]:
        expected = [n for n in neighbours(NASBENCH201, architecture) if n in members]
        assert list(neighbours(PART, architecture)) == expected


def test_a_change_goes_to_a_neighbour_where_there_is_one_and_anywhere_otherwise() -> None:
    rng = np.random.default_rng(1)
    for architecture in PART.architectures[:30]:
        changed = {mutate(PART, architecture, rng=rng) for _ in range(10)}
        around = set(neighbours(PART, architecture))
        assert changed <= (around or set(PART.architectures))
    assert not any(list(neighbours(SPARSE, a)) for a in SPARSE.architectures)
    lonely = SPARSE.architectures[0]
    assert len({mutate(SPARSE, lonely, rng=rng) for _ in range(20)}) > 5


def test_a_crossing_that_does_not_exist_is_the_first_parent() -> None:
    first, second = SPARSE.architectures[:2]
    assert crossover(SPARSE, first, second, rng=np.random.default_rng(0)) in (first, second)


def test_a_complete_list_changes_as_the_whole_does() -> None:
    for architecture in FULL.architectures[:8]:
        seeds = range(10)
        whole, listed = (
            [mutate(s, architecture, rng=np.random.default_rng(i), radius=2) for i in seeds]
            for s in (FULL.whole, FULL)
        )
        assert whole == listed


def test_draws_are_uniform_over_the_list() -> None:
    rng = np.random.default_rng(0)
    counts = [0] * len(FULL.architectures)
    for _ in range(2_400):
        counts[FULL.architectures.index(sample(FULL, rng=rng))] += 1
    assert min(counts) > 60
    assert max(counts) < 150


def test_a_list_travels_between_processes() -> None:
    assert pickle.loads(pickle.dumps(PART)) == PART


@pytest.mark.parametrize(
    ("architectures", "message"),
    [
        ((), "architectures has 0 entries"),
        ((PART.architectures[0],) * 2, "2 entries, 1 of them different"),
        ((Architecture("nasbench201", ("none",)),), "has 1 choices"),
    ],
)
def test_a_bad_list_is_refused(architectures: tuple[Architecture, ...], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        ListedSpace(NASBENCH201, architectures)


@pytest.mark.parametrize("column", ["input", "output", "decision", "a/b"])
def test_a_decision_may_have_any_name(column: str) -> None:
    space = PlainSpace("named", (Decision(column, (1, 2)), Decision("depth", (1, 2, 3))))
    renamed = PlainSpace("named", (Decision("x", (1, 2)), Decision("depth", (1, 2, 3))))
    architectures = list(enumerate_space(space))
    assert len({canonical_key(space.graph(a)) for a in architectures}) == 6
    assert all(connects(space, a) for a in architectures)
    assert live(space, architectures[0]) == {column, "depth"}
    assert live_decisions(space.graph(architectures[0])) == {column, "depth"}
    for encoding in (PathMultisetEncoding, PathProfileEncoding, PathEncoding):
        found, expected = encoding(space), encoding(renamed)
        assert torch.equal(found.encode(architectures), expected.encode(architectures))
