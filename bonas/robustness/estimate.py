"""What a detector is worth on one sample, as records: metrics with intervals, or a refusal."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Estimate:
    """A number in [0, 1] with its 95 % interval."""

    value: float
    low: float
    high: float

    def __post_init__(self) -> None:
        if not (0.0 <= self.low <= self.high <= 1.0 and 0.0 <= self.value <= 1.0):
            raise ValueError(
                f"value and interval must lie in [0, 1], got {self.value} and [{self.low}, "
                f"{self.high}]; `metrics.measure` builds them"
            )

    def to_json(self) -> dict[str, Any]:
        """Value and interval."""
        return {"value": self.value, "interval": [self.low, self.high]}


@dataclass(frozen=True, slots=True)
class Size:
    """How large a sample is: images (or videos), the forged ones of them, and originals."""

    images: int
    forged: int
    originals: int

    def to_json(self) -> dict[str, int]:
        """The three numbers."""
        return {"images": self.images, "forged": self.forged, "originals": self.originals}


@dataclass(frozen=True, slots=True)
class Refused:
    """A sample that is not scored, and why."""

    size: Size
    reason: str

    def to_json(self) -> dict[str, Any]:
        """Size and reason."""
        return self.size.to_json() | {"refused": self.reason}


@dataclass(frozen=True, slots=True)
class Metrics:
    """The metrics of one sample.

    Attributes:
        size: of the sample.
        estimates: by their names, `metrics.NAMES`; one that the sample does not allow is absent.
        flags: why to trust them less, or why one is absent.
    """

    size: Size
    estimates: Mapping[str, Estimate]
    flags: tuple[str, ...]

    def to_json(self) -> dict[str, Any]:
        """Size, metrics and flags."""
        named = {name: estimate.to_json() for name, estimate in self.estimates.items()}
        return self.size.to_json() | named | {"flags": list(self.flags)}
