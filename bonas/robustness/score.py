"""The robustness-weighted AUC of a detector with its error, from its scores of the images.

    score  =  sum over groups g of  w_g * mean over conditions c in g of AUC_c

Conditions are not independent samples. Corrupted images are the clean ones again, unseen forgeries
are made from the same originals; the AUCs rise and fall together, and summing their variances as if
they did not would make the interval too narrow. Here each condition gives one row of contributions
by cluster (`placements.Contributions`), over all clusters of all conditions. The inner products of
the rows are the covariances of the AUCs whatever images two conditions share: all (paired, as in
DeLong and Obuchowski), some, none but the same originals, or nothing at all (then 0). The variance
of the score is the squared length of the weighted sum of the rows, in one pass.
"""

from collections.abc import Collection, Hashable, Mapping, Sequence

import numpy as np
import numpy.typing as npt

from bonas.robustness.conditions import Condition, ConditionSet
from bonas.robustness.differences import PairableScore
from bonas.robustness.placements import (
    Contributions,
    FloatArray,
    checked_sample,
    cluster_contributions,
)
from bonas.robustness.record import ConditionAuc, RobustnessScore, average, flat_groups
from bonas.robustness.weights import ScoreWeights, condition_weights, robustness_weighted_auc

__all__ = [
    "ConditionAuc",
    "RobustnessScore",
    "ScoreWeights",
    "average",
    "flat_groups",
    "pairable_score",
    "robustness_weighted_auc",
    "score_conditions",
]

Predictions = Mapping[Condition, npt.ArrayLike]
Labels = Mapping[Condition, npt.ArrayLike]
Clusters = Mapping[Condition, Sequence[Hashable]]


def score_conditions(
    predictions: Predictions,
    labels: Labels,
    clusters: Clusters,
    *,
    conditions: ConditionSet,
    weights: ScoreWeights | None = None,
) -> RobustnessScore:
    """Score of one detector from its scores of the images under every condition.

    Args:
        predictions: of each condition, `n_c` scores, higher meaning more likely forged.
        labels: of each condition, `n_c`, 1 forged and 0 genuine.
        clusters: of each condition, `n_c` names of the video or original that the image comes from.
            One name means one cluster in every condition; an image belongs to the same one in all,
            which is what pairs its scores. Where images are independent, pass the images' names.
        conditions: the set that was tested; exactly its conditions must be given.
        weights: of the groups; the defaults of `ScoreWeights` unless given.

    Raises:
        ValueError: other conditions than the set's, or a condition whose scores, labels or clusters
            are of different lengths or do not allow an AUC with a variance.
    """
    return pairable_score(
        predictions, labels, clusters, conditions=conditions, weights=weights
    ).score


def pairable_score(
    predictions: Predictions,
    labels: Labels,
    clusters: Clusters,
    *,
    conditions: ConditionSet,
    weights: ScoreWeights | None = None,
) -> PairableScore:
    """The score of `score_conditions`, to be compared with others on the same images."""
    given = weights or ScoreWeights()
    _require_conditions(conditions, predictions)
    parts = _contributions(predictions, labels, clusters)
    measured = tuple(
        (c, ConditionAuc(parts[c].auc, float(parts[c].row @ parts[c].row), parts[c].pairs))
        for c in conditions.conditions
    )
    row = _weighted_row(parts, given)
    score = RobustnessScore(conditions.digest, measured, given, float(row @ row))
    return PairableScore(score, {c: part.row for c, part in parts.items()})


def _contributions(
    predictions: Predictions, labels: Labels, clusters: Clusters
) -> dict[Condition, Contributions]:
    """AUC and contributions of each condition, over the clusters of all of them."""
    for name, given in (("labels", labels), ("clusters", clusters)):
        if missing := predictions.keys() - given.keys():
            raise ValueError(
                f"{name} must cover every condition, got none for {_keys(missing)}; add them"
            )
    # In the order of keys, so that two detectors' clusters get the same numbers.
    ordered = sorted(predictions, key=lambda condition: condition.key)
    numbers: dict[Hashable, int] = {}
    index = {
        c: np.array([numbers.setdefault(name, len(numbers)) for name in clusters[c]], dtype=np.intp)
        for c in ordered
    }
    parts = {}
    for condition in ordered:
        try:
            x, positive = checked_sample(predictions[condition], labels[condition])
            if index[condition].size != x.size:
                raise ValueError(
                    f"clusters must name one cluster per image, got {index[condition].size} for "
                    f"{x.size} images"
                )
            part = cluster_contributions(x, positive, index[condition], len(numbers))
        except ValueError as error:
            raise ValueError(f"{condition.key}: {error}") from error
        parts[condition] = part
    return parts


def _weighted_row(parts: Mapping[Condition, Contributions], weights: ScoreWeights) -> FloatArray:
    """Contributions to the score itself, `3 K`."""
    shares = condition_weights(parts.keys(), weights)
    row: FloatArray = np.sum([shares[c] * part.row for c, part in parts.items()], axis=0)
    return row


def _require_conditions(conditions: ConditionSet, predictions: Predictions) -> None:
    if odd := predictions.keys() ^ set(conditions.conditions):
        raise ValueError(
            f"predictions must cover the {len(conditions.conditions)} conditions of the set and no "
            f"others, got {_keys(odd)} in one of them only; evaluate what is missing"
        )


def _keys(conditions: Collection[Condition]) -> str:
    return ", ".join(sorted(condition.key for condition in conditions))
