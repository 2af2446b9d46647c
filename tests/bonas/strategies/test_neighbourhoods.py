"""The order in which local steps look into neighbourhoods."""

from collections.abc import Callable

import numpy as np
import optuna
import pytest

from bonas.strategies.neighbourhoods import TURNS, neighbourhoods
from bonas.strategies.sampler import SurrogateSampler
from bonas.strategies.settings import Settings
from bonas.study import Study
from spaces.architecture import Architecture
from spaces.nasbench201 import NASBENCH201
from spaces.space import canonical_key_of, neighbours, sample

BREADTH = 4
AROUND = 24  # six edges, four other operations each


@pytest.fixture(scope="module")
def ranked() -> list[Architecture]:
    """Architectures far apart, of whose neighbours no two compute the same."""
    found: list[Architecture] = []
    rng = np.random.default_rng(0)
    near: set[str] = set()
    while len(found) < 2 * BREADTH:
        drawn = sample(NASBENCH201, rng=rng)
        own = {key(a) for a in (drawn, *neighbours(NASBENCH201, drawn))}
        if len(own) == AROUND + 1 and not near & own:
            found.append(drawn)
            near |= own
    return found


def key(architecture: Architecture) -> str:
    return canonical_key_of(NASBENCH201, architecture)


def neighbours_of(architecture: Architecture) -> set[Architecture]:
    return set(neighbours(NASBENCH201, architecture))


def whole(architecture: Architecture) -> bool:
    return True


def looked_into(
    ranked: list[Architecture],
    breadth: int = BREADTH,
    possible: Callable[[Architecture], bool] = whole,
) -> list[int]:
    """Steps until nothing is left, each by the rank of the architecture beside which it stays."""
    known = {key(a) for a in ranked}
    steps: list[int] = []
    while True:
        of = {"key": key, "known": known, "taken": known, "breadth": breadth}
        left = next(neighbourhoods(NASBENCH201, ranked, possible=possible, **of), None)  # type: ignore[arg-type]
        if left is None:
            return steps
        assert not known & {key(a) for a in left}
        assert all(map(possible, left))
        steps.append(next(i for i, r in enumerate(ranked) if left[0] in neighbours_of(r)))
        assert set(left) <= neighbours_of(ranked[steps[-1]])
        known.add(key(left[0]))


def test_a_third_of_each_of_the_best_comes_before_the_second_third_of_any(
    ranked: list[Architecture],
) -> None:
    third = [i for i in range(BREADTH) for _ in range(AROUND // TURNS)]
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


def test_what_may_not_be_proposed_takes_no_turn(ranked: list[Architecture]) -> None:
    forbidden = set(list(neighbours(NASBENCH201, ranked[0]))[: AROUND // 2])
    steps = looked_into(ranked[:2], 2, lambda a: a not in forbidden)
    half, all_ = AROUND // 2 // TURNS, AROUND // TURNS
    assert steps == [*[0] * half, *[1] * all_] * TURNS


def test_what_computes_the_same_is_one() -> None:
    cell = Architecture("nasbench201", ("skip", "skip", "none", "skip", "none", "conv_3x3"))
    classes = {key(n) for n in neighbours(NASBENCH201, cell)} - {key(cell)}
    assert len(classes) < AROUND
    assert looked_into([cell]) == [0] * len(classes)


def test_what_is_only_taken_is_left_out_and_counts_for_no_turn(ranked: list[Architecture]) -> None:
    first = list(neighbours(NASBENCH201, ranked[0]))
    later = {key(a) for a in first[: AROUND // 2]}
    known = {key(a) for a in ranked}
    left = next(
        neighbourhoods(
            NASBENCH201, ranked, key=key, possible=whole, known=known, taken=known | later,
            breadth=BREADTH,
        )
    )  # fmt: skip
    assert left == first[AROUND // 2 :]


def test_without_open_neighbours_there_is_none(ranked: list[Architecture]) -> None:
    assert looked_into(ranked, BREADTH, lambda a: False) == []
    assert looked_into([]) == []


@pytest.mark.parametrize("breadth", [1, 2])
def test_local_steps_of_the_strategy_stay_where_the_turn_is(breadth: int) -> None:
    settings = Settings(turning=0.0, initial=2, breadth=breadth)
    sampler = SurrogateSampler(NASBENCH201, seed=1, settings=settings)
    study = Study(NASBENCH201, sampler)
    told: dict[Architecture, float] = {}
    for number in range(24):
        architecture = study.ask().architecture
        if number >= 2:
            known = {key(a) for a in told}
            best = sampler.ranked(study.optuna)
            left = next(
                neighbourhoods(
                    NASBENCH201, best, key=key, possible=sampler.is_possible, known=known,
                    taken=known, breadth=breadth,
                )
            )  # fmt: skip
            assert architecture in left
        told[architecture] = float(sum(c == "conv_3x3" for c in architecture.choices))
        study.optuna.tell(number, told[architecture])
    other = SurrogateSampler(
        NASBENCH201, seed=1, settings=Settings(turning=0.0, initial=2, breadth=3 - breadth)
    )
    params = [t.params for t in study.optuna.trials]
    again = optuna.create_study(direction="maximize", sampler=other)
    again.optimize(
        lambda t: float(
            sum(
                t.suggest_categorical(d.name, d.options) == "conv_3x3"
                for d in NASBENCH201.decisions
            )
        ),
        n_trials=24,
    )
    assert [t.params for t in again.trials] != params, "the breadth changes nothing"


def test_where_nothing_beside_one_is_promising_the_next_is_looked_into() -> None:
    settings = Settings(turning=0.0, initial=2)
    sampler = SurrogateSampler(NASBENCH201, seed=0, settings=settings)
    study = optuna.create_study(direction="maximize", sampler=sampler)

    def value(trial: optuna.Trial) -> float:
        choices = [trial.suggest_categorical(d.name, d.options) for d in NASBENCH201.decisions]
        return float(sum(c == "conv_3x3" for c in choices))

    study.optimize(value, n_trials=8)
    first, second = sampler.ranked(study)[:2]
    asked: list[Architecture] = []

    def promising(architecture: Architecture) -> bool:
        asked.append(architecture)
        return architecture in neighbours_of(second) - neighbours_of(first)

    sampler.promising = promising
    trial = study.ask({d.name: optuna.distributions.CategoricalDistribution(d.options)
                       for d in NASBENCH201.decisions})  # fmt: skip
    choices = tuple(trial.params[d.name] for d in NASBENCH201.decisions)
    assert Architecture("nasbench201", choices) in neighbours_of(second)
    assert set(asked) & neighbours_of(first), "the best one's neighbours were passed over"
