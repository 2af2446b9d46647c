"""Several objectives."""

from collections.abc import Iterable

import numpy as np
import optuna
import pytest
import torch
from botorch.acquisition.multi_objective import logei
from botorch.utils.multi_objective.hypervolume import Hypervolume
from optuna.distributions import CategoricalDistribution
from optuna.samplers import BaseSampler
from optuna.testing.pytest_samplers import MultiObjectiveSamplerTestCase

from bonas import Observation, Search
from bonas.strategies import pareto
from bonas.strategies.pareto import ParetoBelief, feasible_front, non_dominated
from bonas.strategies.random import RandomSampler
from bonas.strategies.sampler import SurrogateSampler
from bonas.strategies.settings import Settings, default_surrogate
from spaces.architecture import Architecture
from spaces.cell import CellSpace
from spaces.graphs import NONE, SKIP, is_connected
from spaces.nasbench201 import NASBENCH201
from spaces.space import enumerate_space, sample

SPACE = CellSpace("space", (NONE, SKIP, "conv", "pool"), nodes=4)
DECISIONS = {d.name: CategoricalDistribution(d.options) for d in SPACE.decisions}
WORTH = {NONE: -1.0, SKIP: 0.0, "conv": 1.0, "pool": 0.6}
ENCODING, SURROGATE = default_surrogate(SPACE)
COST = {NONE: 0.0, SKIP: 0.0, "conv": 3.0, "pool": 1.0}
OPERATIONS = ("none", "skip", "conv_1x1", "conv_3x3", "avg_pool_3x3")
VALUE = dict(zip(OPERATIONS, (-1.0, 0.0, 0.6, 1.0, 0.2), strict=True))
MACS = dict(zip(OPERATIONS, (0.0, 0.0, 2.0, 9.0, 1.0), strict=True))


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


