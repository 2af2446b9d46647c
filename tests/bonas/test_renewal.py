"""The trials of a process that asks and tells are its own as long as it lives."""

import gc
import threading
import time
from collections.abc import Callable
from pathlib import Path

import optuna
import pytest
from optuna.storages import BaseStorage

import bonas.renewal
from bonas import Observation, Search
from bonas.claims import LEASE, TrialLost
from bonas.lease import Lease, Owner
from bonas.renewal import Renewal
from bonas.strategies.random import RandomSampler
from bonas.study import Study, journal_storage
from spaces.forgery import FORGERY

optuna.logging.set_verbosity(optuna.logging.WARNING)
ELSEWHERE = Owner("elsewhere", 1, "1")
EARLIER: set[threading.Thread] = set()
"""Of tests before this one: their studies may still be waiting for their next renewal."""


@pytest.fixture(autouse=True)
def _often(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bonas.renewal, "DURATION", 0.15)
    EARLIER.clear()
    EARLIER.update(threading.enumerate())


def _study(path: Path) -> Study:
    return Study(FORGERY, RandomSampler(FORGERY), storage=journal_storage(path))


def _threads() -> list[threading.Thread]:
    """Those that renew leases, of this test alone."""
    return [t for t in threading.enumerate() if t.name == "bonas leases" and t not in EARLIER]


def _soon(holds: Callable[[], bool]) -> bool:
    deadline = time.monotonic() + 30
    while not holds() and time.monotonic() < deadline:
        time.sleep(0.02)
    return holds()


def _put(study: Study, number: int, lease: Lease) -> None:
    storage = study.optuna._storage
    storage.set_trial_user_attr(study._owned[number], LEASE, lease.to_attribute())


def _lease(study: Study, number: int) -> Lease:
    lease = Lease.from_attribute(study.optuna.trials[number].user_attrs[LEASE])
    assert lease is not None
    return lease


def test_all_open_trials_are_renewed_from_one_thread_until_they_are_told(tmp_path: Path) -> None:
    study = _study(tmp_path / "j")
    asked = [study.ask() for _ in range(3)]
    assert len(_threads()) == 1
    for trial in asked:
        _put(study, trial.number, Lease(Owner.here(), 0.0))  # as after a minute of estimating
    assert _soon(lambda: not any(_lease(study, t.number).is_dead() for t in asked))
    for trial in asked:
        study.tell(trial.number, Observation(value=1.0))
    assert _soon(lambda: not _threads())
    study.ask()
    assert len(_threads()) == 1


def test_a_living_process_keeps_what_it_asked_for(tmp_path: Path) -> None:
    first, second = (Search(FORGERY, study=_study(tmp_path / "j")) for _ in range(2))
    architecture = first.ask()
    _put(first.study, 0, Lease(Owner.here(), 0.0))
    assert _soon(lambda: not _lease(first.study, 0).is_dead())
    assert second.study.ask().number == 1
    first.tell(architecture, 0.5)
    assert [t.observation.value for t in first.study.told()] == [0.5]


def test_a_trial_that_another_process_finished_or_took_is_let_go_without_a_traceback(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    study = _study(tmp_path / "j")
    finished, taken = study.ask(), study.ask()
    study.optuna.tell(finished.number, 0.5)

    def let_go() -> bool:
        # A renewal that read before may write after: who takes a trial looks again, too.
        if _lease(study, taken.number).owner != ELSEWHERE:
            _put(study, taken.number, Lease(ELSEWHERE, 0.0))
        return not _threads()

    assert _soon(let_go)  # an error in a thread is one in tests
    assert _lease(study, taken.number).owner == ELSEWHERE
    assert "trial 1 was taken over by Owner(host='elsewhere'" in caplog.text
    with pytest.raises(TrialLost):
        study.tell(finished.number, Observation(value=1.0))
    study.tell(taken.number, Observation(value=1.0))


def test_after_a_fault_of_the_storage_the_next_attempt_renews(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    study = Study(FORGERY, RandomSampler(FORGERY))
    storage: BaseStorage = study.optuna._storage
    identifier = study.optuna.ask()._trial_id
    renewal = Renewal(storage)
    renewal.begin(identifier, 0)
    with monkeypatch.context() as broken:

        def fail(*arguments: object) -> None:
            raise OSError("no space left on device")

        broken.setattr(storage, "set_trial_user_attr", fail)
        renewal.renew()
    assert "lease of trial 0 could not be renewed: no space left on device" in caplog.text
    renewal.renew()
    assert Lease.from_attribute(storage.get_trial(identifier).user_attrs[LEASE]) is not None
    renewal.end(identifier)


def test_nothing_is_renewed_for_a_study_that_nobody_holds(tmp_path: Path) -> None:
    study = _study(tmp_path / "j")
    study.ask()
    assert len(_threads()) == 1
    del study
    gc.collect()
    assert _soon(lambda: not _threads())
