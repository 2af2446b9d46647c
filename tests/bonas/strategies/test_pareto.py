"""Several objectives."""

import optuna
import pytest
import torch
from optuna.distributions import CategoricalDistribution
from optuna.samplers import BaseSampler
from optuna.testing.pytest_samplers import MultiObjectiveSamplerTestCase

from bonas.strategies.pareto import non_dominated
from bonas.strategies.random import RandomSampler
from bonas.strategies.sampler import SurrogateSampler
from bonas.strategies.settings import Settings
from spaces.cell import CellSpace
from spaces.graphs import NONE, SKIP, is_connected
from spaces.space import enumerate_space

SPACE = CellSpace("space", (NONE, SKIP, "conv", "pool"), nodes=4)
DECISIONS = {d.name: CategoricalDistribution(d.options) for d in SPACE.decisions}
WORTH = {NONE: -1.0, SKIP: 0.0, "conv": 1.0, "pool": 0.6}
COST = {NONE: 0.0, SKIP: 0.0, "conv": 3.0, "pool": 1.0}


class TestOptunasLawsOfSeveralObjectives(MultiObjectiveSamplerTestCase):
    """Optuna's own test case."""

    @pytest.fixture
    def sampler(self) -> object:
        return lambda: SurrogateSampler(SPACE)


def _values(choices: tuple[str, ...]) -> tuple[float, float]:
    worth = sum((i + 1) * WORTH[c] for i, c in enumerate(choices))
    return worth, sum((6 - i) * COST[c] for i, c in enumerate(choices))


def _hypervolume(sampler: BaseSampler, trials: int) -> float:
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    study = optuna.create_study(directions=["maximize", "minimize"], sampler=sampler)
    for _ in range(trials):
        trial = study.ask(DECISIONS)
        study.tell(trial, _values(tuple(trial.params[d.name] for d in SPACE.decisions)))
    assert len({tuple(t.params.values()) for t in study.trials}) == trials
    return _volume([tuple(t.values) for t in study.best_trials])


def _volume(front: list[tuple[float, ...]]) -> float:
    """The area that a front of (worth up, cost down) dominates above worth -21 below cost 63."""
    area, reached = 0.0, -21.0
    for worth, cost in sorted(front, key=lambda v: v[1]):
        if worth > reached:
            area += (worth - reached) * (63.0 - cost)
            reached = worth
    return area


def test_trade_offs_are_found_sooner_than_by_random_search() -> None:
    everything = [
        _values(a.choices) for a in enumerate_space(SPACE) if is_connected(SPACE.graph(a))
    ]
    best = _volume(everything)
    seeds = range(4)
    few = Settings(initial=5)
    samplers = [SurrogateSampler(SPACE, seed=s, settings=few) for s in seeds]
    found = sum(_hypervolume(sampler, 30) for sampler in samplers) / len(seeds)
    drawn = sum(_hypervolume(RandomSampler(SPACE, seed=s), 30) for s in seeds) / len(seeds)
    assert found > 0.95 * best
    assert best - found < 0.5 * (best - drawn)


def test_a_front_is_what_nothing_dominates() -> None:
    values = torch.tensor([[1.0, 0.0], [0.0, 1.0], [0.0, 0.0], [1.0, 0.0], [0.5, 0.5]])
    assert non_dominated(values).tolist() == [True, True, False, True, True]
