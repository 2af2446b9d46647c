"""Deep ensemble: independently started networks, whose disagreement is the uncertainty.

Lakshminarayanan et al. (2017), in the form of BANANAS (White et al. 2021, section 4): five fully
connected networks of ten layers of twenty units, mean absolute percentage error against the
distance to a bound. All members train at once as one batched product per layer.
"""

import itertools
from dataclasses import dataclass

import torch

from surrogates.surrogate import Interval, Marginals, check_observations


@dataclass(frozen=True, slots=True)
class DeepEnsemble:
    """Settings of a deep ensemble; the defaults are those that BANANAS published.

    Attributes:
        members: The number of networks, at least 2.
        layers: Hidden layers.
        width: Units of a hidden layer.
        epochs: Passes over the observations.
        batch: Observations per step.
        rate: Learning rate of Adam.
    """

    members: int = 5
    layers: int = 10
    width: int = 20
    epochs: int = 150
    batch: int = 32
    rate: float = 0.01

    def __post_init__(self) -> None:
        if self.members < 2:
            raise ValueError(
                f"members is {self.members}; it must be at least 2, whose disagreement is the "
                "uncertainty."
            )

    def fit(
        self, features: torch.Tensor, values: torch.Tensor, *, generator: torch.Generator
    ) -> "DeepEnsemblePredictor":
        """The trained ensemble; weights and batches are drawn from the generator."""
        check_observations(features, values)
        spread = values.std(correction=0)
        spread = spread if spread > 1e-12 * values.abs().max() else torch.ones_like(spread)
        # The published loss is relative to the distance to a bound: good architectures weigh more.
        target = (values.max() - values) / spread + 0.1
        weights = self._start(features.shape[1], generator)
        adam = torch.optim.Adam(weights, lr=self.rate)
        for _ in range(self.epochs):
            for rows in torch.randperm(len(values), generator=generator).split(self.batch):
                loss = (_forward(weights, features[rows]) / target[rows] - 1.0).abs()
                adam.zero_grad()
                loss.mean(1).sum().backward()
                adam.step()
        frozen = tuple(w.detach() for w in weights)
        return DeepEnsemblePredictor(frozen, float(values.max() + 0.1 * spread), float(spread))

    def _start(self, dimension: int, generator: torch.Generator) -> list[torch.Tensor]:
        sizes = [dimension, *[self.width] * self.layers, 1]
        weights = []
        for before, after in itertools.pairwise(sizes):
            limit = (6.0 / (before + after)) ** 0.5  # Glorot and Bengio 2010, as Keras starts
            shape = (self.members, before, after)
            drawn = torch.rand(shape, dtype=torch.float64, generator=generator)
            weights.append((limit * (2.0 * drawn - 1.0)).requires_grad_())
            zeros = torch.zeros(self.members, 1, after, dtype=torch.float64)
            weights.append(zeros.requires_grad_())
        return weights


@dataclass(frozen=True, slots=True)
class DeepEnsemblePredictor:
    """A trained ensemble.

    Attributes:
        weights: Matrices `members x in x out` and offsets `members x 1 x out`, in turn.
        bound: The value from which the networks predict the distance.
        spread: The unit of that distance.
    """

    weights: tuple[torch.Tensor, ...]
    bound: float
    spread: float

    def marginals(self, features: torch.Tensor) -> Marginals:
        """Mean and variance over the members, in the values' units."""
        predicted = self.bound - self.spread * _forward(self.weights, features)
        return Marginals(predicted.mean(0), predicted.var(0).clamp_min(1e-18 * self.spread**2))

    def interval(self, features: torch.Tensor, *, level: float = 0.95) -> Interval:
        """The interval of normal distributions with the marginals' moments."""
        return self.marginals(features).interval(level)


def _forward(
    weights: list[torch.Tensor] | tuple[torch.Tensor, ...], features: torch.Tensor
) -> torch.Tensor:
    """The members' outputs, `members x n`."""
    hidden = features.expand(len(weights[0]), *features.shape)
    for i in range(0, len(weights), 2):
        hidden = torch.baddbmm(weights[i + 1], hidden, weights[i])
        if i + 2 < len(weights):
            hidden = hidden.relu()
    return hidden.squeeze(-1)
