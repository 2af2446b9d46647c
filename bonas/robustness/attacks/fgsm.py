"""FGSM: one step along the sign of the gradient (Goodfellow et al. 2015)."""

from torch import Tensor

from bonas.robustness.attacks.objective import Network, Objective

VERSION = 1  # of the attacked pixels: raise it whenever a change alters any of them


def fgsm(network: Network, images: Tensor, labels: Tensor, eps: float) -> Tensor:
    """Images after one step along the sign of the loss's gradient, `n x 3 x h x w`, float32.

    `clip(x + eps/255 * sign(grad_x loss(x, y)), 0, 1)` with the binary cross-entropy of the logit
    (Goodfellow et al. 2015, section 4). For a network linear in x this is the strongest attack
    within the budget. Each image is attacked with its own label; the network's parameters and their
    gradients are left as they were, and no graph is kept.

    Args:
        network: `n x 3 x h x w` float32 to logits `n` (or `n x 1`), in evaluation mode.
        images: `n x 3 x h x w`, floating, in [0, 1].
        labels: `n`, 1 forged and 0 genuine.
        eps: budget in units of 1/255, not negative.

    Raises:
        ValueError: an argument is none of these, or the logits do not depend on the images.
    """
    objective = Objective.of(network, images, labels, eps)
    _, gradient = objective.value_and_gradient(objective.images)
    moved = objective.images + objective.radius * gradient.sign()
    return moved.clamp_(0.0, 1.0)
