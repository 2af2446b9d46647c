"""Networks of the `macro` space: four stages of like layers, one logit."""

from collections.abc import Mapping, Sequence

import torch
from torch import nn

from bonas.networks.heads import full_precision
from bonas.networks.sliced import SlicedBatchNorm2d, SlicedConv2d
from spaces.architecture import Architecture, Choice
from spaces.stages import (
    CENTRAL_DIFFERENCE,
    CONVOLUTION,
    EXPANDING,
    Stage,
    StageSpace,
)

WIDENING = (2, 4, 6, 8)
THETAS = {CONVOLUTION: 0.0, CENTRAL_DIFFERENCE: 0.7}  # 0.7 as in Yu et al. (2020)
"""Operations without hidden channels, by the share of their difference term."""


class MacroNetwork(nn.Module):
    """The network of one architecture, or of many that share their weights.

    The stem sees every pixel, as that of `ForgeryNetwork` and for the same reason. Stages work at a
    half, a quarter, an eighth and a sixteenth of the image's resolution, with 2, 4, 6 and 8 times
    `width` channels at full width. A stage begins with max pooling rather than with a strided
    layer, so that an expansion works on a quarter of the pixels; every layer but the first of its
    stage, which changes the channels, adds its input.

    Weights are shared along every decision but the operation, whose kinds compute different things:
    a stage of depth d uses the first d layers (Once-for-all, section 3.3), a narrower or less
    expanded one the first channels, a smaller kernel the middle of the larger one. A layer so holds
    the weights of its largest options, and each is trained by every option that contains it. With
    weights of its own, a combination of options would be trained in one step of a hundred.

    Args:
        options: The options of each decision: one each for a stand-alone network, all of them for
            a supernet.
        space: Whose networks these are; of at most four stages.
        width: Half the channels of the first stage at full width.
    """

    def __init__(
        self, options: Mapping[str, Sequence[Choice]], *, space: StageSpace, width: int = 16
    ) -> None:
        super().__init__()
        if len(space.stages) > len(WIDENING):
            raise ValueError(
                f"the space {space.name!r} has {len(space.stages)} stages; networks have at most "
                f"{len(WIDENING)}, since each halves the resolution. Leave stages out."
            )
        unknown = set(space.operations) - EXPANDING - set(THETAS)
        if unknown:
            raise ValueError(
                f"the space {space.name!r} has the operations {', '.join(sorted(unknown))}, of "
                f"which there are no layers; leave them out. There are "
                f"{', '.join(sorted(EXPANDING | set(THETAS)))}."
            )
        self.space = space
        self.stem = _stem(width)
        self.stages = nn.ModuleList()
        previous = width
        for name, widening in zip(space.stages, WIDENING, strict=False):
            allowed = {s: options.get(f"{name}/{s}", o) for s, o in space.settings}
            stage = MacroStage(allowed, previous, width * widening)
            self.stages.append(stage)
            previous = stage.channels_out
        head = width * WIDENING[-1]
        self.head = SlicedConv2d(previous, head, 1)
        self.norm = nn.BatchNorm2d(head)
        self.relu = nn.ReLU()
        self.logit = nn.Linear(head, 1)

    def forward(self, images: torch.Tensor, architecture: Architecture) -> torch.Tensor:
        """Logits, `n`; positive means forged.

        Args:
            images: Normalised images, `n x 3 x h x w`, at least 16 pixels high and wide; from 48 on
                a 5x5 kernel sees more than a 3x3 one in every stage.
            architecture: Of the network's space, with options that the network was built for.
        """
        value = self.stem(images)
        chosen = self.space.chosen(architecture).values()
        for stage, choice in zip(self.stages, chosen, strict=True):
            value = stage(value, choice)
        value = self.relu(self.norm(self.head(value)))
        return full_precision(self.logit, value.mean(dim=(2, 3))).squeeze(1)


