"""What networks of stages cost, by arithmetic: millions of candidates without building them.

A stage's cost depends on its own settings and on the width of the stage before, so that terms per
option, as `OptionCosts` has them, do not add up to it.
"""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from itertools import product
from typing import Protocol

from bonas.networks.costs import COSTS
from bonas.networks.macro import WIDENING, channel_count
from spaces.architecture import Architecture
from spaces.stages import EXPANDING, Stage, StageSpace

Cost = tuple[int, int, int]
"""Parameters, multiply-adds and activations, in the order of `COSTS`."""


class StageBuilder(Protocol):
    """A builder of `MacroNetwork`s."""

    @property
    def space(self) -> StageSpace:
        """Of stages."""

    @property
    def width(self) -> int:
        """Half the channels of the first stage at full width."""


@dataclass(frozen=True, slots=True)
class StageCosts:
    """The costs of a builder's stand-alone networks, exact.

    Attributes:
        builder: Of the space.
        size: Edge of the images in pixels.
        skeleton: Least cost of a network, by name; not all of one network.
    """

    builder: StageBuilder
    size: int
    skeleton: Mapping[str, float] = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "skeleton", _least(self.builder, self.size))

    def cost(self, architecture: Architecture) -> dict[str, float]:
        """The costs in `COSTS`; those that `architecture_cost` counts in the built network."""
        stages = tuple(self.builder.space.chosen(architecture).values())
        width, edge = self.builder.width, self.size
        total, channels = _stem(width, edge), width
        for stage, widening in zip(stages, WIDENING, strict=False):
            edge //= 2
            channels_out = channel_count(width * widening, stage.width)
            total = _sum(total, _stage(stage, channels, channels_out, edge))
            channels = channels_out
        total = _sum(total, _head(channels, width * WIDENING[-1], edge))
        return dict(zip(COSTS, map(float, total), strict=True))


def _least(builder: StageBuilder, size: int) -> dict[str, float]:
    """The least of each cost, by the channels that a stage hands on (dynamic programming)."""
    least = {builder.width: _stem(builder.width, size)}
    edge = size
    for _, widening in zip(builder.space.stages, WIDENING, strict=False):
        edge //= 2
        reached: dict[int, list[Cost]] = defaultdict(list)
        for stage, (channels, before) in product(_stages(builder.space), least.items()):
            channels_out = channel_count(builder.width * widening, stage.width)
            after = _sum(before, _stage(stage, channels, channels_out, edge))
            reached[channels_out].append(after)
        least = {channels: _least_of(costs) for channels, costs in reached.items()}
    head = builder.width * WIDENING[-1]
    ends = [_sum(cost, _head(channels, head, edge)) for channels, cost in least.items()]
    return dict(zip(COSTS, map(float, _least_of(ends)), strict=True))


@cache
def _stages(space: StageSpace) -> tuple[Stage, ...]:
    settings = (space.operations, space.depths, space.widths, space.kernels, space.expansions)
    return tuple(Stage(*chosen) for chosen in product(*settings))


@cache
def _stage(stage: Stage, channels_in: int, channels: int, edge: int) -> Cost:
    total = (0, 0, channels_in * edge**2)  # the pooling
    for _ in range(stage.depth):
        if stage.operation in EXPANDING:
            hidden = stage.expansion * channels_in
            convolutions = [
                _convolution(channels_in, hidden, 1, edge),
                _convolution(1, hidden, stage.kernel, edge),
                _convolution(hidden, channels, 1, edge),
            ]
        else:
            convolutions = [_convolution(channels_in, channels, stage.kernel, edge)]
        total = _sum(total, *convolutions)
        channels_in = channels
    return total


def _stem(width: int, edge: int) -> Cost:
    unnormalised = (-2 * width, 0, 0)  # the depthwise convolution
    convolutions = (_convolution(c, width, k, edge) for c, k in [(3, 3), (1, 3), (width, 1)])
    return _sum(unnormalised, *convolutions)


def _head(channels: int, head: int, edge: int) -> Cost:
    return _sum(_convolution(channels, head, 1, edge), (head + 1, head, 1))


def _convolution(per_output: int, channels: int, kernel: int, edge: int) -> Cost:
    """With batch norm; `per_output` is the number of channels that each output channel reads."""
    weights = kernel**2 * per_output * channels
    return weights + 2 * channels, weights * edge**2, channels * edge**2


def _sum(*costs: Cost) -> Cost:
    parameters, multiply_adds, activations = (sum(column) for column in zip(*costs, strict=True))
    return parameters, multiply_adds, activations


def _least_of(costs: list[Cost]) -> Cost:
    parameters, multiply_adds, activations = (min(column) for column in zip(*costs, strict=True))
    return parameters, multiply_adds, activations
