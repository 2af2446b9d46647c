"""What every attack maximises, and the ball it must stay in.

    y   label, 1 forged and 0 genuine          z(x)   the network's logit of an image
    m   (1 - 2 y) z, the *signed logit*        loss   softplus(m), the binary cross-entropy

Images are `n x 3 x h x w`, float in [0, 1], before any normalisation, which is the network's own.
Budgets are in units of 1/255: `eps=1.0` moves every pixel value by at most one level of 8 bits.
Networks give one logit per image, higher meaning more likely forged (label 1). They must be in
evaluation mode, so that images do not act on each other through batch statistics.

**Attacks work on m, not on the loss.** The loss rises strictly with m, so both order points alike
and the signs of their gradients agree: an attack that looks at these two only, as all do here,
takes the same steps. The loss itself and its gradient are rounded to zero where the detector is
right and very sure (m far below 0), and a saturated detector would pass for a robust one.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Self

import torch
from torch import Tensor, nn

Network = Callable[[Tensor], Tensor]


@dataclass(frozen=True, slots=True, eq=False)
class Objective:
    """The signed logit over the ball of radius `eps / 255` around images, within [0, 1].

    Attributes:
        network: `n x 3 x h x w` float32 to logits `n` (or `n x 1`), in evaluation mode.
        images: `n x 3 x h x w`, float32: the centres.
        signs: `n`, 1 for genuine and -1 for forged images.
        radius: of the ball, white being 1.
        lower: `n x 3 x h x w`, the least value of each pixel.
        upper: `n x 3 x h x w`, the greatest.
    """

    network: Network
    images: Tensor
    signs: Tensor
    radius: float
    lower: Tensor
    upper: Tensor

    @classmethod
    def of(cls, network: Network, images: Tensor, labels: Tensor, eps: float) -> Self:
        """The objective of an attack.

        Args:
            network: `n x 3 x h x w` float32 to logits `n` (or `n x 1`), in evaluation mode.
            images: `n x 3 x h x w`, floating, in [0, 1].
            labels: `n`, 1 forged and 0 genuine.
            eps: budget in units of 1/255, not negative.

        Raises:
            ValueError: an argument is none of these.
        """
        _check(network, images, labels, eps)
        # An inference tensor cannot enter a graph, so the copy is made outside inference mode.
        with torch.inference_mode(False), torch.no_grad():
            centres = images.detach().to(torch.float32, copy=True)
            radius = eps / 255.0
            lower, upper = (centres - radius).clamp_(min=0.0), (centres + radius).clamp_(max=1.0)
            signs = 1.0 - 2.0 * labels.to(device=centres.device, dtype=torch.float32)
        return cls(network, centres, signs, radius, lower, upper)

    def value(self, points: Tensor) -> Tensor:
        """Signed logits of points in the ball, `n` float32.

        Raises:
            ValueError: the network gives another number of logits, or NaN.
        """
        with torch.no_grad(), torch.autocast(points.device.type, enabled=False):
            return self._signed(points, self.network(points))

    def value_and_gradient(self, points: Tensor) -> tuple[Tensor, Tensor]:
        """Signed logits, `n`, and their gradient by the pixels, `n x 3 x h x w`, both float32.

        Raises:
            ValueError: as `value`, or the logits do not depend on the points.
        """
        with torch.inference_mode(False), torch.enable_grad():
            leaf = points.detach().clone().requires_grad_(True)
            with torch.autocast(leaf.device.type, enabled=False):
                logits = self.network(leaf)
            values = self._signed(points, logits)
            if not logits.requires_grad:
                raise ValueError(
                    f"network must give one differentiable logit per image, got shape "
                    f"{tuple(logits.shape)} for {len(points)} images, requires_grad=False; "
                    f"do not detach inside it"
                )
            (gradient,) = torch.autograd.grad(values.sum(), leaf)
        return values.detach(), gradient

    def project(self, points: Tensor) -> Tensor:
        """The nearest points in the ball and in [0, 1]."""
        return torch.clamp(points, self.lower, self.upper)

    def starts(self, restarts: int, generators: list[torch.Generator]) -> Iterator[Tensor]:
        """Points drawn evenly from the ball, one per image and restart.

        Args:
            restarts: how many times.
            generators: one per image, on the CPU.
        """
        for _ in range(restarts):
            drawn = [torch.rand(self.images.shape[1:], generator=g) for g in generators]
            shifts = torch.stack(drawn).to(self.images.device) * 2.0 - 1.0
            yield self.project(self.images + self.radius * shifts)

    def _signed(self, points: Tensor, logits: Tensor) -> Tensor:
        if logits.numel() != len(points):
            raise ValueError(
                f"network must give one differentiable logit per image, got shape "
                f"{tuple(logits.shape)} for {len(points)} images; use one output"
            )
        values = self.signs * logits.view(-1).float()
        if bool(values.isnan().any()):
            raise ValueError(
                f"network must give finite logits, got NaN for {int(values.isnan().sum())} of "
                f"{len(points)} images; an attack cannot tell what misleads it"
            )
        return values


def image_generators(count: int, generator: torch.Generator) -> list[torch.Generator]:
    """A generator per image, seeded from one: draws do not depend on how images are batched.

    Raises:
        ValueError: the generator is not on the CPU.
    """
    if generator.device.type != "cpu":
        raise ValueError(
            f"generator must be on the CPU, got one on {generator.device}; the attack then draws "
            f"the same on every device"
        )
    seeds = torch.randint(2**62, (count,), generator=generator)
    return [torch.Generator().manual_seed(seed) for seed in seeds.tolist()]


def check_counts(**counts: int) -> None:
    """Refuse iterations or restarts below 1.

    Raises:
        ValueError: one of them is.
    """
    for name, count in counts.items():
        if count < 1:
            raise ValueError(f"{name} must be at least 1, got {count}; more is a stronger attack")


def _check(network: Network, images: Tensor, labels: Tensor, eps: float) -> None:
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
