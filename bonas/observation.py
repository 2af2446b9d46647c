"""Observation: what an estimator says of an architecture, and what a surrogate learns from."""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from numbers import Real
from typing import Any


class Status(StrEnum):
    """Whether an estimate succeeded. A failed one stays in the study; surrogates skip it."""

    COMPLETE = "complete"
    FAILED = "failed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Observation:
    """The estimate of one architecture.

    Numbers of numpy and torch are stored as Python's.

    Attributes:
        value: The value to maximise; `None` if and only if the estimate failed.
        variance: Sampling variance of `value`, for reports. What perfectly separated conditions add
            to it follows from their own variances.
        error_loadings: What the sampling error of `value` takes of independent standard normals
            that all estimates of a study share, as the same test images make for: the sum of
            products of two observations' is their errors' covariance. The Bayesian strategy is told
            the variance of what they do not share (`bonas.strategies.noise`).
        aucs: AUC of each condition by the condition's key, in [0, 1].
        auc_variances: Sampling variance of each AUC, by the same keys.
        cost: What the architecture costs, such as `parameters`, `multiply_adds` and
            `seconds`.
        fidelity: How the value was found: 1 for training from scratch, less for cheaper estimates.
        status: Whether the estimate succeeded.
        reason: Why it failed, for people.

    Raises:
        TypeError: something that is no number.
        ValueError: a number that is not finite or outside its range.
    """

    value: float | None = None
    variance: float = 0.0
    error_loadings: Sequence[float] = ()
    aucs: Mapping[str, float] = field(default_factory=dict)
    auc_variances: Mapping[str, float] = field(default_factory=dict)
    cost: Mapping[str, float] = field(default_factory=dict)
    fidelity: float = 1.0
    status: Status = Status.COMPLETE
    reason: str = ""

    def __post_init__(self) -> None:
        tables = {
            "aucs": (0.0, 1.0),
            "auc_variances": (0.0, math.inf),
            "cost": (-math.inf, math.inf),
        }
        for name, (low, high) in tables.items():
            given: Mapping[str, Any] = getattr(self, name)
            numbers = {k: _number(f"{name}[{k!r}]", v, low, high) for k, v in given.items()}
            object.__setattr__(self, name, numbers)
        object.__setattr__(self, "variance", _number("variance", self.variance, 0.0, math.inf))
        if not isinstance(self.error_loadings, Iterable):
            raise TypeError(f"error_loadings is {self.error_loadings!r}; it must be a sequence.")
        loadings = tuple(
            _number(f"error_loadings[{i}]", loading, -math.inf, math.inf)
            for i, loading in enumerate(self.error_loadings)
        )
        object.__setattr__(self, "error_loadings", loadings)
        object.__setattr__(self, "fidelity", _number("fidelity", self.fidelity, 0.0, 1.0))
        if self.status is Status.FAILED:
            if self.value is not None:
                raise ValueError(f"value is {self.value}; a failed observation has none.")
        elif self.value is None:
            raise ValueError(
                "value is None; it must be finite. Tell a failed estimate as "
                'Observation.failed("why").'
            )
        else:
            object.__setattr__(self, "value", _number("value", self.value, -math.inf, math.inf))

    @classmethod
    def failed(cls, reason: str, *, cost: Mapping[str, float] | None = None) -> "Observation":
        """The observation of an estimate that did not succeed."""
        return cls(status=Status.FAILED, reason=reason, cost=cost or {})

    @classmethod
    def mean(cls, repeats: Sequence["Observation"]) -> "Observation":
        """One observation from several of one architecture, which succeeded and are independent.

        Values, AUCs and costs are means, variances those of the means; the fidelity is the lowest.
        Loadings are means too: what repeats share does not average out.
        """
        values = [r.value for r in repeats if r.value is not None]
        count = len(repeats)
        return cls(
            value=math.fsum(values) / len(values),
            variance=math.fsum(r.variance for r in repeats) / count**2,
            error_loadings=mean_loadings([r.error_loadings for r in repeats]),
            aucs=mean_by_name([r.aucs for r in repeats]),
            auc_variances={
                name: variance / sum(name in r.auc_variances for r in repeats)
                for name, variance in mean_by_name([r.auc_variances for r in repeats]).items()
            },
            cost=mean_by_name([r.cost for r in repeats]),
            fidelity=min(r.fidelity for r in repeats),
        )


def mean_by_name(repeats: Sequence[Mapping[str, float]]) -> dict[str, float]:
    """The mean of each name's numbers, over those that have it."""
    found: dict[str, list[float]] = {}
    for repeat in repeats:
        for name, value in repeat.items():
            found.setdefault(name, []).append(value)
    return {name: math.fsum(values) / len(values) for name, values in found.items()}


def mean_loadings(repeats: Sequence[Sequence[float]]) -> tuple[float, ...]:
    """Those of the mean of repeats; none where they are of different lengths, some unknown."""
    if len({len(loadings) for loadings in repeats}) > 1:
        return ()
    return tuple(math.fsum(own) / len(repeats) for own in zip(*repeats, strict=True))


def _number(name: str, given: object, low: float, high: float) -> float:
    """A Python number from any kind of number, such as a float32 of numpy."""
    kind = type(given).__name__
    scalar = isinstance(given, Real) or (hasattr(given, "__float__") and hasattr(given, "item"))
    if not scalar or isinstance(given, bool):
        raise TypeError(f"{name} is {given!r}, a {kind}; it must be a number.")
    number = float(given)  # type: ignore[arg-type]
    if not math.isfinite(number):
        raise ValueError(
            f"{name} is {number}; it must be finite. Tell a failed estimate as "
            'Observation.failed("why"), not as NaN or a very low value.'
        )
    if not low <= number <= high:
        raise ValueError(f"{name} is {number}; it must lie in [{low:g}, {high:g}].")
    return number
