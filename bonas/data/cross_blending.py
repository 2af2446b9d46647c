"""Pseudo-forgeries across people: a real face blended with the face of another original.

Face X-ray (Li et al. 2020, arXiv:1912.13458, section 3.2): the face that is put in is that of
another person whose features lie in nearly the same places, found among a random subset; its
colours are moved to those of the face that it covers, and a deformed, softened mask blends the two.
Beside a boundary (`bonas.data.blending` has that as well) such an image carries two cameras' noise
and two compressions. The published method compares landmarks and takes the mask from their hull.
Here faces are compared by what they look like at a few pixels, light removed, so that images alone
are enough; the mask is the hull of landmarks where the data have them, and else an ellipse.

All images of a batch are made at once on their device; random numbers come from a generator on the
CPU, so that a seed draws the same everywhere.
"""

from collections.abc import Sequence
from enum import StrEnum

import torch
from torch.nn import functional

from bonas.data.blending import FACE_AXES, FACE_CENTRE, face_masks, self_blended
from bonas.data.regions import Regions

OFFERED = 0.5  # share of the others that an image chooses its donor from; Li et al. draw 100
CELLS = 16  # per edge, at which faces are compared
GAIN = (0.5, 2.0)  # of a channel's contrast: a flat donor's noise is not blown up further


class Blend(StrEnum):
    """What a pseudo-forgery is blended from."""

    SELF = "self"  # a changed copy of the same image
    CROSS = "cross"  # the face of another original
    BOTH = "both"  # one of the two, by a fair coin


def cross_blended(
    images: torch.Tensor,
    originals: Sequence[str],
    *,
    hulls: torch.Tensor | None = None,
    generator: torch.Generator,
) -> tuple[torch.Tensor, torch.Tensor]:
    """A pseudo-forgery of each image with another original's face, and where it was changed.

    An image beside which there is no other original is blended with itself.

    Args:
        images: uint8, `n x 3 x h x w`, real faces.
        originals: Of each image, the real face or video that it belongs to.
        hulls: Of the faces, as `Faces.hulls`; the covered face's is blended by.
        generator: On the CPU.

    Returns:
        The blended images, uint8 `n x 3 x h x w`, and the blending weights in [0, 1], float32
        `n x 1 x h x w`. The published face X-ray of weights `m` is `4 m (1 - m)`.
    """
    chosen = donors(images, originals, generator=generator)
    weight = face_masks(images, hulls, generator)
    target = images.float() / 255
    source = recoloured(target[chosen], target, weight)
    blended = (weight * source + (1 - weight) * target) * 255
    result = blended.round().clamp(0, 255).to(torch.uint8)
    alone = chosen == torch.arange(len(images), device=images.device)
    if bool(alone.any()):
        own = None if hulls is None else hulls[alone.cpu()]
        result[alone], weight[alone] = self_blended(images[alone], hulls=own, generator=generator)
    return result, weight


def donors(
    images: torch.Tensor, originals: Sequence[str], *, generator: torch.Generator
) -> torch.Tensor:
    """For each image the position of the one whose face it takes, int64 `n`, on their device.

    It is the most similar one of a random subset of those of other originals, and the image itself
    where all are of one original.

    Args:
        images: uint8, `n x 3 x h x w`.
        originals: Of each image.
        generator: On the CPU.

    Raises:
        ValueError: not one original per image.
    """
    if len(originals) != len(images):
        raise ValueError(
            f"originals has {len(originals)} entries for {len(images)} images; name one of each."
        )
    numbers = {original: number for number, original in enumerate(dict.fromkeys(originals))}
    group = torch.tensor([numbers[original] for original in originals])
    other = group[:, None] != group[None, :]
    offered = other & (torch.rand(other.shape, generator=generator) < OFFERED)
    offered = torch.where(offered.any(1, keepdim=True), offered, other).to(images.device)
    features = _appearance(images)
    distance = torch.cdist(features, features).masked_fill(~offered, torch.inf)
    own = torch.arange(len(images), device=images.device)
    return torch.where(offered.any(1), distance.argmin(1), own)


