"""The strategies as citizens of Optuna, and what they promise of their proposals."""

import itertools
import math
import pickle
import statistics
import warnings
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import optuna
import pytest
import torch
from optuna.distributions import BaseDistribution, CategoricalDistribution
from optuna.samplers import BaseSampler
from optuna.testing.pytest_samplers import BasicSamplerTestCase, RelativeSamplerTestCase
from optuna.trial import TrialState

from bonas.strategies.acquisition import UpperConfidenceBound
from bonas.strategies.history import Estimate, Failure, History, HistoryReader
from bonas.strategies.local_search import LocalSearchSampler
from bonas.strategies.memory import remembered, remembered_failures
from bonas.strategies.named import STRATEGIES
from bonas.strategies.proposer import SpaceExhausted
from bonas.strategies.random import RandomSampler
from bonas.strategies.sampler import SurrogateSampler
from bonas.strategies.settings import Settings
from bonas.strategies.whole import Whole
from spaces.architecture import Architecture
from spaces.cell import CellSpace
from spaces.encodings.onehot import OneHotEncoding
from spaces.forgery import FORGERY, FORGERY_CASCADE
from spaces.graphs import NONE, SKIP, canonical_key, is_connected
from spaces.listed import listed_space
from spaces.space import SearchSpace, enumerate_space
from surrogates.forest import RandomForest

SMALL = CellSpace("small", (NONE, SKIP, "conv", "pool"), nodes=3)  # 64 architectures
MEDIUM = CellSpace("medium", (NONE, SKIP, "conv", "pool"), nodes=4)  # 4,096 architectures


@pytest.fixture(autouse=True)
def _quiet() -> None:
    optuna.logging.set_verbosity(optuna.logging.WARNING)


class TestOptunasLaws(BasicSamplerTestCase, RelativeSamplerTestCase):
    """Optuna's own test cases for samplers; what they ask for is the same in every strategy."""

    @pytest.fixture(params=list(STRATEGIES))
    def sampler(self, request: pytest.FixtureRequest) -> Callable[[], BaseSampler]:
        return lambda: STRATEGIES[request.param](SMALL, 0)


def _distributions(space: SearchSpace) -> dict[str, BaseDistribution]:
    return {d.name: CategoricalDistribution(d.options) for d in space.decisions}


def _architecture(space: SearchSpace, trial: optuna.Trial) -> Architecture:
    return Architecture(space.name, tuple(trial.params[d.name] for d in space.decisions))


def _value(architecture: Architecture) -> float:
    weights = {NONE: -1.0, SKIP: 0.2, "conv": 1.0, "pool": 0.5}
    return sum((i + 1) * weights.get(str(c), 0.7) for i, c in enumerate(architecture.choices))


def _search(
    space: SearchSpace, sampler: BaseSampler, trials: int, study: optuna.Study | None = None
) -> tuple[optuna.Study, list[Architecture]]:
    study = study or optuna.create_study(direction="maximize")
    study.sampler = sampler
    found = []
    for _ in range(trials):
        trial = study.ask(_distributions(space))
        found.append(_architecture(space, trial))
        study.tell(trial, _value(found[-1]))
    return study, found


@pytest.mark.parametrize("name", STRATEGIES)
def test_every_class_is_proposed_once_and_then_the_space_is_exhausted(name: str) -> None:
    keys = {
        canonical_key(SMALL.graph(a))
        for a in enumerate_space(SMALL)
        if is_connected(SMALL.graph(a))
    }
    study, found = _search(SMALL, STRATEGIES[name](SMALL, 0), len(keys))
    assert {canonical_key(SMALL.graph(a)) for a in found} == keys
    with pytest.raises(SpaceExhausted, match="'small'"):
        study.ask(_distributions(SMALL))


@pytest.mark.parametrize("name", STRATEGIES)
def test_of_a_table_of_a_few_combinations_every_row_is_proposed_once(name: str) -> None:
    rng = np.random.default_rng(0)
    rows = [{f"d{i}": str(c) for i, c in enumerate(rng.integers(8, size=12))} for _ in range(40)]
    table = listed_space("table", list(rows[0]), rows)
    study, found = _search(table, STRATEGIES[name](table, 0), 40)
    assert set(found) == set(table.architectures)
    with pytest.raises(SpaceExhausted, match="'table'"):
        study.ask(_distributions(table))


