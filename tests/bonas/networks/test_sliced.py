"""Laws of layers of which a part is used."""

import pytest
import torch
from torch import nn
from torch.nn import functional

from bonas.networks.operations import CentralDifferenceConv2d
from bonas.networks.sliced import SlicedBatchNorm2d, SlicedConv2d, part


def test_a_part_holds_the_first_channels_and_the_middle_of_the_kernel() -> None:
    tensor = torch.arange(2 * 3 * 5 * 5).reshape(2, 3, 5, 5)
    assert torch.equal(part(tensor, (1, 2, 3, 3)), tensor[:1, :2, 1:4, 1:4])
    assert torch.equal(part(tensor, (2, 3, 1, 5)), tensor[:, :, 2:3])
    assert torch.equal(part(torch.arange(4), (2,)), torch.tensor([0, 1]))
    assert part(torch.tensor(7), ()).item() == 7
    assert torch.equal(part(part(tensor, (2, 3, 3, 3)), (1, 1, 1, 1)), part(tensor, (1, 1, 1, 1)))


@pytest.mark.parametrize(
    "shape", [(3, 3, 5, 5), (2, 3, 5), (2, 3, 4, 5), (2, 0, 5, 5), (2, 3, 5, 5, 1)]
)
def test_what_is_no_part_is_refused(shape: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match=r"of a tensor of \(2, 3, 5, 5\); it must have as many"):
        part(torch.zeros(2, 3, 5, 5), shape)


@pytest.mark.parametrize("theta", [0.0, 0.7])
@pytest.mark.parametrize(("channels_in", "channels", "kernel"), [(4, 6, 5), (2, 3, 3), (1, 6, 1)])
def test_a_sliced_convolution_is_one_with_a_part_of_the_weights(
    channels_in: int, channels: int, kernel: int, theta: float
) -> None:
    layer = SlicedConv2d(4, 6, 5, theta=theta).double()
    images = torch.randn(2, channels_in, 7, 9, dtype=torch.float64)
    weight = part(layer.weight, (channels, channels_in, kernel, kernel))
    plain = functional.conv2d(images, weight, padding=kernel // 2)
    # The definition of Yu et al. (2020), equation 4, as two convolutions.
    difference = functional.conv2d(images, weight.sum((2, 3), keepdim=True))
    expected = plain - theta * difference
    assert torch.allclose(layer(images, channels, kernel), expected, atol=1e-12)


def test_a_whole_one_is_the_central_difference_convolution() -> None:
    ours, theirs = SlicedConv2d(3, 4, 3, theta=0.7), CentralDifferenceConv2d(3, 4)
    theirs.load_state_dict(ours.state_dict())
    images = torch.rand(2, 3, 8, 8)
    assert torch.allclose(ours(images), theirs(images), atol=1e-6)


def test_a_depthwise_one_has_as_many_channels_as_its_input() -> None:
    layer = SlicedConv2d(6, 6, 5, depthwise=True)
    images = torch.rand(2, 4, 8, 8)
    weight = layer.weight[:4, :, 1:4, 1:4]
    expected = functional.conv2d(images, weight, padding=1, groups=4)
    assert torch.allclose(layer(images, kernel=3), expected, atol=1e-6)


@pytest.mark.parametrize("momentum", [0.1, None])
def test_a_sliced_batch_norm_is_one_of_its_first_channels_and_leaves_the_others(
    momentum: float | None,
) -> None:
    ours, theirs = SlicedBatchNorm2d(5, momentum=momentum), nn.BatchNorm2d(3, momentum=momentum)
    with torch.no_grad():
        ours.weight.copy_(torch.arange(5.0))
        theirs.weight.copy_(torch.arange(3.0))
    for _ in range(3):
        images = torch.randn(4, 3, 6, 6) * 2 + 1
        assert torch.equal(ours(images), theirs(images))
    ours.eval()
    theirs.eval()
    assert torch.equal(ours(images), theirs(images))
    assert ours.running_mean is not None
    assert theirs.running_mean is not None
    assert torch.equal(ours.running_mean[:3], theirs.running_mean)
    assert (ours.running_mean[3:] == 0).all()
    assert ours.num_batches_tracked == theirs.num_batches_tracked == 3
