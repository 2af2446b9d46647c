"""The hand-designed detector of the comparisons: four blocks, no search."""

import torch
from torch import nn

from bonas.networks.heads import full_precision


class PlainNetwork(nn.Module):
    """A plain CNN: four blocks of a 3x3 and a depthwise-separable convolution, pooled between.

    0.1 M parameters at the default widths, as many as a typical detector of the `forgery` space.

    Args:
        widths: Channels of the four blocks.
    """

    def __init__(self, widths: tuple[int, int, int, int] = (16, 32, 64, 96)) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        previous = 3
        for number, width in enumerate(widths):
            if number:
                layers.append(nn.MaxPool2d(2))
            layers += [
                *_normalised(nn.Conv2d(previous, width, 3, padding=1, bias=False), width),
                nn.Conv2d(width, width, 3, padding=1, groups=width, bias=False),
                *_normalised(nn.Conv2d(width, width, 1, bias=False), width),
            ]
            previous = width
        self.features = nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten())
        self.logit = nn.Linear(previous, 1)

    def forward(self, images: torch.Tensor, architecture: object = None) -> torch.Tensor:
        """Logits, `n`, of normalised images; the architecture is fixed and ignored."""
        return full_precision(self.logit, self.features(images)).squeeze(1)


def _normalised(convolution: nn.Module, width: int) -> tuple[nn.Module, ...]:
    return convolution, nn.BatchNorm2d(width), nn.ReLU()
