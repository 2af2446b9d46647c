"""Stems of the `forgery` networks: what comes before the first stage's cell."""

from collections.abc import Sequence
from typing import Literal

import torch
from torch import nn

from bonas.networks.cells import Mixture
from bonas.networks.inputs import CHANNELS, InputBranch

Stem = Literal["full", "folded"]


def first_stem(
    inputs: Sequence[str], width: int, channels: int, stem: Stem, *, chosen: bool
) -> nn.Module:
    """The stem; without a choice of its input, that of pixels as it always was."""
    if chosen or inputs != ["rgb"]:
        return ChosenStem(inputs, width, channels, stem)
    if stem == "folded":
        return _folded(CHANNELS["rgb"], channels)
    return nn.Sequential(*_sharp(CHANNELS["rgb"], width), *_pooled(width, channels))


class ChosenStem(nn.Module):
    """A stem whose input is chosen: a first convolution for each option, the rest shared.

    Args:
        inputs: The options, of `spaces.forgery.INPUTS`.
        width: Half the channels of the first stage.
        channels: Of the first stage.
        stem: Full or folded.
    """

    def __init__(self, inputs: Sequence[str], width: int, channels: int, stem: Stem) -> None:
        super().__init__()
        self.branches = nn.ModuleDict({option: InputBranch(option) for option in inputs})
        self.firsts = nn.ModuleDict()
        self.rest = nn.Sequential()
        if stem == "folded":
            self.firsts.update({o: _folded(CHANNELS[o], channels) for o in inputs})
        else:
            self.firsts.update({o: nn.Sequential(*_sharp(CHANNELS[o], width)) for o in inputs})
            self.rest = nn.Sequential(*_pooled(width, channels))

    def forward(self, images: torch.Tensor, option: str | Mixture) -> torch.Tensor:
        """`n x channels x h/2 x w/2` of normalised images, `n x 3 x h x w`.

        Options are mixed behind their first convolutions and batch norms: there they have equally
        many channels of one scale.
        """
        if not isinstance(option, Mixture):
            seen = self._first(images, option)
        else:
            seen = torch.stack(
                [weight * self._first(images, str(o)) for o, weight in option.weights.items()]
            ).sum(0)
        result: torch.Tensor = self.rest(seen)
        return result

    def _first(self, images: torch.Tensor, option: str) -> torch.Tensor:
        result: torch.Tensor = self.firsts[option](self.branches[option](images))
        return result


def entry(channels_in: int, channels_out: int) -> nn.Sequential:
    """Half the resolution, and the channels of the stage that follows."""
    return nn.Sequential(
        nn.MaxPool2d(2),
        nn.ReLU(),  # after the maximum, with which it commutes: a quarter of the elements
        nn.Conv2d(channels_in, channels_out, 3, padding=1, bias=False),
        nn.BatchNorm2d(channels_out),
    )


def _sharp(channels_in: int, width: int) -> tuple[nn.Module, ...]:
    return nn.Conv2d(channels_in, width, 3, padding=1, bias=False), nn.BatchNorm2d(width)


def _pooled(width: int, channels: int) -> tuple[nn.Module, ...]:
    return (
        nn.ReLU(),
        nn.Conv2d(width, width, 3, padding=1, groups=width, bias=False),
        nn.Conv2d(width, width, 1, bias=False),
        nn.BatchNorm2d(width),
        *entry(width, channels),
    )


def _folded(channels_in: int, channels: int) -> nn.Module:
    return nn.Sequential(
        nn.PixelUnshuffle(2),
        nn.Conv2d(4 * channels_in, channels, 3, padding=1, bias=False),
        nn.BatchNorm2d(channels),
    )
