"""Scaling of values before a Gaussian process sees them."""

from dataclasses import dataclass
from typing import Protocol

import torch

from surrogates.surrogate import Marginals


class Scale(Protocol):
    """A monotone map of values, fixed by the values that it was made from."""

    def __call__(self, values: torch.Tensor) -> torch.Tensor:
        """Scaled values; larger stays larger."""

    def undo(self, marginals: Marginals) -> Marginals:
        """Marginals in the values' own units."""


@dataclass(frozen=True, slots=True)
class StandardScale:
    """Zero mean, unit standard deviation; values below `lowest` count as `lowest`.

    Attributes:
        centre: What is subtracted.
        spread: What is divided by; 1 where all values are equal.
        lowest: Where low outliers are cut, in the values' own units.
    """

    centre: float
    spread: float
    lowest: float

    def __call__(self, values: torch.Tensor) -> torch.Tensor:
        """Scaled values, float64, the shape of `values`."""
        return (values.clamp_min(self.lowest) - self.centre) / self.spread

    def undo(self, marginals: Marginals) -> Marginals:
        """Marginals in the values' own units."""
        return Marginals(
            marginals.mean * self.spread + self.centre, marginals.variance * self.spread**2
        )


def standard_scale(values: torch.Tensor, *, reach: float = 4.0) -> StandardScale:
    """The scale of values whose low outliers carry no information on the good ones.

    An architecture that does not learn at all lies tens of standard deviations below the rest and
    would alone set the likelihood. Everything further than `reach` times the upper quartile's
    distance below the median is therefore cut. A constant sample has spread 1.
    """
    median = values.quantile(0.5)
    upper = values.quantile(0.75) - median
    lowest = median - reach * upper if upper > 0 else values.min()
    cut = values.clamp_min(lowest)
    spread = cut.std(correction=0)
    size = cut.abs().max()
    if not spread > 1e-12 * size:
        spread = torch.ones_like(spread)
    return StandardScale(float(cut.mean()), float(spread), float(lowest))
