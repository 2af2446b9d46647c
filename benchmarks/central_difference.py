"""Time of central difference convolution as one convolution, as a ratio to its definition by two.

    OMP_NUM_THREADS=1 python benchmarks/central_difference.py [--size 96] [--width 16] [--batch 32]

Yu et al. (2020), equation 4, is a convolution less theta times a pointwise one by the kernel's sum.
For the sizes of the three stages of the `forgery` networks, prints the median time of a forward
pass, and of a forward and backward pass, of both forms, and their ratio. Both forms take turns, so
that what else the machine does slows them alike. On the CPU, and on CUDA where there is one.
"""

import argparse
import statistics
import time
from collections.abc import Callable

import torch
from torch.nn import functional

from bonas.networks.forgery import WIDENING
from bonas.networks.operations import CentralDifferenceConv2d
from spaces.pyramid import STAGES

WARM = 3
Form = Callable[[torch.Tensor, CentralDifferenceConv2d], torch.Tensor]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--size", type=int, default=96, help="edge of the images")
    parser.add_argument("--width", type=int, default=16, help="half the first stage's channels")
    parser.add_argument("--batch", type=int, default=32)
    parser.add_argument("--rounds", type=int, default=30)
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    names = ["cpu", *(["cuda"] if torch.cuda.is_available() else [])]
    print("| device | stage | channels, size | pass | two, ms | one, ms | one / two |")
    print("|---|---|---|---|---|---|---|")
    for device in map(torch.device, names):
        for number, stage in enumerate(STAGES):
            channels, size = WIDENING[number] * arguments.width, arguments.size >> (number + 1)
            shape = (arguments.batch, channels, size, size)
            for backward in (False, True):
                two, one = times(shape, device, arguments.rounds, backward=backward)
                kind = "forward and backward" if backward else "forward"
                print(
                    f"| {device.type} | {stage} | {channels}, {size} | {kind} "
                    f"| {two:.2f} | {one:.2f} | {one / two:.2f} |"
                )


def times(
    shape: tuple[int, int, int, int], device: torch.device, rounds: int, *, backward: bool
) -> list[float]:
    """Median milliseconds of the definition and of the one convolution."""
    generator = torch.Generator().manual_seed(0)
    images = torch.randn(shape, generator=generator).to(device)
    images = images.contiguous(memory_format=torch.channels_last).requires_grad_()
    direction = torch.randn(shape, generator=generator).to(device)
    direction = direction.contiguous(memory_format=torch.channels_last)
    convolution = CentralDifferenceConv2d(shape[1], shape[1]).to(device)
    forms: tuple[Form, Form] = (two_convolutions, one_convolution)
    taken: list[list[float]] = [[], []]
    for turn in range(2 * (rounds + WARM)):
        form = forms[turn % 2]
        wait(device)
        begun = time.perf_counter()
        if backward:
            form(images, convolution).backward(direction)
        else:
            with torch.no_grad():
                form(images, convolution)
        wait(device)
        taken[turn % 2].append(1_000 * (time.perf_counter() - begun))
        images.grad = convolution.weight.grad = None
    return [statistics.median(t[WARM:]) for t in taken]


def one_convolution(images: torch.Tensor, convolution: CentralDifferenceConv2d) -> torch.Tensor:
    result: torch.Tensor = convolution(images)
    return result


def two_convolutions(images: torch.Tensor, convolution: CentralDifferenceConv2d) -> torch.Tensor:
    """The definition, with the same weights."""
    weight = convolution.weight
    plain = functional.conv2d(images, weight, padding=1)
    return plain - convolution.theta * functional.conv2d(images, weight.sum((2, 3), keepdim=True))


def wait(device: torch.device) -> None:
    if device.type == "cuda":
        torch.cuda.synchronize(device)


if __name__ == "__main__":
    main()
