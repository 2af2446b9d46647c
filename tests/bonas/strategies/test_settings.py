"""What the Bayesian strategy can be asked for."""

import zlib
from collections.abc import Mapping, Sequence

import numpy as np
import optuna
import pytest
import torch
from optuna.distributions import CategoricalDistribution
from torch import nn

from bonas.estimation.zero_cost import ZeroCostEstimator
from bonas.search import Search
from bonas.strategies.acquisition import (
    Acquisition,
    IndependentThompson,
    LogProbabilityOfImprovement,
    Thompson,
    UpperConfidenceBound,
)
from bonas.strategies.history import HistoryReader
from bonas.strategies.sampler import SurrogateSampler
from bonas.strategies.settings import Settings, surrogate_with
from spaces.architecture import Architecture, Choice
from spaces.cell import CellSpace
from spaces.encodings.statistics import ranked, ranked_among
from spaces.graphs import NONE, SKIP, canonical_key
from spaces.macro import MACRO
from spaces.space import connects, enumerate_space, sample

SPACE = CellSpace("space", (NONE, SKIP, "conv", "pool"), nodes=4)
DECISIONS = {d.name: CategoricalDistribution(d.options) for d in SPACE.decisions}
WEIGHTS = {NONE: -1.0, SKIP: 0.2, "conv": 1.0, "pool": 0.5}
POOLED = 2
"""The edge on which pooling is worth more than a convolution: no pure architecture is the best."""


@pytest.fixture(autouse=True)
def _quiet() -> None:
    optuna.logging.set_verbosity(optuna.logging.WARNING)


def _value(choices: tuple[str, ...]) -> float:
    bonus = 2.0 if choices[POOLED] == "pool" else 0.0
    return bonus + sum((i + 1) * WEIGHTS[c] for i, c in enumerate(choices))


BEST = max(_value(a.choices) for a in enumerate_space(SPACE))


def _convolutions(trial: optuna.trial.FrozenTrial | optuna.Trial) -> int:
    return list(trial.params.values()).count("conv")


def _run(settings: Settings, trials: int) -> optuna.Study:
    sampler = SurrogateSampler(SPACE, settings=settings)
    study = optuna.create_study(direction="maximize", sampler=sampler)
    for _ in range(trials):
        trial = study.ask(DECISIONS)
        trial.set_user_attr("bonas.cost.seconds", 10.0 ** _convolutions(trial))
        study.tell(trial, _value(tuple(trial.params[d.name] for d in SPACE.decisions)))
    return study


@pytest.mark.parametrize(
    "acquisition",
    [LogProbabilityOfImprovement(), UpperConfidenceBound(), IndependentThompson(), Thompson()],
    ids=lambda a: type(a).__name__,
)
def test_every_acquisition_climbs(acquisition: Acquisition) -> None:
    study = _run(Settings(acquisition=acquisition), 30)
    assert study.best_value > max(t.value or 0 for t in study.trials[:10])


def _run_with_parts(settings: Settings, trials: int, *, every: int = 1) -> optuna.Study:
    """The value is 0.75 of one condition and 0.25 of another, stored with every n-th trial."""
    study = optuna.create_study(
        direction="maximize", sampler=SurrogateSampler(SPACE, settings=settings)
    )
    for _ in range(trials):
        trial = study.ask(DECISIONS)
        value = _value(tuple(trial.params[d.name] for d in SPACE.decisions))
        clean, noisy = value + _convolutions(trial), value - 3 * _convolutions(trial)
        if trial.number % every == 0:
            trial.set_user_attr("bonas.auc.clean", clean)
            trial.set_user_attr("bonas.auc.corruption/noise-2", noisy)
        study.tell(trial, 0.75 * clean + 0.25 * noisy)
    return study


PARTS = {"clean": 0.75, "corruption/noise-2": 0.25}


def test_a_value_may_be_believed_as_the_sum_of_its_conditions() -> None:
    study = _run_with_parts(Settings(conditions=PARTS), 30)
    assert study.best_value > max(t.value or 0 for t in study.trials[:10])
    again = _run_with_parts(Settings(conditions=PARTS), 30)
    assert [t.params for t in again.trials] == [t.params for t in study.trials]
    plain = _run_with_parts(Settings(), 30)
    assert [t.params for t in plain.trials] != [t.params for t in study.trials]


def test_conditions_that_do_not_make_up_the_value_are_an_error() -> None:
    with pytest.raises(ValueError, match=r"trial 1 has no bonas.auc.clean, .* it has none"):
        _run_with_parts(Settings(conditions=PARTS, initial=3), 12, every=100)
    with pytest.raises(ValueError, match=r"weighted by Settings\.conditions, sum to"):
        _run_with_parts(Settings(conditions={"clean": 1.0}, initial=3), 12)
    with pytest.raises(ValueError, match="conditions is empty"):
        Settings(conditions={})
    with pytest.raises(ValueError, match="exclude each other"):
        Settings(conditions=PARTS, warm_start=[(Architecture(SPACE.name, ("conv",) * 6), 1.0)])


