"""What strategies know of a study."""

import logging

import optuna
import pytest
from optuna.distributions import CategoricalDistribution
from optuna.trial import TrialState, create_trial

from bonas.strategies.history import History, HistoryReader
from bonas.strategies.named import STRATEGIES
from bonas.strategies.sampler import SurrogateSampler
from bonas.strategies.settings import Settings
from spaces.architecture import Architecture
from spaces.cell import CellSpace
from spaces.graphs import NONE, SKIP, canonical_key

SPACE = CellSpace("space", (NONE, SKIP, "conv", "pool"), nodes=4)
DECISIONS = {d.name: CategoricalDistribution(d.options) for d in SPACE.decisions}


@pytest.fixture(autouse=True)
def _quiet() -> None:
    optuna.logging.set_verbosity(optuna.logging.WARNING)


def _add(
    study: optuna.Study,
    choices: tuple[str, ...],
    value: float,
    user: dict[str, float] | None = None,
    system: dict[str, object] | None = None,
) -> None:
    params = dict(zip(DECISIONS, choices, strict=True))
    study.add_trial(
        create_trial(
            state=TrialState.COMPLETE,
            value=value,
            params=params,
            distributions=dict(DECISIONS),
            user_attrs=user or {},
            system_attrs=system or {},
        )
    )


def _read(study: optuna.Study) -> History:
    return HistoryReader(SPACE).read(study, len(study.trials))


def test_repeated_estimates_are_their_mean_at_the_place_of_the_first() -> None:
    study = optuna.create_study(direction="maximize")
    first, second = ("conv",) * 6, ("pool",) * 6
    _add(study, first, 1.0, {"bonas.auc.clean": 0.5, "bonas.cost.seconds": 1.0})
    _add(study, second, 5.0)
    _add(study, first, 3.0, {"bonas.auc.clean": 0.7, "bonas.cost.seconds": 3.0})
    estimates = _read(study).estimates
    assert [(e.number, e.architecture.choices, e.values) for e in estimates] == [
        (0, first, (2.0,)),
        (1, second, (5.0,)),
    ]
    assert estimates[0].aucs == pytest.approx({"clean": 0.6})
    assert estimates[0].costs == {"seconds": 2.0}


@pytest.mark.parametrize(
    ("value", "system"),
    [
        (float("-inf"), {}),
        (float("inf"), {}),
        (1.0, {"constraints": [float("nan")]}),
        (1.0, {"constraints:size": float("inf")}),
    ],
)
def test_what_is_not_finite_is_a_failed_estimate_told_once(
    value: float, system: dict[str, object], caplog: pytest.LogCaptureFixture
) -> None:
    study, reader = optuna.create_study(direction="maximize"), HistoryReader(SPACE)
    choices = ("conv",) * 6
    _add(study, choices, value, system=system)
    with caplog.at_level(logging.WARNING):
        history = reader.read(study, 1)
        assert reader.read(study, 1) == history
    assert history.estimates == ()
    assert len(history.taken) == 1
    assert caplog.text.count("trial 0 has the values") == 1


def test_what_never_had_a_value_is_a_failure_from_its_first_trial_on() -> None:
    study = optuna.create_study(direction="maximize")
    conv, pool, skip = ("conv",) * 6, ("pool",) * 6, (SKIP,) * 6

    def end(choices: tuple[str, ...], state: TrialState) -> None:
        params = dict(zip(DECISIONS, choices, strict=True))
        study.add_trial(create_trial(state=state, params=params, distributions=dict(DECISIONS)))

    end(conv, TrialState.FAIL)
    end(pool, TrialState.PRUNED)
    end(conv, TrialState.FAIL)
    _add(study, skip, 1.0)
    end(skip, TrialState.FAIL)
    failures = _read(study).failures
    assert [(f.number, f.architecture.choices) for f in failures] == [(0, conv), (1, pool)]
    _add(study, conv, 2.0)
    after = _read(study)
    assert [f.architecture.choices for f in after.failures] == [pool]
    assert len(after.taken) == 3


def test_a_cost_that_could_not_be_measured_is_left_out() -> None:
    study = optuna.create_study(direction="maximize")
    _add(study, ("conv",) * 6, 1.0, {"bonas.cost.seconds": float("nan"), "bonas.cost.macs": 2.0})
    assert _read(study).estimates[0].costs == {"macs": 2.0}


def test_constraints_are_matched_by_name_in_whatever_order_they_were_stored() -> None:
    study = optuna.create_study(direction="maximize")
    _add(study, ("conv",) * 6, 1.0, system={"constraints:b": 2.0, "constraints:a": -1.0})
    _add(study, ("pool",) * 6, 1.0, system={"constraints:a": -3.0, "constraints:b": 4.0})
    _add(study, (SKIP,) * 6, 1.0, system={"constraints": [-5.0, 6.0]})
    estimates = _read(study).estimates
    assert [dict(e.constraints) for e in estimates] == [
        {"a": -1.0, "b": 2.0},
        {"a": -3.0, "b": 4.0},
        {"0": -5.0, "1": 6.0},
    ]
    assert [list(e.constraints) for e in estimates[:2]] == [["a", "b"]] * 2
    assert not any(e.feasible for e in estimates)


def test_a_study_goes_on_after_an_infinite_value() -> None:
    sampler = SurrogateSampler(SPACE, settings=Settings(initial=3))
    study = optuna.create_study(direction="maximize", sampler=sampler)
    for number in range(8):
        trial = study.ask(DECISIONS)
        study.tell(trial, float("-inf") if number == 1 else float(number))
    keys = {tuple(t.params.values()) for t in study.trials}
    assert len(keys) == 8


@pytest.mark.parametrize("name", STRATEGIES)
def test_partly_enqueued_trials_take_every_open_architecture_that_has_their_choices(
    name: str, caplog: pytest.LogCaptureFixture
) -> None:
    study = optuna.create_study(direction="maximize", sampler=STRATEGIES[name](SPACE, 0))
    fixed = dict(zip(DECISIONS, ("conv", SKIP, "conv", "conv"), strict=False))
    keys = []
    for number in range(17):
        study.enqueue_trial(fixed)
        trial = study.ask(DECISIONS)
        study.tell(trial, float(number))
        assert fixed.items() <= trial.params.items()
        choices = tuple(trial.params[d.name] for d in SPACE.decisions)
        keys.append(canonical_key(SPACE.graph(Architecture(SPACE.name, choices))))
        if number < 16:
            assert not caplog.records
    assert len(set(keys)) == 16
    assert "trial 16 fixes" in caplog.text


def test_the_open_decisions_of_a_large_space_are_proposed_too() -> None:
    wide = CellSpace("wide", tuple(f"op{i}" for i in range(9)), nodes=5)
    decisions = {d.name: CategoricalDistribution(d.options) for d in wide.decisions}
    study = optuna.create_study(direction="maximize", sampler=STRATEGIES["random"](wide, 0))
    fixed = dict.fromkeys(list(decisions)[:-1], "op1")
    for number in range(9):
        study.enqueue_trial(fixed)
        study.tell(study.ask(decisions), float(number))
    assert len({t.params["cell/3-4"] for t in study.trials}) == 9