def test_nothing_is_compiled_under_a_lock_that_a_killed_search_would_leave(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    compiled: list[object] = []
    monkeypatch.setattr(logei, "_load_attempted", False)
    monkeypatch.setattr(logei, "_C", None)
    monkeypatch.setattr("torch.utils.cpp_extension.load", lambda **named: compiled.append(named))
    _hypervolume(SurrogateSampler(SPACE, seed=0), trials=14)
    assert not compiled


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


def _observations(count: int) -> tuple[list[list[tuple[Architecture, float]]], torch.Tensor]:
    rng = np.random.default_rng(0)
    drawn = list(dict.fromkeys(sample(SPACE, rng=rng) for _ in range(2 * count)))[:count]
    values = [_values(a.choices) for a in drawn]
    observed = [
        [(a, sign * v[m]) for a, v in zip(drawn, values, strict=True)]
        for m, sign in ((0, 1.0), (1, -1.0))
    ]
    return observed, ENCODING.encode(drawn)


def _pool(count: int) -> list[Architecture]:
    rng = np.random.default_rng(1)
    return list(dict.fromkeys(sample(SPACE, rng=rng) for _ in range(count)))


def test_the_improvement_of_the_hypervolume_equals_monte_carlo(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(pareto, "DRAWS", 512)
    observed, features = _observations(15)
    candidates = ENCODING.encode(_pool(12))
    predictors = [
        SURROGATE.fit(features, torch.tensor([v for _, v in own]).double()) for own in observed
    ]
    values = torch.stack([p.scale(p.values) for p in predictors], dim=1)
    generator = torch.Generator().manual_seed(0)
    closed = pareto._hypervolume_improvement(
        predictors, features, values, features[:0], candidates, generator=generator
    ).exp()
    corner = values.min(0).values - 0.1 * (values.max(0).values - values.min(0).values)
    marginals = [p.scaled_marginals(candidates) for p in predictors]
    noise = torch.randn(400, 2, len(candidates), generator=generator, dtype=torch.float64)
    volume = Hypervolume(corner)
    believed = [p.scaled_marginals(features).mean for p in predictors]
    before = volume.compute(torch.stack(believed, dim=1))
    for i in range(len(candidates)):
        gained = []
        for draw in noise[:, :, i]:
            point = torch.stack(
                [m.mean[i] + m.variance[i].sqrt() * z for m, z in zip(marginals, draw, strict=True)]
            )
            front = torch.cat([torch.stack(believed, dim=1), point.unsqueeze(0)])
            gained.append(volume.compute(front[non_dominated(front)]) - before)
        assert float(closed[i]) == pytest.approx(sum(gained) / len(gained), rel=0.3, abs=0.01)


def test_the_front_of_feasible_ones_ignores_what_dominates_it_but_is_not() -> None:
    values = torch.tensor([[2.0, 2.0], [1.0, 0.0], [0.0, 1.0], [0.0, 0.0]])
    feasible = torch.tensor([False, True, True, True])
    assert feasible_front(values, feasible).tolist() == [False, True, True, False]
    assert feasible_front(values, ~feasible).tolist() == [True, False, False, False]
    nothing = torch.zeros(4, dtype=torch.bool)
    assert feasible_front(values, nothing).tolist() == [True, False, False, False]


def test_trade_offs_are_weighted_by_the_probability_that_they_are_feasible() -> None:
    observed, features = _observations(20)
    pool = _pool(60)
    candidates = ENCODING.encode(pool)
    allowed = torch.tensor([a.choices.count("conv") <= 1 for a in pool])
    feasible = torch.tensor([a.choices.count("conv") <= 1 for a, _ in observed[0]])

    def scores(feasible: torch.Tensor | None, log_weight: torch.Tensor | None) -> torch.Tensor:
        return ParetoBelief(SURROGATE, candidates).scores(
            observed,
            features,
            features[:0],
            candidates,
            generator=torch.Generator().manual_seed(0),
            feasible=feasible,
            log_weight=log_weight,
        )

    weight = torch.where(allowed, 0.0, -50.0).double()
    free, bound = scores(None, None), scores(feasible, weight)
    best = torch.argsort(bound, descending=True)[: int(allowed.sum())]
    assert allowed[best].all()
    assert not allowed[torch.argsort(free, descending=True)[: len(best)]].all()
    certain = torch.zeros(len(pool)).double()
    everything = torch.ones(20, dtype=torch.bool)
    assert torch.equal(scores(everything, certain), free)
    assert torch.equal(scores(torch.zeros(20, dtype=torch.bool), weight), weight)


def test_an_acquisition_that_is_not_finite_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    class Broken:
        def __init__(self, **arguments: object) -> None:
            pass

        def __call__(self, points: torch.Tensor) -> torch.Tensor:
            return torch.full((len(points),), torch.nan)

    monkeypatch.setattr(logei, "qLogNoisyExpectedHypervolumeImprovement", Broken)
    observed, features = _observations(12)
    candidates = ENCODING.encode(_pool(10))
    with pytest.raises(ArithmeticError, match="qLogNEHVI is not finite"):
        ParetoBelief(SURROGATE, candidates).scores(
            *(observed, features, features[:0], candidates),
            generator=torch.Generator().manual_seed(0),
        )


def test_most_trade_offs_keep_a_constraint() -> None:
    def convolutions(choices: Iterable[object]) -> int:
        return [str(c) for c in choices].count("conv_3x3")

    settings = Settings(constraints=lambda t: [convolutions(t.params.values()) - 1.0])
    sampler = SurrogateSampler(NASBENCH201, settings=settings)
    search = Search(NASBENCH201, sampler=sampler, minimise=["macs"])
    for _ in range(30):
        architecture = search.ask()
        worth = [(i + 1) * VALUE[str(c)] for i, c in enumerate(architecture.choices)]
        macs = [(6 - i) * MACS[str(c)] for i, c in enumerate(architecture.choices)]
        search.tell(architecture, Observation(value=sum(worth), cost={"macs": sum(macs)}))
    late = search.study.told()[settings.initial :]
    kept = [t for t in late if convolutions(t.architecture.choices) <= 1]
    assert len(kept) > 0.75 * len(late)
    assert all(convolutions(t.architecture.choices) <= 1 for t in search.front)
