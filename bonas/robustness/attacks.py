"""Attacks with white-box access: the least change of the pixels that misleads the detector.

Images are `n x 3 x h x w`, float in [0, 1], before any normalisation, which is the network's own.
Budgets are in units of 1/255: `eps=1.0` moves every pixel value by at most one level of 8 bits.
Networks give one logit per image, higher meaning more likely forged (label 1). They must be in
evaluation mode, so that images do not act on each other through batch statistics.
"""

from collections.abc import Callable
from enum import StrEnum

import torch
from torch import Tensor, nn

from bonas.robustness.conditions import Scalar

VERSION = 1  # of the attacked pixels: raise it whenever a change below alters any of them
Network = Callable[[Tensor], Tensor]


class Attack(StrEnum):
    """Kinds of attack."""

    FGSM = "fgsm"


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
    _check_attack(network, images, labels, eps)
    gradient = _loss_gradient(network, images, labels)
    moved = images.detach().to(torch.float32) + eps / 255.0 * gradient.sign()
    return moved.clamp_(0.0, 1.0)


def attack_definition(attack: Attack, eps: float) -> dict[str, Scalar]:
    """What decides an attack besides images and network, for a `ConditionSet`."""
    return {"attack": attack.value, "eps": float(eps), "version": VERSION}


def _loss_gradient(network: Network, images: Tensor, labels: Tensor) -> Tensor:
    """Gradient of the loss by the images up to a positive factor per image, in float32.

    The loss `softplus((1 - 2 y) z)` rises strictly with `(1 - 2 y) z`, whose gradient is taken
    instead: that of the loss itself is rounded to zero where the detector is right and very sure
    (z beyond 17 in float32), and a saturated detector would pass for a robust one.
    """
    # An inference tensor cannot enter a graph, so the copy is made outside inference mode.
    with torch.inference_mode(False), torch.enable_grad():
        points = images.detach().to(torch.float32, copy=True).requires_grad_(True)
        with torch.autocast(points.device.type, enabled=False):
            logits = network(points)
        if logits.numel() != len(points) or not logits.requires_grad:
            raise ValueError(
                f"network must give one differentiable logit per image, got shape "
                f"{tuple(logits.shape)} for {len(points)} images, requires_grad="
                f"{logits.requires_grad}; do not detach inside it, and use one output"
            )
        signs = 1.0 - 2.0 * labels.to(device=points.device, dtype=torch.float32)
        (gradient,) = torch.autograd.grad((signs * logits.view(-1)).sum(), points)
    return gradient


def _check_attack(network: Network, images: Tensor, labels: Tensor, eps: float) -> None:
    if not images.is_floating_point() or images.ndim != 4 or images.shape[1] != 3:
        raise ValueError(
            f"images must be floating of shape n x 3 x h x w, got {images.dtype} of shape "
            f"{tuple(images.shape)}; divide uint8 by 255"
        )
    if not bool(((images >= 0.0) & (images <= 1.0)).all()):
        raise ValueError(
            f"images must lie in [0, 1], got {images.min().item()} to {images.max().item()}; "
            f"let the network normalise them"
        )
    if labels.shape != images.shape[:1] or not bool(((labels == 0) | (labels == 1)).all()):
        raise ValueError(
            f"labels must be 0 or 1, one per image, got shape {tuple(labels.shape)} for "
            f"{len(images)} images; 1 means forged"
        )
    if not 0.0 <= eps <= 255.0:
        raise ValueError(f"eps must be in [0, 255], got {eps}; its unit is 1/255")
    if isinstance(network, nn.Module) and network.training:
        raise ValueError("network must be in evaluation mode, got training mode; call .eval()")
