"""Augmentation of a batch, on the device where the images are.

All random numbers are drawn on the CPU from the generator passed in and then moved, so that a
seed gives the same augmentation on every device.
"""

import math
from dataclasses import dataclass

import torch
from torch.nn import functional

from bonas.data.degradations import DEGRADATIONS


@dataclass(frozen=True, slots=True, kw_only=True)
class Augmentation:
    """Ranges of the random changes; each image draws its own. All zero leaves images as they are.

    Attributes:
        flip: Probability of a mirror image.
        shift: Largest move along each axis as a share of the edge, in whole pixels: nothing is
            resampled, which would blur the traces that forgeries leave.
        zoom: Largest share of the edge that a crop leaves out, in [0, 1).
        rotation: Largest turn, degrees.
        colour: Largest relative change of brightness, contrast and each channel's gain.
        degrade: Probability of one of blur, noise, JPEG or scaling down and up.
        erase: Probability that a rectangle of up to 0.4 of the edge is replaced by its mean.
    """

    flip: float = 0.5
    shift: float = 0.08
    zoom: float = 0.0
    rotation: float = 0.0
    colour: float = 0.2
    degrade: float = 0.15
    erase: float = 0.0

    def __post_init__(self) -> None:
        for name in ("flip", "shift", "zoom", "colour", "degrade", "erase"):
            value = getattr(self, name)
            if not 0 <= value <= 1 or (name == "zoom" and value == 1):
                raise ValueError(f"augmentation.{name} is {value}; it must lie in [0, 1].")
        if not 0 <= self.rotation <= 180:
            raise ValueError(
                f"augmentation.rotation is {self.rotation}; it is in [0, 180] degrees."
            )

    def __call__(self, images: torch.Tensor, *, generator: torch.Generator) -> torch.Tensor:
        """Augmented images in [0, 1].

        Args:
            images: uint8, `n x 3 x h x w`.
            generator: On the CPU.
        """
        result = self._place(images, generator)
        if self.colour:
            result = self._recolour(result, generator)
        if self.degrade:
            result = self._degrade(result, generator)
        if self.erase:
            result = self._erase(result, generator)
        return result.clamp(0, 1)

    def with_masks(
        self, images: torch.Tensor, masks: torch.Tensor, *, generator: torch.Generator
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Augmented images and masks in [0, 1]; what moves an image moves its mask alike.

        The random numbers are those of a call without masks. An erased part stays in the mask.

        Args:
            images: uint8, `n x 3 x h x w`.
            masks: uint8, `n x h x w`, on the device of the images.
            generator: On the CPU.
        """
        # Placed apart, with the same numbers: as a fourth channel of the images a mask would change
        # their layout in memory, with it the order of sums, and so the last bits of the images.
        again = torch.Generator()
        again.set_state(generator.get_state())
        placed = self._place(masks[:, None], again)[:, 0].clamp(0, 1)
        return self(images, generator=generator), placed

    def _place(self, images: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
        """What changes where things are: uint8 of any channels to values in [0, 1]."""
        if self.shift:
            images = _shifted(images, self.shift, generator)
        return self._move(images.float() / 255, generator)

    def _move(self, images: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
        count = len(images)
        mirror = 1 - 2 * (torch.rand(count, generator=generator) < self.flip).float()
        if not self.zoom and not self.rotation:
            flipped = mirror.to(images.device)[:, None, None, None] < 0
            return torch.where(flipped, images.flip(-1), images)
        scale = 1 - self.zoom * torch.rand(count, generator=generator)
        angle = math.radians(self.rotation) * _symmetric(count, generator)
        shift = torch.stack([_symmetric(count, generator) for _ in range(2)], 1)
        shift = shift * (1 - scale)[:, None]
        cos, sin = scale * angle.cos(), scale * angle.sin()
        rows = [mirror * cos, -sin, shift[:, 0], mirror * sin, cos, shift[:, 1]]
        affine = torch.stack(rows, 1).reshape(count, 2, 3).to(images.device)
        grid = functional.affine_grid(affine, list(images.shape), align_corners=False)
        return functional.grid_sample(
            images, grid, mode="bilinear", padding_mode="reflection", align_corners=False
        )

    def _recolour(self, images: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
        count = len(images)
        factors = 1 + self.colour * (2 * torch.rand(5, count, generator=generator) - 1)
        factors = factors.to(images.device)[:, :, None, None, None]
        mean = images.mean(dim=(1, 2, 3), keepdim=True)
        # A channel's gain moves the hue; a quarter of the range keeps skin looking like skin.
        gain = 1 + (torch.cat(list(factors[2:]), dim=1) - 1) / 4
        return ((images - mean) * factors[0] + mean) * factors[1] * gain

    def _degrade(self, images: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
        hit = (torch.rand(len(images), generator=generator) < self.degrade).nonzero()[:, 0]
        if not len(hit):
            return images
        kinds = torch.randint(len(DEGRADATIONS), (len(hit),), generator=generator)
        strengths = torch.rand(len(hit), generator=generator)
        result = images.clone()
        for number, change in enumerate(DEGRADATIONS):
            these = kinds == number
            if bool(these.any()):
                where = hit[these].to(images.device)
                result[where] = change(images[where].clamp(0, 1), strengths[these], generator)
        return result

    def _erase(self, images: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
        count, _, height, width = images.shape
        u = torch.rand(5, count, generator=generator).to(images.device)[:, :, None, None]
        rows = torch.arange(height, device=images.device)[None, :, None] / height
        columns = torch.arange(width, device=images.device)[None, None, :] / width
        tall, wide = 0.1 + 0.3 * u[0], 0.1 + 0.3 * u[1]
        top, left = u[2] * (1 - tall), u[3] * (1 - wide)
        inside = (rows >= top) & (rows < top + tall) & (columns >= left) & (columns < left + wide)
        inside &= u[4] < self.erase
        return torch.where(inside[:, None], images.mean(dim=(2, 3), keepdim=True), images)


NO_AUGMENTATION = Augmentation(flip=0, shift=0, zoom=0, rotation=0, colour=0, degrade=0, erase=0)


def _shifted(images: torch.Tensor, share: float, generator: torch.Generator) -> torch.Tensor:
    """Images moved by whole pixels, the border filled by reflection."""
    count, _, height, width = images.shape
    furthest = round(share * min(height, width))
    moves = torch.randint(-furthest, furthest + 1, (2, count, 1), generator=generator)
    rows, columns = (
        _reflected(torch.arange(n) + m, n).to(images.device)
        for n, m in zip((height, width), moves, strict=True)
    )
    number = torch.arange(count, device=images.device)[:, None, None]
    return images.permute(0, 2, 3, 1)[number, rows[:, :, None], columns[:, None]].permute(
        0, 3, 1, 2
    )


def _reflected(positions: torch.Tensor, size: int) -> torch.Tensor:
    return size - 1 - (size - 1 - positions.abs()).abs()


def _symmetric(count: int, generator: torch.Generator) -> torch.Tensor:
    return 2 * torch.rand(count, generator=generator) - 1
