"""What a network's first stage sees of an image: pixels, their residual, their frequency bands.

All of it is fixed linear filtering per colour channel. A stem that sees pixels could learn it, but
content dominates what it learns from; and one that sees the residual alone cannot learn content.
"""

from collections.abc import Sequence

import torch
from torch import nn
from torch.nn import functional

from bonas.networks.detector import PIXEL_SCALE

UNIT = 4 / 255 / PIXEL_SCALE
"""Filtered values are given in units of four grey levels of normalised images, so that they are of
the order of one, as pixels are."""

# Predictions of a pixel from its neighbours in a rich model for steganalysis (Fridrich and
# Kodovsky 2012, section II): from both in its row, by a second difference; from the eight around
# it; from the 24 around it. The pixel's own tap, in the middle, is the divisor.
_ROW = [[1.0, -2.0, 1.0]]
_SQUARE_3X3 = [[-1.0, 2.0, -1.0], [2.0, -4.0, 2.0], [-1.0, 2.0, -1.0]]
_SQUARE_5X5 = [
    [-1.0, 2.0, -2.0, 2.0, -1.0],
    [2.0, -6.0, 8.0, -6.0, 2.0],
    [-2.0, 8.0, -12.0, 8.0, -2.0],
    [2.0, -6.0, 8.0, -6.0, 2.0],
    [-1.0, 2.0, -2.0, 2.0, -1.0],
]
_SMOOTH = [1.0, 2.0, 1.0]  # the binomial low-pass filter of length three, before division by four

CHANNELS = {"rgb": 3, "residual": 9, "rgb+residual": 12, "rgb+bands": 9}
"""Of each input option."""


class FixedDepthwiseConv2d(nn.Conv2d):
    """Kernels that are the same for every colour channel and are not learned; the size stays.

    The image is continued by its border pixels: a constant one has no border to be seen. The
    kernels are no part of the module's state, which weights on disk are.

    Args:
        kernels: `k x 5 x 5` or smaller, odd edges.
        dilation: Pixels between two taps.
    """

    def __init__(self, kernels: torch.Tensor, dilation: int = 1) -> None:
        count, height, width = kernels.shape
        super().__init__(
            3, 3 * count, (height, width), dilation=dilation, groups=3, bias=False, device="meta"
        )
        del self.weight
        self.register_buffer("weight", kernels[:, None].repeat(3, 1, 1, 1), persistent=False)

    def forward(self, input: torch.Tensor) -> torch.Tensor:
        """`n x 3 x h x w` to `n x 3k x h x w`."""
        height, width = self.kernel_size
        rows, columns = height // 2 * self.dilation[0], width // 2 * self.dilation[1]
        extended = _continued(_continued(input, rows, dim=2), columns, dim=3)
        return functional.conv2d(extended, self.weight, dilation=self.dilation, groups=self.groups)


class Residual(nn.Module):
    """The prediction of every pixel from its neighbours less the pixel, by three filters.

    Fridrich and Kodovsky (2012), equation 1, without quantisation and truncation. Zero where the
    image is constant or a ramp.
    """

    def __init__(self) -> None:
        super().__init__()
        self.filters = FixedDepthwiseConv2d(
            torch.stack([_residual_kernel(k) for k in (_ROW, _SQUARE_3X3, _SQUARE_5X5)])
        )

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        """`n x 9 x h x w`, in `UNIT`, of normalised images, `n x 3 x h x w`."""
        result: torch.Tensor = self.filters(images) / UNIT
        return result


class Bands(nn.Module):
    """The high and the middle band of the undecimated wavelet transform by binomial smoothing.

    With `s1` the image smoothed and `s2` that smoothed once more by the same taps two pixels apart,
    the bands are `images - s1` and `s1 - s2` (Shensa 1992). What they leave of the image is its
    low band `s2`, which a linear stem can form from the image beside them.
    """

    def __init__(self) -> None:
        super().__init__()
        taps = torch.tensor(_SMOOTH) / sum(_SMOOTH)
        kernel = torch.outer(taps, taps)[None]
        self.first = FixedDepthwiseConv2d(kernel)
        self.second = FixedDepthwiseConv2d(kernel, dilation=2)

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        """`n x 6 x h x w`, in `UNIT`: high, then middle, of normalised images, `n x 3 x h x w`."""
        smooth = self.first(images)
        smoother = self.second(smooth)
        return torch.cat([images - smooth, smooth - smoother], dim=1) / UNIT


class InputBranch(nn.Module):
    """One of `spaces.forgery.INPUTS`.

    Args:
        option: Its parts, joined by `+`, are laid side by side.
    """

    def __init__(self, option: str) -> None:
        super().__init__()
        parts: dict[str, type[nn.Module]] = {
            "rgb": nn.Identity,
            "residual": Residual,
            "bands": Bands,
        }
        self.parts = nn.ModuleList(parts[name]() for name in option.split("+"))

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        """`n x CHANNELS[option] x h x w` of normalised images, `n x 3 x h x w`."""
        if images.device.type == "meta":  # has shapes only, and no mixed precision to switch off
            return torch.cat([part(images) for part in self.parts], dim=1)
        # In float32 at least, whatever is around it: bfloat16 has steps of a grey level, and its
        # kernels do not add up to zero.
        exact = images.to(torch.promote_types(images.dtype, torch.float32))
        with torch.autocast(images.device.type, enabled=False):
            seen = [part(exact) for part in self.parts]
        return torch.cat(seen, dim=1)


def _residual_kernel(taps: Sequence[Sequence[float]]) -> torch.Tensor:
    """`5 x 5`, the taps in the middle, divided so that the pixel's own is -1."""
    kernel = torch.tensor(taps)
    height, width = kernel.shape
    kernel = kernel / -kernel[height // 2, width // 2]
    rows, columns = (5 - height) // 2, (5 - width) // 2
    return functional.pad(kernel, (columns, columns, rows, rows))


def _continued(images: torch.Tensor, by: int, *, dim: int) -> torch.Tensor:
    """The images with their first and last row or column repeated.

    By concatenation, whose gradient adds up in a fixed order on every device; that of
    `functional.pad` does not.
    """
    if by == 0:
        return images
    size = images.shape[dim]
    shape = list(images.shape)
    shape[dim] = by
    before, after = (images.narrow(dim, i, 1).expand(shape) for i in (0, size - 1))
    return torch.cat([before, images, after], dim=dim)
