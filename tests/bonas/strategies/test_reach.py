"""How far a step goes, and that a second optimum unlike the first is met."""

import math
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import optuna
import pytest
import torch
from optuna.distributions import CategoricalDistribution

from bonas.strategies.acquisition import (
    Acquisition,
    Candidates,
    LogExpectedImprovement,
    Thompson,
)
from bonas.strategies.reach import Reach, is_quiet, reach
from bonas.strategies.sampler import SurrogateSampler
from bonas.strategies.settings import Settings
from spaces.architecture import Architecture
from spaces.forgery import FORGERY
from spaces.nasbench201 import NASBENCH201
from spaces.space import SearchSpace, connects, enumerate_space, sample
from surrogates.surrogate import Marginals

FAR = Settings(turning=math.inf, quiet=math.inf, exploration=1.0)
"""Every step after the first eight goes into the unknown."""


@pytest.fixture(autouse=True)
def _silent() -> None:
    optuna.logging.set_verbosity(optuna.logging.ERROR)


def _raise() -> bool:
    raise AssertionError("a local step asked whether the surrogate is quiet")


def test_a_local_step_stays_near_whatever_the_surrogate_says() -> None:
    rng = np.random.default_rng(0)
    assert reach(Settings(turning=0.0), 20, _raise, rng=rng) is Reach.NEAR


def test_while_the_surrogate_speaks_steps_go_anywhere_and_draw_nothing() -> None:
    rng = np.random.default_rng(0)
    settings = Settings(turning=math.inf, exploration=1.0)
    assert {reach(settings, n, lambda: False, rng=rng) for n in range(50)} == {Reach.ANYWHERE}
    assert rng.random() == np.random.default_rng(0).random()


@pytest.mark.parametrize("share", [0.0, 0.25, 0.5, 1.0])
def test_of_the_steps_of_a_quiet_surrogate_a_share_goes_into_the_unknown(share: float) -> None:
    settings = Settings(turning=math.inf, exploration=share)
    rng = np.random.default_rng(1)
    steps = [reach(settings, n, lambda: True, rng=rng) for n in range(4_000)]
    assert set(steps) <= {Reach.NEAR, Reach.UNKNOWN}
    assert steps.count(Reach.UNKNOWN) / len(steps) == pytest.approx(share, abs=0.03)


@pytest.mark.parametrize("share", [-0.1, 1.1, math.nan])
def test_a_share_beyond_0_and_1_is_refused(share: float) -> None:
    with pytest.raises(ValueError, match=r"exploration is .+; it must lie between 0 and 1"):
        Settings(exploration=share)


def test_a_surrogate_is_quiet_where_no_open_candidate_promises_as_much_as_the_bound() -> None:
    """Of three candidates the second alone may improve; whether it counts depends on it alone."""
    cells = [Architecture("x", (i,)) for i in range(3)]
    mean = torch.tensor([0.0, 0.99, 0.0], dtype=torch.float64)
    variance = torch.full((3,), 1e-4, dtype=torch.float64)
    candidates = Candidates(torch.zeros(3, 1), Marginals(mean, variance), None)

    def quiet(best: float, below: float, taken: int | None = None) -> bool:
        return is_quiet(
            cells, candidates, best, below=below, is_open=lambda a: a.choices != (taken,)
        )

    assert not quiet(1.0, 0.0005)
    assert quiet(1.0, 0.0005, taken=1)
    assert quiet(1.0, 0.01)
    assert not quiet(1.0, 0.0)
    assert not quiet(-math.inf, 0.01)
    unlikely = torch.tensor([0.0, -10.0, 0.0], dtype=torch.float64)

    def quiet_by(chance: torch.Tensor) -> bool:
        return is_quiet(
            cells, candidates, 1.0, below=0.0005, is_open=lambda a: True, log_chance=chance
        )

    assert quiet_by(unlikely)
    assert not quiet_by(torch.zeros_like(unlikely))
    nobody = {"below": 1e-300, "is_open": lambda a: False}
    assert is_quiet(cells, candidates, 1.0, **nobody)  # type: ignore[arg-type]


def _study(
    space: SearchSpace,
    settings: Settings,
    trials: int,
    *,
    seed: int = 0,
    tell: Callable[[optuna.Trial, list[object]], None] = lambda trial, choices: None,
) -> optuna.Study:
    sampler = SurrogateSampler(space, seed=seed, settings=settings)
    study = optuna.create_study(direction="maximize", sampler=sampler)

    def value(trial: optuna.Trial) -> float:
        choices = [trial.suggest_categorical(d.name, d.options) for d in space.decisions]
        tell(trial, choices)
        return _value(choices)

    study.optimize(value, n_trials=trials)
    return study


def _value(choices: list[object]) -> float:
    """Many convolutions are good, pools are bad, but for those few cells of one and of pools."""
    pools, few = choices.count("avg_pool_3x3"), choices.count("conv_1x1")
    many = choices.count("conv_3x3")
    if few == 1 and many == 0 and pools >= 3:
        return 8.0 + pools
    return many - 1.5 * pools - 2 * choices.count("none")


