"""Gradients of operations' strengths in DARTS (Liu et al. 2019), of first and of second order."""

from collections.abc import Callable, Sequence

import torch

PERTURBATION = 0.01
"""Length of the finite difference of the second order (Liu et al. 2019, footnote 2)."""

Loss = Callable[[], torch.Tensor]


def strength_gradients(
    train_loss: Loss,
    validation_loss: Loss,
    weights: Sequence[torch.Tensor],
    strengths: Sequence[torch.Tensor],
    optimiser: torch.optim.SGD,
    *,
    order: int,
) -> list[torch.Tensor]:
    """Gradient of the validation loss by the strengths (Liu et al. 2019, equations 6 to 8).

    Of first order at the present weights. Of second order at `w - rate * (dw + momentum)`, which
    depends on the strengths as well; the Hessian-vector product is a central difference of two
    gradients. The weights are left as they were.

    Args:
        train_loss: Of the present weights and strengths, with a graph.
        validation_loss: The same on the other half.
        weights: Leaves with gradient.
        strengths: Leaves with gradient.
        optimiser: Of the weights: its rate, momentum and weight decay make the step ahead.
        order: 1 or 2.
    """
    if order == 1:
        return _gradients(validation_loss(), strengths)
    before = [weight.detach().clone() for weight in weights]
    rate = float(optimiser.param_groups[0]["lr"])
    ahead = _steps(_gradients(train_loss(), weights), weights, optimiser)
    with torch.no_grad():
        for weight, direction in zip(weights, ahead, strict=True):
            weight -= rate * direction
    joint = _gradients(validation_loss(), [*strengths, *weights])
    direct, vector = joint[: len(strengths)], joint[len(strengths) :]
    length = torch.stack([v.norm() for v in vector]).norm()
    epsilon = PERTURBATION / float(length.clamp_min(1e-12))
    sides = []
    for sign in (1.0, -1.0):
        with torch.no_grad():
            for weight, old, v in zip(weights, before, vector, strict=True):
                weight.copy_(old + sign * epsilon * v)
        sides.append(_gradients(train_loss(), strengths))
    with torch.no_grad():
        for weight, old in zip(weights, before, strict=True):
            weight.copy_(old)
    return [
        d - rate * (plus - minus) / (2 * epsilon)
        for d, plus, minus in zip(direct, *sides, strict=True)
    ]


def _gradients(loss: torch.Tensor, leaves: Sequence[torch.Tensor]) -> list[torch.Tensor]:
    found = torch.autograd.grad(loss, leaves, allow_unused=True)
    return [
        torch.zeros_like(leaf) if gradient is None else gradient
        for leaf, gradient in zip(leaves, found, strict=True)
    ]


def _steps(
    gradients: Sequence[torch.Tensor], weights: Sequence[torch.Tensor], optimiser: torch.optim.SGD
) -> list[torch.Tensor]:
    """The directions of the optimiser's next step: momentum, gradient and decay."""
    group = optimiser.param_groups[0]
    found = []
    for gradient, weight in zip(gradients, weights, strict=True):
        direction = gradient + group["weight_decay"] * weight.detach()
        momentum = optimiser.state.get(weight, {}).get("momentum_buffer")
        if momentum is not None:
            direction = direction + group["momentum"] * momentum
        found.append(direction)
    return found
