"""Square Attack: random search by squares, without gradients (Andriushchenko et al. 2020).

It needs nothing of the network but its logits, so it is not misled by gradients that vanish or
point nowhere: where it beats attacks by gradients, those say little (`masking.py`).
"""

import math

import torch
from torch import Tensor

from bonas.robustness.attacks.best import Attacked, Best, choose
from bonas.robustness.attacks.cycles import place_in_cycle
from bonas.robustness.attacks.objective import Network, Objective, check_counts, image_generators

VERSION = 2  # of the attacked pixels: raise it whenever a change alters any of them
CYCLE = 200  # iterations of the first cycle: the default length of an attack
SHARE = 0.8  # p_init: of the image that the first squares cover
_HALVINGS = (10, 50, 200, 500, 1000, 2000, 4000, 6000, 8000)  # of 10,000 iterations (section 3.2)


def square(
    network: Network,
    images: Tensor,
    labels: Tensor,
    eps: float,
    *,
    iterations: int = 200,
    restarts: int = 1,
    generator: torch.Generator,
) -> Attacked:
    """The strongest points of a random search among corners of the ball.

    It starts from vertical stripes one pixel wide. Each iteration shifts a square, at a place drawn
    at random, to one end of the budget in each colour, and keeps the change where it raises the
    loss (Andriushchenko et al. 2020, algorithms 1 and 2). Squares shrink in the paper's steps of
    10,000 iterations, rescaled to a cycle of 200; after it follow cycles of 400, 800, ... from
    where the last one ended. So the squares of an attack are the first ones of every longer attack,
    which is never weaker on any image; nor is one with more restarts. An image that is misled
    already is attacked on: an AUC depends on how far.

    Args:
        network: `n x 3 x h x w` float32 to logits `n` (or `n x 1`), in evaluation mode; gradients
            are not needed.
        images: `n x 3 x h x w`, floating, in [0, 1].
        labels: `n`, 1 forged and 0 genuine.
        eps: budget in units of 1/255, not negative.
        iterations: squares tried from each start, each one evaluation of the network.
        restarts: searches from stripes of their own.
        generator: on the CPU; one seed gives one result however images are batched.

    Raises:
        ValueError: an argument is none of these.
    """
    check_counts(iterations=iterations, restarts=restarts)
    objective = Objective.of(network, images, labels, eps)
    best = Best.of(objective)
    generators = image_generators(len(images), generator)
    for _ in range(restarts):
        # Of its own for each start: what is drawn does not depend on the iterations before it.
        own = [image_generators(1, g)[0] for g in generators]
        points = _stripes(objective, own)
        values = objective.value(points)
        best.offer(points, values)
        draws = torch.stack([torch.rand(iterations, 5, generator=g) for g in own], dim=1)
        for k, drawn in enumerate(draws.to(points.device)):
            side = square_side(*place_in_cycle(k, CYCLE), images.shape[2], images.shape[3])
            changed = objective.project(
                points + 2.0 * objective.radius * _square(points, drawn, side)
            )
            after = objective.value(changed)
            points, values = choose(after > values, changed, points), torch.maximum(after, values)
            best.offer(points, values)
    return best.attacked()


def square_side(iteration: int, iterations: int, height: int, width: int) -> int:
    """Side of the square tried in an iteration, from 0, of a cycle of so many: at least 1 pixel."""
    place = iteration * 10_000 // iterations
    share = SHARE / (1 << sum(place > halving for halving in _HALVINGS))
    return min(max(1, round(math.sqrt(share * height * width))), height, width)


def _stripes(objective: Objective, generators: list[torch.Generator]) -> Tensor:
    """Each column of each colour at one end of the budget."""
    _, colours, _, width = objective.images.shape
    drawn = [torch.rand(colours, 1, width, generator=g) for g in generators]
    signs = _signs(torch.stack(drawn).to(objective.images.device))
    return objective.project(objective.images + objective.radius * signs)


def _square(points: Tensor, drawn: Tensor, side: int) -> Tensor:
    """A square of -1 or 1 per colour in each image, 0 elsewhere, from even draws, `n x 5`."""
    inside = []
    for dim in (2, 3):
        size = points.shape[dim]
        first = (drawn[:, dim - 2] * (size - side + 1)).long().view(-1, 1)
        place = torch.arange(size, device=points.device)
        inside.append((place >= first) & (place < first + side))
    mask = inside[0][:, None, :, None] & inside[1][:, None, None, :]
    return mask * _signs(drawn[:, 2:])[:, :, None, None]


def _signs(drawn: Tensor) -> Tensor:
    """-1 or 1 alike often, from draws in [0, 1)."""
    return torch.where(drawn < 0.5, -1.0, 1.0)