@pytest.mark.parametrize("name", STRATEGIES)
def test_proposals_are_connected_and_their_classes_different_with_eight_pending(name: str) -> None:
    study = optuna.create_study(direction="maximize", sampler=STRATEGIES[name](MEDIUM, 3))
    running, keys = [], []
    for _ in range(24):
        while len(running) < 8:
            trial = study.ask(_distributions(MEDIUM))
            graph = MEDIUM.graph(_architecture(MEDIUM, trial))
            assert is_connected(graph)
            keys.append(canonical_key(graph))
            running.append(trial)
        finished = running.pop(3 if len(keys) % 2 else 0)  # out of order
        study.tell(finished, _value(_architecture(MEDIUM, finished)))
    assert len(set(keys)) == len(keys)


def test_a_space_of_operations_parameters_and_joins_is_searched_without_a_repeated_class() -> None:
    _, found = _search(FORGERY_CASCADE, SurrogateSampler(FORGERY_CASCADE, seed=1), 15)
    graphs = [FORGERY_CASCADE.graph(a) for a in found]
    assert all(map(is_connected, graphs))
    assert len({canonical_key(graph) for graph in graphs}) == 15
    assert max(map(_value, found)) > max(map(_value, found[:5]))


@pytest.mark.parametrize("name", STRATEGIES)
def test_the_same_seed_gives_the_same_study_and_another_one_another(name: str) -> None:
    runs = [_search(MEDIUM, STRATEGIES[name](MEDIUM, seed), 25)[1] for seed in (0, 0, 1)]
    assert runs[0] == runs[1]
    assert runs[0] != runs[2]


@pytest.mark.parametrize(
    ("name", "space"),
    [("bayesian", FORGERY), *((name, MEDIUM) for name in STRATEGIES)],
    ids=lambda value: value if isinstance(value, str) else value.name,
)
def test_a_fresh_sampler_on_a_reloaded_study_goes_on_as_the_old_one(
    name: str, space: SearchSpace, tmp_path: Path
) -> None:
    _, expected = _search(space, STRATEGIES[name](space, 0), 26)
    found: list[Architecture] = []
    for trials in (9, 6, 11):
        backend = optuna.storages.journal.JournalFileBackend(str(tmp_path / "study.journal"))
        study = optuna.create_study(
            study_name="s",
            storage=optuna.storages.JournalStorage(backend),
            direction="maximize",
            load_if_exists=True,
        )
        found += _search(space, STRATEGIES[name](space, 0), trials, study)[1]
    assert found == expected


def test_a_fresh_sampler_agrees_while_workers_finish_out_of_order() -> None:
    study = optuna.create_study(direction="maximize")
    living = SurrogateSampler(MEDIUM)
    rng, running = np.random.default_rng(0), []
    for _ in range(16):
        study.sampler = living
        trial = study.ask()
        proposal = living.sample_relative(
            study, study.trials[trial.number], living.infer_relative_search_space(study, trial)
        )
        fresh = SurrogateSampler(MEDIUM)
        again = fresh.sample_relative(
            study, study.trials[trial.number], fresh.infer_relative_search_space(study, trial)
        )
        assert proposal == again
        for name, distribution in _distributions(MEDIUM).items():
            trial._suggest(name, distribution)
        running.append(trial)
        while len(running) > 4:
            finished = running.pop(int(rng.integers(len(running))))
            study.tell(finished, _value(_architecture(MEDIUM, finished)))


@pytest.mark.parametrize("name", STRATEGIES)
def test_a_pickled_sampler_goes_on_as_the_one_that_it_was(name: str) -> None:
    study, _ = _search(MEDIUM, STRATEGIES[name](MEDIUM, 1), 14)
    kept = pickle.loads(pickle.dumps((study.sampler, study)))
    _, ours = _search(MEDIUM, study.sampler, 4, study)
    assert _search(MEDIUM, kept[0], 4, kept[1])[1] == ours


def test_samplers_of_every_belief_are_pickled_with_what_they_have_seen() -> None:
    cost = Settings(cost="time")
    study = optuna.create_study(sampler=SurrogateSampler(MEDIUM, settings=cost))
    for _ in range(12):
        trial = study.ask(_distributions(MEDIUM))
        trial.set_user_attr("bonas.cost.time", 1.0 + trial.number)
        study.tell(trial, _value(_architecture(MEDIUM, trial)))
    several = optuna.create_study(directions=["maximize", "minimize"])
    several.sampler = SurrogateSampler(MEDIUM)
    for _ in range(12):
        trial = several.ask(_distributions(MEDIUM))
        value = _value(_architecture(MEDIUM, trial))
        several.tell(trial, (value, value**2))
    for one in (study, several):
        again = pickle.loads(pickle.dumps(one))
        params = [s.ask(_distributions(MEDIUM)).params for s in (one, again)]
        assert params[0] == params[1]


