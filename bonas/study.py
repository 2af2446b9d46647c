"""Study: an Optuna study seen as architectures and observations.

With `bonas.claims` and `bonas.renewal` the one place that writes to the study. Decisions are
categorical parameters, the score and the costs that are minimised are the trial's values, so that
Optuna's tools and dashboard work unchanged; everything else is a user attribute under `bonas.`:

    bonas.auc.<condition>, bonas.variance.<condition>      AUC of a condition and its variance
    bonas.cost.<name>, bonas.variance, bonas.fidelity      cost, the score's variance, fidelity
    bonas.key, bonas.reason, bonas.lease                   canonical key, failure, who estimates it
"""

import contextlib
import sys
import threading
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import cast

import optuna
from optuna.distributions import CategoricalDistribution
from optuna.samplers import BaseSampler
from optuna.storages import BaseStorage, JournalStorage
from optuna.storages.journal import JournalFileBackend
from optuna.trial import FrozenTrial, TrialState

from bonas.agreement import check_names, check_sampler, check_study, directions
from bonas.claims import LEASE, TrialLost, adopt, create
from bonas.front import front_of
from bonas.journal import repair_journal
from bonas.lease import Lease
from bonas.observation import Observation
from bonas.renewal import Renewal
from bonas.strategies.history import HistoryReader
from bonas.strategies.proposer import SpaceExhausted
from bonas.trial_attributes import REASON, attributes_of, observation_of
from spaces.architecture import Architecture, Choice
from spaces.graphs import canonical_key
from spaces.space import SearchSpace, check

KEY = "bonas.key"


@dataclass(frozen=True, slots=True)
class Asked:
    """A trial that this process is to estimate."""

    number: int
    architecture: Architecture


@dataclass(frozen=True, slots=True)
class Told:
    """A finished trial."""

    number: int
    architecture: Architecture
    observation: Observation


