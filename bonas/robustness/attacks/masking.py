"""Whether a detector hides its gradients: it then only looks robust against attacks that use them.

A layer that saturates, rounds or draws at random leaves no gradient to follow, and PGD stays where
it starts; the detector can be misled all the same. The sign of it is an attack without gradients
that does better than one with them, at fewer bits of information per evaluation (Athalye et al.
2018, section 3.1; Carlini et al. 2019, section 3.6).
"""

import math
from dataclasses import asdict, dataclass
from typing import Any

import torch
from torch import Tensor

from bonas.robustness.attacks.apgd import apgd
from bonas.robustness.attacks.attack import DEFAULT_EFFORT, Effort
from bonas.robustness.attacks.objective import Network, Objective
from bonas.robustness.attacks.square import square

LEVEL = 0.01  # of the sign test: a detector with honest gradients is accused once in a hundred
FEWEST = 8  # images; with fewer no outcome of the sign test is that rare


@dataclass(frozen=True, slots=True, kw_only=True)
class GradientMasking:
    """Square against APGD on the same images with the same budget.

    Attributes:
        images: How many were attacked.
        square_stronger: On how many Square reached the greater loss.
        apgd_stronger: On how many APGD did.
        p_value: Chance that Square is stronger on so many of them or more, were it stronger and
            weaker alike often.
        clean: Mean signed logit before any attack; above 0 is misled.
        apgd: The same after APGD.
        square: The same after Square.
        flat: Share of the images at which the gradient is zero in every pixel.
        eps: Budget of both attacks in units of 1/255.
        apgd_iterations: Of APGD.
        square_iterations: Of Square.
        restarts: Of both.
        seed: Of their draws.
    """

    images: int
    square_stronger: int
    apgd_stronger: int
    p_value: float
    clean: float
    apgd: float
    square: float
    flat: float
    eps: float
    apgd_iterations: int
    square_iterations: int
    restarts: int
    seed: int

    @property
    def masked(self) -> bool:
        """Whether Square is stronger on more images than chance explains."""
        return self.p_value < LEVEL

    def to_json(self) -> dict[str, Any]:
        """All numbers with the verdict."""
        return asdict(self) | {"masked": self.masked, "verdict": self.describe()}

    def describe(self) -> str:
        """The verdict with its numbers, one line."""
        verdict = "gradients are masked" if self.masked else "no sign of masked gradients"
        return (
            f"{verdict}: Square is stronger than APGD on {self.square_stronger} and weaker on "
            f"{self.apgd_stronger} of {self.images} images (p = {self.p_value:.2g}); mean signed "
            f"logit {self.clean:.3g} clean, {self.apgd:.3g} after APGD, {self.square:.3g} after "
            f"Square; no gradient at {self.flat:.0%} of the images; eps {self.eps:g}/255, "
            f"{self.apgd_iterations} iterations of APGD and {self.square_iterations} of Square"
        )


def masked_gradients(
    network: Network,
    images: Tensor,
    labels: Tensor,
    eps: float,
    *,
    effort: Effort = DEFAULT_EFFORT,
    generator: torch.Generator,
) -> GradientMasking:
    """Attack with and without gradients, and compare.

    Args:
        network: `n x 3 x h x w` float32 to logits `n` (or `n x 1`), in evaluation mode.
        images: `n x 3 x h x w`, floating, in [0, 1], at least 8.
        labels: `n`, 1 forged and 0 genuine.
        eps: budget in units of 1/255, positive.
        effort: iterations and restarts of both attacks.
        generator: of both, on the CPU.

    Raises:
        ValueError: an argument is none of these, or the logits do not depend on the images.
    """
    if len(images) < FEWEST or not eps > 0.0:
        raise ValueError(
            f"images must be at least {FEWEST} and eps positive, got {len(images)} and {eps}; "
            f"the verdict is a sign test at level {LEVEL}"
        )
    objective = Objective.of(network, images, labels, eps)
    clean, gradient = objective.value_and_gradient(objective.images)
    restarts = effort.restarts
    with_gradients = apgd(
        *(network, images, labels, eps),
        iterations=effort.apgd,
        restarts=restarts,
        generator=generator,
    ).trace[-1]
    without = square(
        *(network, images, labels, eps),
        iterations=effort.square,
        restarts=restarts,
        generator=generator,
    ).trace[-1]
    wins, losses = int((without > with_gradients).sum()), int((without < with_gradients).sum())
    return GradientMasking(
        images=len(images),
        square_stronger=wins,
        apgd_stronger=losses,
        p_value=_upper_tail(wins, wins + losses),
        clean=float(clean.double().mean()),
        apgd=float(with_gradients.double().mean()),
        square=float(without.double().mean()),
        flat=float((gradient.flatten(1) == 0.0).all(dim=1).double().mean()),
        eps=float(eps),
        apgd_iterations=effort.apgd,
        square_iterations=effort.square,
        restarts=restarts,
        seed=generator.initial_seed(),
    )


def _upper_tail(wins: int, trials: int) -> float:
    """Probability of at least so many heads of a fair coin."""
    return sum(math.comb(trials, k) for k in range(wins, trials + 1)) / (1 << trials)