def recoloured(source: torch.Tensor, target: torch.Tensor, weight: torch.Tensor) -> torch.Tensor:
    """The source with the target's mean and deviation of each channel where the weights are.

    Reinhard et al. (2001), in RGB.

    Args:
        source: Float in [0, 1], `n x 3 x h x w`.
        target: The same.
        weight: `n x 1 x h x w`, not negative.
    """
    (from_mean, from_std), (to_mean, to_std) = _moments(source, weight), _moments(target, weight)
    gain = (to_std / from_std.clamp_min(1e-6)).clamp(*GAIN)
    return ((source - from_mean) * gain + to_mean).clamp(0, 1)


def with_cross_forgeries(
    pairs: torch.Tensor,
    originals: Sequence[str],
    share: float,
    *,
    both: bool = False,
    hulls: torch.Tensor | None = None,
    generator: torch.Generator,
) -> torch.Tensor:
    """Pairs of images, some of whose forged ones are blends of their real ones with others.

    Args:
        pairs: uint8, `2n x 3 x h x w`; real and forged images alternate.
        originals: Of the real images, `n`.
        share: Of the pairs, in expectation.
        both: Every second blend, in expectation, is with the image itself instead.
        hulls: Of the real images' faces, as `Faces.hulls`.
        generator: On the CPU.
    """
    return _mixed(pairs, originals, share, both, hulls, generator)[0]


def with_cross_regions(
    pairs: torch.Tensor,
    regions: Regions,
    originals: Sequence[str],
    share: float,
    *,
    both: bool = False,
    hulls: torch.Tensor | None = None,
    generator: torch.Generator,
) -> tuple[torch.Tensor, Regions]:
    """As `with_cross_forgeries`, from the same random numbers, with the regions of all images.

    Args:
        pairs: As there.
        regions: Of the pairs; those of blends are known, whatever they replace.
        originals: As there, like the rest.
        share: As there.
        both: As there.
        hulls: As there.
        generator: As there.
    """
    images, replaced, weights = _mixed(pairs, originals, share, both, hulls, generator)
    return images, regions.replaced(replaced, weights)


def _mixed(
    pairs: torch.Tensor,
    originals: Sequence[str],
    share: float,
    both: bool,
    hulls: torch.Tensor | None,
    generator: torch.Generator,
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:  # (2n, 3, h, w), bool (n), (n, 1, h, w)
    real, forged = pairs[0::2], pairs[1::2]
    blended, weights = cross_blended(real, originals, hulls=hulls, generator=generator)
    if both:
        alone, own = self_blended(real, hulls=hulls, generator=generator)
        chosen = _coin(len(real), 0.5, generator).to(pairs.device)
        blended, weights = torch.where(chosen, alone, blended), torch.where(chosen, own, weights)
    replaced = _coin(len(real), share, generator).to(pairs.device)
    images = torch.stack([real, torch.where(replaced, blended, forged)], dim=1).flatten(0, 1)
    return images, replaced.flatten(), weights


def _appearance(images: torch.Tensor) -> torch.Tensor:  # (n, cells in the ellipse)
    """Standardised grey levels at a few pixels of the face: where features lie, not the light."""
    grey = images.float().mean(dim=1, keepdim=True)
    cells = functional.adaptive_avg_pool2d(grey, CELLS).flatten(1)
    place = (torch.arange(CELLS) + 0.5) / CELLS
    x, y = (
        ((place - centre) / axis) ** 2 for centre, axis in zip(FACE_CENTRE, FACE_AXES, strict=True)
    )
    inside = (y[:, None] + x[None, :] <= 1).flatten().to(images.device)
    face = cells[:, inside]
    face = face - face.mean(1, keepdim=True)
    return functional.normalize(face, eps=1e-6)


def _moments(
    images: torch.Tensor, weight: torch.Tensor
) -> tuple[torch.Tensor, torch.Tensor]:  # (n, 3, 1, 1) each
    share = weight / weight.sum((2, 3), keepdim=True).clamp_min(1e-6)
    mean = (share * images).sum((2, 3), keepdim=True)
    return mean, (share * (images - mean) ** 2).sum((2, 3), keepdim=True).sqrt()


def _coin(count: int, share: float, generator: torch.Generator) -> torch.Tensor:  # (count, 1, 1, 1)
    return torch.rand(count, 1, 1, 1, generator=generator) < share
