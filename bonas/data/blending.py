"""Pseudo-forgeries: real faces blended with a changed copy of themselves.

Self-blended images (Shiohara and Yamasaki 2022): the copy differs a little in colour or sharpness,
scale and place, and is blended back through a mask of the face. What remains are the traces that
every blended forgery has, a boundary and two statistics that do not match, and none that one
forgery method alone has. The mask is the hull of the face's landmarks (`bonas.data.hulls`) where
the data have them, as published, and else an ellipse where a face crop has its face, so that real
images alone are enough; either is deformed at random.

All images of a batch are made at once on their device; random numbers come from a generator on the
CPU, so that a seed gives the same images everywhere.
"""

import math

import torch
from torch.nn import functional

from bonas.data.hulls import gauges
from bonas.data.regions import Regions

SHIFT = 0.03  # of the edge
SCALE = (0.95, 1 / 0.95)
RATIOS = (0.25, 0.5, 0.75, 1.0, 1.0, 1.0)
FACE_CENTRE, FACE_AXES = (0.5, 0.54), (0.34, 0.42)  # of width and height in a face crop
BENDS = 4  # control points per side of the elastic deformation


def self_blended(
    images: torch.Tensor, *, hulls: torch.Tensor | None = None, generator: torch.Generator
) -> tuple[torch.Tensor, torch.Tensor]:
    """A pseudo-forgery of each image, and where it was changed.

    Args:
        images: uint8, `n x 3 x h x w`, real faces.
        hulls: Of the faces, as `Faces.hulls`.
        generator: On the CPU.

    Returns:
        The blended images, uint8 `n x 3 x h x w`, and the blending weights in [0, 1], float32
        `n x 1 x h x w`.
    """
    plain = images.float() / 255
    changed = _resharpened(_recoloured(plain, generator), generator)
    # Half the time it is the surroundings that change and the face that stays.
    swap = (torch.rand(len(images), 1, 1, 1, generator=generator) < 0.5).to(images.device)
    source, target = torch.where(swap, plain, changed), torch.where(swap, changed, plain)
    mask = face_masks(images, hulls, generator)
    source = moved(source, generator)
    choice = torch.randint(len(RATIOS), (len(images),), generator=generator)
    weight = mask * torch.tensor(RATIOS)[choice].to(images.device)[:, None, None, None]
    blended = weight * source + (1 - weight) * target
    return (blended * 255).round().clamp(0, 255).to(torch.uint8), weight


def with_pseudo_forgeries(
    pairs: torch.Tensor,
    share: float,
    *,
    hulls: torch.Tensor | None = None,
    generator: torch.Generator,
) -> torch.Tensor:
    """Pairs of images, some of whose forged ones are self-blended copies of their real ones.

    Args:
        pairs: uint8, `2n x 3 x h x w`; real and forged images alternate.
        share: Of the pairs, in expectation.
        hulls: Of the real images' faces, as `Faces.hulls`.
        generator: On the CPU.
    """
    return _mixed(pairs, share, hulls, generator)[0]


def with_pseudo_regions(
    pairs: torch.Tensor,
    regions: Regions,
    share: float,
    *,
    hulls: torch.Tensor | None = None,
    generator: torch.Generator,
) -> tuple[torch.Tensor, Regions]:
    """As `with_pseudo_forgeries`, from the same random numbers, with the regions of all images.

    Args:
        pairs: uint8, `2n x 3 x h x w`; real and forged images alternate.
        regions: Of the pairs; those of blended copies are known, whatever they replace.
        share: Of the pairs, in expectation.
        hulls: Of the real images' faces, as `Faces.hulls`.
        generator: On the CPU.
    """
    images, replaced, weights = _mixed(pairs, share, hulls, generator)
    return images, regions.replaced(replaced, weights)


