from collections.abc import Callable
from pathlib import Path

import optuna
import pytest
import torch
from optuna.trial import TrialState

from bonas import Observation, Search, Status
from bonas.estimation.estimator import EstimationFailed
from bonas.estimation.zero_cost import ZeroCostEstimator
from bonas.lease import Lease, Owner
from bonas.networks.builder import NASBench201Builder
from bonas.strategies.proposer import SpaceExhausted
from bonas.strategies.random import RandomSampler
from bonas.strategies.sampler import SurrogateSampler
from bonas.study import LEASE, Study, journal_storage
from spaces.architecture import Architecture
from spaces.cell import CellSpace
from spaces.forgery import FORGERY
from spaces.graphs import canonical_key, is_connected
from spaces.nasbench201 import NASBENCH201

optuna.logging.set_verbosity(optuna.logging.WARNING)
TINY = CellSpace("tiny", ("none", "skip", "conv_3x3"), nodes=3)
DEAD = Owner("elsewhere", 1, "1")


def worth(architecture: Architecture) -> float:
    return float(sum(str(c).startswith("conv") for c in architecture.choices))


class Counting:
    """An exact estimator that remembers what it was asked, and fails or dies when told to."""

    def __init__(self, *, die_at: int | None = None, fail: Callable[[Architecture], bool]) -> None:
        self.seen: list[tuple[Architecture, int]] = []
        self.die_at = die_at
        self.fail = fail

    def estimate(self, architecture: Architecture, *, seed: int) -> Observation:
        if self.die_at is not None and len(self.seen) == self.die_at:
            raise KeyboardInterrupt
        self.seen.append((architecture, seed))
        if self.fail(architecture):
            raise EstimationFailed("out of memory")
        return Observation(
            value=worth(architecture), aucs={"clean": 0.75}, cost={"parameters": 7.0}
        )


def exact(**arguments: int) -> Counting:
    return Counting(fail=lambda architecture: False, **arguments)


def stored(path: Path, seed: int = 1) -> Search:
    sampler = SurrogateSampler(FORGERY, seed=seed)
    return Search(FORGERY, seed=seed, study=Study(FORGERY, sampler, storage=journal_storage(path)))


def sequence(search: Search) -> list[tuple[Architecture, float | None]]:
    return [(told.architecture, told.observation.value) for told in search.study.told()]


def test_ask_and_tell_find_the_best_of_a_small_space() -> None:
    search = Search(TINY, seed=0)
    for _ in range(8):  # as many as the space has classes
        architecture = search.ask()
        search.tell(architecture, Observation(value=worth(architecture)))
    best = search.best
    assert best is not None
    assert best.observation.value == 3


def test_asked_architectures_are_connected_and_never_equal() -> None:
    search = Search(FORGERY, seed=0)
    keys = set()
    for step in range(20):
        architecture = search.ask()
        assert is_connected(FORGERY.graph(architecture))
        keys.add(canonical_key(FORGERY.graph(architecture)))
        if step % 2:  # every second one stays open
            search.tell(architecture, Observation(value=worth(architecture)))
    assert len(keys) == 20


def test_the_same_seed_asks_the_same() -> None:
    runs = []
    for seed in (3, 3, 4):
        search = Search(FORGERY, seed=seed)
        search.run(exact(), trials=14)
        runs.append(sequence(search))
    assert runs[0] == runs[1]
    assert runs[0] != runs[2]


def test_an_observation_keeps_everything_in_the_study(tmp_path: Path) -> None:
    search = stored(tmp_path / "j")
    given = Observation(
        value=0.5,
        variance=0.01,
        aucs={"clean": 0.6, "corruption/jpeg-2": 0.5},
        auc_variances={"clean": 0.001, "corruption/jpeg-2": 0.002},
        cost={"parameters": 5.0},
        fidelity=0.1,
    )
    search.tell(search.ask(), given)
    (told,) = stored(tmp_path / "j").study.told()
    assert told.observation == given


def test_a_failed_estimate_stays_in_the_study_and_is_not_asked_again() -> None:
    search = Search(TINY, sampler=RandomSampler(TINY, seed=0))
    search.run(Counting(fail=lambda a: worth(a) == 3), trials=8)
    failed = [t for t in search.study.told() if t.observation.status is Status.FAILED]
    assert len(failed) == 1
    assert failed[0].observation.reason == "out of memory"
    assert search.best is not None
    assert search.best.observation.value == 2


