"""Several objectives: log noisy expected hypervolume improvement over a short list.

A Gaussian process per objective; random weightings of the objectives (Chebyshev scalarisation,
Knowles 2006) each nominate their best candidates, and qLogNEHVI (Daulton et al. 2021, Ament et al.
2023) chooses among the nominated: Monte Carlo over a whole space would cost minutes.
"""

from collections.abc import Sequence

import torch
from botorch.acquisition.multi_objective.logei import qLogNoisyExpectedHypervolumeImprovement
from botorch.models.model_list_gp_regression import ModelListGP
from botorch.sampling.normal import SobolQMCNormalSampler

from bonas.strategies.acquisition import log_expected_improvement
from bonas.strategies.belief import Belief, Believed
from surrogates.gaussian_process import GaussianProcess, GaussianProcessPredictor
from surrogates.pool import PoolPosterior
from surrogates.surrogate import Marginals

WEIGHTINGS = 10
NOMINATED = 2
DRAWS = 32
AUGMENTATION = 0.05
"""Weight of the plain sum in a scalarisation, which tells weakly dominated candidates apart."""
MOST_BASELINE = 20
"""Observed architectures, the least dominated first, over which hypervolume is measured."""


class ParetoBelief:
    """One belief per objective over a pool of candidates."""

    def __init__(self, surrogate: GaussianProcess, pool: torch.Tensor) -> None:
        """Believe each objective with `surrogate`; `pool` is `N x d`."""
        self._surrogate = surrogate
        self._pool = pool
        self._beliefs: list[Belief] = []

    def scores(
        self,
        observed: Sequence[Sequence[Believed]],
        features: torch.Tensor,
        pending: torch.Tensor,
        candidates: torch.Tensor,
        *,
        generator: torch.Generator,
    ) -> torch.Tensor:
        """A score per candidate, `N`: the nominated by qLogNEHVI, all others below them.

        Args:
            observed: For every objective the observations, in one order.
            features: Their features, `n x d`.
            pending: Features of pending architectures, `p x d`.
            candidates: Features of the candidates, `N x d`.
            generator: Where weightings and the acquisition's seed come from.
        """
        while len(self._beliefs) < len(observed):
            self._beliefs.append(Belief(self._surrogate, self._pool))
        posteriors = [
            belief.posterior(own, features, pending)
            for belief, own in zip(self._beliefs, observed, strict=True)
        ]
        predictors = [posterior.predictor for posterior in posteriors]
        believed = [self._marginals(posterior, candidates) for posterior in posteriors]
        values = torch.stack([p.scale(p.values[: len(features)]) for p in predictors], dim=1)
        chosen = _nominate(believed, values, generator=generator)
        # Nobody left among the nominated: the next best by the sum of the means.
        total = torch.stack([marginals.mean for marginals in believed]).sum(0)
        improvement = _hypervolume_improvement(
            predictors, features, values, pending, candidates[chosen], generator=generator
        )
        scores = total - total.max() + improvement.min() - 1.0
        scores[chosen] = improvement
        return scores

    def _marginals(self, posterior: PoolPosterior, candidates: torch.Tensor) -> Marginals:
        if candidates is self._pool:
            return posterior.marginals
        return posterior.predictor.scaled_marginals(candidates)


def non_dominated(values: torch.Tensor) -> torch.Tensor:
    """Which rows of `values`, `n x m`, maximised, are dominated by no other; `n`, bool."""
    no_worse = (values.unsqueeze(0) >= values.unsqueeze(1)).all(-1)
    better = (values.unsqueeze(0) > values.unsqueeze(1)).any(-1)
    return ~(no_worse & better).any(1)


def _nominate(
    believed: Sequence[Marginals], values: torch.Tensor, *, generator: torch.Generator
) -> torch.Tensor:
    low, high = values.min(0).values, values.max(0).values
    span = (high - low).clamp_min(1e-9)
    found: list[int] = []
    for _ in range(WEIGHTINGS):
        draw = torch.rand(len(believed), dtype=torch.float64, generator=generator)
        weights = -draw.clamp_min(1e-12).log()
        weights = weights / weights.sum()
        scalar = _chebyshev((values - high) / span, weights)
        means = torch.stack([m.mean for m in believed], dim=1)
        deviations = torch.stack([m.variance.sqrt() for m in believed], dim=1)
        mean = _chebyshev((means - high) / span, weights)
        variance = ((deviations / span * weights).square()).sum(1).clamp_min(1e-18)
        score = log_expected_improvement(Marginals(mean, variance), float(scalar.max()))
        found.extend(torch.topk(score, min(NOMINATED, len(score))).indices.tolist())
    return torch.tensor(list(dict.fromkeys(found)))


def _chebyshev(distance: torch.Tensor, weights: torch.Tensor) -> torch.Tensor:
    weighted = distance * weights
    return weighted.min(1).values + AUGMENTATION * weighted.sum(1)


def _hypervolume_improvement(
    predictors: Sequence[GaussianProcessPredictor],
    features: torch.Tensor,
    values: torch.Tensor,
    pending: torch.Tensor,
    candidates: torch.Tensor,
    *,
    generator: torch.Generator,
) -> torch.Tensor:
    front = non_dominated(values)
    order = torch.argsort((~front).double() * 1e6 - values.sum(1), stable=True)
    baseline = torch.cat([features[order[:MOST_BASELINE]], pending])
    reference = values.min(0).values - 0.1 * (values.max(0).values - values.min(0).values)
    seed = int(torch.randint(2**31, (1,), generator=generator))
    acquisition = qLogNoisyExpectedHypervolumeImprovement(
        model=ModelListGP(*[predictor.model for predictor in predictors]),
        ref_point=reference.tolist(),
        X_baseline=baseline,
        sampler=SobolQMCNormalSampler(torch.Size([DRAWS]), seed=seed),
        prune_baseline=False,
        cache_root=False,
    )
    with torch.no_grad():
        scores: torch.Tensor = acquisition(candidates.unsqueeze(1))
    return torch.nan_to_num(scores.double(), nan=-1e9, neginf=-1e9, posinf=1e9)