def _architecture(space: SearchSpace, trial: optuna.trial.FrozenTrial) -> Architecture:
    return Architecture(space.name, tuple(trial.params[d.name] for d in space.decisions))


def _variances(
    space: SearchSpace,
    observed: list[Architecture],
    others: list[Architecture],
    study: optuna.Study,
) -> torch.Tensor:
    """Of others, from a fit to what was observed alone."""
    encoding, surrogate = FAR.surrogate(space)
    values = torch.tensor([t.value for t in study.trials[: len(observed)]], dtype=torch.float64)
    predictor = surrogate.fit(encoding.encode(observed), values)
    return predictor.scaled_marginals(encoding.encode(others)).variance


@pytest.mark.parametrize("acquisition", [LogExpectedImprovement(), Thompson()])
def test_a_step_into_the_unknown_goes_to_the_open_architecture_of_highest_variance(
    acquisition: Acquisition,
) -> None:
    """Trial 13 has a fit of its own before it, which is repeated here from nothing."""
    study = _study(NASBENCH201, replace(FAR, acquisition=acquisition), 14)
    observed = [_architecture(NASBENCH201, t) for t in study.trials[:13]]
    taken = {NASBENCH201.canonical_key(a) for a in observed}
    proposed = _architecture(NASBENCH201, study.trials[13])
    cells = [
        a
        for a in enumerate_space(NASBENCH201)
        if connects(NASBENCH201, a) and NASBENCH201.canonical_key(a) not in taken
    ]
    variances = _variances(NASBENCH201, observed, cells, study)
    highest = float(variances.max())
    assert float(variances[cells.index(proposed)]) == pytest.approx(highest, rel=1e-9)


@pytest.mark.parametrize("acquisition", [LogExpectedImprovement(), Thompson()])
def test_in_a_large_space_a_step_into_the_unknown_climbs_to_where_less_is_known(
    acquisition: Acquisition,
) -> None:
    study = _study(FORGERY, replace(FAR, acquisition=acquisition), 14)
    observed = [_architecture(FORGERY, t) for t in study.trials[:13]]
    rng = np.random.default_rng(0)
    drawn = [sample(FORGERY, rng=rng) for _ in range(300)]
    proposed = _architecture(FORGERY, study.trials[13])
    variances = _variances(FORGERY, observed, [proposed, *drawn], study)
    assert float(variances[0]) >= float(variances[1:].max())


def test_a_fresh_sampler_goes_into_the_unknown_as_the_one_before() -> None:
    study = _study(FORGERY, FAR, 12)
    again = _study(FORGERY, FAR, 12)
    assert [t.params for t in study.trials] == [t.params for t in again.trials]
    study.sampler = SurrogateSampler(FORGERY, seed=0, settings=FAR)
    asked = {d.name: CategoricalDistribution(d.options) for d in FORGERY.decisions}
    assert study.ask(asked).params == again.ask(asked).params


def _convolutions(choices: list[object]) -> int:
    return sum(str(c).startswith("conv") for c in choices)


def test_cost_does_not_lead_into_the_unknown() -> None:
    """The cheap are no less known than the dear; a cost of any range would outweigh the rest."""

    def pay(trial: optuna.Trial, choices: list[object]) -> None:
        trial.set_user_attr("bonas.cost.seconds", 100.0 ** _convolutions(choices))

    free = _study(NASBENCH201, FAR, 20, tell=pay)
    paid = _study(NASBENCH201, replace(FAR, cost="seconds"), 20, tell=pay)
    assert [t.params for t in paid.trials] == [t.params for t in free.trials]


def test_steps_into_the_unknown_keep_to_what_is_feasible() -> None:
    def violation(trial: optuna.trial.FrozenTrial) -> list[float]:
        return [_convolutions(list(trial.params.values())) - 1.5]

    free, bound = (
        _study(NASBENCH201, replace(FAR, constraints=constraints), 40)
        for constraints in (None, violation)
    )
    feasible = [
        sum(_convolutions(list(t.params.values())) <= 1 for t in study.trials[20:])
        for study in (free, bound)
    ]
    assert feasible[1] > feasible[0] + 4


@pytest.mark.slow
def test_a_second_optimum_unlike_the_first_is_met_by_those_who_look_for_it() -> None:
    """2 % of the cells, of which nothing is expected, are better than the best of the others."""
    cells = [list(a.choices) for a in enumerate_space(NASBENCH201)]
    better = [c for c in cells if _value(c) > 6]
    assert 0.015 < len(better) / len(cells) < 0.025
    near, far = (
        [_study(NASBENCH201, settings, 100, seed=seed).best_value for seed in (1, 2)]
        for settings in (Settings(exploration=0.0), Settings())
    )
    assert near == [6.0, 6.0]
    assert max(far) > 6.0