def test_a_search_goes_on_after_an_enqueued_architecture_without_a_path() -> None:
    images = torch.rand(2, 3, 32, 32, generator=torch.Generator().manual_seed(0))
    builder = NASBench201Builder(width=4, cells=1)
    search = Search(NASBENCH201, seed=0)
    search.study.optuna.enqueue_trial({d.name: "none" for d in NASBENCH201.decisions})
    best = search.run(ZeroCostEstimator(builder, "snip", images, torch.arange(2)), trials=2)
    failed, found = search.study.told()
    assert failed.observation.status is Status.FAILED
    assert "connects its input to nothing" in str(failed.observation.reason)
    assert best == found


def test_a_search_ends_where_the_space_does() -> None:
    search = Search(TINY, sampler=RandomSampler(TINY, seed=0))
    search.run(exact(), trials=50)
    assert len(search.study.told()) == search.study.finished == 8
    with pytest.raises(SpaceExhausted):
        search.ask()
    search.run(exact(), trials=50)
    assert search.study.finished == 8, "what found nothing to propose counts as an estimate"
    assert not search.study.optuna.get_trials(states=(TrialState.RUNNING,))


def test_no_estimate_begins_after_the_time_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = iter(range(1_000))
    monkeypatch.setattr("bonas.search.time.monotonic", lambda: float(next(clock)))
    search = Search(TINY, sampler=RandomSampler(TINY, seed=0))
    search.run(exact(), trials=8, time_limit=4.0)
    assert search.study.finished == 3
    search.run(exact(), trials=8, time_limit=0.0)
    assert search.study.finished == 3
    search.run(exact(), trials=8)
    assert search.study.finished == 8


def test_an_error_of_the_estimator_is_no_failed_estimate() -> None:
    class Broken:
        def estimate(self, architecture: Architecture, *, seed: int) -> Observation:
            raise ZeroDivisionError

    search = Search(TINY)
    with pytest.raises(ZeroDivisionError):
        search.run(Broken(), trials=3)
    assert search.study.finished == 0


@pytest.mark.parametrize("die_at", [0, 3, 11])
def test_interrupted_and_continued_equals_uninterrupted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, die_at: int
) -> None:
    whole = stored(tmp_path / "whole")
    whole_estimator = exact()
    whole.run(whole_estimator, trials=14)
    with pytest.raises(KeyboardInterrupt):
        stored(tmp_path / "cut").run(exact(die_at=die_at), trials=14)
    monkeypatch.setattr(Owner, "is_gone", lambda self: True)  # that process's end
    continued, estimator = stored(tmp_path / "cut"), exact()
    continued.run(estimator, trials=14)
    assert sequence(continued) == sequence(whole)
    assert estimator.seen == whole_estimator.seen[die_at:], "other seeds or a repeated estimate"


def test_a_run_that_an_error_ended_goes_on_in_the_same_process() -> None:
    whole, cut = (Search(TINY, sampler=RandomSampler(TINY, seed=0)) for _ in range(2))
    whole.run(exact(), trials=5)
    with pytest.raises(KeyboardInterrupt):
        cut.run(exact(die_at=2), trials=5)
    cut.run(exact(), trials=5)
    assert sequence(cut) == sequence(whole)
    assert len(cut.study.optuna.trials) == 5


def test_an_error_of_the_estimator_ends_the_run_also_of_a_lost_trial(tmp_path: Path) -> None:
    search = stored(tmp_path / "j")

    class Interrupted:
        def estimate(self, architecture: Architecture, *, seed: int) -> Observation:
            stored(tmp_path / "j").study.optuna.tell(0, 1.0)  # as whoever took it over would
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        search.run(Interrupted(), trials=3)


def test_a_trial_killed_before_its_parameters_were_stored_is_adopted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = stored(tmp_path / "whole")
    whole.run(exact(), trials=13)
    cut = stored(tmp_path / "cut")
    cut.run(exact(), trials=11)
    cut.study.optuna.ask()  # a trial without parameters and without a lease
    monkeypatch.setattr(Owner, "is_gone", lambda self: True)
    continued = stored(tmp_path / "cut")
    continued.run(exact(), trials=13)
    assert sequence(continued) == sequence(whole)


def test_a_living_owners_trial_is_left_to_it(tmp_path: Path) -> None:
    first, second = stored(tmp_path / "j"), stored(tmp_path / "j")
    mine = first.study.ask()
    alive = Lease(DEAD, Lease.now().expires).to_attribute()
    storage = first.study.optuna._storage
    storage.set_trial_user_attr(first.study._owned[mine.number], LEASE, alive)
    assert second.study.ask().number == mine.number + 1


def test_an_expired_lease_of_another_machine_is_taken_over(tmp_path: Path) -> None:
    first, second = stored(tmp_path / "j"), stored(tmp_path / "j")
    asked = first.study.ask()
    expired = Lease(DEAD, 0.0).to_attribute()
    storage = first.study.optuna._storage
    storage.set_trial_user_attr(first.study._owned[asked.number], LEASE, expired)
    assert second.study.ask() == asked


