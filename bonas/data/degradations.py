"""What training does to image quality: blur, noise, JPEG, and scaling down and up.

Every image of a batch has a strength of its own, from 0 to 1. Batches are changed at once where
that can be; scaled images are of several sizes and change one by one.
"""

import math

import kornia
import torch
from torch.nn import functional


def blurred(
    images: torch.Tensor, strengths: torch.Tensor, generator: torch.Generator
) -> torch.Tensor:
    """Blurred by a Gaussian of 0.003 to 0.015 of the width."""
    width = images.shape[-1]
    sigmas = (0.003 + 0.012 * strengths) * width
    # One size for all, so that the others of a batch change nothing of an image.
    size = 2 * math.ceil(2.5 * 0.015 * width) + 1
    pairs = sigmas.to(images.device)[:, None].expand(-1, 2)
    return kornia.filters.gaussian_blur2d(images, (size, size), pairs)


def noised(
    images: torch.Tensor, strengths: torch.Tensor, generator: torch.Generator
) -> torch.Tensor:
    """With normal noise of 0.01 to 0.08."""
    noise = torch.randn(images.shape, generator=generator).to(images.device)
    return images + (0.01 + 0.07 * strengths).to(images.device)[:, None, None, None] * noise


def compressed(
    images: torch.Tensor, strengths: torch.Tensor, generator: torch.Generator
) -> torch.Tensor:
    """Through JPEG of the qualities 30 to 95."""
    qualities = (30 + 65 * strengths).to(images.device)
    return kornia.enhance.jpeg_codec_differentiable(images, qualities)


def rescaled(
    images: torch.Tensor, strengths: torch.Tensor, generator: torch.Generator
) -> torch.Tensor:
    """Reduced to between 1 and 0.4 of the edges, and enlarged again."""
    height, width = images.shape[-2:]
    found = []
    for image, strength in zip(images.split(1), strengths.tolist(), strict=True):
        scale = 1 - 0.6 * strength
        small = (max(8, round(height * scale)), max(8, round(width * scale)))
        reduced = functional.interpolate(image, small, mode="bilinear", antialias=True)
        found.append(
            functional.interpolate(reduced, (height, width), mode="bilinear", align_corners=False)
        )
    return torch.cat(found)


DEGRADATIONS = (blurred, noised, compressed, rescaled)
"""Each takes images in [0, 1], `n x 3 x h x w`, their strengths and a generator, both on the CPU,
and gives images that may leave the range."""
