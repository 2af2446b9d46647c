"""How an observation is stored with its trial, and read from it."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

from optuna.trial import FrozenTrial, TrialState

from bonas.observation import Observation
from bonas.strategies.history import AUC_PREFIX, COST_PREFIX, ERROR_LOADINGS, loadings_of

VARIANCE, FIDELITY, REASON = "bonas.variance", "bonas.fidelity", "bonas.reason"
AUC_VARIANCE_PREFIX = "bonas.variance."


def attributes_of(observation: Observation) -> dict[str, Any]:
    """What is stored of an observation beside the trial's values."""
    attributes: dict[str, Any] = {VARIANCE: observation.variance, FIDELITY: observation.fidelity}
    attributes |= {AUC_PREFIX + k: v for k, v in observation.aucs.items()}
    attributes |= {AUC_VARIANCE_PREFIX + k: v for k, v in observation.auc_variances.items()}
    attributes |= {COST_PREFIX + k: v for k, v in observation.cost.items()}
    if observation.error_loadings:
        attributes[ERROR_LOADINGS] = list(observation.error_loadings)
    if observation.reason:
        attributes[REASON] = observation.reason
    return attributes


def observation_of(trial: FrozenTrial, minimise: Sequence[str] = ()) -> Observation:
    """The observation of a finished trial; one with a value that is none counts as failed.

    Args:
        trial: Of a study whose first value is the score.
        minimise: The names of its further values, which are costs.
    """
    attributes = trial.user_attrs
    cost = {k: v for k, v in _prefixed(attributes, COST_PREFIX).items() if math.isfinite(v)}
    if trial.state is not TrialState.COMPLETE:
        reason = str(attributes.get(REASON, "the trial failed without a reason"))
        return Observation.failed(reason, cost=cost)
    value, *costs = trial.values
    try:
        return Observation(
            value=value,
            variance=float(attributes.get(VARIANCE, 0.0)),
            error_loadings=loadings_of(trial) or (),
            aucs=_prefixed(attributes, AUC_PREFIX),
            auc_variances=_prefixed(attributes, AUC_VARIANCE_PREFIX),
            cost=cost | dict(zip(minimise, costs, strict=True)),
            fidelity=float(attributes.get(FIDELITY, 1.0)),
        )
    except ValueError as error:  # told to Optuna itself, which takes infinity
        return Observation.failed(str(error))


def _prefixed(attributes: Mapping[str, Any], prefix: str) -> dict[str, float]:
    return {k[len(prefix) :]: float(v) for k, v in attributes.items() if k.startswith(prefix)}
