"""Observation: what an estimator says of an architecture, and what a surrogate learns from."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum


class Status(StrEnum):
    """Whether an estimate succeeded. A failed one stays in the study; surrogates skip it."""

    COMPLETE = "complete"
    FAILED = "failed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Observation:
    """The estimate of one architecture.

    Attributes:
        value: The value to maximise; `None` if and only if the estimate failed.
        variance: Sampling variance of `value`, for reports; surrogates learn their own noise.
        aucs: AUC of each condition by the condition's key, in [0, 1].
        auc_variances: Sampling variance of each AUC, by the same keys.
        cost: What the architecture costs, such as `parameters`, `macs` and `seconds`.
        fidelity: How the value was found: 1 for training from scratch, less for cheaper estimates.
        status: Whether the estimate succeeded.
        reason: Why it failed, for people.
    """

    value: float | None = None
    variance: float = 0.0
    aucs: Mapping[str, float] = field(default_factory=dict)
    auc_variances: Mapping[str, float] = field(default_factory=dict)
    cost: Mapping[str, float] = field(default_factory=dict)
    fidelity: float = 1.0
    status: Status = Status.COMPLETE
    reason: str = ""

    def __post_init__(self) -> None:
        if self.status is Status.FAILED:
            if self.value is not None:
                raise ValueError(f"value is {self.value}; a failed observation has none.")
            return
        if self.value is None or not math.isfinite(self.value):
            raise ValueError(
                f"value is {self.value}; it must be finite. Tell a failed estimate as "
                'Observation.failed("why"), not as NaN or a very low value.'
            )
        if self.variance < 0:
            raise ValueError(f"variance is {self.variance}; it must not be negative.")

    @classmethod
    def failed(cls, reason: str, *, cost: Mapping[str, float] | None = None) -> "Observation":
        """The observation of an estimate that did not succeed."""
        return cls(status=Status.FAILED, reason=reason, cost=cost or {})
