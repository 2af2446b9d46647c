"""Several objectives: log noisy expected hypervolume improvement over a short list.

A Gaussian process per objective; random weightings of the objectives (Chebyshev scalarisation,
Knowles 2006) each nominate their best candidates, and qLogNEHVI (Daulton et al. 2021, Ament et al.
2023) chooses among the nominated: Monte Carlo over a whole space would cost minutes.

With constraints, improvement is measured over the feasible observations, and counts as much as it
is probable that the candidate is feasible (Gardner et al. 2014) and finishes
(`bonas.strategies.finishing`), in nomination and choice alike.
"""

from collections.abc import Sequence

import torch
from botorch.acquisition.multi_objective import logei
from botorch.models.model_list_gp_regression import ModelListGP
from botorch.sampling.normal import SobolQMCNormalSampler

from bonas.strategies.acquisition import log_expected_improvement
from bonas.strategies.belief import Belief, Believed
from surrogates.gaussian_process import GaussianProcess
from surrogates.pool import PoolPosterior
from surrogates.predictor import GaussianProcessPredictor
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
        feasible: torch.Tensor | None = None,
        log_weight: torch.Tensor | None = None,
    ) -> torch.Tensor:
        """A score per candidate, `N`: the nominated by qLogNEHVI, all others below them.

        While nothing feasible is observed, candidates are ranked by their weight alone.

        Args:
            observed: For every objective the observations, in one order.
            features: Their features, `n x d`.
            pending: Features of pending architectures, `p x d`.
            candidates: Features of the candidates, `N x d`.
            generator: Where weightings and the acquisition's seed come from.
            feasible: Which observations are feasible, `n`, bool; all of them where `None`.
            log_weight: What weights each candidate, its probability of being feasible and of
                finishing above all, as a logarithm, `N` (`Scoring.log_weights`); 0 where `None`.

        Raises:
            ArithmeticError: the acquisition is not finite.
        """
        weight = torch.zeros(len(candidates)).double()
        weight = weight if log_weight is None else log_weight
        kept = torch.arange(len(features)) if feasible is None else feasible.nonzero().squeeze(1)
        if len(kept) == 0:
            return weight
        while len(self._beliefs) < len(observed):
            self._beliefs.append(Belief(self._surrogate, self._pool))
        posteriors = [
            belief.posterior(own, features, pending)
            for belief, own in zip(self._beliefs, observed, strict=True)
        ]
        predictors = [posterior.predictor for posterior in posteriors]
        believed = [self._marginals(posterior, candidates) for posterior in posteriors]
        values = torch.stack([p.scale(p.values[: len(features)]) for p in predictors], dim=1)
        values = values[kept]
        chosen = _nominate(believed, values, weight, generator=generator)
        # Nobody left among the nominated: the next best by the sum of the means.
        total = torch.stack([marginals.mean for marginals in believed]).sum(0) + weight
        improvement = _hypervolume_improvement(
            predictors, features[kept], values, pending, candidates[chosen], generator=generator
        )
        improvement = improvement + weight[chosen]
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


def feasible_front(values: torch.Tensor, feasible: torch.Tensor) -> torch.Tensor:
    """Which feasible rows are dominated by no other feasible one; `n`, bool.

    All non-dominated rows while none is feasible: they are what is known to be good.

    Args:
        values: Objectives, maximised, `n x m`.
        feasible: `n`, bool.
    """
    if not feasible.any():
        return non_dominated(values)
    front = torch.zeros(len(values), dtype=torch.bool)
    front[feasible] = non_dominated(values[feasible])
    return front


def _nominate(
    believed: Sequence[Marginals],
    values: torch.Tensor,
    weight: torch.Tensor,
    *,
    generator: torch.Generator,
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
        score = weight + log_expected_improvement(Marginals(mean, variance), float(scalar.max()))
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
    # BoTorch would compile a faster kernel at first use, under a lock file that a killed process
    # leaves behind: every later search would then wait for it without end. Nor do kernels compiled
    # for one processor repeat a search bit for bit on another.
    logei._load_attempted = True
    acquisition = logei.qLogNoisyExpectedHypervolumeImprovement(
        model=ModelListGP(*[predictor.model for predictor in predictors]),
        ref_point=reference.tolist(),
        X_baseline=baseline,
        sampler=SobolQMCNormalSampler(torch.Size([DRAWS]), seed=seed),
        prune_baseline=False,
        cache_root=False,
    )
    with torch.no_grad():
        scores: torch.Tensor = acquisition(candidates.unsqueeze(1)).double()
    if not torch.isfinite(scores).all():
        raise ArithmeticError(
            f"qLogNEHVI is not finite for {int((~torch.isfinite(scores)).sum())} of {len(scores)} "
            "candidates; report the study, or search one objective."
        )
    return scores
