"""The second head of the `forgery` networks: from the stages' ends to a logit for each position."""

from collections.abc import Sequence

import torch
from torch import nn
from torch.nn import functional

CHANNELS = 16
"""Of the decoder, whose last convolutions work at half the image's resolution: more are dear."""
PLACES = 4
"""Of `_places`."""


class RegionDecoder(nn.Module):
    """Coarse to fine (Lin et al. 2017, section 3): a stage is added to the enlarged coarser ones.

    Coarse stages tell whether and roughly where a face was manipulated, fine ones where the edge
    runs. Convolutions do not know where in the image they are, and forgeries lie where faces are:
    the position is put beside the finest sum (Liu et al. 2018, CoordConv), so that the head can
    learn at least the mean mask.

    Args:
        channels: Of each stage's end, from fine to coarse.
    """

    def __init__(self, channels: Sequence[int]) -> None:
        super().__init__()
        self.laterals = nn.ModuleList(_lateral(count) for count in channels)
        self.merged = nn.Sequential(
            nn.Conv2d(CHANNELS + PLACES, CHANNELS, 3, padding=1, bias=False),
            nn.BatchNorm2d(CHANNELS),
            nn.ReLU(),
            nn.Conv2d(CHANNELS, CHANNELS, 3, padding=1, bias=False),
            nn.BatchNorm2d(CHANNELS),
            nn.ReLU(),
        )
        self.logit = nn.Conv2d(CHANNELS, 1, 1)

    def forward(self, ends: Sequence[torch.Tensor | None]) -> torch.Tensor:
        """Logits, `n x h x w`, at the resolution of the first end.

        Args:
            ends: Of each stage, `n x channels x h_i x w_i`; `None` where nothing arrives, which is
                never the first.
        """
        total: torch.Tensor | None = None
        for lateral, end in reversed(list(zip(self.laterals, ends, strict=True))):
            if end is None:
                continue
            term: torch.Tensor = lateral(end)
            if total is not None:
                term = term + functional.interpolate(total, term.shape[-2:], mode="nearest")
            total = term
        assert total is not None
        seen = torch.cat([functional.relu(total), _places(total)], dim=1)
        result: torch.Tensor = self.logit(self.merged(seen))
        return result.squeeze(1)


def _lateral(channels: int) -> nn.Module:
    return nn.Sequential(
        nn.ReLU(), nn.Conv2d(channels, CHANNELS, 1, bias=False), nn.BatchNorm2d(CHANNELS)
    )


def _places(like: torch.Tensor) -> torch.Tensor:
    """Row and column of each position in [-1, 1], and their squares, `n x 4 x h x w`."""
    count, _, height, width = like.shape
    rows, columns = (
        (2 * torch.arange(edge, device=like.device, dtype=like.dtype) + 1) / edge - 1
        for edge in (height, width)
    )
    y, x = rows[:, None].expand(height, width), columns[None].expand(height, width)
    return torch.stack([y, x, y**2, x**2]).expand(count, PLACES, height, width)
