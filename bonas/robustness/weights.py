"""How much each group of conditions counts, and the weighted mean that is the score.

The default weights put most on the forgeries one has and a third on those one has not; they are a
judgement on use, not a result, and are stated beside every score.
"""

import math
from collections.abc import Collection, Mapping
from dataclasses import dataclass, fields
from typing import Self

from bonas.robustness.conditions import Condition, Group


@dataclass(frozen=True, slots=True)
class ScoreWeights:
    """Weight of each group, not negative, at least one positive; they need not sum to 1.

    Raises:
        ValueError: a weight is negative or not finite, or all are 0.
    """

    clean: float = 0.4
    unseen: float = 0.3
    corruption: float = 0.2
    attack: float = 0.1

    def __post_init__(self) -> None:
        for group in Group:
            if not 0.0 <= self.of(group) < math.inf:
                raise ValueError(
                    f"{group.value} must be a finite weight, not negative, got {self.of(group)}; "
                    f"0 leaves the group out of the score"
                )
        if sum(self.to_json().values()) <= 0.0:
            raise ValueError("weights must have a positive sum, got 0 for every group; raise one")

    def of(self, group: Group) -> float:
        """Weight of one group."""
        return {
            Group.CLEAN: self.clean,
            Group.UNSEEN: self.unseen,
            Group.CORRUPTION: self.corruption,
            Group.ATTACK: self.attack,
        }[group]

    def renormalised(self, groups: Collection[Group]) -> Self:
        """The weights of these groups scaled to sum to 1, those of the others 0.

        Raises:
            ValueError: none of these groups has a positive weight.
        """
        total = math.fsum(self.of(group) for group in set(groups))
        if total <= 0.0:
            raise ValueError(
                f"groups must include one with a positive weight, got "
                f"{', '.join(sorted(groups)) or 'none'} with {self}; raise a weight or add data"
            )
        shares = {g.value: self.of(g) / total if g in groups else 0.0 for g in Group}
        return type(self)(**shares)

    def to_json(self) -> dict[str, float]:
        """Weight by group."""
        return {field.name: float(getattr(self, field.name)) for field in fields(self)}


def condition_weights(
    conditions: Collection[Condition], weights: ScoreWeights
) -> dict[Condition, float]:
    """Weight of each condition, summing to 1: its group's share over the group's conditions.

    Raises:
        ValueError: no condition lies in a group of positive weight.
    """
    groups = [condition.group for condition in conditions]
    shares = weights.renormalised(groups)
    return {c: shares.of(c.group) / groups.count(c.group) for c in conditions}


def group_means(aucs: Mapping[Condition, float]) -> dict[Group, float]:
    """Mean AUC of each group that has conditions, in the order of `Group`."""
    present = {condition.group for condition in aucs}
    members = {g: [a for c, a in aucs.items() if c.group is g] for g in Group if g in present}
    return {group: math.fsum(values) / len(values) for group, values in members.items()}


def robustness_weighted_auc(aucs: Mapping[Condition, float], weights: ScoreWeights) -> float:
    """The score, `sum_g w_g mean_{c in g} AUC_c / sum_g w_g` over the groups that have conditions.

    In [0, 1]; equal AUCs `a` give `a`.

    Raises:
        ValueError: no condition, none in a group of positive weight, or an AUC outside [0, 1].
    """
    for condition, value in aucs.items():
        if not 0.0 <= value <= 1.0:
            raise ValueError(
                f"AUC of {condition.key} must lie in [0, 1], got {value}; pass it as a fraction"
            )
    means = group_means(aucs)
    weights.renormalised(means)
    # Divided at the end: weights scaled beforehand sum to 1 only up to rounding, and could pass it.
    total = math.fsum(weights.of(group) for group in means)
    mean = math.fsum(weights.of(group) * value for group, value in means.items()) / total
    return min(1.0, mean)