def test_an_observation_that_nobody_asked_for_warms_the_search_up() -> None:
    search = Search(TINY, seed=0)
    best = Architecture(TINY.name, ("conv_3x3",) * 3)
    search.tell(best, Observation(value=3.0))
    assert search.best is not None
    assert search.best.architecture == best
    rest = {search.key(search.ask()) for _ in range(5)}
    assert search.key(best) not in rest


def test_telling_twice_is_an_error() -> None:
    search = Search(TINY)
    asked = search.study.ask()
    search.study.tell(asked.number, Observation(value=1.0))
    with pytest.raises(ValueError, match=r"trial 0 was not asked for here, or was told before"):
        search.study.tell(asked.number, Observation(value=1.0))


def test_telling_another_spaces_architecture_is_an_error() -> None:
    with pytest.raises(ValueError, match="belongs to the space 'forgery'"):
        Search(TINY).tell(Architecture("forgery", ("none",) * 18), Observation(value=1.0))


def test_a_sampler_beside_a_study_is_an_error() -> None:
    study = Study(TINY, RandomSampler(TINY, seed=0))
    with pytest.raises(ValueError, match="either a sampler or a study"):
        Search(TINY, sampler=RandomSampler(TINY, seed=0), study=study)


def test_optunas_own_tools_see_decisions_values_and_attributes(tmp_path: Path) -> None:
    search = stored(tmp_path / "j")
    search.run(exact(), trials=3)
    trial = search.study.optuna.trials[0]
    assert trial.state is TrialState.COMPLETE
    assert set(trial.params) == {d.name for d in FORGERY.decisions}
    assert trial.user_attrs["bonas.auc.clean"] == 0.75
    assert trial.user_attrs["bonas.cost.parameters"] == 7.0


@pytest.mark.parametrize("value", [None, float("nan"), float("inf")])
def test_an_observation_without_a_finite_value_is_refused(value: float | None) -> None:
    with pytest.raises(ValueError, match="it must be finite"):
        Observation(value=value)


def test_a_failed_observation_has_no_value() -> None:
    with pytest.raises(ValueError, match="a failed observation has none"):
        Observation(value=1.0, status=Status.FAILED)


def test_a_tell_that_fails_leaves_the_trial_open() -> None:
    search = Search(TINY)
    architecture = search.ask()
    for wrong, error in (("0.9", TypeError), (float("nan"), ValueError), (None, ValueError)):
        with pytest.raises(error, match="value is"):
            search.tell(architecture, wrong)  # type: ignore[arg-type]
    search.tell(architecture, 0.9)
    (told,) = search.study.told()
    assert told.number == 0
    assert told.observation == Observation(value=0.9)
    assert not search.study.optuna.get_trials(states=(TrialState.RUNNING,))


def test_the_best_of_repeated_estimates_is_the_highest_mean() -> None:
    search = Search(TINY)
    lucky, good = (Architecture(TINY.name, (c,) * 3) for c in ("conv_3x3", "skip"))
    for architecture, value in [(lucky, 0.9), (good, 0.7), (lucky, 0.3), (good, 0.7)]:
        search.tell(architecture, Observation(value=value, aucs={"clean": value}))
    best = search.best
    assert best is not None
    assert (best.number, best.architecture) == (1, good)
    assert best.observation.value == pytest.approx(0.7)
    assert best.observation.aucs == pytest.approx({"clean": 0.7})


def test_an_infinite_value_told_to_optuna_is_a_failed_estimate() -> None:
    search = Search(TINY, seed=0)
    for step in range(6):
        asked = search.study.ask()
        search.study.optuna.tell(asked.number, float("-inf") if step == 2 else float(step))
    told = search.study.told()
    assert [t.observation.status for t in told].count(Status.FAILED) == 1
    assert search.best is not None
    assert search.best.number == 5


def test_an_architecture_that_is_enqueued_twice_is_told_twice() -> None:
    search = Search(TINY)
    for _ in range(2):
        search.study.optuna.enqueue_trial({d.name: "conv_3x3" for d in TINY.decisions})
    first, second = search.ask(), search.ask()
    assert first == second
    with pytest.raises(ValueError, match="it must be finite"):
        search.tell(first, float("nan"))
    search.tell(first, 0.5)
    search.tell(second, 0.7)
    assert [(t.number, t.observation.value) for t in search.study.told()] == [(0, 0.5), (1, 0.7)]
    assert not search.study.optuna.get_trials(states=(TrialState.RUNNING,))