def test_a_zero_cost_score_that_ranks_well_shortens_the_search() -> None:
    keys = sorted({canonical_key(SPACE.graph(a)) for a in enumerate_space(SPACE)})
    worth = {key: zlib.crc32(key.encode()) / 2**32 for key in keys}  # no structure predicts it

    def value(architecture: Architecture) -> float:
        return worth[canonical_key(SPACE.graph(architecture))]

    scores = ranked(SPACE, {a: (1e30 ** value(a),) for a in enumerate_space(SPACE)})

    def regret(settings: Settings) -> float:
        study = optuna.create_study(
            direction="maximize", sampler=SurrogateSampler(SPACE, settings=settings)
        )
        for _ in range(16):
            trial = study.ask(DECISIONS)
            chosen = tuple(trial.params[d.name] for d in SPACE.decisions)
            study.tell(trial, value(Architecture(SPACE.name, chosen)))
        return max(map(value, filter(_connected, enumerate_space(SPACE)))) - study.best_value

    informed = Settings(surrogate=surrogate_with(scores), initial=5)
    assert regret(informed) < 0.01 < regret(Settings(initial=5))


class _Shallow:
    """A small world on a large space: one convolution, wider the deeper the stages."""

    space = MACRO

    def build(self, options: Mapping[str, Sequence[Choice]]) -> nn.Module:
        depths = [max(map(int, o)) for name, o in options.items() if name.endswith("/depth")]
        return _Called(nn.Conv2d(3, sum(depths), 1))


class _Called(nn.Module):
    def __init__(self, convolution: nn.Conv2d) -> None:
        super().__init__()
        self.convolution = convolution

    def forward(self, images: torch.Tensor, architecture: Architecture) -> torch.Tensor:
        return torch.as_tensor(self.convolution(images)).square().mean((1, 2, 3))


def test_zero_cost_ranks_on_demand_shorten_the_search_of_a_large_space() -> None:
    images = torch.rand(2, 3, 4, 4, generator=torch.Generator().manual_seed(0))
    estimator = ZeroCostEstimator(_Shallow(), "fisher", images, torch.arange(2))
    rng = np.random.default_rng(0)
    reference = [sample(MACRO, rng=rng) for _ in range(20)]
    ranks = ranked_among(MACRO, lambda a: [estimator.score(a, seed=0)], reference)

    def proposed(settings: Settings) -> float:
        """The rank of what is proposed after four observations."""
        search = Search(MACRO, sampler=SurrogateSampler(MACRO, settings=settings))
        for _ in range(4):
            architecture = search.ask()
            search.tell(architecture, estimator.estimate(architecture, seed=0))
        return float(ranks.encode([search.ask()]))

    informed = Settings(surrogate=surrogate_with(ranks), initial=4)
    assert proposed(informed) > 0.9 > proposed(Settings(initial=4))


def _connected(architecture: Architecture) -> bool:
    return connects(SPACE, architecture)


def test_a_joint_draw_of_several_processes_is_refused() -> None:
    with pytest.raises(ValueError, match="conditions there are several"):
        Settings(conditions=PARTS, acquisition=Thompson())


def test_constraints_keep_the_search_where_they_hold() -> None:
    settings = Settings(initial=5, constraints=lambda trial: [_convolutions(trial) - 2.0])
    study = _run(settings, 40)
    late = study.trials[20:]
    assert sum(_convolutions(t) <= 2 for t in late) > 0.8 * len(late)
    feasible = [t.value for t in study.trials if _convolutions(t) <= 2]
    best = max(_value(a.choices) for a in enumerate_space(SPACE) if a.choices.count("conv") <= 2)
    assert max(v for v in feasible if v is not None) == best
    assert study.best_trial.params  # Optuna reads the violations: the best one is feasible
    assert _convolutions(study.best_trial) <= 2


def test_constraints_hold_for_what_nobody_asked_for() -> None:
    settings = Settings(constraints=lambda trial: [_convolutions(trial) - 2.0])
    search = Search(SPACE, sampler=SurrogateSampler(SPACE, settings=settings))
    for convolutions in (5, 1):
        choices = ("conv",) * convolutions + ("pool",) * (6 - convolutions)
        search.tell(Architecture(SPACE.name, choices), float(convolutions))
    assert [t.number for t in search.front] == [1]
    estimates = HistoryReader(SPACE).read(search.study.optuna, 2).estimates
    assert [(e.number, e.feasible) for e in estimates] == [(0, False), (1, True)]


def test_improvement_per_cost_prefers_cheap_architectures() -> None:
    dear, cheap = (
        sum(
            _convolutions(t)
            for t in _run(Settings(cost=cost, turning=float("inf"), quiet=0.0), 30).trials[10:]
        )
        for cost in (None, "seconds")
    )
    assert cheap < dear


