"""Detector: a network with its architecture, from images in [0, 1] to logits."""

from collections.abc import Callable
from typing import TypeAlias

import torch
from torch import nn

from spaces.architecture import Architecture

# Mean and standard deviation of face crops are near these for every channel; fixed, so that a
# detector needs no statistics of the data it was trained on.
PIXEL_MEAN, PIXEL_SCALE = 0.45, 0.25

Logits: TypeAlias = Callable[[torch.Tensor], torch.Tensor]
"""From images in [0, 1], float32 `n x 3 x h x w`, to logits, float32 `n`."""


class Detector(nn.Module):
    """A network restricted to one architecture; a positive logit means forged.

    Args:
        network: A `SharedNetwork`.
        architecture: Which of its operations to use.
    """

    def __init__(self, network: nn.Module, architecture: Architecture) -> None:
        super().__init__()
        self.network = network
        self.architecture = architecture

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        """Logits, `n`, of images in [0, 1], `n x 3 x h x w`."""
        logits: torch.Tensor = self.network(normalise(images), self.architecture)
        return logits


def normalise(images: torch.Tensor) -> torch.Tensor:
    """Images in [0, 1] as networks take them: centred, scaled, channels last."""
    scaled = (images - PIXEL_MEAN) / PIXEL_SCALE
    return scaled.contiguous(memory_format=torch.channels_last)
