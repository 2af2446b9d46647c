"""The Bayesian strategy as an Optuna sampler.

A Gaussian process on decisions, canonical paths and path profiles scores candidates by
log expected improvement. Some steps look everywhere, others stay one edit from one of the best
architectures (`bonas.strategies.neighbourhoods`): the best of a space lie next to good ones, as
outliers of which a surrogate that has seen their neighbours expects nothing. A few go to where the
surrogate knows least (`bonas.strategies.reach`, docs/engine.md).
"""

import math
import sys
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import chain

import numpy as np
import torch
from optuna.study import Study
from optuna.trial import FrozenTrial, TrialState

from bonas.strategies.acquisition import Candidates, IndependentThompson, Thompson
from bonas.strategies.candidates import EXHAUSTIVE, climb, evolving_pool
from bonas.strategies.design import pure_architectures
from bonas.strategies.evidence import Evidence, evidence
from bonas.strategies.history import WARM, Estimate, History
from bonas.strategies.memory import front, remembered
from bonas.strategies.neighbourhoods import neighbourhoods
from bonas.strategies.pareto import ParetoBelief
from bonas.strategies.proposer import ArchitectureSampler
from bonas.strategies.reach import Reach, is_quiet, reach
from bonas.strategies.scoring import Scoring
from bonas.strategies.settings import Settings
from bonas.strategies.whole import Whole, WholeBelief
from spaces.architecture import Architecture
from spaces.space import SearchSpace, check, enumerate_space, size
from surrogates.gaussian_process import GaussianProcess

DRAWN = (Thompson, IndependentThompson)
"""Acquisitions that are drawn anew at every look: there is nothing to climb."""
CONSTRAINTS = "constraints"
"""The trial attribute in which Optuna's samplers keep the violations."""


