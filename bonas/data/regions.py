"""Regions: where images were manipulated, as far as that is known."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import torch

from bonas.data.column_digest import column_digest

WHITE = 255
MANIPULATED = 0.1
"""Least weight with which a pixel was blended for it to count as manipulated."""


@dataclass(frozen=True, slots=True)
class Regions:
    """The manipulated regions of `n` images; a real image has the known region of no pixels.

    Attributes:
        masks: uint8, `n x h x w`, 255 where manipulated, on the device of the images; what stands
            where the region is not known is ignored.
        known: bool, `n`, on the CPU.
    """

    masks: torch.Tensor
    known: torch.Tensor

    def __post_init__(self) -> None:
        if self.masks.dtype != torch.uint8 or self.masks.ndim != 3:
            raise ValueError(
                f"masks is {self.masks.dtype} of shape {tuple(self.masks.shape)}; "
                "it must be uint8, n x h x w."
            )
        if self.known.dtype != torch.bool or len(self.known) != len(self.masks):
            raise ValueError(
                f"known is {self.known.dtype} of shape {tuple(self.known.shape)}; "
                f"it must be bool, {len(self.masks)} as there are masks."
            )

    def __len__(self) -> int:
        return len(self.masks)

    @classmethod
    def none(cls, images: torch.Tensor, *, known: bool) -> "Regions":
        """Of images, uint8 `n x 3 x h x w`: nothing is manipulated, or nothing is known."""
        return cls(torch.zeros_like(images[:, 0]), torch.full((len(images),), known))

    def select(self, positions: Sequence[int] | torch.Tensor) -> "Regions":
        """Those at these positions, in this order."""
        chosen = torch.as_tensor(positions, dtype=torch.int64)
        return Regions(self.masks[chosen.to(self.masks.device)], self.known[chosen])

    def replaced(self, which: torch.Tensor, weights: torch.Tensor) -> "Regions":
        """Those of pairs, every second image of which is forged, after some were blended anew.

        Args:
            which: bool, `n / 2`, of the pairs, on the device.
            weights: Of the blends, in [0, 1], `n / 2 x 1 x h x w`.
        """
        masks, known = self.masks.clone(), self.known.clone()
        masks[1::2] = torch.where(which[:, None, None], blended(weights), masks[1::2])
        known[1::2] |= which.cpu()
        return Regions(masks, known)

    def digest(self) -> str:
        """Of what is known: the masks there, and where."""
        here = self.known.to(self.masks.device)[:, None, None]
        return column_digest(self.masks * here, self.known)

    def to(self, device: torch.device) -> "Regions":
        """The same with the masks on a device."""
        return replace(self, masks=self.masks.to(device))


def joined(first: Regions | None, second: Regions | None) -> Regions | None:
    """The regions of some images and of further ones; `None` where either has none."""
    if first is None or second is None:
        return None
    return Regions(torch.cat([first.masks, second.masks]), torch.cat([first.known, second.known]))


def blended(weights: torch.Tensor) -> torch.Tensor:
    """Masks, uint8 `n x h x w`, of blending weights in [0, 1], `n x 1 x h x w`."""
    return (weights[:, 0] > MANIPULATED).to(torch.uint8) * WHITE
