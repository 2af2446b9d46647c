"""Operations that an edge of a cell can carry, as torch modules of equal shape in and out."""

from collections.abc import Callable

import torch
from torch import nn
from torch.nn import functional

from spaces.graphs import SKIP


class CentralDifferenceConv2d(nn.Conv2d):
    """Central difference convolution (Yu et al. 2020, equation 4), built as one convolution.

    The definition is `conv(x, w) - theta * conv1x1(x, sum of w over the window)`. Both terms are
    linear in the same inputs, so it equals one convolution whose centre tap is lowered by theta
    times the kernel's sum, at 0.69 to 1.01 times the two-convolution form's seconds forward and
    0.73 to 0.80 with gradients (docs/spaces.md).

    Args:
        channels_in: Channels of the input.
        channels_out: Channels of the output.
        theta: Share of the difference term in [0, 1]; 0 is an ordinary convolution. A call may
            name another one for the same weights.
    """

    def __init__(self, channels_in: int, channels_out: int, *, theta: float = 0.7) -> None:
        _check_theta(theta)
        super().__init__(channels_in, channels_out, 3, padding=1, bias=False)
        self.theta = theta

    def forward(
        self, input: torch.Tensor, theta: float | torch.Tensor | None = None
    ) -> torch.Tensor:
        """`n x channels_in x h x w` to `n x channels_out x h x w`.

        A scalar tensor as theta is not looked at, which would make a device wait.
        """
        share = self.theta if theta is None else theta
        if not isinstance(share, torch.Tensor):
            _check_theta(share)
        total = self.weight.sum(dim=(2, 3), keepdim=True)
        centre = functional.pad(total, (1, 1, 1, 1))
        return functional.conv2d(input, self.weight - share * centre, padding=1)


def _check_theta(theta: float) -> None:
    if not 0 <= theta <= 1:
        raise ValueError(f"theta is {theta}; it must lie in [0, 1].")


class CentralDifference(nn.Sequential):
    """ReLU, central difference convolution, batch norm; a call may say which theta."""

    def __init__(self, channels: int) -> None:
        super().__init__(
            nn.ReLU(), CentralDifferenceConv2d(channels, channels), nn.BatchNorm2d(channels)
        )

    def forward(
        self, input: torch.Tensor, theta: float | torch.Tensor | None = None
    ) -> torch.Tensor:
        """`n x channels x h x w` to the same shape."""
        activation, convolution, norm = self
        result: torch.Tensor = norm(convolution(activation(input), theta))
        return result


def _activated(convolution: nn.Module, channels: int) -> nn.Module:
    """ReLU, convolution, batch norm: the order of NAS-Bench-201 and DARTS."""
    return nn.Sequential(nn.ReLU(), convolution, nn.BatchNorm2d(channels))


def _convolution(channels: int) -> nn.Module:
    return _activated(nn.Conv2d(channels, channels, 3, padding=1, bias=False), channels)


def _pointwise_convolution(channels: int) -> nn.Module:
    return _activated(nn.Conv2d(channels, channels, 1, bias=False), channels)


class DilatedDepthwiseConv2d(nn.Conv2d):
    """Depthwise convolution of dilation 2, on a CPU as an ordinary one of folded pixels.

    A tap two pixels away has the parity of its centre in both axes, so the convolution never mixes
    the four grids of equal parity: folded into channels, each is convolved with dilation 1, for
    which CPUs have fast kernels and for dilated depthwise ones they have not. With stride 2 only
    the grid of even positions is asked for.

    Args:
        channels: Of input and output.
        kernel: Edge of the kernel, odd.
        stride: 1 or 2.
    """

    def __init__(self, channels: int, kernel: int = 3, stride: int = 1) -> None:
        super().__init__(
            channels,
            channels,
            kernel,
            stride,
            padding=2 * (kernel // 2),
            dilation=2,
            groups=channels,
            bias=False,
        )

    def forward(self, input: torch.Tensor) -> torch.Tensor:
        """`n x channels x h x w` to the same shape, halved by stride 2."""
        if input.device.type != "cpu" or input.shape[2] % 2 or input.shape[3] % 2:
            return super().forward(input)
        padding = self.weight.shape[-1] // 2
        if self.stride == (2, 2):
            even = input[:, :, ::2, ::2].contiguous(memory_format=torch.channels_last)
            return functional.conv2d(even, self.weight, padding=padding, groups=self.groups)
        folded = functional.pixel_unshuffle(input, 2)
        weight = self.weight.repeat_interleave(4, dim=0)
        return functional.pixel_shuffle(
            functional.conv2d(folded, weight, padding=padding, groups=4 * self.groups), 2
        )


def _separable(channels: int) -> nn.Module:
    depthwise = nn.Conv2d(channels, channels, 3, padding=1, groups=channels, bias=False)
    return _activated(nn.Sequential(depthwise, _pointwise(channels)), channels)


def _dilated(channels: int) -> nn.Module:
    return _activated(
        nn.Sequential(DilatedDepthwiseConv2d(channels), _pointwise(channels)), channels
    )


def _pointwise(channels: int) -> nn.Module:
    return nn.Conv2d(channels, channels, 1, bias=False)


class AveragePool2d(nn.AvgPool2d):
    """Average pooling of 3 x 3 pixels, in which what lies beyond the border does not count.

    On CUDA its input is first brought into the order n x c x h x w: of the order that cuDNN's
    convolutions leave behind, channels_last, some versions of torch compute a wrong gradient
    where a pool has padding (its bug 188344). With torch 2.11 it was off by its norm.
    """

    def __init__(self, stride: int = 1) -> None:
        super().__init__(3, stride, padding=1, count_include_pad=False)

    def forward(self, input: torch.Tensor) -> torch.Tensor:
        """`n x channels x h x w` to the same shape, divided by the stride."""
        return super().forward(input.contiguous() if input.is_cuda else input)


def _average_pool(channels: int) -> nn.Module:
    return AveragePool2d()


def _max_pool(channels: int) -> nn.Module:
    return nn.MaxPool2d(3, stride=1, padding=1)


OPERATIONS: dict[str, Callable[[int], nn.Module]] = {  # name -> constructor from channels
    SKIP: lambda channels: nn.Identity(),
    "conv_1x1": _pointwise_convolution,
    "conv_3x3": _convolution,
    "cdc_3x3": CentralDifference,
    "sep_conv_3x3": _separable,
    "dil_conv_3x3": _dilated,
    "avg_pool_3x3": _average_pool,
    "max_pool_3x3": _max_pool,
}
"""`none` has no module: an edge that carries it is left out."""