class SurrogateSampler(ArchitectureSampler):
    """Bayesian optimisation over a search space; the default strategy."""

    def __init__(
        self, space: SearchSpace, *, seed: int = 0, settings: Settings | None = None
    ) -> None:
        """Propose architectures of `space`; every draw comes from `seed` and the trial's number.

        Raises:
            ValueError: a negative seed, or a warm start with an architecture of another space.
            TypeError: the settings' surrogate is no Gaussian process.
        """
        super().__init__(space, seed=seed)
        self.settings = settings or Settings()
        self._encoding, self._surrogate = self.settings.surrogate(space)
        if not isinstance(self._surrogate, GaussianProcess):
            raise TypeError(
                f"Settings.surrogate made a {type(self._surrogate).__name__}; the strategy "
                "needs a surrogates.gaussian_process.GaussianProcess."
            )
        everything = enumerate_space(space) if size(space) <= EXHAUSTIVE else ()
        self._all: Sequence[Architecture] = tuple(everything)
        self._features = self._encoding.encode(self._all)
        self._belief = WholeBelief(
            self._surrogate,
            self._features,
            self.settings.conditions,
            noise=self.settings.noise_variance,
        )
        self._trade_off = ParetoBelief(self._surrogate, self._features)
        self._scoring = Scoring(self.settings, self._surrogate, self._features)
        self._warm = tuple(
            Estimate(WARM, e.architecture, e.values, loadings=e.loadings)
            for e in self.settings.earlier
        )
        for i, warm in enumerate(self._warm):
            try:
                check(space, warm.architecture)
            except ValueError as error:
                raise ValueError(f"warm_start[{i}]: {error}") from error
        self._warm_keys = frozenset(self.reader.key(e.architecture) for e in self._warm)

    def check_objectives(self, count: int) -> None:
        """As `Settings.check_objectives`."""
        self.settings.check_objectives(count)

    def propose(self, history: History, *, rng: np.random.Generator) -> Architecture:
        """The candidate of highest acquisition that may be proposed; see the module's head.

        Raises:
            ValueError: the trials have constraints, by which the acquisition cannot be weighted,
                or costs, but not the one that the settings name.
        """
        history = self._with_warm_start(history)
        if len(history.estimates) < self.settings.initial:
            return self._begin(history, rng=rng)
        seen = evidence(history, self._encoding)
        if history.objectives > 1:
            return self._propose_trade_off(seen, history, rng=rng)
        believed = self._belief.posterior(
            seen.estimates, seen.features, self._scoring.at_their_median(seen)
        )
        means = believed.observed_means()[: len(seen.estimates)]
        ranked = _by_mean(seen.estimates, means)
        best = float(means[seen.feasible].max()) if seen.feasible.any() else -math.inf
        generator = torch.Generator().manual_seed(int(rng.integers(2**62)))
        pool, everywhere = self._everywhere(believed, ranked, rng=rng)
        far = reach(
            self.settings,
            history.tried,
            lambda: is_quiet(
                pool,
                everywhere,
                best,
                below=self.settings.quiet,
                is_open=lambda a: self.is_open(a, history),
                log_chance=self._scoring.log_chance(seen, everywhere.features),
            ),
            rng=rng,
        )

        def score(candidates: Candidates) -> torch.Tensor:
            if far is Reach.UNKNOWN:
                return self._scoring.unknown(believed, seen, candidates.features)
            return self._scoring.acquisition(candidates, best, seen, generator=generator)

        if far is Reach.NEAR:
            nearby = (
                architecture
                for near in self._neighbourhoods(ranked, history)
                for architecture in _by_score(near, score(self._believe(believed, near)))
            )
            for first in nearby:  # none where all is estimated
                return self._first_promising(chain([first], nearby), history, rng=rng)
        if not pool:  # limits allow nothing of what was drawn
            return self.draw(history, rng=rng)
        scores = score(everywhere)
        drawn = isinstance(self.settings.acquisition, DRAWN) and far is not Reach.UNKNOWN
        if not self._all and not drawn:
            pool, scores = climb(
                self.space,
                pool,
                scores,
                lambda found: score(self._believe(believed, found)),
                allowed=self.allowed,
            )
        return self._first_open(pool, scores, history, rng=rng)

    def ranked(self, study: Study) -> list[Architecture]:
        """The architectures of a study and of the warm start, the highest posterior mean first;
        those that violate a constraint come last.

        Where observations are noisy, the first one is a better choice than the highest
        observation, which is the luckiest (`Settings.noise_variance`).

        Raises:
            ValueError: the study has several objectives.
        """
        if len(study.directions) > 1:
            raise ValueError(
                f"the study has {len(study.directions)} objectives, which have a front and no "
                "order; see `bonas.Search.front`."
            )
        with self._lock:
            known = (*self._warm, *self.reader.read(study, sys.maxsize).estimates)
            if not known:
                return []
            estimates = remembered(known)
            features = self._encoding.encode([e.architecture for e in estimates])
            believed = self._belief.posterior(estimates, features, features[:0])
            return _by_mean(estimates, believed.observed_means())

    def _with_warm_start(self, history: History) -> History:
        """The warm start's estimates first, whatever became of the same architectures later."""
        return replace(
            history,
            estimates=(*self._warm, *history.estimates),
            taken=history.taken | self._warm_keys,
            known=history.known | self._warm_keys,
            failures=tuple(
                f
                for f in history.failures
                if self.reader.key(f.architecture) not in self._warm_keys
            ),
        )

    def _begin(self, history: History, *, rng: np.random.Generator) -> Architecture:
        """In turns a pure architecture, as long as there are any, and a random one."""
        if history.tried % 2 == 0:
            for pure in pure_architectures(self.space, rng=rng):
                if self.is_open(pure, history) and (not self.promising or self.promising(pure)):
                    return pure
        return self.draw(history, rng=rng)

    def _propose_trade_off(
        self, seen: Evidence, history: History, *, rng: np.random.Generator
    ) -> Architecture:
        """For several objectives: see `bonas.strategies.pareto`."""
        best = [e.architecture for e in front(seen.estimates)]
        pool = self._all or evolving_pool(self.space, best, rng=rng, allowed=self.allowed)
        if not pool:  # limits allow nothing of what was drawn
            return self.draw(history, rng=rng)
        candidates = self._features if self._all else self._encoding.encode(pool)
        scores = self._trade_off.scores(
            [
                [(e.architecture, e.values[m]) for e in seen.estimates]
                for m in range(history.objectives)
            ],
            seen.features,
            seen.pending,
            candidates,
            generator=torch.Generator().manual_seed(int(rng.integers(2**62))),
            feasible=seen.feasible,
            log_weight=self._scoring.log_weights(seen, candidates),
        )
        return self._first_open(pool, scores, history, rng=rng)

    def _first_open(
        self,
        architectures: Sequence[Architecture],
        scores: torch.Tensor,
        history: History,
        *,
        rng: np.random.Generator,
    ) -> Architecture:
        ranked = (a for a in _by_score(architectures, scores) if self.is_open(a, history))
        return self._first_promising(ranked, history, rng=rng)

    def _first_promising(
        self, ranked: Iterable[Architecture], history: History, *, rng: np.random.Generator
    ) -> Architecture:
        # The best ones resemble each other: where none is promising, a random one may be.
        found = self.first_promising(ranked, certain=True)
        return found or self.draw(history, rng=rng)

    def after_trial(
        self, study: Study, trial: FrozenTrial, state: TrialState, values: Sequence[float] | None
    ) -> None:
        """Store the violations of a finished trial where Optuna's own samplers store them."""
        if self.settings.constraints is not None and state is TrialState.COMPLETE:
            violations = tuple(float(v) for v in self.settings.constraints(trial))
            study._storage.set_trial_system_attr(trial._trial_id, CONSTRAINTS, violations)

    def _everywhere(
        self, believed: Whole, ranked: Sequence[Architecture], *, rng: np.random.Generator
    ) -> tuple[Sequence[Architecture], Candidates]:
        """The whole space, or the pool that stands for it."""
        if self._all:
            return self._all, Candidates(self._features, believed.everywhere(), believed.joint)
        pool = evolving_pool(self.space, ranked, rng=rng, allowed=self.allowed)
        return pool, self._believe(believed, pool)

    def _neighbourhoods(
        self, ranked: Sequence[Architecture], history: History
    ) -> Iterator[list[Architecture]]:
        """What may be proposed beside the best, the neighbourhood whose turn it is first."""
        return neighbourhoods(
            self.space,
            ranked,
            key=self.reader.key,
            possible=self.is_possible,
            known=history.known,
            taken=history.taken,
            breadth=self.settings.breadth,
        )

    def _believe(self, believed: Whole, architectures: Sequence[Architecture]) -> Candidates:
        features = self._encoding.encode(architectures)
        return Candidates(features, believed.at(features), believed.joint)


def _by_mean(estimates: Sequence[Estimate], means: torch.Tensor) -> list[Architecture]:
    """The architectures, the feasible ones first, then by their means."""
    order = sorted(
        range(len(estimates)), key=lambda i: (not estimates[i].feasible, -float(means[i]))
    )
    return [estimates[i].architecture for i in order]


def _by_score(
    architectures: Sequence[Architecture], scores: torch.Tensor
) -> Iterator[Architecture]:
    """The highest score first; of equal ones, in their order."""
    order: list[int] = torch.argsort(scores, descending=True, stable=True).tolist()
    return (architectures[i] for i in order)
