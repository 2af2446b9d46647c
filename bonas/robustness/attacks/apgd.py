"""APGD: PGD that chooses its own step lengths (Croce and Hein 2020, section 3 and algorithm 1).

Of the paper's two losses this is the one with cross-entropy. Its other, the difference of logits
ratio, needs three classes.
"""

import math
from typing import NamedTuple

import torch
from torch import Tensor

from bonas.robustness.attacks.best import Attacked, Best, choose
from bonas.robustness.attacks.objective import Network, Objective, check_counts, image_generators

VERSION = 1  # of the attacked pixels: raise it whenever a change alters any of them
_MOMENTUM = 0.75  # alpha of equation 5: share of the new step
_RISING = 0.75  # rho of condition 1: steps are halved unless this share of them raised the loss


def apgd(
    network: Network,
    images: Tensor,
    labels: Tensor,
    eps: float,
    *,
    iterations: int = 20,
    restarts: int = 1,
    generator: torch.Generator,
) -> Attacked:
    """The strongest points on ascents with momentum whose steps are halved where they stall.

    The first step spans the ball. At checkpoints that become denser, an image whose loss rose in
    too few steps, or that neither found a better point nor a shorter step since the last one, goes
    back to its best point with half the step. Checkpoints are shares of `iterations`, so a longer
    attack takes another way; more restarts are never weaker.

    Args:
        network: `n x 3 x h x w` float32 to logits `n` (or `n x 1`), in evaluation mode.
        images: `n x 3 x h x w`, floating, in [0, 1].
        labels: `n`, 1 forged and 0 genuine.
        eps: budget in units of 1/255, not negative.
        iterations: steps of each ascent.
        restarts: ascents from starts of their own.
        generator: of the starts, on the CPU; one seed gives one result however images are batched.

    Raises:
        ValueError: an argument is none of these, or the logits do not depend on the images.
    """
    check_counts(iterations=iterations, restarts=restarts)
    objective = Objective.of(network, images, labels, eps)
    best = Best.of(objective)
    for start in objective.starts(restarts, image_generators(len(images), generator)):
        _ascend(objective, start, iterations, best)
    return best.attacked()


def checkpoints(iterations: int) -> list[int]:
    """Steps after which step lengths are judged, `ceil(p_j iterations)`, rising.

    `p_0 = 0`, `p_1 = 0.22`, `p_j+1 = p_j + max(p_j - p_j-1 - 0.03, 0.06)` (section 3.2).
    """
    found, before, share = [0], 0.0, 0.22
    while share <= 1.0:
        # The shares are hundredths; their sums in binary can lie a hair above a whole step.
        found.append(math.ceil(share * iterations - 1e-9))
        before, share = share, share + max(share - before - 0.03, 0.06)
    return sorted(set(found))


class _Point(NamedTuple):
    """Where each image is, with its signed logit and gradient there."""

    images: Tensor  # (n, 3, h, w)
    values: Tensor  # (n,)
    gradient: Tensor  # (n, 3, h, w)

    def where(self, mask: Tensor, other: "_Point") -> "_Point":
        """This point where the mask, `n`, says so, otherwise the other."""
        return _Point(*(choose(mask, a, b) for a, b in zip(self, other, strict=True)))


def _ascend(objective: Objective, start: Tensor, iterations: int, best: Best) -> None:
    now = _Point(start, *objective.value_and_gradient(start))
    best.offer(start, now.values)
    before, top = start, now
    length = torch.full_like(now.values, 2.0 * objective.radius)
    rises, top_values = torch.zeros_like(now.values), now.values
    halved = torch.zeros_like(now.values, dtype=torch.bool)
    judged = checkpoints(iterations)
    for k in range(iterations):
        images = _step(objective, now, before, length, momentum=k > 0)
        if k + 1 == iterations:
            best.offer(images, objective.value(images))  # nobody needs the gradient there
            return
        new = _Point(images, *objective.value_and_gradient(images))
        best.offer(images, new.values)
        rises += new.values > now.values
        top = new.where(new.values > top.values, top)
        before, now = now.images, new
        if k + 1 in judged:
            steps = k + 1 - judged[judged.index(k + 1) - 1]
            few = rises < _RISING * steps  # condition 1
            idle = ~halved & (top.values == top_values)  # condition 2
            halved, top_values = few | idle, top.values
            length = torch.where(halved, length / 2.0, length)
            now = top.where(halved, now)
            rises = torch.zeros_like(rises)


def _step(
    objective: Objective,
    now: _Point,
    before: Tensor,  # (n, 3, h, w), the images one step earlier
    length: Tensor,  # (n,)
    *,
    momentum: bool,
) -> Tensor:
    """The next images: a projected step, blended with the last one (equation 5)."""
    ahead = objective.project(now.images + length.view(-1, 1, 1, 1) * now.gradient.sign())
    if not momentum:
        return ahead
    fresh, kept = ahead - now.images, now.images - before
    return objective.project(now.images + _MOMENTUM * fresh + (1.0 - _MOMENTUM) * kept)
