"""The strongest point that an attack has met so far, image by image."""

from dataclasses import dataclass, field

import torch
from torch import Tensor
from torch.nn import functional

from bonas.robustness.attacks.objective import Objective


@dataclass(frozen=True, slots=True, eq=False)
class Attacked:
    """What an attack found, and how it got there.

    Attributes:
        images: `n x 3 x h x w`, float32: of all points visited, the untouched image among them, the
            one with the greatest loss.
        trace: `evaluations x n`, float32: the greatest signed logit so far after each evaluation of
            the network, that of the untouched image first; restarts follow each other.
    """

    images: Tensor
    trace: Tensor

    @property
    def losses(self) -> Tensor:
        """Binary cross-entropy along the attack, `evaluations x n`, float64; never falling."""
        return functional.softplus(self.trace.double())


@dataclass(slots=True, eq=False)
class Best:
    """Keeps, of the points it is offered, the strongest of each image."""

    images: Tensor  # (n, 3, h, w)
    values: Tensor  # (n,), signed logits
    trace: list[Tensor] = field(default_factory=list)

    @classmethod
    def of(cls, objective: Objective) -> "Best":
        """Starting from the untouched images: no attack makes a detector look better."""
        values = objective.value(objective.images)
        return cls(objective.images, values, [values])

    def offer(self, points: Tensor, values: Tensor) -> None:
        """Keep the points whose signed logits, `n`, exceed all before."""
        self.images = choose(values > self.values, points, self.images)
        self.values = torch.maximum(values, self.values)
        self.trace.append(self.values)

    def attacked(self) -> Attacked:
        """The result."""
        return Attacked(self.images, torch.stack(self.trace))


def choose(mask: Tensor, first: Tensor, second: Tensor) -> Tensor:
    """Of each image the first where the mask, `n`, says so, otherwise the second."""
    return torch.where(mask.view(-1, *[1] * (first.ndim - 1)), first, second)
