"""Search: the Bayesian-optimisation loop over architectures.

    search = Search(space, seed=0)
    architecture = search.ask()
    search.tell(architecture, Observation(value=...))

or, with an estimator, `search.run(estimator, trials=40)`. Of several objectives, such as with
`minimise=("multiply_adds",)`, `search.front` holds the trade-offs.
"""

import logging
import math
import threading
import time
from collections.abc import Callable, Sequence

import numpy as np
from optuna.samplers import BaseSampler

from bonas.agreement import check_names, check_space
from bonas.claims import TrialLost
from bonas.estimation.estimator import EstimationFailed, Estimator
from bonas.observation import Observation
from bonas.strategies.proposer import SpaceExhausted
from bonas.strategies.sampler import SurrogateSampler
from bonas.study import Asked, Study, Told
from spaces.architecture import Architecture
from spaces.graphs import canonical_key
from spaces.space import SearchSpace, check

_logger = logging.getLogger(__name__)
SEED_STREAM = 2  # keeps an estimate's draws apart from the proposal's of the same trial


class Search:
    """Proposes architectures of a space and learns from their observations.

    The same seed and the same observations give the same proposals; a search on a study that was
    interrupted goes on as if it had not been.

    Args:
        space: What can be built.
        seed: Of every draw.
        sampler: The strategy; the Bayesian one where none is given.
        study: Where trials are kept; in memory where none is given. It brings its own sampler and
            objectives.
        minimise: Names of costs, as in `Observation.cost`, that are objectives beside the value.

    Raises:
        TypeError, ValueError: a sampler beside a study, one of them is of another space or for
            other objectives, or `minimise` is no sequence of different names.
    """

    def __init__(
        self,
        space: SearchSpace,
        *,
        seed: int = 0,
        sampler: BaseSampler | None = None,
        study: Study | None = None,
        minimise: Sequence[str] = (),
    ) -> None:
        if sampler is not None and study is not None:
            raise ValueError("give either a sampler or a study; a study brings its own sampler.")
        if study is not None:
            check_space("study", study.space, space)
            if minimise and check_names(minimise) != study.minimise:
                raise ValueError(
                    f"minimise is {tuple(minimise)}, but the study minimises {study.minimise}; "
                    "give it to the study alone."
                )
        self.space = space
        self.seed = seed
        self.study = study or Study(
            space, sampler or SurrogateSampler(space, seed=seed), minimise=minimise
        )
        # Trials by architecture, the first asked first: one enqueued twice is asked for twice.
        self._open: dict[Architecture, list[int]] = {}
        self._lock = threading.Lock()

    def ask(self) -> Architecture:
        """The architecture to estimate next; several may be open at once.

        Raises:
            SpaceExhausted: every architecture of the space was proposed.
        """
        asked = self.study.ask()
        with self._lock:
            self._open.setdefault(asked.architecture, []).append(asked.number)
        return asked.architecture

    def tell(self, architecture: Architecture, observation: Observation | float) -> None:
        """Learn an observation, of an architecture that was asked for or of any other.

        A number stands for an observation with this value. Of an architecture that was asked for
        repeatedly, the first observation is that of the first trial.

        Raises:
            TypeError, ValueError: neither an observation nor a finite number, an architecture
                of another space, or a minimised cost is missing; a trial that was asked for stays
                open.
            TrialLost: another process finished the trial, after this one's lease had expired.
        """
        check(self.space, architecture)
        if not isinstance(observation, Observation):
            observation = Observation(value=observation)
        with self._lock:
            numbers = self._open.pop(architecture, [])
            if numbers[1:]:
                self._open[architecture] = numbers[1:]
        if not numbers:
            self.study.add(architecture, observation)
            return
        try:
            self.study.tell(numbers[0], observation)
        except TrialLost:
            raise
        except BaseException:
            with self._lock:
                self._open[architecture] = [numbers[0], *self._open.get(architecture, [])]
            raise

    def run(
        self,
        estimator: Estimator,
        trials: int,
        *,
        time_limit: float = math.inf,
        progress: Callable[[Told], None] | None = None,
    ) -> Told | None:
        """Estimate until the study holds `trials` finished trials, earlier ones included.

        What an estimator raises other than `EstimationFailed` ends the run; the next one, here or
        elsewhere, begins with the same trial.

        Args:
            estimator: Gives observations.
            trials: In all.
            time_limit: Seconds after which no further estimate begins.
            progress: Told every new observation.

        Returns:
            The best observation, or `None` where none succeeded.
        """
        started = time.monotonic()
        while self.study.finished < trials and time.monotonic() - started < time_limit:
            try:
                asked = self.study.ask()
            except SpaceExhausted as error:
                _logger.warning("the search ends early: %s", error)
                break
            try:
                observation = self._estimate(estimator, asked)
            except BaseException:
                self.study.leave(asked.number)
                raise
            try:
                self.study.tell(asked.number, observation)
            except TrialLost as error:
                _logger.warning("%s", error)
                continue
            if progress is not None:
                progress(Told(asked.number, asked.architecture, observation))
        return self.best

    @property
    def best(self) -> Told | None:
        """The incumbent: the best observation so far."""
        return self.study.best()

    @property
    def front(self) -> list[Told]:
        """The observations that no other beats in an objective without losing in another.

        By score, the best first; of one objective, those with the highest value.
        """
        return self.study.front()

    def key(self, architecture: Architecture) -> str:
        """The canonical key: equal for architectures that are one to the search."""
        return canonical_key(self.space.graph(architecture))

    def _estimate(self, estimator: Estimator, asked: Asked) -> Observation:
        sequence = np.random.SeedSequence([self.seed, asked.number, SEED_STREAM])
        try:
            return estimator.estimate(
                asked.architecture, seed=int(sequence.generate_state(1, np.uint32)[0])
            )
        except EstimationFailed as error:
            return Observation.failed(str(error))
