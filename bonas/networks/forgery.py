"""Networks of the `forgery` space: three stages of a cell each, a pyramid, one logit."""

from collections.abc import Mapping, Sequence
from typing import Literal

import torch
from torch import nn

from bonas.networks.cells import Cell, RelaxedChoices
from bonas.networks.heads import full_precision
from spaces.architecture import Architecture, Choice
from spaces.cell import split_by_cell
from spaces.forgery import NODES, STAGES

Stem = Literal["full", "folded"]
WIDENING = (2, 4, 6)


class ForgeryNetwork(nn.Module):
    """The network of one architecture, or of many that share their weights.

    The stem sees every pixel, since a forgery's traces are as fine as that. The full one convolves
    at the image's resolution and pools, which takes two thirds of a small network's time; the
    folded one turns each 2x2 block of pixels into channels, which loses nothing, and convolves
    those (docs/decisions/0002-network-shape.md). Stages work at a half, a quarter and an eighth of
    the image's resolution with 2, 4 and 6 times `width` channels. Each live stage feeds a level of
    the pyramid; the logit is the sum of what the levels say, so that a stage that an architecture
    leaves dead is absent from it rather than zero.

    Args:
        options: The operations that each edge may carry, by decision: one each for a stand-alone
            network, all of them for a supernet.
        width: Half the channels of the first stage.
        level_width: Channels of each pyramid level.
        stem: Full or folded.
    """

    def __init__(
        self,
        options: Mapping[str, Sequence[Choice]],
        *,
        width: int = 16,
        level_width: int = 64,
        stem: Stem = "full",
    ) -> None:
        super().__init__()
        self.entries = nn.ModuleList()
        self.cells = nn.ModuleList()
        self.levels = nn.ModuleList()
        self.logits = nn.ModuleList()
        previous = 0
        for number, stage in enumerate(STAGES):
            channels = width * WIDENING[number]
            first = _folded(channels) if stem == "folded" else _full(width, channels)
            self.entries.append(_entry(previous, channels) if number else first)
            self.cells.append(Cell(stage, options, NODES, channels))
            # Pooled to the last stage's resolution first: the levels cost next to nothing then.
            self.levels.append(_level(channels, level_width, 2 ** (len(STAGES) - 1 - number)))
            self.logits.append(nn.Linear(2 * level_width, 1))
            previous = channels

    def forward(
        self, images: torch.Tensor, architecture: Architecture | RelaxedChoices
    ) -> torch.Tensor:
        """Logits, `n`; positive means forged.

        Args:
            images: Normalised images, `n x 3 x h x w`, h and w even.
            architecture: Which operation each edge carries; at least its first stage must be live.
        """
        value = images
        logit = images.new_zeros(len(images))
        per_cell = split_by_cell(architecture.choices, STAGES, NODES)
        for number, stage in enumerate(STAGES):
            end = self.cells[number](self.entries[number](value), per_cell[stage])
            if end is None:
                if number == 0:
                    raise ValueError(
                        f"{architecture} connects its input to nothing: no path leads through "
                        f"the cell {stage!r}. Draw another (spaces.graphs.is_connected tells)."
                    )
                break
            value = end
            pooled = _statistics(self.levels[number](value))
            level = self.logits[number]
            assert isinstance(level, nn.Linear)
            logit = logit + full_precision(level, pooled).squeeze(1)
        return logit


def _statistics(value: torch.Tensor) -> torch.Tensor:
    """Mean and standard deviation over the positions, `n x 2c`: a local trace moves the latter."""
    if value.dtype is torch.bfloat16:  # in which the square of a small deviation is lost
        value = value.float()
    variance, mean = torch.var_mean(value, dim=(2, 3), correction=0)
    return torch.cat([mean, (variance + 1e-5).sqrt()], dim=1)


def _full(width: int, channels: int) -> nn.Module:
    return nn.Sequential(
        nn.Conv2d(3, width, 3, padding=1, bias=False),
        nn.BatchNorm2d(width),
        nn.ReLU(),
        nn.Conv2d(width, width, 3, padding=1, groups=width, bias=False),
        nn.Conv2d(width, width, 1, bias=False),
        nn.BatchNorm2d(width),
        *_entry(width, channels),
    )


def _folded(channels: int) -> nn.Module:
    return nn.Sequential(
        nn.PixelUnshuffle(2),
        nn.Conv2d(12, channels, 3, padding=1, bias=False),
        nn.BatchNorm2d(channels),
    )


def _level(channels: int, level_width: int, pooled: int) -> nn.Module:
    return nn.Sequential(
        nn.ReLU(),
        nn.AvgPool2d(pooled) if pooled > 1 else nn.Identity(),
        nn.Conv2d(channels, level_width, 1, bias=False),
        nn.BatchNorm2d(level_width),
        nn.ReLU(),
    )


def _entry(channels_in: int, channels_out: int) -> nn.Sequential:
    return nn.Sequential(
        nn.MaxPool2d(2),
        nn.ReLU(),  # after the maximum, with which it commutes: a quarter of the elements
        nn.Conv2d(channels_in, channels_out, 3, padding=1, bias=False),
        nn.BatchNorm2d(channels_out),
    )