@pytest.mark.parametrize("name", ["bayesian", "random"])
def test_under_hyperband_no_class_of_another_bracket_is_repeated(name: str) -> None:
    keys = []

    def objective(trial: optuna.Trial) -> float:
        choices = tuple(trial.suggest_categorical(d.name, d.options) for d in MEDIUM.decisions)
        architecture = Architecture(MEDIUM.name, choices)
        keys.append(canonical_key(MEDIUM.graph(architecture)))
        for step in range(9):
            trial.report(_value(architecture) * step / 8, step)
            if trial.should_prune():
                raise optuna.TrialPruned
        return _value(architecture)

    pruner = optuna.pruners.HyperbandPruner(min_resource=1, max_resource=9, reduction_factor=3)
    sampler = STRATEGIES[name](MEDIUM, 0)
    study = optuna.create_study(direction="maximize", sampler=sampler, pruner=pruner)
    study.optimize(objective, n_trials=30)
    states = {trial.state for trial in study.get_trials()}
    assert states == {TrialState.COMPLETE, TrialState.PRUNED}
    assert len(set(keys)) == len(keys) == 30


def test_an_attribute_that_is_no_number_is_named_and_left_out(
    caplog: pytest.LogCaptureFixture,
) -> None:
    study = optuna.create_study(direction="maximize", sampler=SurrogateSampler(MEDIUM))
    for cost in (None, "slow", math.inf, True, 2.0):
        trial = study.ask(_distributions(MEDIUM))
        trial.set_user_attr("bonas.cost.time", cost)
        study.tell(trial, 0.0)
    caplog.clear()
    history = HistoryReader(MEDIUM).read(study, 99)
    assert [dict(e.costs) for e in history.estimates] == [{}, {}, {}, {"time": 1}, {"time": 2}]
    assert caplog.text.count("which is no number") == 1
    assert "trial 1 has bonas.cost.time = 'slow'" in caplog.text


def test_a_minimised_study_mirrors_a_maximised_one() -> None:
    _, expected = _search(MEDIUM, SurrogateSampler(MEDIUM), 30)
    study = optuna.create_study(direction="minimize", sampler=SurrogateSampler(MEDIUM))
    for architecture in expected:
        trial = study.ask(_distributions(MEDIUM))
        assert _architecture(MEDIUM, trial) == architecture
        study.tell(trial, -_value(architecture))


def test_a_plain_script_with_failures_prunings_and_enqueued_trials_runs() -> None:
    sampler = SurrogateSampler(MEDIUM)
    study = optuna.create_study(direction="maximize", sampler=sampler)
    wanted = dict(zip([d.name for d in MEDIUM.decisions], ["conv"] * 6, strict=True))
    study.enqueue_trial(wanted)
    study.enqueue_trial({"cell/0-1": "pool"})
    numbers = itertools.count()

    def objective(trial: optuna.Trial) -> float:
        choices = [trial.suggest_categorical(d.name, d.options) for d in MEDIUM.decisions]
        number = next(numbers)
        if number % 5 == 3:
            raise optuna.TrialPruned
        if number % 5 == 4:
            raise RuntimeError("no memory left")
        return _value(Architecture(MEDIUM.name, tuple(choices)))

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        study.optimize(objective, n_trials=40, catch=(RuntimeError,))
    assert study.trials[0].params == wanted
    assert study.trials[1].params["cell/0-1"] == "pool"
    architectures = [tuple(t.params.values()) for t in study.trials]
    assert len(set(architectures)) == 40
    history = HistoryReader(MEDIUM).read(study, 40)
    assert len(history.estimates) == len(study.get_trials(states=(TrialState.COMPLETE,)))
    assert len(history.taken) == 40
    assert study.best_value > 15


def test_threads_of_one_study_do_not_propose_the_same() -> None:
    study = optuna.create_study(direction="maximize", sampler=SurrogateSampler(MEDIUM))

    def objective(trial: optuna.Trial) -> float:
        choices = [trial.suggest_categorical(d.name, d.options) for d in MEDIUM.decisions]
        return _value(Architecture(MEDIUM.name, tuple(choices)))

    study.optimize(objective, n_trials=24, n_jobs=4)
    assert len({tuple(t.params.items()) for t in study.trials}) == 24


