"""PGD: repeated steps along the sign of the gradient from random starts (Madry et al. 2018)."""

import torch
from torch import Tensor

from bonas.robustness.attacks.best import Attacked, Best
from bonas.robustness.attacks.objective import Network, Objective, check_counts, image_generators

VERSION = 1  # of the attacked pixels: raise it whenever a change alters any of them
STEP = 0.25  # of the budget: 2/255 of 8/255, as Madry et al. step on CIFAR-10


def pgd(
    network: Network,
    images: Tensor,
    labels: Tensor,
    eps: float,
    *,
    iterations: int = 20,
    step: float = STEP,
    restarts: int = 1,
    generator: torch.Generator,
) -> Attacked:
    """The strongest points on walks `x <- P(x + step eps/255 sign(grad_x loss(x, y)))`.

    `P` projects into the ball and [0, 1]; a walk starts evenly drawn from the ball (Madry et al.
    2018, section 2.1). The step does not depend on the number of iterations, so a longer attack
    goes on where a shorter one ends and is never weaker; nor is one with more restarts.

    Args:
        network: `n x 3 x h x w` float32 to logits `n` (or `n x 1`), in evaluation mode.
        images: `n x 3 x h x w`, floating, in [0, 1].
        labels: `n`, 1 forged and 0 genuine.
        eps: budget in units of 1/255, not negative.
        iterations: steps of each walk.
        step: length of a step as a share of `eps`, positive.
        restarts: walks from starts of their own.
        generator: of the starts, on the CPU; one seed gives one result however images are batched.

    Raises:
        ValueError: an argument is none of these, or the logits do not depend on the images.
    """
    check_counts(iterations=iterations, restarts=restarts)
    if not step > 0.0:
        raise ValueError(f"step must be positive, got {step}; {STEP} of the budget is customary")
    objective = Objective.of(network, images, labels, eps)
    best = Best.of(objective)
    length = step * objective.radius
    for points in objective.starts(restarts, image_generators(len(images), generator)):
        for _ in range(iterations):
            values, gradient = objective.value_and_gradient(points)
            best.offer(points, values)
            points = objective.project(points + length * gradient.sign())
        best.offer(points, objective.value(points))
    return best.attacked()
