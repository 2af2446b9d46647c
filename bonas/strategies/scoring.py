"""Scores of candidates: the acquisition, or how little is known, each with its weights."""

import torch

from bonas.strategies.acquisition import Candidates
from bonas.strategies.evidence import Evidence
from bonas.strategies.finishing import Finishing
from bonas.strategies.settings import LOGARITHMS, Settings
from bonas.strategies.weighting import Weighting
from bonas.strategies.whole import Whole
from surrogates.gaussian_process import GaussianProcess

MOST_MEDIANS = 100
"""Failed architectures that are believed to get their median: each suggestion does so anew."""


class Scoring:
    """Scores by the settings' acquisition, weighted by what is believed beside the value."""

    def __init__(self, settings: Settings, surrogate: GaussianProcess, pool: torch.Tensor) -> None:
        """Believe with `surrogate` over the candidates of `pool`, `N x d`."""
        self._settings = settings
        self._pool = pool
        self._weighting = Weighting(surrogate, pool, cost=settings.cost)
        self._finishing = Finishing(surrogate, pool)

    def at_their_median(self, seen: Evidence) -> torch.Tensor:
        """Features of what is believed to get its posterior median, `p x d`.

        Pending architectures, and the latest failed ones where the acquisition is not weighted by
        the probability of finishing.
        """
        if isinstance(self._settings.acquisition, LOGARITHMS):
            return seen.pending
        return torch.cat([seen.failed[-MOST_MEDIANS:], seen.pending])

    def acquisition(
        self, candidates: Candidates, best: float, seen: Evidence, *, generator: torch.Generator
    ) -> torch.Tensor:
        """The acquisition, `N`, with weights where it is a logarithm.

        Raises:
            ValueError: the trials have constraints, by which the acquisition cannot be weighted,
                or costs, but not the one that the settings name.
        """
        scores = torch.zeros(len(candidates.features), dtype=torch.float64)
        if seen.feasible.any():
            scores = self._settings.acquisition(candidates, best, generator=generator)
        weights = self._weighting.log_weights(seen.estimates, seen.features, candidates.features)
        if weights is not None:
            self._settings.check_weighted("the trials have constraints, which")
            scores = scores + weights
        if not isinstance(self._settings.acquisition, LOGARITHMS):
            return scores
        finishing = self._finishing.log_probability(seen, candidates.features)
        return scores if finishing is None else scores + finishing

    def unknown(self, believed: Whole, seen: Evidence, candidates: torch.Tensor) -> torch.Tensor:
        """Log deviations of candidates, `N x d`, plus `log_chance`, `N`."""
        pool = len(candidates) > 0 and candidates is self._pool
        scores = 0.5 * believed.uncertainty(None if pool else candidates).log()
        chance = self.log_chance(seen, candidates)
        return scores if chance is None else scores + chance

    def log_chance(self, seen: Evidence, candidates: torch.Tensor) -> torch.Tensor | None:
        """Log probabilities that candidates, `N x d`, finish and are feasible, `N`; `None` if no
        trial failed or has constraints."""
        feasible = self._weighting.log_feasibility(seen.estimates, seen.features, candidates)
        return _total(feasible, self._finishing.log_probability(seen, candidates))

    def log_weights(self, seen: Evidence, candidates: torch.Tensor) -> torch.Tensor | None:
        """What weights candidates, `N x d`, as logarithms, `N`; `None` if nothing is known."""
        weights = self._weighting.log_weights(seen.estimates, seen.features, candidates)
        return _total(weights, self._finishing.log_probability(seen, candidates))


def _total(*terms: torch.Tensor | None) -> torch.Tensor | None:
    """The sum of those that there are, or `None`."""
    given = [term for term in terms if term is not None]
    return torch.stack(given).sum(0) if given else None
