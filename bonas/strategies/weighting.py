"""Weights on log acquisitions: the probability of being feasible, and the cost expected."""

import logging
from collections.abc import Sequence

import torch

from bonas.strategies.acquisition import log_feasibility
from bonas.strategies.belief import Belief
from bonas.strategies.history import COST_PREFIX, Estimate
from spaces.architecture import Architecture
from surrogates.gaussian_process import GaussianProcess
from surrogates.scaling import Scale
from surrogates.surrogate import Marginals

_log = logging.getLogger(__name__)


class Weighting:
    """Beliefs on what is known of finished trials beside their value."""

    def __init__(self, surrogate: GaussianProcess, pool: torch.Tensor, *, cost: str | None) -> None:
        """Believe with `surrogate` over the candidates of `pool`; `cost` names a cost or none."""
        self._surrogate = surrogate
        self._pool = pool
        self._cost = cost
        self._warned = False
        self._beliefs: dict[str, Belief] = {}

    def log_weights(
        self,
        estimates: Sequence[Estimate],
        features: torch.Tensor,
        candidates: torch.Tensor,
    ) -> torch.Tensor | None:
        """What to add to a log acquisition, `N`; `None` if nothing is known.

        The constrained acquisition is weighted by the product of the probabilities of each
        constraint (Gardner et al. 2014); improvement is expected per unit of cost (Snoek et al.
        2012, section 3.2), with the cost's logarithm believed to be Gaussian.

        Args:
            estimates: Finished trials; those without constraints or cost say nothing here.
            features: Their features, `n x d`.
            candidates: Features of the candidates, `N x d`.

        Raises:
            ValueError: the trials have costs, but none has the one that is weighted by.
        """
        costs_known = sorted({name for e in estimates for name in e.costs})
        if self._cost is not None and costs_known and self._cost not in costs_known:
            raise ValueError(
                f"cost is {self._cost!r}, which none of the finished trials has; they have "
                f"{', '.join(costs_known)}. Name one of these, or store the cost with the trials."
            )
        if self._cost is not None and not costs_known and estimates:
            self._warn_of_no_cost(self._cost, estimates)
        total = self.log_feasibility(estimates, features, candidates)
        known = [k for k, e in enumerate(estimates) if e.costs.get(self._cost or "", 0.0) > 0]
        if known:
            costs = torch.tensor([estimates[k].costs[self._cost or ""] for k in known]).double()
            pairs = [estimates[k].architecture for k in known]
            cheap = list(zip(pairs, (-costs.log()).tolist(), strict=True))
            believed, scale = self._believed("cost", cheap, features[known], candidates)
            weight = scale.inverse(believed.mean)
            total = weight if total is None else total + weight
        return total

    def _warn_of_no_cost(self, cost: str, estimates: Sequence[Estimate]) -> None:
        # Those without a number are of a warm start, which has no costs.
        if not self._warned and any(e.number >= 0 for e in estimates):
            self._warned = True
            _log.warning(
                "no finished trial has a cost, so improvement is not expected per unit of %r; "
                "store it with the trials as the user attribute %r.",
                cost,
                COST_PREFIX + cost,
            )

    def log_feasibility(
        self,
        estimates: Sequence[Estimate],
        features: torch.Tensor,
        candidates: torch.Tensor,
    ) -> torch.Tensor | None:
        """The part of `log_weights` that constraints have; `None` where there are none."""
        total: torch.Tensor | None = None
        for name in sorted({name for e in estimates for name in e.constraints}):
            known = [k for k, e in enumerate(estimates) if name in e.constraints]
            slack = [(estimates[k].architecture, -estimates[k].constraints[name]) for k in known]
            key = f"constraint {name}"
            believed, scale = self._believed(key, slack, features[known], candidates)
            # Feasible where the slack is positive; the scale is increasing, hence above its zero.
            zero = scale(torch.zeros(1, dtype=torch.float64))
            weight = log_feasibility(Marginals(zero - believed.mean, believed.variance))
            total = weight if total is None else total + weight
        return total

    def _believed(
        self,
        name: str,
        observed: Sequence[tuple[Architecture, float]],
        features: torch.Tensor,
        candidates: torch.Tensor,
    ) -> tuple[Marginals, Scale]:
        """Marginals of scaled values, and the scale."""
        belief = self._beliefs.setdefault(name, Belief(self._surrogate, self._pool))
        posterior = belief.posterior(observed, features, features[:0])
        predictor = posterior.predictor
        if candidates is self._pool:
            return posterior.marginals, predictor.scale
        return predictor.scaled_marginals(candidates), predictor.scale
