"""What all of the project's strategies share as Optuna samplers: only the proposal differs."""

import abc
import itertools
import logging
import math
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, ClassVar

import numpy as np
from optuna.distributions import BaseDistribution, CategoricalDistribution
from optuna.samplers import BaseSampler
from optuna.samplers import RandomSampler as OptunaRandomSampler
from optuna.study import Study
from optuna.trial import FrozenTrial

from bonas.claims import wait_for_earlier
from bonas.strategies.history import PROPOSAL, History, HistoryReader
from spaces.architecture import Architecture, Choice
from spaces.space import SearchSpace, connects, enumerate_space, enumerates, sample, size

ENUMERABLE = 100_000
"""Largest space in which a strategy that draws in vain looks at every architecture."""
DRAWS = 20_000
"""Hard limits may leave a hundredth of a space; a draw that they reject costs microseconds."""
PASSED_OVER = 50
"""Architectures that are not promising and passed over for one suggestion, at most."""
_log = logging.getLogger(__name__)


class SpaceExhausted(RuntimeError):
    """Every connected architecture of the space was estimated or is pending."""


class ArchitectureSampler(BaseSampler, abc.ABC):
    """A strategy that proposes whole architectures; subclasses say which one.

    What trial t gets is a function of the trials with lower numbers and of
    `SeedSequence([seed, t])` alone: a sampler keeps nothing but caches, so that a fresh one on a
    reloaded study proposes the same. Parameters that are no decisions of the space are drawn at
    random. Of an enqueued trial that fixes some decisions the others are proposed.

    Attributes:
        most_objectives: How many a study may have that takes the strategy seriously: one where it
            looks at the first value alone.
        allowed: Where it is set, only architectures for which it holds are proposed: hard limits
            that are known without an estimate.
        promising: Where it is set, architectures for which it does not hold are passed over, fifty
            at most for one suggestion: a dear and fallible check, asked of the best ones only.
    """

    most_objectives: ClassVar[float] = math.inf

    def __init__(self, space: SearchSpace, *, seed: int = 0) -> None:
        if seed < 0:
            raise ValueError(f"seed is {seed}; it must not be negative.")
        self.space = space
        self.seed = seed
        self.reader = HistoryReader(space)
        self.allowed: Callable[[Architecture], bool] | None = None
        self.promising: Callable[[Architecture], bool] | None = None
        self._fixed: Mapping[int, Choice] = {}  # by position, of the trial being proposed for
        self._lock = threading.RLock()
        self._relative: dict[str, BaseDistribution] = {
            d.name: CategoricalDistribution(d.options) for d in space.decisions
        }

    @abc.abstractmethod
    def propose(self, history: History, *, rng: np.random.Generator) -> Architecture:
        """A connected architecture whose canonical key is not taken.

        Raises:
            SpaceExhausted: there is none.
        """

    def check_objectives(self, count: int) -> None:
        """Raise where the strategy, as it is set, cannot weigh so many objectives.

        Raises:
            ValueError: naming the strategy or its setting.
        """
        if count > self.most_objectives:
            raise ValueError(
                f"{type(self).__name__} looks at one objective, the study has {count}; use "
                "SurrogateSampler, or RandomSampler as its rival."
            )

    def infer_relative_search_space(
        self, study: Study, trial: FrozenTrial
    ) -> dict[str, BaseDistribution]:
        """The space's decisions as categorical parameters, whatever the study holds."""
        return self._relative

    def sample_relative(
        self, study: Study, trial: FrozenTrial, search_space: dict[str, BaseDistribution]
    ) -> dict[str, Any]:
        """The proposal by decision; anything else that is asked for is drawn at random."""
        fixed = trial.system_attrs.get("fixed_params", {})
        foreign = {n: d for n, d in search_space.items() if n not in self._relative}
        drawn = {n: self.sample_independent(study, trial, n, d) for n, d in foreign.items()}
        if not self._relative.keys() <= search_space.keys() or self._relative.keys() <= set(fixed):
            return drawn
        wait_for_earlier(study, trial.number, lambda t: self.reader.architecture(t) is not None)
        with self._lock:
            return self._propose_alone(study, trial, fixed) | drawn

    def _propose_alone(
        self, study: Study, trial: FrozenTrial, fixed: Mapping[str, Any]
    ) -> dict[str, Choice]:
        """The proposal by decision, written with the trial, of a class that no other trial has.

        The lock serves the threads of one sampler. Another process that does not wait for this
        trial (it has no lease, or was a dead process's) may write the same class at the same time.
        Whoever finds that so after writing proposes anew: of two, the later one does.
        """
        history = self.reader.read(study, trial.number)
        self.check_objectives(history.objectives)
        while True:
            architecture = self._propose_with(fixed, history, trial.number)
            choices = zip(self.space.decisions, architecture.choices, strict=True)
            params = {d.name: c for d, c in choices}
            study._storage.set_trial_system_attr(trial._trial_id, PROPOSAL, params)
            before, history = history, self.reader.read(study, trial.number)
            key = self.reader.key(architecture)
            if key in before.taken or key not in history.taken:  # repeated knowingly, or new
                return params

    def _propose_with(
        self, fixed: Mapping[str, Any], history: History, number: int
    ) -> Architecture:
        """The proposal for a trial some of whose decisions are fixed, if there is an open one."""
        self._fixed = {
            i: fixed[d.name]
            for i, d in enumerate(self.space.decisions)
            if fixed.get(d.name) in d.options
        }
        try:
            return self.propose(history, rng=self.rng(number))
        except SpaceExhausted:
            if not self._fixed:
                raise
            _log.warning(
                "trial %d fixes %s, and no architecture with these choices is left to propose; it "
                "may repeat one, or estimate one that is not connected or allowed.",
                number,
                {n: c for n, c in fixed.items() if n in self._relative},
            )
            self._fixed = {}
            return self.propose(history, rng=self.rng(number))
        finally:
            self._fixed = {}

    def sample_independent(
        self,
        study: Study,
        trial: FrozenTrial,
        param_name: str,
        param_distribution: BaseDistribution,
    ) -> Any:
        """A uniform draw that depends on seed, trial number and the parameter's name alone."""
        words = [self.seed, trial.number, *param_name.encode()]
        state = np.random.SeedSequence(words).generate_state(1)
        sampler = OptunaRandomSampler(seed=int(state[0]))
        return sampler.sample_independent(study, trial, param_name, param_distribution)

    def rng(self, number: int) -> np.random.Generator:
        """The generator of every draw for trial `number`."""
        return np.random.default_rng(np.random.SeedSequence([self.seed, number]))

    def is_open(self, architecture: Architecture, history: History) -> bool:
        """Whether the architecture may be proposed."""
        return self.is_possible(architecture) and self.reader.key(architecture) not in history.taken

    def is_possible(self, architecture: Architecture) -> bool:
        """Whether it could be proposed, were its class not taken."""
        if any(architecture.choices[i] != choice for i, choice in self._fixed.items()):
            return False
        if self.allowed is not None and not self.allowed(architecture):
            return False
        return connects(self.space, architecture)

    def draw(self, history: History, *, rng: np.random.Generator) -> Architecture:
        """A uniform draw among the architectures that may be proposed.

        Raises:
            SpaceExhausted: there is none; in a space of more than 100,000 combinations, none was
                found in 20,000 draws.
        """
        drawn = (self._completed(sample(self.space, rng=rng)) for _ in range(DRAWS))
        found = self.first_promising(a for a in drawn if self.is_open(a, history))
        if found is not None:
            return found
        if self._combinations() <= ENUMERABLE:
            remaining = [a for a in self._every() if self.is_open(a, history)]
            if remaining:
                return remaining[int(rng.integers(len(remaining)))]
        rule = "" if self.allowed is None else " that the limits allow"
        raise SpaceExhausted(
            f"no architecture of the space {self.space.name!r}{rule} is left to propose: "
            f"{len(history.taken)} of its classes were estimated or are pending. End the search, "
            f"or widen the {'space' if self.allowed is None else 'limits'}."
        )

    def _completed(self, architecture: Architecture) -> Architecture:
        """The architecture with the fixed choices in place of its own."""
        if not self._fixed:
            return architecture
        choices = enumerate(architecture.choices)
        return Architecture(self.space.name, tuple(self._fixed.get(i, c) for i, c in choices))

    def _combinations(self) -> int:
        """How many architectures have the fixed choices; all that exist, of a listed space."""
        if not self._fixed or enumerates(self.space):
            return size(self.space)
        pairs = enumerate(self.space.decisions)
        return math.prod(len(d.options) for i, d in pairs if i not in self._fixed)

    def _every(self) -> Iterator[Architecture]:
        """They, one by one."""
        if not self._fixed or enumerates(self.space):
            return enumerate_space(self.space)
        options = (
            (self._fixed[i],) if i in self._fixed else d.options
            for i, d in enumerate(self.space.decisions)
        )
        return (Architecture(self.space.name, c) for c in itertools.product(*options))

    def first_promising(
        self, architectures: Iterable[Architecture], *, certain: bool = False
    ) -> Architecture | None:
        """The first one that is promising; where fifty are not, the first, or none if `certain`."""
        passed: list[Architecture] = []
        for architecture in architectures:
            if self.promising is None or self.promising(architecture):
                return architecture
            passed.append(architecture)
            if len(passed) == PASSED_OVER:
                break
        return passed[0] if passed and not certain else None

    def __getstate__(self) -> dict[str, Any]:
        return {k: v for k, v in self.__dict__.items() if k != "_lock"}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        self._lock = threading.RLock()
