"""Networks whose strongest attack is known or easily found, and images for them."""

import torch
from torch import Tensor, nn
from torch.nn.functional import binary_cross_entropy_with_logits


class Linear(nn.Module):
    """One logit, linear in the pixels, with weights that float32 adds without rounding."""

    def __init__(self, size: int, seed: int, scale: float = 1.0) -> None:
        super().__init__()
        generator = torch.Generator().manual_seed(seed)
        weight = torch.randint(-8, 9, (3, size, size), generator=generator) / 8.0 * scale
        self.weight = nn.Parameter(weight)

    def forward(self, x: Tensor) -> Tensor:
        return (x * self.weight).sum(dim=(1, 2, 3))


def small_network() -> nn.Module:
    with torch.random.fork_rng():
        torch.manual_seed(0)
        layers = [nn.Conv2d(3, 8, 3), nn.BatchNorm2d(8), nn.ReLU(), nn.Dropout(0.5)]
        network = nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(8, 1))
    return network.eval()


def sample(count: int, size: int, seed: int = 0) -> tuple[Tensor, Tensor]:
    """Images of multiples of 1/256, and labels of both classes."""
    generator = torch.Generator().manual_seed(seed)
    images = torch.randint(0, 257, (count, 3, size, size), generator=generator) / 256.0
    return images, torch.arange(count) % 2


def losses(network: nn.Module, images: Tensor, labels: Tensor) -> Tensor:
    with torch.no_grad():
        logits = network(images).view(-1).double()
    return binary_cross_entropy_with_logits(logits, labels.double(), reduction="none")


class Quadratic(nn.Module):
    """One logit, `sum a (x - c)^2` with a below 0 for each pixel: a single peak at c."""

    def __init__(self, size: int, seed: int) -> None:
        super().__init__()
        generator = torch.Generator().manual_seed(seed)
        self.curvature = nn.Parameter(-torch.rand(3, size, size, generator=generator) - 0.1)
        self.centre = nn.Parameter(torch.rand(3, size, size, generator=generator))

    def forward(self, x: Tensor) -> Tensor:
        return (self.curvature * (x - self.centre) ** 2).sum(dim=(1, 2, 3))


def trained_network(images: Tensor, labels: Tensor) -> nn.Module:
    """A small network without batch statistics that has learned these labels by heart."""
    with torch.random.fork_rng():
        torch.manual_seed(0)
        features = nn.Sequential(
            *(nn.Conv2d(3, 8, 3, padding=1), nn.ReLU(), nn.AvgPool2d(2)),
            *(nn.Conv2d(8, 16, 3, padding=1), nn.ReLU(), nn.Flatten()),
        )
        network = nn.Sequential(features, nn.Linear(16 * (images.shape[-1] // 2) ** 2, 1))
    weights = list(network.parameters())
    for step in range(60):
        loss = losses_with_graph(network, images, labels).mean()
        gradients = torch.autograd.grad(loss, weights)
        with torch.no_grad():
            for weight, gradient in zip(weights, gradients, strict=True):
                weight -= 0.01 * (1.0 - step / 60) * gradient.sign()
    return network.eval().requires_grad_(False)


def losses_with_graph(network: nn.Module, images: Tensor, labels: Tensor) -> Tensor:
    logits = network(images).view(-1)
    return binary_cross_entropy_with_logits(logits, labels.float(), reduction="none")
