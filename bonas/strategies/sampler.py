"""The Bayesian strategy as an Optuna sampler.

A Gaussian process on one-hot decisions and canonical paths, log expected improvement over the
candidates, and steps that stay one edit from the best architectures: the best ones of a space lie
next to good ones, where a surrogate that has seen good neighbours expects no more.
"""

from collections.abc import Sequence

import numpy as np
import torch

from bonas.strategies.acquisition import log_expected_improvement
from bonas.strategies.belief import Belief
from bonas.strategies.candidates import EXHAUSTIVE, evolving_pool
from bonas.strategies.history import Estimate, History
from bonas.strategies.proposer import ArchitectureSampler
from spaces.architecture import Architecture
from spaces.encodings.joined import JoinedEncoding
from spaces.encodings.multisets import PathMultisetEncoding
from spaces.encodings.onehot import OneHotEncoding
from spaces.space import SearchSpace, enumerate_space, indices, size
from surrogates.gaussian_process import GaussianProcess
from surrogates.kernels import hamming_and_paths

INITIAL = 10
INCUMBENTS = 5
MOST_OBSERVATIONS = 1_500
"""Observations that the surrogate sees at most: the better half and the latest of the others.
A pool of 1,000 candidates then costs 2 GFLOP a suggestion, however long the study is."""


class SurrogateSampler(ArchitectureSampler):
    """Bayesian optimisation over a search space; the default strategy."""

    def __init__(self, space: SearchSpace, *, seed: int = 0, initial: int = INITIAL) -> None:
        """Propose architectures of `space`.

        Args:
            space: The search space.
            seed: Of every draw, together with the trial's number.
            initial: Random architectures before the surrogate is asked, at least 1.
        """
        super().__init__(space, seed=seed)
        if initial < 1:
            raise ValueError(f"initial is {initial}; it must be at least 1.")
        self._initial = initial
        onehot, paths = OneHotEncoding(space), PathMultisetEncoding(space)
        self._encoding = JoinedEncoding((onehot, paths))
        surrogate = GaussianProcess(hamming_and_paths(onehot.sizes, paths.dimension))
        self._all: Sequence[Architecture] = ()
        if size(space) <= EXHAUSTIVE:
            self._all = tuple(enumerate_space(space))
        self._positions = indices(space, self._all)
        self._belief = Belief(surrogate, self._encoding.encode(self._all))

    def propose(self, history: History, *, rng: np.random.Generator) -> Architecture:
        """The candidate of highest acquisition that may be proposed; see the module's head."""
        if len(history.estimates) < self._initial:
            return self.draw(history, rng=rng)
        estimates = _remembered(history.estimates)
        posterior = self._belief.posterior(
            [(e.architecture, e.values[0]) for e in estimates],
            self._encoding.encode([e.architecture for e in estimates]),
            self._encoding.encode(history.pending),
        )
        ranked = sorted(estimates, key=lambda e: -e.values[0])
        best = float(posterior.predictor.scale(torch.tensor([ranked[0].values[0]]))[0])
        pool, positions = self._all, self._positions
        if pool:
            marginals = posterior.marginals
        else:
            pool = evolving_pool(self.space, [e.architecture for e in ranked], rng=rng)
            positions = indices(self.space, pool)
            marginals = posterior.predictor.scaled_marginals(self._encoding.encode(pool))
        scores = log_expected_improvement(marginals, best)
        order: np.ndarray = torch.argsort(scores, descending=True, stable=True).numpy()
        if (len(history.estimates) + len(history.pending)) % 2 == 1:
            near = self._near(positions, [e.architecture for e in ranked[:INCUMBENTS]])[order]
            order = np.concatenate([order[near], order[~near]])
        for position in map(int, order):
            if self.is_open(pool[position], history):
                return pool[position]
        return self.draw(history, rng=rng)

    def _near(self, positions: np.ndarray, centres: Sequence[Architecture]) -> np.ndarray:
        """Which rows are one edit away from one of the centres."""
        edits = positions[:, None, :] != indices(self.space, centres)[None, :, :]
        return np.asarray((edits.sum(-1) == 1).any(1))


def _remembered(estimates: Sequence[Estimate]) -> Sequence[Estimate]:
    if len(estimates) <= MOST_OBSERVATIONS:
        return estimates
    half = MOST_OBSERVATIONS // 2
    by_value = sorted(estimates, key=lambda e: (-e.values[0], e.number))
    latest = sorted(by_value[half:], key=lambda e: e.number)[-half:]
    return sorted([*by_value[:half], *latest], key=lambda e: e.number)
