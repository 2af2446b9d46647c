import pytest
import torch
from torch import nn
from torch.nn import functional

from bonas.networks.operations import (
    OPERATIONS,
    CentralDifferenceConv2d,
    DilatedDepthwiseConv2d,
)
from spaces.forgery import FORGERY
from spaces.nasbench201 import NASBENCH201


def difference_by_definition(
    images: torch.Tensor, weight: torch.Tensor, theta: float
) -> torch.Tensor:
    """Equation 4 of Yu et al. (2020): two convolutions."""
    plain = functional.conv2d(images, weight, padding=1)
    return plain - theta * functional.conv2d(images, weight.sum((2, 3), keepdim=True))


@pytest.mark.parametrize("theta", [0.0, 0.3, 0.7, 1.0])
def test_one_convolution_equals_the_definition_with_its_gradients(theta: float) -> None:
    convolution = CentralDifferenceConv2d(4, 6, theta=theta).double()
    images = torch.randn(2, 4, 9, 7, dtype=torch.float64, requires_grad=True)
    ours = convolution(images)
    theirs = difference_by_definition(images, convolution.weight, theta)
    assert torch.allclose(ours, theirs, atol=1e-12)
    direction = torch.randn_like(ours)
    leaves = [images, convolution.weight]
    for a, b in zip(
        torch.autograd.grad(ours, leaves, direction),
        torch.autograd.grad(theirs, leaves, direction),
        strict=True,
    ):
        assert torch.allclose(a, b, atol=1e-11)


@pytest.mark.parametrize("size", [48, 24, 12])
def test_the_definition_holds_to_float_tolerance_at_the_stages_sizes(size: int) -> None:
    convolution = CentralDifferenceConv2d(8, 8)
    images = torch.randn(2, 8, size, size, requires_grad=True)
    leaves = [images, convolution.weight]
    ours = convolution(images, 0.3)
    theirs = difference_by_definition(images, convolution.weight, 0.3)
    torch.testing.assert_close(ours, theirs)
    direction = torch.randn_like(ours)
    gradients = (torch.autograd.grad(value, leaves, direction) for value in (ours, theirs))
    for a, b in zip(*gradients, strict=True):
        torch.testing.assert_close(a, b, rtol=1e-4, atol=1e-3)


def test_a_call_may_name_another_theta_for_the_same_weights() -> None:
    convolution = CentralDifferenceConv2d(4, 6, theta=0.7)
    images = torch.randn(2, 4, 9, 7)
    assert torch.equal(convolution(images, 0.7), convolution(images))
    assert torch.equal(
        convolution(images, 0.0), functional.conv2d(images, convolution.weight, padding=1)
    )


def test_a_full_difference_sees_no_constant() -> None:
    flat = torch.full((1, 3, 8, 8), 5.0)
    inner = CentralDifferenceConv2d(3, 2, theta=1.0)(flat)[:, :, 1:-1, 1:-1]
    assert torch.allclose(inner, torch.zeros_like(inner), atol=1e-5)


@pytest.mark.parametrize("theta", [-0.1, 1.5])
def test_theta_outside_its_range_is_an_error(theta: float) -> None:
    with pytest.raises(ValueError, match=rf"theta is {theta}; it must lie in \[0, 1\]"):
        CentralDifferenceConv2d(3, 3, theta=theta)


@pytest.mark.parametrize("shape", [(8, 8), (12, 6), (7, 8), (9, 9)])
@pytest.mark.parametrize("kernel", [3, 5])
@pytest.mark.parametrize("stride", [1, 2])
def test_a_dilated_convolution_of_folded_pixels_equals_the_ordinary_one(
    shape: tuple[int, int], kernel: int, stride: int
) -> None:
    ours = DilatedDepthwiseConv2d(5, kernel, stride).double()
    padding = 2 * (kernel // 2)
    theirs = nn.Conv2d(5, 5, kernel, stride, padding, dilation=2, groups=5, bias=False).double()
    theirs.load_state_dict(ours.state_dict())
    images = torch.randn(2, 5, *shape, dtype=torch.float64)
    assert torch.allclose(ours(images), theirs(images), atol=1e-12)


@pytest.mark.parametrize("name", [o for o in FORGERY.operations if o != "none"])
def test_an_operation_keeps_the_shape(name: str) -> None:
    images = torch.randn(2, 8, 10, 12)
    assert OPERATIONS[name](8)(images).shape == images.shape


def test_every_operation_of_the_space_has_a_module() -> None:
    assert set(OPERATIONS) == {*FORGERY.operations, *NASBENCH201.operations} - {"none"}


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
@pytest.mark.parametrize("name", OPERATIONS)
@pytest.mark.parametrize("order", [torch.contiguous_format, torch.channels_last])
def test_gradients_on_cuda_do_not_depend_on_the_order_in_memory(
    name: str, order: torch.memory_format
) -> None:
    operation = OPERATIONS[name](4).train()
    images = torch.randn(8, 4, 12, 12, generator=torch.Generator().manual_seed(0))
    upstream = torch.randn(8, 4, 12, 12, generator=torch.Generator().manual_seed(1))
    gradients = []
    with torch.backends.cudnn.flags(allow_tf32=False):
        for device in ("cpu", "cuda"):
            operation.to(device)
            inputs = images.clone(memory_format=order).to(device).requires_grad_()
            operation(inputs).backward(upstream.to(device))
            assert inputs.grad is not None
            gradients.append(inputs.grad.cpu())
    assert torch.allclose(*gradients, atol=1e-5)
