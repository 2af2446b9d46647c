"""Who estimates a trial, among threads and processes that ask at the same time."""

import multiprocessing
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import numpy as np
import optuna
import pytest
from optuna.distributions import CategoricalDistribution
from optuna.trial import TrialState

import bonas.claims
from bonas import Observation, Search
from bonas.lease import Lease, Owner
from bonas.strategies.history import History
from bonas.strategies.proposer import ArchitectureSampler
from bonas.strategies.random import RandomSampler
from bonas.study import LEASE, Study, journal_storage
from spaces.architecture import Architecture
from spaces.cell import CellSpace
from spaces.forgery import FORGERY
from spaces.space import enumerate_space

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
    monkeypatch.setattr(bonas.claims, "PATIENCE", 0.0)  # it never says what it estimates

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


PLAIN = CellSpace("plain", ("skip", "conv_1x1", "conv_3x3"), nodes=3)
DISTRIBUTIONS = {d.name: CategoricalDistribution(d.options) for d in PLAIN.decisions}


class First(ArchitectureSampler):
    """Proposes the first open architecture, the same for whoever asks, and takes its time."""

    def __init__(self, meanwhile: Callable[[], object] = lambda: None) -> None:
        super().__init__(PLAIN)
        self.meanwhile = meanwhile

    def propose(self, history: History, *, rng: np.random.Generator) -> Architecture:
        found = next(a for a in enumerate_space(PLAIN) if self.is_open(a, history))
        meanwhile, self.meanwhile = self.meanwhile, lambda: None
        meanwhile()
        return found


def _ask_slowly(path: Path, calls: int) -> list[tuple[int, Architecture]]:
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    asked = []
    for _ in range(calls):
        sampler = First(lambda: time.sleep(0.3))
        asked.append(Study(PLAIN, sampler, storage=journal_storage(path)).ask())
    return [(a.number, a.architecture) for a in asked]


def test_processes_that_ask_at_the_same_time_get_different_architectures(tmp_path: Path) -> None:
    """And the same ones as if they had asked one after the other."""
    path = tmp_path / "journal"
    sequential = Study(PLAIN, First(), storage=journal_storage(tmp_path / "sequential"))
    expected = [sequential.ask().architecture for _ in range(6)]
    Study(PLAIN, First(), storage=journal_storage(path))
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(3, mp_context=context) as pool:
        asked = sorted(a for found in pool.map(_ask_slowly, [path] * 3, [2] * 3) for a in found)
    assert [number for number, _ in asked] == list(range(6))
    assert [architecture for _, architecture in asked] == expected


def test_a_suggestion_does_not_wait_for_the_dead_nor_for_ever(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    study = Study(PLAIN, First(), storage=journal_storage(tmp_path / "j"))
    silent = [study.optuna.ask() for _ in range(2)]  # nothing is proposed before it is suggested
    silent[0].set_user_attr(LEASE, Lease(Owner("elsewhere", 1, "1"), 0.0).to_attribute())
    trial = study.optuna.ask()
    began = time.monotonic()
    trial.suggest_categorical("cell/0-1", PLAIN.decisions[0].options)
    assert time.monotonic() - began < bonas.claims.PATIENCE / 2
    assert not caplog.records
    monkeypatch.setattr(bonas.claims, "PATIENCE", 0.1)
    silent[1].set_user_attr(LEASE, Lease.now().to_attribute())
    study.optuna.ask().suggest_categorical("cell/0-1", PLAIN.decisions[0].options)
    assert "trial 3 goes on without waiting any longer" in caplog.text
    assert "trials [1]" in caplog.text


@pytest.mark.parametrize("order", [(0, 1), (1, 0)], ids=["lower first", "higher first"])
def test_who_finds_another_trials_proposal_beside_its_own_proposes_anew(
    tmp_path: Path, order: tuple[int, int]
) -> None:
    """Plain Optuna has no leases to wait for: two suggestions overlap in either order."""
    storages = [journal_storage(tmp_path / "j") for _ in range(2)]
    studies = [
        optuna.create_study(
            study_name="s", storage=s, direction="maximize", sampler=First(), load_if_exists=True
        )
        for s in storages
    ]
    trials = [study.ask() for study in studies]
    slow, quick = order

    def overtake() -> None:
        for name, distribution in DISTRIBUTIONS.items():
            trials[quick].suggest_categorical(name, distribution.choices)

    studies[slow].sampler = First(overtake)
    for name, distribution in DISTRIBUTIONS.items():
        trials[slow].suggest_categorical(name, distribution.choices)
    assert trials[0].params != trials[1].params


def test_a_trial_for_which_the_strategy_fails_is_left_to_whoever_asks_next() -> None:
    def fail() -> None:
        raise RuntimeError("no memory left")

    study = Study(PLAIN, First(fail))
    with pytest.raises(RuntimeError, match="no memory left"):
        study.ask()
    assert study.ask().number == 0