class Study:
    """Asks a sampler for architectures and keeps their observations.

    While this process lives, the trials that it asked for and has not told are its own; a thread
    renews its claims on them.

    Args:
        space: The search space.
        sampler: Proposes architectures.
        storage: Where trials are kept; `None` keeps them in memory.
        name: Of the study in a storage of several; one that exists is continued.
        minimise: Names of costs that are objectives beside the score, which is maximised: every
            successful observation needs them in `Observation.cost`.

    Raises:
        TypeError, ValueError: `minimise` is no sequence of different names; the sampler, or the
            study in the storage, is of another space or other objectives.
    """

    def __init__(
        self,
        space: SearchSpace,
        sampler: BaseSampler,
        *,
        storage: BaseStorage | str | None = None,
        name: str = "bonas",
        minimise: Sequence[str] = (),
    ) -> None:
        self.minimise = check_names(minimise)
        check_sampler(sampler, space, self.minimise)
        self.space = space
        self.optuna = optuna.create_study(
            study_name=name,
            storage=storage,
            sampler=sampler,
            directions=directions(self.minimise),
            load_if_exists=True,
        )
        check_study(self.optuna, space, self.minimise)
        self._reader = HistoryReader(space)
        self._lock = threading.Lock()
        self._keys: dict[Architecture, str] = {}
        self._owned: dict[int, int] = {}  # trial number -> Optuna's identifier
        self._renewal = Renewal(self.optuna._storage)
        self._distributions = {d.name: CategoricalDistribution(d.options) for d in space.decisions}

    def ask(self) -> Asked:
        """A trial to estimate: a dead process's under its own number, else a new one.

        Raises:
            SpaceExhausted: nothing is left to propose; the trial is closed as failed. Where the
                strategy raises anything else, the trial is left to whoever asks next.
        """
        with self._lock:  # of two threads, one would adopt what the other has just created
            trial = adopt(self.optuna, self._owned) or create(self.optuna)
            self._owned[trial.number] = trial._trial_id
            self._renewal.begin(trial._trial_id, trial.number)
        try:
            choices = tuple(
                cast(Choice, trial.suggest_categorical(decision.name, list(decision.options)))
                for decision in self.space.decisions
            )
        except SpaceExhausted as error:
            trial.set_user_attr(REASON, str(error))
            self.optuna.tell(trial, state=TrialState.FAIL)
            self._disown(trial.number)
            raise
        except BaseException:
            self.leave(trial.number)
            raise
        architecture = Architecture(self.space.name, choices)
        trial.set_user_attr(KEY, self._key(architecture))
        return Asked(trial.number, architecture)

    def tell(self, number: int, observation: Observation) -> None:
        """Finish a trial that `ask` gave.

        Raises:
            ValueError: the trial was not asked for by this process, or was told before; the
                observation lacks a cost that is minimised, and the trial stays open.
            TrialLost: another process finished it, after the lease had expired.
        """
        if number not in self._owned:
            raise ValueError(
                f"trial {number} was not asked for here, or was told before; "
                f"open trials: {sorted(self._owned) or 'none'}."
            )
        values = self._values(observation)
        identifier = self._owned[number]
        state = TrialState.FAIL if values is None else TrialState.COMPLETE
        try:
            for name, value in attributes_of(observation).items():
                self.optuna._storage.set_trial_user_attr(identifier, name, value)
            self.optuna.tell(number, values, state=state)
        except optuna.exceptions.UpdateFinishedTrialError as error:
            self._disown(number)
            raise TrialLost(
                f"trial {number} was finished by another process, which took it over when this "
                "one's lease had expired; this observation is dropped."
            ) from error
        self._disown(number)

    def leave(self, number: int) -> None:
        """Leave a trial that `ask` gave to whoever asks next, under its own number.

        Raises:
            KeyError: the trial was not asked for by this process, or was told before.
        """
        identifier = self._owned[number]
        self._disown(number)
        ended = Lease.ended().to_attribute()
        # One that another process took over and finished is nobody's to leave.
        with contextlib.suppress(optuna.exceptions.UpdateFinishedTrialError):
            self.optuna._storage.set_trial_user_attr(identifier, LEASE, ended)

    def add(self, architecture: Architecture, observation: Observation) -> int:
        """Add an observation that nobody asked for, and return its trial's number.

        The trial begins and is told as any other, so that the sampler sees its end: constraints
        hold for it too.

        Raises:
            ValueError: an architecture of another space, or as `tell`.
        """
        check(self.space, architecture)
        values = self._values(observation)
        known = {KEY: self._key(architecture), LEASE: Lease.now().to_attribute()}
        begun = optuna.trial.create_trial(
            state=TrialState.RUNNING,
            params=dict(zip(self._distributions, architecture.choices, strict=True)),
            distributions=dict(self._distributions),
            user_attrs=known | attributes_of(observation),
        )
        storage, study = self.optuna._storage, self.optuna._study_id
        number = storage.get_trial_number_from_id(storage.create_new_trial(study, begun))
        state = TrialState.FAIL if values is None else TrialState.COMPLETE
        self.optuna.tell(number, values, state=state)
        return number

    def told(self) -> list[Told]:
        """The finished trials of this space, by number."""
        trials = self.optuna.get_trials(
            deepcopy=False, states=(TrialState.COMPLETE, TrialState.FAIL)
        )
        return [t for t in map(self._told, trials) if t is not None]

    def best(self) -> Told | None:
        """The highest of `means`, the earliest among equals.

        What else is minimised or constrained plays no part; see `front`.
        """
        return max(self.means(), key=lambda t: (t.observation.value, -t.number), default=None)

    def front(self) -> list[Told]:
        """The observations that no other dominates in score and minimised costs, by score.

        Observations that violate a constraint of the strategy are left out; see `means`.
        """
        estimates = self._reader.read(self.optuna, sys.maxsize).estimates
        feasible = [e for e in estimates if e.feasible]
        members = {
            self._key(feasible[i].architecture) for i in front_of([e.values for e in feasible])
        }
        found = [t for t in self.means() if self._key(t.architecture) in members]
        return sorted(found, key=lambda t: (-(t.observation.value or 0.0), t.number))

    def means(self) -> list[Told]:
        """What the successful trials say of each architecture, by the first one's number.

        Of an architecture that was estimated repeatedly, also by another one with its canonical
        key, it is the mean: the highest of several noisy values would say more of their number
        than of the architecture.
        """
        classes: dict[str, list[Told]] = {}
        for told in self.told():
            if told.observation.value is not None:
                classes.setdefault(self._key(told.architecture), []).append(told)
        return [
            t[0]
            if len(t) == 1
            else replace(t[0], observation=Observation.mean([r.observation for r in t]))
            for t in classes.values()
        ]

    @property
    def finished(self) -> int:
        """How many trials have an observation, failed ones included.

        Those that found nothing left to propose have none: they have no architecture.
        """
        states = (TrialState.COMPLETE, TrialState.FAIL)
        trials = self.optuna.get_trials(deepcopy=False, states=states)
        return sum(self._distributions.keys() <= trial.params.keys() for trial in trials)

    def _disown(self, number: int) -> None:
        self._renewal.end(self._owned.pop(number))

    def _key(self, architecture: Architecture) -> str:
        if architecture not in self._keys:
            self._keys[architecture] = canonical_key(self.space.graph(architecture))
        return self._keys[architecture]

    def _told(self, trial: FrozenTrial) -> Told | None:
        if not self._distributions.keys() <= trial.params.keys():
            return None
        choices = tuple(trial.params[name] for name in self._distributions)
        observation = observation_of(trial, self.minimise)
        return Told(trial.number, Architecture(self.space.name, choices), observation)

    def _values(self, observation: Observation) -> list[float] | None:
        """The trial's values in the order of the directions; `None` of a failed estimate."""
        if observation.value is None:
            return None
        for name in self.minimise:
            if name not in observation.cost:
                raise ValueError(
                    f"cost has no {name!r}, which the study minimises; it has "
                    f"{', '.join(observation.cost) or 'nothing'}. Tell the observation with "
                    f"cost={{{name!r}: ...}}, or as failed."
                )
        return [observation.value, *(observation.cost[name] for name in self.minimise)]


def journal_storage(path: Path) -> JournalStorage:
    """The storage in a journal file, repaired first where its last writer was killed."""
    repair_journal(path)
    return JournalStorage(JournalFileBackend(str(path)))
