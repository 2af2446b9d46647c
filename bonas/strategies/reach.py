"""How far a step of the Bayesian strategy goes: beside the best, anywhere, or into the unknown.

A surrogate that expects no improvement anywhere may be wrong in two ways: the best may be an
outlier beside good ones, or lie where nothing like it was observed (docs/engine.md). While it is
quiet, steps look for both.
"""

import enum
import math
from collections.abc import Callable, Sequence

import numpy as np
import torch

from bonas.strategies.acquisition import Candidates, log_expected_improvement
from bonas.strategies.settings import Settings
from spaces.architecture import Architecture


class Reach(enum.Enum):
    """Among which architectures a step chooses, and by what."""

    NEAR = enum.auto()
    """One edit from one of the best, by the acquisition."""
    ANYWHERE = enum.auto()
    """All candidates, by the acquisition."""
    UNKNOWN = enum.auto()
    """All candidates, by posterior variance and the probabilities of being feasible and of
    finishing."""


def reach(
    settings: Settings, step: int, quiet: Callable[[], bool], *, rng: np.random.Generator
) -> Reach:
    """How far a step goes.

    Args:
        settings: Their `turning` and `exploration` share the steps out.
        step: How many architectures were begun.
        quiet: Whether the surrogate is; asked only where it matters.
        rng: Drawn from only while the surrogate is quiet and some steps go into the unknown.
    """
    if settings.is_local(step):
        return Reach.NEAR
    if not quiet():
        return Reach.ANYWHERE
    explores = settings.exploration > 0 and rng.random() < settings.exploration
    return Reach.UNKNOWN if explores else Reach.NEAR


def is_quiet(
    architectures: Sequence[Architecture],
    candidates: Candidates,
    best: float,
    *,
    below: float,
    is_open: Callable[[Architecture], bool],
    log_chance: torch.Tensor | None = None,
) -> bool:
    """Whether the improvement expected of every open candidate is below a bound.

    Args:
        architectures: The candidates, `N`.
        candidates: What is believed of them.
        best: The incumbent's posterior mean, scaled; minus infinity where there is none.
        below: The bound, as a share of the values' spread; 0 is never reached.
        is_open: Whether an architecture may be proposed; asked of few.
        log_chance: Log probabilities of being feasible and of finishing, `N`; 0 where `None`.
    """
    if below == 0 or math.isinf(best):
        return False
    improvement = log_expected_improvement(candidates.marginals, best)
    if log_chance is not None:
        improvement = improvement + log_chance
    for i in torch.argsort(improvement, descending=True, stable=True).tolist():
        if float(improvement[i]) < math.log(below):
            return True
        if is_open(architectures[i]):
            return False
    return True
