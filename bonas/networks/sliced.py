"""Layers of which a call uses a part: the first channels and the middle of the kernel.

So narrow and wide, small and large options share weights (Stamoulis et al. 2019, Single-Path NAS,
section 3: a 3x3 kernel is the inside of a 5x5 one; Cai et al. 2020, Once-for-all, section 3.3:
channels nest). What a call uses follows from the input's channels and from what it asks for.
"""

from collections.abc import Sequence

import torch
from torch import nn
from torch.nn import functional


def part(tensor: torch.Tensor, shape: Sequence[int]) -> torch.Tensor:
    """The part of a weight or buffer that a smaller layer uses, as a view of this shape.

    Args:
        tensor: Channels first; what follows two axes of channels are the kernel's.
        shape: Of the part.

    Raises:
        ValueError: the shape has other axes, is larger along one of them, or its kernel does not
            lie in the middle.
    """
    sizes = list(zip(tensor.shape, shape, strict=False))
    inside = all(0 < part <= whole for whole, part in sizes)
    middle = all((whole - part) % 2 == 0 for whole, part in sizes[2:])
    if len(shape) != tensor.ndim or not inside or not middle:
        raise ValueError(
            f"shape is {tuple(shape)}, of a tensor of {tuple(tensor.shape)}; it must have as many "
            "axes, none larger, and kernels smaller by an even number."
        )
    for axis, (whole, size) in enumerate(sizes):
        tensor = tensor.narrow(axis, 0 if axis < 2 else (whole - size) // 2, size)
    return tensor


class SlicedConv2d(nn.Conv2d):
    """A convolution of stride 1 that keeps the resolution, or the part of it that a call asks for.

    Args:
        channels_in: Most channels of the input.
        channels_out: Most channels of the output; those of the input where it is depthwise.
        kernel: Largest edge of the kernel, odd.
        depthwise: Whether every channel has a kernel of its own and meets no other.
        theta: Share of the central difference term in [0, 1] (Yu et al. 2020, equation 4); 0 is an
            ordinary convolution. The sum over the window is that of the part of the kernel used.
    """

    def __init__(
        self,
        channels_in: int,
        channels_out: int,
        kernel: int,
        *,
        depthwise: bool = False,
        theta: float = 0.0,
    ) -> None:
        groups = channels_in if depthwise else 1
        super().__init__(
            channels_in, channels_out, kernel, padding=kernel // 2, groups=groups, bias=False
        )
        self.depthwise = depthwise
        self.theta = theta

    def forward(
        self, input: torch.Tensor, channels: int | None = None, kernel: int | None = None
    ) -> torch.Tensor:
        """`n x channels_in' x h x w` to `n x channels x h x w`.

        Args:
            input: With the first channels, as many as there are.
            channels: Of the output; all unless given. A depthwise convolution has the input's.
            kernel: Edge of the kernel; the largest unless given.
        """
        channels_in = input.shape[1]
        edge = kernel or self.kernel_size[0]
        channels_out = channels_in if self.depthwise else channels or self.out_channels
        per_group = 1 if self.depthwise else channels_in
        # Contiguous as that of a stand-alone network, which then computes the same to the bit.
        weight = part(self.weight, (channels_out, per_group, edge, edge)).contiguous()
        if self.theta:
            total = weight.sum(dim=(2, 3), keepdim=True)
            weight = weight - self.theta * functional.pad(total, (edge // 2,) * 4)
        groups = channels_in if self.depthwise else 1
        return functional.conv2d(input, weight, padding=edge // 2, groups=groups)


class SlicedBatchNorm2d(nn.BatchNorm2d):
    """Batch norm of the first channels, as many as the input has.

    The statistics of a channel are shared by all that use it, whatever feeds it; of a supernet they
    must be re-estimated for every architecture (Yu and Huang 2019, section 3.2). That is what
    `bonas.estimation.supernet.recalibrate` does.
    """

    def forward(self, input: torch.Tensor) -> torch.Tensor:
        """`n x channels x h x w` to the same shape."""
        count = input.shape[1]
        assert self.num_batches_tracked is not None
        assert self.running_mean is not None
        assert self.running_var is not None
        rate = self.momentum
        if self.training:
            self.num_batches_tracked.add_(1)
            if rate is None:  # a cumulative average
                rate = 1.0 / float(self.num_batches_tracked)
        return functional.batch_norm(
            input,
            part(self.running_mean, (count,)),
            part(self.running_var, (count,)),
            part(self.weight, (count,)),
            part(self.bias, (count,)),
            self.training,
            rate or 0.0,
            self.eps,
        )