def _mixed(
    pairs: torch.Tensor, share: float, hulls: torch.Tensor | None, generator: torch.Generator
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:  # (2n, 3, h, w), bool (n), (n, 1, h, w)
    real, forged = pairs[0::2], pairs[1::2]
    copies, weights = self_blended(real, hulls=hulls, generator=generator)
    replaced = torch.rand(len(real), 1, 1, 1, generator=generator).to(pairs.device) < share
    images = torch.stack([real, torch.where(replaced, copies, forged)], dim=1).flatten(0, 1)
    return images, replaced.flatten(), weights


def _uniform(
    count: int, low: float, high: float, generator: torch.Generator, columns: int = 1
) -> torch.Tensor:  # (count, columns, 1, 1)
    return low + (high - low) * torch.rand(count, columns, 1, 1, generator=generator)


def _recoloured(images: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
    count, device = len(images), images.device
    offset = _uniform(count, -0.05, 0.05, generator, columns=3).to(device)
    contrast = _uniform(count, 0.9, 1.1, generator).to(device)
    saturation = _uniform(count, 0.7, 1.3, generator).to(device)
    grey = images.mean(dim=1, keepdim=True)
    centre = grey.mean(dim=(2, 3), keepdim=True)
    result = (images - grey) * saturation + (grey - centre) * contrast + centre + offset
    return result.clamp(0, 1)


def _resharpened(images: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
    """Each image sharpened, or softened by scaling down and up."""
    height, width = images.shape[-2:]
    small = functional.interpolate(
        images, (max(8, height // 2), max(8, width // 2)), mode="bilinear", antialias=True
    )
    soft = functional.interpolate(small, (height, width), mode="bilinear", align_corners=False)
    # Above one the difference is added instead: an unsharp mask.
    share = _uniform(len(images), 0.2, 1.8, generator).to(images.device)
    return (soft + share * (images - soft)).clamp(0, 1)


def moved(images: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
    """Each image shifted by up to `SHIFT` and scaled within `SCALE`, about its middle."""
    count = len(images)
    low, high = (math.log(s) for s in SCALE)
    scale = _uniform(count, low, high, generator, columns=2).exp().flatten(1)
    # affine_grid works in [-1, 1], twice the edge's share.
    shift = 2 * _uniform(count, -SHIFT, SHIFT, generator, columns=2).flatten(1)
    zero = torch.zeros(count)
    rows = [scale[:, 0], zero, shift[:, 0], zero, scale[:, 1], shift[:, 1]]
    affine = torch.stack(rows, 1).reshape(count, 2, 3).to(images.device)
    grid = functional.affine_grid(affine, list(images.shape), align_corners=False)
    return functional.grid_sample(images, grid, padding_mode="reflection", align_corners=False)


def face_masks(
    images: torch.Tensor, hulls: torch.Tensor | None, generator: torch.Generator
) -> torch.Tensor:
    """Weights in [0, 1], `n x 1 x h x w`, of deformed outlines of faces, on the images' device.

    Args:
        images: `n x 3 x h x w`.
        hulls: Of the faces, as `Faces.hulls`; an ellipse is the outline where there is none.
        generator: On the CPU. The same numbers are drawn with hulls and without.
    """
    count, device, (height, width) = len(images), images.device, images.shape[-2:]
    bend = _uniform(2 * count, -0.06, 0.06, generator, columns=BENDS**2).to(device)
    bend = bend.reshape(2 * count, 1, BENDS, BENDS)
    bent = functional.interpolate(bend, (height, width), mode="bicubic", align_corners=True)
    x, y = (
        (torch.arange(edge, device=device) + 0.5).reshape(shape) / edge + by
        for edge, shape, by in (
            (width, (1, 1, 1, width), bent[:count]),
            (height, (1, 1, height, 1), bent[count:]),
        )
    )
    grow = _uniform(count, 0.6, 1.1, generator).to(device)
    centre_x = FACE_CENTRE[0] + _uniform(count, -0.04, 0.04, generator).to(device)
    centre_y = FACE_CENTRE[1] + _uniform(count, -0.08, 0.08, generator).to(device)
    across = ((x - centre_x) / FACE_AXES[0]) ** 2
    radius = (across + ((y - centre_y) / FACE_AXES[1]) ** 2).sqrt()
    if hulls is not None:
        hulls = hulls.to(device)
        known = ~hulls.isnan().flatten(1).any(1)[:, None, None, None]
        radius = torch.where(known, gauges(hulls.nan_to_num(), x, y), radius)
    # The published method blurs a hard mask twice, with kernels of random size; the distance from
    # the edge through a ramp of random width is the same softening in one step.
    ramp = _uniform(count, 0.05, 0.35, generator).to(device)
    return ((1 - radius / grow) / ramp + 0.5).clamp(0, 1)
