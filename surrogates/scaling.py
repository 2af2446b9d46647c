"""Scaling of values before a Gaussian process sees them."""

import math
from dataclasses import dataclass

import numpy as np
import torch

from surrogates.surrogate import Marginals

REACH = 2.0
"""Upper quartile's distances below the median from which on values are compressed."""
QUADRATURE = 32
ROUNDING = 1e-12
"""Share of the largest magnitude below which a distance of values is rounding, as among sums that
are saturated at 1: a thousand times what double precision leaves of one."""


@dataclass(frozen=True, slots=True)
class Scale:
    """A strictly increasing map of values, fixed by the values that it was made from.

    Linear above the knee. Below it a value x becomes knee - bend * log(1 + (knee - x) / bend) down
    to the lowest value that the scale was made from, and follows that point's tangent further down,
    so that the inverse grows no faster than linearly.

    Attributes:
        centre: What is subtracted from compressed values.
        spread: What they are divided by; 1 where all values are equal.
        knee: Where compression begins, in the values' own units; minus infinity for none.
        bend: Depth below the knee at which the slope has fallen to a half.
        depth: Of the lowest value below the knee.
    """

    centre: float
    spread: float
    knee: float = -math.inf
    bend: float = 1.0
    depth: float = 0.0

    def __call__(self, values: torch.Tensor) -> torch.Tensor:
        """Scaled values, float64, the shape of `values`."""
        return (self._compressed(values) - self.centre) / self.spread

    def inverse(self, scaled: torch.Tensor) -> torch.Tensor:
        """The values of scaled values."""
        compressed = scaled * self.spread + self.centre
        if math.isinf(self.knee):
            return compressed
        down = (self.knee - compressed).clamp_min(0)
        inside = down.clamp_max(self.bend * math.log1p(self.depth / self.bend))
        depth = self.bend * torch.expm1(inside / self.bend) + (down - inside) * self._slope
        return torch.where(down > 0, self.knee - depth, compressed)

    def undo(self, scaled: Marginals) -> Marginals:
        """Mean and variance in the values' own units of normal scaled values.

        Exact for a linear scale, otherwise by Gauss-Hermite quadrature.
        """
        if math.isinf(self.knee):
            return Marginals(
                scaled.mean * self.spread + self.centre, scaled.variance * self.spread**2
            )
        nodes, weights = map(torch.from_numpy, np.polynomial.hermite_e.hermegauss(QUADRATURE))
        weights = weights / weights.sum()
        deviation = scaled.variance.sqrt()
        values = self.inverse(scaled.mean.unsqueeze(-1) + deviation.unsqueeze(-1) * nodes)
        mean = values @ weights
        return Marginals(mean, (values - mean.unsqueeze(-1)).square() @ weights)

    def _compressed(self, values: torch.Tensor) -> torch.Tensor:
        if math.isinf(self.knee):
            return values
        down = (self.knee - values).clamp_min(0)
        inside = down.clamp_max(self.depth)
        depth = self.bend * torch.log1p(inside / self.bend) + (down - inside) / self._slope
        return torch.where(down > 0, self.knee - depth, values)

    @property
    def _slope(self) -> float:
        """Of the inverse at the lowest value."""
        return 1 + self.depth / self.bend


def standard_scale(values: torch.Tensor) -> Scale:
    """Zero mean and unit standard deviation, nothing compressed; a constant has spread 1."""
    return _standardising(Scale(0.0, 1.0), values)


def compressed_scale(values: torch.Tensor, *, reach: float = REACH) -> Scale:
    """The scale of values whose low outliers say little about the good ones.

    An architecture that does not learn at all lies tens of standard deviations below the rest and
    would alone set the likelihood. What is further than `reach` times the upper quartile's distance
    below the median is therefore compressed logarithmically, on the scale of that distance: order
    is kept, so that quantiles of the posterior remain quantiles (`Scale.inverse`).
    """
    median = float(values.quantile(0.5))
    upper = float(values.quantile(0.75)) - median
    knee = median - reach * upper
    depth = knee - float(values.min())
    if not (upper > ROUNDING * float(values.abs().max()) and depth > 0):
        return standard_scale(values)
    return _standardising(Scale(0.0, 1.0, knee, upper, depth), values)


def _standardising(scale: Scale, values: torch.Tensor) -> Scale:
    compressed = scale(values)
    centre, spread = float(compressed.mean()), float(compressed.std(correction=0))
    if not spread > ROUNDING * float(compressed.abs().max()):
        spread = 1.0
    return Scale(centre, spread, scale.knee, scale.bend, scale.depth)
