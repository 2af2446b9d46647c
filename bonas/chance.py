"""Whether a search's estimates are better than chance: if not, their order is chance too."""

from collections.abc import Iterable

from bonas.observation import Observation
from bonas.robustness.conditions import CLEAN
from bonas.robustness.record import ConditionAuc

FEWEST = 8
"""Estimates below which their middle says little of the weights that they share."""


def at_chance(observations: Iterable[Observation]) -> ConditionAuc | None:
    """The median clean AUC of estimates with shared weights, where its 95 % interval holds 0.5.

    Shared weights that have not learned what training alone teaches still give scores, and these
    still differ. `None` where the median is told apart from a coin, where it is not known, and for
    fewer than `FEWEST` estimates.
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
        f"half of the architectures are estimated at or below a clean AUC of {median.value:.3f} "
        f"(95 % interval {low:.3f} to {high:.3f}), no better than a coin: the shared weights have "
        "not learned, and the order of the architectures is chance. Train them longer "
        '(supernet.epochs), on less changed images (supernet.augmentation = "light") or at a lower '
        "rate (supernet.learning_rate), in a new folder."
    )