def test_the_surrogate_finds_the_best_of_4096_sooner_than_random_search() -> None:
    best = max(_value(a) for a in enumerate_space(MEDIUM) if is_connected(MEDIUM.graph(a)))
    _, found = _search(MEDIUM, SurrogateSampler(MEDIUM), 40)
    _, drawn = _search(MEDIUM, RandomSampler(MEDIUM), 40)
    assert max(map(_value, found)) == best
    assert max(map(_value, drawn)) < best


def _distance(first: Architecture, second: Architecture) -> int:
    return sum(a != b for a, b in zip(first.choices, second.choices, strict=True))


def test_in_a_large_space_proposals_come_from_around_the_best_also_without_local_steps() -> None:
    """Of random draws alone, the nearest to the best three would be ten edits away."""
    settings = Settings(turning=math.inf, quiet=0.0)
    _, found = _search(FORGERY, SurrogateSampler(FORGERY, settings=settings), 22)
    near = []
    for step in range(12, 22):
        best = sorted(found[:step], key=_value)[-3:]
        near.append(min(_distance(found[step], b) for b in best))
    assert statistics.median(near) <= 4


def test_of_a_long_study_the_best_and_the_latest_are_remembered() -> None:
    rng = np.random.default_rng(0)
    values = rng.permutation(3_100)
    estimates = [
        Estimate(i, Architecture("x", (i,)), (float(value),)) for i, value in enumerate(values)
    ]
    assert remembered(estimates[:1_000]) == estimates[:1_000]
    for count in (1_001, 1_700, 3_099):
        kept = remembered(estimates[:count])
        numbers = [e.number for e in kept]
        assert numbers == sorted(set(numbers))
        assert len(kept) <= 1_000
        assert numbers[-200:] == list(range(count - 200, count))
        best = sorted(estimates[: count - 250], key=lambda e: -e.values[0])[:300]
        assert {e.number for e in best} <= set(numbers)
    for count in range(2_000, 2_249):  # in between the surrogate's factor only grows
        grown = remembered(estimates[: count + 1])
        assert grown[:-1] == remembered(estimates[:count])


def test_of_many_failures_the_latest_are_remembered() -> None:
    failures = [Failure(i, Architecture("x", (i,))) for i in range(1_400)]
    assert remembered_failures(failures[:500]) == failures[:500]
    kept = [remembered_failures(failures[:count]) for count in range(1_401)]
    assert all(250 <= len(k) <= 500 for k in kept[500:])
    assert all(k[-1].number == count - 1 for count, k in enumerate(kept) if count)
    assert len({k[0].number for k in kept if k}) == 5  # in between the factor only grows


def test_of_a_long_warm_start_the_best_and_the_latest_are_remembered() -> None:
    values = np.random.default_rng(0).permutation(2_000)
    warm = [Estimate(-1, Architecture("x", (i,)), (float(v),)) for i, v in enumerate(values)]
    own = [Estimate(i, Architecture("y", (i,)), (0.0,)) for i in range(100)]
    kept = remembered([*warm, *own])
    best = {e.architecture for e in sorted(warm, key=lambda e: -e.values[0])[:500]}
    others = [e.architecture for e in warm if e.architecture not in best]
    expected = {*best, *others[-250:], *(e.architecture for e in own)}
    assert {e.architecture for e in kept} == expected
    assert kept == [e for e in [*warm, *own] if e.architecture in expected]


@pytest.mark.parametrize("several", [False, True])
def test_where_limits_allow_nothing_further_the_space_is_exhausted(several: bool) -> None:
    sampler = SurrogateSampler(FORGERY, settings=Settings(initial=1))
    directions = ["maximize", "minimize"] if several else ["maximize"]
    study = optuna.create_study(directions=directions, sampler=sampler)
    study.enqueue_trial({d.name: "conv_3x3" for d in FORGERY.decisions})
    study.tell(study.ask(_distributions(FORGERY)), [1.0] * len(directions))
    sampler.allowed = lambda a: a.choices.count("conv_3x3") == 18
    with pytest.raises(SpaceExhausted, match="that the limits allow"):
        study.ask(_distributions(FORGERY))


class _Sequential(LocalSearchSampler):
    """The rule for one worker: what is no neighbour of the place was a new start."""

    def _place(self, history: History) -> Estimate:
        place = max(history.estimates[:10], key=lambda e: e.values[0])
        for estimate in history.estimates[10:]:
            edits = _distance(place.architecture, estimate.architecture)
            if edits > 1 or estimate.values[0] > place.values[0]:
                place = estimate
        return place


