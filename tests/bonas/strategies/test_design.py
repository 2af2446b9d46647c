"""Laws of the first architectures of a search."""

import numpy as np
import optuna
import pytest
from optuna.distributions import CategoricalDistribution

from bonas.strategies.design import pure_architectures
from bonas.strategies.sampler import SurrogateSampler
from bonas.strategies.settings import Settings
from spaces.darts import DARTS
from spaces.forgery import FORGERY, FORGERY_CASCADE
from spaces.macro import MACRO
from spaces.nasbench201 import NASBENCH201
from spaces.space import Decision, SearchSpace, check, connects

SPACES = (NASBENCH201, FORGERY, FORGERY_CASCADE, DARTS, MACRO)


def _largest_kinds(space: SearchSpace) -> list[list[Decision]]:
    kinds: dict[object, list[Decision]] = {}
    for decision in space.decisions:
        kinds.setdefault(decision.options, []).append(decision)
    most = max(map(len, kinds.values()))
    return [kind for kind in kinds.values() if len(kind) == most]


@pytest.mark.parametrize("space", SPACES, ids=lambda space: space.name)
def test_every_option_of_the_largest_kinds_has_one_architecture(space: SearchSpace) -> None:
    pure = pure_architectures(space, rng=np.random.default_rng(0))
    positions = {decision.name: i for i, decision in enumerate(space.decisions)}
    expected = [(kind, option) for kind in _largest_kinds(space) for option in kind[0].options]
    assert len(pure) == len(expected)
    for architecture in pure:
        check(space, architecture)
    for kind, option in expected:
        chosen = [{a.choices[positions[d.name]] for d in kind} == {option} for a in pure]
        assert any(chosen)


def test_the_order_is_drawn() -> None:
    orders = {
        tuple(a.choices for a in pure_architectures(NASBENCH201, rng=np.random.default_rng(seed)))
        for seed in range(10)
    }
    assert len(orders) > 5
    assert len({frozenset(order) for order in orders}) == 1


@pytest.mark.parametrize("seed", range(3))
def test_a_search_begins_with_every_pure_architecture_that_is_connected(seed: int) -> None:
    sampler = SurrogateSampler(NASBENCH201, seed=seed, settings=Settings(initial=10))
    study = optuna.create_study(direction="maximize", sampler=sampler)
    decisions = {d.name: CategoricalDistribution(d.options) for d in NASBENCH201.decisions}
    begun = []
    for _ in range(10):
        trial = study.ask(decisions)
        begun.append(tuple(trial.params.values()))
        study.tell(trial, float(len(set(begun[-1]))))
    pure = pure_architectures(NASBENCH201, rng=np.random.default_rng(0))
    connected = {a.choices for a in pure if connects(NASBENCH201, a)}
    assert connected <= set(begun)
    assert connected & set(begun[1::2]) == set()  # every second one is random
