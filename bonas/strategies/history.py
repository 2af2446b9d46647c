"""History: what a strategy may know of a study when it is asked for one trial."""

import logging
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from optuna.study import Study, StudyDirection
from optuna.trial import FrozenTrial, TrialState

from bonas.claims import trials_of
from bonas.observation import mean_by_name, mean_loadings
from spaces.architecture import Architecture, Choice
from spaces.space import SearchSpace, canonical_key_of

PROPOSAL = "bonas.proposal"
"""Trial attribute with the choices proposed, so that they count as pending before they are set."""
CONSTRAINTS = "constraints"
"""Trial attribute with the violations as a list; since version 5 of Optuna also one by one."""
AUC_PREFIX = "bonas.auc."
COST_PREFIX = "bonas.cost."
ERROR_LOADINGS = "bonas.error_loadings"
WARM = -1
"""The number of an estimate that no trial of the study made, but a warm start."""
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Estimate:
    """What finished trials say of one architecture.

    Attributes:
        number: The trial's number, of several the first one's; `WARM` of a warm start's.
        architecture: What was estimated.
        values: The objectives, all maximised.
        aucs: AUC of each condition.
        costs: What it cost.
        constraints: Violations by name; feasible where all are at most 0.
        loadings: Of the value's error; none where nothing is known of it (`Observation`).
    """

    number: int
    architecture: Architecture
    values: tuple[float, ...]
    aucs: Mapping[str, float] = field(default_factory=dict)
    costs: Mapping[str, float] = field(default_factory=dict)
    constraints: Mapping[str, float] = field(default_factory=dict)
    loadings: tuple[float, ...] = ()

    @property
    def feasible(self) -> bool:
        """Whether no constraint is violated."""
        return all(violation <= 0 for violation in self.constraints.values())


@dataclass(frozen=True, slots=True)
class Failure:
    """A finished trial without a value: failed, pruned, or with one that is not finite.

    Attributes:
        number: The trial's number, of several the first one's.
        architecture: What was to be estimated.
    """

    number: int
    architecture: Architecture


@dataclass(frozen=True, slots=True)
class History:
    """A study as seen by one trial: earlier trials only, in the order of their numbers.

    Attributes:
        estimates: Finished trials with values, one per canonical key: of an architecture that was
            estimated repeatedly the mean, at the place and with the choices of the first trial. A
            table's repeats are equal; of a noisy estimator's each says as much as the other.
        pending: Architectures being estimated or enqueued.
        taken: Canonical keys that must not be proposed: estimated, pending, pruned or failed, also
            by trials with higher numbers.
        objectives: How many the study has, and an estimate values.
        known: Those of the keys taken that trials with lower numbers have.
        failures: Architectures none of whose finished trials has a value, in the order of numbers.
    """

    estimates: tuple[Estimate, ...]
    pending: tuple[Architecture, ...]
    taken: frozenset[str]
    objectives: int = 1
    known: frozenset[str] = frozenset()
    failures: tuple[Failure, ...] = ()

    @property
    def tried(self) -> int:
        """How many architectures were begun: those that fail count, or the next would do as they
        did."""
        return len(self.estimates) + len(self.pending) + len(self.failures)


@dataclass(frozen=True, slots=True)
class _Read:
    """What was read off one finished trial; the trial itself tells whether it still holds."""

    trial: FrozenTrial
    architecture: Architecture | None
    estimate: Estimate | None


class HistoryReader:
    """Reads studies over one space; finished trials and canonical keys are read only once."""

    def __init__(self, space: SearchSpace) -> None:
        """Read architectures of `space`."""
        self.space = space
        self._keys: dict[Architecture, str] = {}
        self._finished: dict[int, _Read] = {}

    def __reduce__(self) -> tuple[type["HistoryReader"], tuple[SearchSpace]]:
        """Without what was read, which is read again."""
        return HistoryReader, (self.space,)

    def key(self, architecture: Architecture) -> str:
        """The architecture's canonical key."""
        if architecture not in self._keys:
            self._keys[architecture] = canonical_key_of(self.space, architecture)
        return self._keys[architecture]

    def read(self, study: Study, number: int) -> History:
        """What trial `number` may know. Trials that lack a decision of the space are left out.

        Failed and pruned trials, and those with a value or constraint that is not finite, are
        failures; their architectures are not proposed again.
        """
        estimates: dict[str, list[Estimate]] = {}
        failures: dict[str, Failure] = {}
        pending: list[Architecture] = []
        taken: set[str] = set()
        later_only: set[str] = set()
        for trial in trials_of(study):
            if trial.number == number:
                continue
            if trial.number > number:  # asked later, answered sooner: only not to be repeated
                later = self.architecture(trial)
                later_only |= set() if later is None else {self.key(later)}
            elif trial.state.is_finished():
                read = self._read_finished(study, trial)
                if read.architecture is not None:
                    key = self.key(read.architecture)
                    taken.add(key)
                    if read.estimate is not None:
                        estimates.setdefault(key, []).append(read.estimate)
                    else:
                        failures.setdefault(key, Failure(trial.number, read.architecture))
            elif (architecture := self.architecture(trial)) is not None:
                taken.add(self.key(architecture))
                pending.append(architecture)
        fresh = {self.key(a): a for a in pending if self.key(a) not in estimates}
        return History(
            tuple(map(_mean, estimates.values())),
            tuple(fresh.values()),
            frozenset(taken | later_only),
            len(study.directions),
            frozenset(taken),
            tuple(f for key, f in failures.items() if key not in estimates),
        )

    def _read_finished(self, study: Study, trial: FrozenTrial) -> _Read:
        """What a finished trial says: read once, since it cannot change any more."""
        read = self._finished.get(trial.number)
        if read is not None and read.trial is trial:
            return read
        architecture = self.architecture(trial)
        estimate = None
        if architecture is not None and trial.state is TrialState.COMPLETE:
            estimate = _estimate(study, trial, architecture)
        self._finished[trial.number] = _Read(trial, architecture, estimate)
        return self._finished[trial.number]

    def architecture(self, trial: FrozenTrial) -> Architecture | None:
        """What a trial estimates, also one that is proposed or enqueued; `None` if it does not
        say."""
        chosen: Mapping[str, Any] = trial.params
        if trial.state in (TrialState.RUNNING, TrialState.WAITING):
            proposed = dict(trial.system_attrs.get(PROPOSAL, {}))
            chosen = proposed | dict(trial.system_attrs.get("fixed_params", {})) | dict(chosen)
        choices: list[Choice] = []
        for decision in self.space.decisions:
            choice = chosen.get(decision.name)
            if choice not in decision.options:
                return None
            choices.append(choice)
        return Architecture(self.space.name, tuple(choices))


