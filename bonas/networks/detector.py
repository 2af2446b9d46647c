"""Detector: a network with its architecture, from images in [0, 1] to logits."""

from collections.abc import Callable
from typing import Protocol, TypeAlias, runtime_checkable

import torch
from torch import nn
from torch.nn import functional

from spaces.architecture import Architecture

# Mean and standard deviation of face crops are near these for every channel; fixed, so that a
# detector needs no statistics of the data it was trained on.
PIXEL_MEAN, PIXEL_SCALE = 0.45, 0.25

Logits: TypeAlias = Callable[[torch.Tensor], torch.Tensor]
"""From images in [0, 1], float32 `n x 3 x h x w`, to logits, float32 `n`."""


@runtime_checkable
class Localising(Protocol):
    """A `SharedNetwork` with a second head, for the manipulated region."""

    def localise(
        self, images: torch.Tensor, architecture: Architecture
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Logits of normalised images, `n`, and of coarser positions, `n x h' x w'`."""


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

    def regions(self, images: torch.Tensor) -> torch.Tensor:
        """The probability that each pixel was manipulated, `n x h x w`, of images in [0, 1].

        Positions of the network are coarser; pixels between them are interpolated.

        Raises:
            ValueError: the network has no head for regions.
        """
        if not isinstance(self.network, Localising):
            raise ValueError(f"{type(self.network).__name__} has no head for regions.")
        _, where = self.network.localise(normalise(images), self.architecture)
        found = functional.interpolate(
            where.float().sigmoid()[:, None], images.shape[-2:], mode="bilinear"
        )
        return found[:, 0]


def normalise(images: torch.Tensor) -> torch.Tensor:
    """Images in [0, 1] as networks take them: centred, scaled, channels last."""
    scaled = (images - PIXEL_MEAN) / PIXEL_SCALE
    return scaled.contiguous(memory_format=torch.channels_last)
