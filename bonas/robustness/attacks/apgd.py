"""APGD: PGD that chooses its own step lengths (Croce and Hein 2020, section 3 and algorithm 1).

Of the paper's two losses this is the one with cross-entropy. Its other, the difference of logits
ratio, needs three classes.
"""

import math
from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor

from bonas.robustness.attacks.best import Attacked, Best, choose
from bonas.robustness.attacks.cycles import place_in_cycle
from bonas.robustness.attacks.objective import Network, Objective, check_counts, image_generators

VERSION = 2  # of the attacked pixels: raise it whenever a change alters any of them
CYCLE = 20  # steps of the first cycle: the default length of an attack
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
    back to its best point with half the step. Checkpoints are shares of a cycle of 20 steps, as the
    paper's are of the attack; after it follow cycles of 40, 80, ... from the best point, with the
    first step again. So the steps of an attack are the first ones of every longer attack, which is
    never weaker on any image; nor is one with more restarts.

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


@dataclass(slots=True, eq=False)
class _Ascent:
    """The state of a cycle.

    Attributes:
        now: where each image is.
        before: `n x 3 x h x w`, where it was a step earlier.
        top: the best point met.
        length: `n`, of the next step.
        rises: `n`, in how many steps the loss rose since the last checkpoint.
        top_values: `n`, the best loss at that checkpoint.
        halved: `n`, whether the step was halved there.
    """

    now: _Point
    before: Tensor
    top: _Point
    length: Tensor
    rises: Tensor
    top_values: Tensor
    halved: Tensor

    @classmethod
    def at(cls, point: _Point, radius: float) -> "_Ascent":
        """The beginning of a cycle."""
        zero = torch.zeros_like(point.values)
        length = zero + 2.0 * radius
        return cls(point, point.images, point, length, zero, point.values, zero.bool())

    def move(self, new: _Point) -> None:
        """Go there, and remember whether that was better."""
        self.rises = self.rises + (new.values > self.now.values)
        self.top = new.where(new.values > self.top.values, self.top)
        self.before, self.now = self.now.images, new

    def judge(self, steps: int) -> None:
        """Halve the steps of images that stalled in so many, and go back to their best point."""
        few = self.rises < _RISING * steps  # condition 1
        idle = ~self.halved & (self.top.values == self.top_values)  # condition 2
        self.halved, self.top_values = few | idle, self.top.values
        self.length = torch.where(self.halved, self.length / 2.0, self.length)
        self.now = self.top.where(self.halved, self.now)
        self.rises = torch.zeros_like(self.rises)


def _ascend(objective: Objective, start: Tensor, iterations: int, best: Best) -> None:
    point = _Point(start, *objective.value_and_gradient(start))
    best.offer(start, point.values)
    ascent = _Ascent.at(point, objective.radius)
    for k in range(iterations):
        done, length = place_in_cycle(k, CYCLE)
        if k and not done:
            ascent = _Ascent.at(ascent.top, objective.radius)
        images = _step(objective, ascent.now, ascent.before, ascent.length, momentum=done > 0)
        if k + 1 == iterations:
            best.offer(images, objective.value(images))  # nobody needs the gradient there
            return
        new = _Point(images, *objective.value_and_gradient(images))
        best.offer(images, new.values)
        ascent.move(new)
        judged = checkpoints(length)
        if done + 1 in judged:
            ascent.judge(done + 1 - judged[judged.index(done + 1) - 1])


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