class MacroStage(nn.Module):
    """Max pooling, then layers of one operation; of each depth the first ones.

    Args:
        options: What each setting may be.
        channels_in: Most channels of the input.
        channels: Of the output at width 1.
    """

    def __init__(
        self, options: Mapping[str, Sequence[Choice]], channels_in: int, channels: int
    ) -> None:
        super().__init__()
        self.channels = channels
        self.channels_out = max(channel_count(channels, float(w)) for w in options["width"])
        self.pool = nn.MaxPool2d(2)
        self.layers = nn.ModuleList()
        for _ in range(max(int(d) for d in options["depth"])):
            operations = {
                str(name): _layer(str(name), options, channels_in, self.channels_out)
                for name in options["operation"]
            }
            self.layers.append(nn.ModuleDict(operations))
            channels_in = self.channels_out

    def forward(self, value: torch.Tensor, stage: Stage) -> torch.Tensor:
        """`n x channels_in' x h x w` to `n x channels' x h/2 x w/2`, rounded down."""
        value = self.pool(value)
        for number in range(stage.depth):
            operations = self.layers[number]
            assert isinstance(operations, nn.ModuleDict)
            term = operations[stage.operation](
                value, stage, channel_count(self.channels, stage.width)
            )
            value = value + term if number else term
        return value


class _Convolution(nn.Module):
    """Convolution, batch norm, ReLU."""

    def __init__(self, channels_in: int, channels: int, kernel: int, *, theta: float) -> None:
        super().__init__()
        self.convolution = SlicedConv2d(channels_in, channels, kernel, theta=theta)
        self.norm = SlicedBatchNorm2d(channels)
        self.relu = nn.ReLU()

    def forward(self, value: torch.Tensor, stage: Stage, channels: int) -> torch.Tensor:
        """To `n x channels x h x w`."""
        result: torch.Tensor = self.relu(self.norm(self.convolution(value, channels, stage.kernel)))
        return result


class _InvertedResidual(nn.Module):
    """Expand, convolve each channel, project without ReLU (Sandler et al. 2018, table 1)."""

    def __init__(self, channels_in: int, channels: int, kernel: int, *, expansion: int) -> None:
        super().__init__()
        hidden = expansion * channels_in
        self.expand = SlicedConv2d(channels_in, hidden, 1)
        self.expand_norm = SlicedBatchNorm2d(hidden)
        self.expand_relu = nn.ReLU()
        self.depthwise = SlicedConv2d(hidden, hidden, kernel, depthwise=True)
        self.depthwise_norm = SlicedBatchNorm2d(hidden)
        self.depthwise_relu = nn.ReLU()
        self.project = SlicedConv2d(hidden, channels, 1)
        self.project_norm = SlicedBatchNorm2d(channels)

    def forward(self, value: torch.Tensor, stage: Stage, channels: int) -> torch.Tensor:
        """To `n x channels x h x w`."""
        hidden = self.expand(value, stage.expansion * value.shape[1])
        hidden = self.expand_relu(self.expand_norm(hidden))
        hidden = self.depthwise(hidden, kernel=stage.kernel)
        hidden = self.depthwise_relu(self.depthwise_norm(hidden))
        result: torch.Tensor = self.project_norm(self.project(hidden, channels))
        return result


def _layer(
    operation: str, options: Mapping[str, Sequence[Choice]], channels_in: int, channels: int
) -> nn.Module:
    kernel = max(int(k) for k in options["kernel"])
    if operation in EXPANDING:
        expansion = max(int(e) for e in options["expansion"])
        return _InvertedResidual(channels_in, channels, kernel, expansion=expansion)
    return _Convolution(channels_in, channels, kernel, theta=THETAS[operation])


def channel_count(channels: int, width: float) -> int:
    """Channels at a share of the full number."""
    return max(1, round(channels * width))


def _stem(width: int) -> nn.Module:
    return nn.Sequential(
        nn.Conv2d(3, width, 3, padding=1, bias=False),
        nn.BatchNorm2d(width),
        nn.ReLU(),
        nn.Conv2d(width, width, 3, padding=1, groups=width, bias=False),
        nn.Conv2d(width, width, 1, bias=False),
        nn.BatchNorm2d(width),
        nn.ReLU(),
    )
