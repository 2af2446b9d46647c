"""Who estimates a trial, among threads and processes that ask at the same time."""

import multiprocessing
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import optuna
import pytest
from optuna.trial import TrialState

import bonas.claims
from bonas import Observation, Search
from bonas.lease import Lease, Owner
from bonas.strategies.random import RandomSampler
from bonas.study import LEASE, Study, journal_storage
from spaces.architecture import Architecture
from spaces.forgery import FORGERY

optuna.logging.set_verbosity(optuna.logging.WARNING)


@pytest.fixture
def hasty_threads() -> Iterator[None]:
    """Threads take turns after every few instructions."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-5)
    yield
    sys.setswitchinterval(before)


def _study(path: Path | None = None, seed: int = 0) -> Study:
    storage = None if path is None else journal_storage(path)
    return Study(FORGERY, RandomSampler(FORGERY, seed=seed), storage=storage)


def _ask_and_tell(path: Path, calls: int) -> list[int]:
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    study, numbers = _study(path), []
    for _ in range(calls):
        asked = study.ask()
        study.tell(asked.number, Observation(value=1.0))
        numbers.append(asked.number)
    return numbers


@pytest.mark.usefixtures("hasty_threads")
def test_threads_of_one_search_never_get_one_trial() -> None:
    search = Search(FORGERY, study=_study())
    failures: list[Exception] = []

    def work() -> None:
        for _ in range(20):
            try:
                search.tell(search.ask(), Observation(value=1.0))
            except Exception as error:
                failures.append(error)

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failures
    assert [t.state for t in search.study.optuna.trials] == [TrialState.COMPLETE] * 160


def test_processes_of_one_journal_never_get_one_trial(tmp_path: Path) -> None:
    path = tmp_path / "journal"
    _study(path)
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(3, mp_context=context) as pool:
        numbers = [n for asked in pool.map(_ask_and_tell, [path] * 3, [15] * 3) for n in asked]
    assert sorted(numbers) == list(range(45))
    assert all(t.state is TrialState.COMPLETE for t in _study(path).optuna.trials)


def test_a_new_trial_has_its_lease_before_anything_is_proposed() -> None:
    seen: list[object] = []

    class Watching(RandomSampler):
        def before_trial(self, study: optuna.Study, trial: optuna.trial.FrozenTrial) -> None:
            seen.append(study.get_trials(deepcopy=False)[-1].user_attrs.get(LEASE))

    study = Study(FORGERY, Watching(FORGERY))
    study.optuna.enqueue_trial({d.name: d.options[0] for d in FORGERY.decisions})
    for _ in range(2):
        study.ask()
    leases = [Lease.from_attribute(attribute) for attribute in seen]  # type: ignore[arg-type]
    assert [lease is not None and lease.owner for lease in leases] == [Owner.here()] * 2


def test_a_young_trial_without_a_lease_is_left_to_whoever_began_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = _study(tmp_path / "j"), _study(tmp_path / "j")
    begun = first.optuna.ask()

    def lease_comes(seconds: float) -> None:
        alive = Lease(Owner("elsewhere", 1, "1"), Lease.now().expires)
        begun.set_user_attr(LEASE, alive.to_attribute())

    monkeypatch.setattr(bonas.claims.time, "sleep", lease_comes)
    assert second.ask().number == 1


def test_of_two_claims_on_a_dead_processs_trial_the_later_one_holds(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = _study(tmp_path / "j"), _study(tmp_path / "j")
    asked = first.ask()
    storage, identifier = first.optuna._storage, first._owned[asked.number]
    dead = Lease(Owner("elsewhere", 1, "1"), 0.0).to_attribute()
    storage.set_trial_user_attr(identifier, LEASE, dead)

    def another_claims(seconds: float) -> None:
        alive = Lease(Owner("elsewhere", 2, "2"), Lease.now().expires)
        storage.set_trial_user_attr(identifier, LEASE, alive.to_attribute())

    monkeypatch.setattr(bonas.claims.time, "sleep", another_claims)
    assert second.ask().number == 1


def test_a_worker_whose_trial_another_one_finished_goes_on(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    slow = Search(FORGERY, study=_study(tmp_path / "j"))
    fast = _study(tmp_path / "j")

    class Sleeping:
        calls = 0

        def estimate(self, architecture: Architecture, *, seed: int) -> Observation:
            self.calls += 1
            if self.calls == 1:
                storage, identifier = slow.study.optuna._storage, slow.study._owned[0]
                expired = Lease(Owner.here(), 0.0).to_attribute()
                storage.set_trial_user_attr(identifier, LEASE, expired)
                assert fast.ask().number == 0
                fast.tell(0, Observation(value=7.0))
            return Observation(value=float(self.calls))

    slow.run(Sleeping(), trials=3)
    assert [t.observation.value for t in slow.study.told()] == [7.0, 2.0, 3.0]
    assert "trial 0 was finished by another process" in caplog.text