@pytest.mark.parametrize(("space", "trials"), [(MEDIUM, 300), (SMALL, 20)])
def test_one_worker_searches_from_place_to_place(space: SearchSpace, trials: int) -> None:
    for seed in range(2):
        expected = _search(space, _Sequential(space, seed=seed), trials)[1]
        assert _search(space, LocalSearchSampler(space, seed=seed), trials)[1] == expected


def test_pending_neighbours_of_an_earlier_place_are_no_new_starts() -> None:
    def estimate(number: int, value: float, **changed: str) -> Estimate:
        choices = dict.fromkeys("abcdef", "conv") | changed
        return Estimate(number, Architecture(MEDIUM.name, tuple(choices.values())), (value,))

    start, better = estimate(0, 1.0), estimate(2, 2.0, a="pool")
    late, side = estimate(1, 0.5, b="pool"), estimate(3, 0.1, c="pool", d="pool", e=SKIP)
    sampler = LocalSearchSampler(MEDIUM, initial=1)

    def place(*estimates: Estimate) -> Estimate:
        ordered = tuple(sorted(estimates, key=lambda e: e.number))
        taken = frozenset(sampler.reader.key(e.architecture) for e in ordered)
        return sampler._place(History(ordered, (), taken))

    assert place(start, late, better) == better
    assert place(start, better, replace(late, number=3)) == better, "a late neighbour of the start"
    assert place(start, better, side) == better, "a start that was drawn beside it"
    assert place(start, better, replace(late, number=3, values=(3.0,))).number == 3


def test_several_workers_search_locally_about_as_well_as_one() -> None:
    """In a space whose best architecture is reached by better neighbours from anywhere."""
    wide = CellSpace("wide", (NONE, SKIP, "conv", "pool"), nodes=5)

    def found(workers: int) -> float:
        best = []
        for seed in range(4):
            study = optuna.create_study(
                direction="maximize", sampler=LocalSearchSampler(wide, seed=seed)
            )
            running: list[optuna.Trial] = []
            while len(study.get_trials(deepcopy=False, states=(TrialState.COMPLETE,))) < 80:
                running += [study.ask(_distributions(wide)) for _ in range(workers - len(running))]
                trial = running.pop(0)
                study.tell(trial, _value(_architecture(wide, trial)))
            best.append(study.best_value)
        return statistics.mean(best)

    assert found(8) > found(1) - 2.0


def test_what_is_pending_is_told_to_the_surrogate() -> None:
    sampler = SurrogateSampler(MEDIUM, settings=Settings(initial=5))
    study = optuna.create_study(direction="maximize", sampler=sampler)
    told: list[int] = []
    believed = sampler._belief.posterior

    def posterior(
        estimates: Sequence[Estimate], features: torch.Tensor, pending: torch.Tensor
    ) -> Whole:
        told.append(len(pending))
        return believed(estimates, features, pending)

    sampler._belief.posterior = posterior  # type: ignore[method-assign]
    for number in range(6):
        study.tell(study.ask(_distributions(MEDIUM)), float(number))
    for _ in range(4):
        study.ask(_distributions(MEDIUM))
    assert told[-4:] == [0, 1, 2, 3]


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: SurrogateSampler(SMALL, seed=-1), "seed is -1"),
        (lambda: SurrogateSampler(SMALL, settings=Settings(initial=0)), "initial is 0"),
        (lambda: SurrogateSampler(SMALL, settings=Settings(breadth=0)), "breadth is 0"),
        (lambda: Settings(breadth=math.inf), "breadth is inf; it must be an integer"),  # type: ignore[arg-type]
        (lambda: Settings(turning=-1.0), "turning is -1"),
        (lambda: UpperConfidenceBound(beta=-1.0), "beta is -1"),
        (lambda: UpperConfidenceBound(beta=math.nan), "beta is nan"),
    ],
)
def test_bad_arguments_are_named(make: Callable[[], object], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        make()


def test_a_surrogate_that_is_no_gaussian_process_is_named() -> None:
    encoding = OneHotEncoding(SMALL)
    forest = Settings(surrogate=lambda _: (encoding, RandomForest()))  # type: ignore[arg-type,return-value]
    with pytest.raises(TypeError, match="made a RandomForest; the strategy needs"):
        SurrogateSampler(SMALL, settings=forest)