def test_an_earlier_study_is_believed_and_not_repeated() -> None:
    earlier = _run(Settings(), 40)
    observed = [
        (Architecture(SPACE.name, tuple(t.params.values())), float(t.value or 0))
        for t in earlier.trials
        if t.value is not None and t.value < 19.5
    ]
    study = _run(Settings(warm_start=observed), 8)
    assert study.best_value == BEST
    keys = {canonical_key(SPACE.graph(a)) for a, _ in observed}
    found = [Architecture(SPACE.name, tuple(t.params.values())) for t in study.trials]
    assert not keys & {canonical_key(SPACE.graph(a)) for a in found}


def test_half_of_the_steps_are_local_at_the_turning_and_ever_more_later() -> None:
    local = [Settings(turning=80.0).is_local(step) for step in range(1_000)]
    assert sum(local[60:100]) == pytest.approx(20, abs=2)
    assert sum(local[:20]) <= 3
    assert sum(local[900:]) > 88
    assert all(Settings(turning=0.0).is_local(step) for step in range(20))
    assert not any(Settings(turning=float("inf")).is_local(step) for step in range(20))


def test_weights_need_a_logarithm() -> None:
    with pytest.raises(ValueError, match="use LogExpectedImprovement or"):
        Settings(acquisition=UpperConfidenceBound(), cost="seconds")
    # Trials may bring constraints of their own, as from one of Optuna's samplers.
    study = _run(Settings(), 6)
    for trial in study.trials:
        copy = optuna.trial.create_trial(
            value=trial.value,
            params=trial.params,
            distributions=trial.distributions,
            system_attrs={"constraints": [_convolutions(trial) - 2.0]},
        )
        study.add_trial(copy)
    study.sampler = SurrogateSampler(
        SPACE, settings=Settings(acquisition=UpperConfidenceBound(), initial=2)
    )
    with pytest.raises(ValueError, match="the trials have constraints, which weight a logarithm"):
        study.ask(DECISIONS)


def test_a_cost_that_no_trial_has_is_named_beside_those_they_have() -> None:
    with pytest.raises(ValueError, match=r"cost is 'secnods', which none .* they have seconds"):
        _run(Settings(cost="secnods", initial=3), 4)


def test_a_warm_start_is_checked_before_the_search_begins() -> None:
    good = Architecture(SPACE.name, ("conv",) * 6)
    for wrong, rule in [
        (Architecture("other", good.choices), "belongs to the space 'other'"),
        (Architecture(SPACE.name, ("conv",) * 5), "has 5 choices"),
        (Architecture(SPACE.name, ("wrong",) * 6), "'wrong' is no option"),
    ]:
        settings = Settings(warm_start=[(good, 1.0), (wrong, 1.0)])
        with pytest.raises(ValueError, match=rf"warm_start\[1\]: .*{rule}"):
            SurrogateSampler(SPACE, settings=settings)
    for value in (float("nan"), float("inf"), (1.0, float("nan"))):
        with pytest.raises(ValueError, match=r"warm_start\[0\] has the values .* be finite"):
            Settings(warm_start=[(good, value)])


def test_a_lucky_value_is_not_ranked_first_where_the_noise_is_known() -> None:
    rng = np.random.default_rng(0)
    connected = (a for a in (sample(SPACE, rng=rng) for _ in range(90)) if connects(SPACE, a))
    drawn = list({canonical_key(SPACE.graph(a)): a for a in connected}.values())
    by_value = sorted(drawn, key=lambda a: -_value(a.choices))
    lucky = by_value[len(by_value) // 2]
    study = optuna.create_study(direction="maximize")
    for a in drawn:
        value = BEST + 1.0 if a == lucky else _value(a.choices)
        params = {d.name: c for d, c in zip(SPACE.decisions, a.choices, strict=True)}
        study.add_trial(optuna.create_trial(value=value, params=params, distributions=DECISIONS))
    assert SurrogateSampler(SPACE).ranked(study)[0] == lucky
    noisy = SurrogateSampler(SPACE, settings=Settings(noise_variance=25.0)).ranked(study)
    assert noisy[0] == by_value[0]
    assert noisy.index(lucky) > 5
    assert set(noisy) == set(drawn)
    empty = optuna.create_study(direction="maximize")
    assert SurrogateSampler(SPACE).ranked(empty) == []


@pytest.mark.parametrize("noise", [-1.0, float("nan"), float("inf")])
def test_noise_must_be_a_variance(noise: float) -> None:
    with pytest.raises(ValueError, match=r"noise_variance is .* finite and not negative"):
        Settings(noise_variance=noise)


def test_noise_is_that_of_one_value() -> None:
    with pytest.raises(ValueError, match="each condition has noise of its own"):
        Settings(noise_variance=1.0, conditions={"clean": 1.0})
    several = optuna.create_study(directions=["maximize", "minimize"])
    with pytest.raises(ValueError, match="noise_variance is that of one value"):
        Settings(noise_variance=1.0).check_objectives(2)
    with pytest.raises(ValueError, match="2 objectives, which have a front and no order"):
        SurrogateSampler(SPACE).ranked(several)
