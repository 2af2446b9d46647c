import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from spaces.architecture import Architecture
from spaces.cell import CellSpace
from spaces.forgery import FORGERY, FORGERY_CASCADE
from spaces.macro import MACRO
from spaces.nasbench201 import NASBENCH201, from_arch_str, to_arch_str
from spaces.space import (
    Decision,
    SearchSpace,
    check,
    crossover,
    enumerate_space,
    from_indices,
    indices,
    mutate,
    neighbours,
    sample,
    size,
)

SPACES = [
    *[NASBENCH201, FORGERY, FORGERY_CASCADE, MACRO],
    CellSpace("tiny", ("none", "skip", "conv_3x3"), nodes=3),
]
SEEDS = st.integers(0, 2**32 - 1)


@pytest.mark.parametrize("space", SPACES, ids=lambda s: s.name)
@given(seed=SEEDS)
def test_drawn_and_changed_architectures_belong_to_the_space(space: SearchSpace, seed: int) -> None:
    rng = np.random.default_rng(seed)
    first, second = sample(space, rng=rng), sample(space, rng=rng)
    for architecture in (first, mutate(space, first, rng=rng, radius=2)):
        check(space, architecture)
    check(space, crossover(space, first, second, rng=rng))


@pytest.mark.parametrize("radius", [1, 2, 6])
def test_a_mutation_changes_exactly_as_many_decisions_as_its_radius(radius: int) -> None:
    rng = np.random.default_rng(0)
    for _ in range(50):
        before = sample(NASBENCH201, rng=rng)
        after = mutate(NASBENCH201, before, rng=rng, radius=radius)
        changed = [a != b for a, b in zip(before.choices, after.choices, strict=True)]
        assert sum(changed) == radius


@pytest.mark.parametrize("radius", [0, 7])
def test_a_radius_outside_the_decisions_is_an_error(radius: int) -> None:
    rng = np.random.default_rng(0)
    with pytest.raises(ValueError, match=rf"radius is {radius}; it must lie in \[1, 6\]"):
        mutate(NASBENCH201, sample(NASBENCH201, rng=rng), rng=rng, radius=radius)


def test_neighbours_are_all_architectures_one_decision_away() -> None:
    centre = sample(NASBENCH201, rng=np.random.default_rng(1))
    near = list(neighbours(NASBENCH201, centre))
    assert len(near) == len(set(near)) == 6 * 4
    assert all(
        sum(a != b for a, b in zip(centre.choices, n.choices, strict=True)) == 1 for n in near
    )


def test_enumeration_is_complete_and_free_of_repeats() -> None:
    everything = list(enumerate_space(NASBENCH201))
    assert len(everything) == len(set(everything)) == size(NASBENCH201) == 15_625


def test_indices_round_trip() -> None:
    rng = np.random.default_rng(2)
    drawn = [sample(FORGERY, rng=rng) for _ in range(20)]
    rows = indices(FORGERY, drawn)
    assert rows.shape == (20, 18)
    assert [from_indices(FORGERY, row) for row in rows] == drawn


@given(seed=SEEDS)
def test_json_and_the_published_notation_round_trip(seed: int) -> None:
    architecture = sample(NASBENCH201, rng=np.random.default_rng(seed))
    assert Architecture.from_json(architecture.to_json()) == architecture
    assert from_arch_str(to_arch_str(architecture)) == architecture


@pytest.mark.parametrize(
    "text", ["", "|conv~0|", "|nor_conv_3x3~0|+|none~0|none~1|+|none~0|none~1|wrong~2|"]
)
def test_a_malformed_published_notation_is_named(text: str) -> None:
    with pytest.raises(ValueError, match="is no NAS-Bench-201 architecture"):
        from_arch_str(text)


@pytest.mark.parametrize("choices", ["5", "null", '"abc"', '{"a": 1}', "[[1], 2]", "[null]"])
def test_choices_that_are_no_list_in_json_are_named(choices: str) -> None:
    with pytest.raises(ValueError, match="choices in architecture JSON is"):
        Architecture.from_json(f'{{"space": "x", "choices": {choices}}}')


@pytest.mark.parametrize("text", ['["none"]', '{"space": "x"}', "{"])
def test_malformed_architecture_json_is_an_error(text: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011  (json's own error for the last one)
        Architecture.from_json(text)


def test_choices_that_cannot_be_hashed_are_refused() -> None:
    with pytest.raises(TypeError, match="choices is a list"):
        Architecture("x", ["none"])  # type: ignore[arg-type]


@pytest.mark.parametrize("options", [("a",), ("a", "a"), ()])
def test_a_decision_needs_two_different_options(options: tuple[str, ...]) -> None:
    with pytest.raises(ValueError, match="at least two"):
        Decision("edge", options)


@pytest.mark.parametrize(
    ("architecture", "message"),
    [
        (Architecture("forgery", ("none",) * 6), "belongs to the space 'forgery'"),
        (Architecture("nasbench201", ("none",)), "has 1 choices"),
        (Architecture("nasbench201", ("none",) * 5 + ("conv_9x9",)), "'conv_9x9' is no option"),
    ],
)
def test_a_foreign_architecture_is_refused(architecture: Architecture, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        check(NASBENCH201, architecture)
