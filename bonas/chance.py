"""Whether a search's estimates are told from chance: if not, their order may be chance too."""

from collections.abc import Iterable

from bonas.observation import Observation
from bonas.robustness.conditions import CLEAN
from bonas.robustness.record import ConditionAuc

FEWEST = 8
"""Estimates below which their middle says little of the weights that they share."""


def at_chance(observations: Iterable[Observation]) -> ConditionAuc | None:
    """The median clean AUC of estimates with shared weights, unless its 95 % interval is above 0.5.

    Shared weights that have learned next to nothing still give scores, and these still differ.
    `None` also where the median is not known, and for fewer than `FEWEST` estimates.
    """
    clean = [
        ConditionAuc(o.aucs[CLEAN.key], o.auc_variances.get(CLEAN.key, 0.0))
        for o in observations
        if o.value is not None and o.fidelity < 1 and CLEAN.key in o.aucs
    ]
    if len(clean) < FEWEST:
        return None
    median = sorted(clean, key=lambda auc: auc.value)[len(clean) // 2]
    return median if median.interval()[0] <= 0.5 else None


def chance_line(median: ConditionAuc) -> str:
    """For people: what it means, and what to change."""
    low, high = median.interval()
    return (
        f"half of the architectures have an estimated clean AUC of at most {median.value:.3f} "
        f"(95 % interval {low:.3f} to {high:.3f}), not told from a coin: the shared weights have "
        "learned too little, or the validation faces are too few to show it, and the order of the "
        "architectures may be chance. Train longer (supernet.epochs), on less changed images "
        '(supernet.augmentation = "light"), at a lower rate (supernet.learning_rate), or with more '
        "validation faces, in a new folder."
    )
