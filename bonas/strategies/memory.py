"""Memory: which estimates and failures of many are believed."""

from collections.abc import Sequence

import torch

from bonas.strategies.history import Estimate, Failure
from bonas.strategies.pareto import feasible_front

MOST_OBSERVATIONS = 1_000
"""Observations that the surrogate sees at most, of more the best and the latest. A suggestion from
a pool of 1,000 candidates then costs a few GFLOP, however long the study is."""
FORGETTING = 250
"""Observations between two choices of those that are kept: in between the factor only grows."""

MOST_FAILURES = 500
"""Failures that are believed at most, of more the latest."""


def front(estimates: Sequence[Estimate]) -> list[Estimate]:
    """The estimates that no feasible other dominates; all not dominated while none is feasible."""
    values = torch.tensor([e.values for e in estimates], dtype=torch.float64)
    members = feasible_front(values, torch.tensor([e.feasible for e in estimates])).tolist()
    return [e for e, member in zip(estimates, members, strict=True) if member]


def remembered(estimates: Sequence[Estimate]) -> Sequence[Estimate]:
    """All, or of too many the best and the latest; of several objectives the front is best."""
    if len(estimates) <= MOST_OBSERVATIONS:
        return estimates
    settled = len(estimates) - len(estimates) % FORGETTING
    several = len(estimates[0].values) > 1
    leading = {e.architecture for e in front(estimates[:settled])} if several else set()
    # By position: of a warm start no estimate has a number.
    by_value = sorted(
        range(settled),
        key=lambda i: (estimates[i].architecture not in leading, -estimates[i].values[0], i),
    )
    best, others = by_value[: MOST_OBSERVATIONS // 2], by_value[MOST_OBSERVATIONS // 2 :]
    room = MOST_OBSERVATIONS - len(best) - FORGETTING
    kept = sorted([*best, *sorted(others)[-room:]])
    return [*(estimates[i] for i in kept), *estimates[settled:]]


def remembered_failures(failures: Sequence[Failure]) -> Sequence[Failure]:
    """All, or of too many the latest; which ones changes as seldom as for estimates."""
    excess = max(0, len(failures) - MOST_FAILURES)
    return failures[-(-excess // FORGETTING) * FORGETTING :]
