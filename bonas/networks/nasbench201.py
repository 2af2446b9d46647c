"""Networks of the NAS-Bench-201 space as published (Dong and Yang 2020, section 2.2)."""

from collections.abc import Mapping, Sequence

import torch
from torch import nn

from bonas.networks.cells import Cell, RelaxedChoices
from bonas.networks.heads import full_precision
from spaces.architecture import Architecture, Choice

STAGES, NODES, CELL = 3, 4, "cell"


class NASBench201Network(nn.Module):
    """Stem, three stages of equal cells with residual reductions between, one logit.

    Every cell of a network has the one architecture that was chosen. The stem keeps the
    resolution, each reduction halves it and doubles the channels.

    Args:
        options: The operations that each edge may carry, by decision.
        width: Channels of the stem and the first stage.
        cells: Cells of each stage.
        outputs: Numbers given out per image: 1 for a detector, which are then `n` logits.
    """

    def __init__(
        self,
        options: Mapping[str, Sequence[Choice]],
        *,
        width: int = 16,
        cells: int = 5,
        outputs: int = 1,
    ) -> None:
        super().__init__()
        self.stem = nn.Sequential(
            nn.Conv2d(3, width, 3, padding=1, bias=False), nn.BatchNorm2d(width)
        )
        self.stages, self.reductions = nn.ModuleList(), nn.ModuleList()
        for stage in range(STAGES):
            channels = width * 2**stage
            if stage:
                self.reductions.append(_Reduction(channels // 2, channels))
            own = [Cell(CELL, options, NODES, channels) for _ in range(cells)]
            self.stages.append(nn.ModuleList(own))
        self.last = nn.Sequential(nn.BatchNorm2d(channels), nn.ReLU())
        self.outputs = nn.Linear(channels, outputs)

    def forward(
        self, images: torch.Tensor, architecture: Architecture | RelaxedChoices
    ) -> torch.Tensor:
        """Logits, `n`, of normalised images, `n x 3 x h x w`; `n x outputs` where there are more.

        Raises:
            ValueError: no path leads through the cell.
        """
        value: torch.Tensor = self.stem(images)
        for stage, cells in enumerate(self.stages):
            if stage:
                value = self.reductions[stage - 1](value)
            assert isinstance(cells, nn.ModuleList)
            for cell in cells:
                end = cell(value, architecture.choices)
                if end is None:
                    raise ValueError(
                        f"{architecture} connects its input to nothing: no path leads through the "
                        "cell. Draw another (spaces.space.connects tells)."
                    )
                value = end
        pooled = self.last(value).mean(dim=(2, 3))
        result = full_precision(self.outputs, pooled)
        return result.squeeze(1) if result.shape[1] == 1 else result


class _Reduction(nn.Module):
    """The basic residual block of stride 2 (He et al. 2016), its shortcut pooled and widened."""

    def __init__(self, channels_in: int, channels_out: int) -> None:
        super().__init__()
        self.block = nn.Sequential(
            nn.ReLU(),
            nn.Conv2d(channels_in, channels_out, 3, stride=2, padding=1, bias=False),
            nn.BatchNorm2d(channels_out),
            nn.ReLU(),
            nn.Conv2d(channels_out, channels_out, 3, padding=1, bias=False),
            nn.BatchNorm2d(channels_out),
        )
        self.shortcut = nn.Sequential(
            nn.AvgPool2d(2, ceil_mode=True), nn.Conv2d(channels_in, channels_out, 1, bias=False)
        )

    def forward(self, value: torch.Tensor) -> torch.Tensor:
        """`n x channels_in x h x w` to `n x channels_out x h/2 x w/2`, rounded up."""
        result: torch.Tensor = self.block(value) + self.shortcut(value)
        return result