def _estimate(study: Study, trial: FrozenTrial, architecture: Architecture) -> Estimate | None:
    """What a complete trial says, or `None`, with a warning, where that is no number."""
    constraints = _constraints(trial)
    numbers = [*trial.values, *constraints.values()]
    if not all(map(math.isfinite, numbers)):
        _log.warning(
            "trial %d has the values %s and the constraints %s, which are not all finite; it "
            "counts as failed. Tell a failed estimate as such.",
            trial.number,
            trial.values,
            constraints,
        )
        return None
    signs = [1.0 if d is StudyDirection.MAXIMIZE else -1.0 for d in study.directions]
    return Estimate(
        trial.number,
        architecture,
        tuple(s * v for s, v in zip(signs, trial.values, strict=True)),
        _prefixed(trial, AUC_PREFIX),
        _prefixed(trial, COST_PREFIX),
        constraints,
        _loadings(trial),
    )


def _mean(repeats: Sequence[Estimate]) -> Estimate:
    """The estimate of an architecture from all of its trials; the first one's, of one."""
    first = repeats[0]
    if len(repeats) == 1:
        return first
    return Estimate(
        first.number,
        first.architecture,
        tuple(math.fsum(own) / len(own) for own in zip(*(r.values for r in repeats), strict=True)),
        mean_by_name([r.aucs for r in repeats]),
        mean_by_name([r.costs for r in repeats]),
        mean_by_name([r.constraints for r in repeats]),
        mean_loadings([r.loadings for r in repeats]),
    )


def _prefixed(trial: FrozenTrial, prefix: str) -> dict[str, float]:
    """The finite numbers under a prefix: what could not be measured is as if it were not there."""
    found = {}
    for name, value in trial.user_attrs.items():
        if name.startswith(prefix) and isinstance(value, (int, float)):
            found[name.removeprefix(prefix)] = float(value)
        elif name.startswith(prefix) and value is not None:
            _log.warning("trial %d has %s = %r, which is no number.", trial.number, name, value)
    return {name: value for name, value in found.items() if math.isfinite(value)}


def loadings_of(trial: FrozenTrial) -> tuple[float, ...] | None:
    """Those of the value's error, none where none are given; `None` for what are no numbers."""
    given = trial.user_attrs.get(ERROR_LOADINGS, ())
    try:
        loadings = tuple(float(loading) for loading in given)
    except (OverflowError, TypeError, ValueError):
        return None
    return None if isinstance(given, str) or not all(map(math.isfinite, loadings)) else loadings


def _loadings(trial: FrozenTrial) -> tuple[float, ...]:
    """As `loadings_of`, with a warning of what is none."""
    loadings = loadings_of(trial)
    if loadings is None:
        _log.warning(
            "trial %d has %s = %r, which is no list of finite numbers; its error counts as "
            "unknown.",
            trial.number,
            ERROR_LOADINGS,
            trial.user_attrs[ERROR_LOADINGS],
        )
    return loadings or ()


def _constraints(trial: FrozenTrial) -> dict[str, float]:
    """The trial's violations by name, in the names' order: workers may store them in any other."""
    listed = enumerate(trial.system_attrs.get(CONSTRAINTS) or ())
    found = {str(i): float(v) for i, v in listed}
    prefix = f"{CONSTRAINTS}:"
    single = {k: float(v) for k, v in trial.system_attrs.items() if k.startswith(prefix)}
    found |= {name.removeprefix(prefix): value for name, value in single.items()}
    return dict(sorted(found.items()))
