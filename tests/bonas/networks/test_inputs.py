import pytest
import torch
from torch.nn import functional

from bonas.networks.inputs import CHANNELS, UNIT, Bands, FixedDepthwiseConv2d, InputBranch, Residual
from spaces.forgery import INPUTS


def images(size: int = 12) -> torch.Tensor:
    return torch.rand(2, 3, size, size, generator=torch.Generator().manual_seed(0))


@pytest.mark.parametrize("level", [-1.8, 0.0, 2.2])
@pytest.mark.parametrize("filtered", [Residual, Bands])
def test_a_constant_image_has_no_residual_and_no_bands(
    filtered: type[torch.nn.Module], level: float
) -> None:
    seen = filtered()(torch.full((1, 3, 9, 11), level))
    assert torch.allclose(seen, torch.zeros_like(seen), atol=1e-4)


def test_a_ramp_has_no_residual_off_the_border() -> None:
    ramp = torch.arange(12.0)[:, None] / 12 + torch.arange(12.0) / 6
    seen = Residual()(ramp.expand(1, 3, 12, 12))[:, :, 2:-2, 2:-2]
    assert torch.allclose(seen, torch.zeros_like(seen), atol=1e-4)


def test_a_residual_is_the_prediction_less_the_pixel() -> None:
    """A lone bright pixel is missed by 1, and is twice too bright for those in its row."""
    dot = torch.zeros(1, 3, 11, 11)
    dot[:, 1, 5, 5] = UNIT
    seen = Residual()(dot)[0].reshape(3, 3, 11, 11)
    assert torch.allclose(seen[1, :, 5, 5], torch.tensor(-1.0))
    assert torch.allclose(seen[1, 0, 5, 4:7], torch.tensor([0.5, -1.0, 0.5]))
    assert torch.count_nonzero(seen[[0, 2]]) == 0, "colour channels are filtered alone"
    assert torch.allclose(seen.sum(dim=(2, 3)), torch.zeros(3, 3), atol=1e-6)


def test_bands_add_up_to_the_image_less_its_twice_smoothed_one() -> None:
    taps = torch.tensor([1.0, 2.0, 1.0]) / 4
    given = images()

    def smooth(value: torch.Tensor, dilation: int) -> torch.Tensor:
        extended = functional.pad(value, (dilation,) * 4, mode="replicate")
        kernel = torch.outer(taps, taps).expand(3, 1, 3, 3)
        return functional.conv2d(extended, kernel, dilation=dilation, groups=3)

    low = smooth(smooth(given, 1), 2)
    high, middle = (UNIT * Bands()(given)).chunk(2, dim=1)
    assert torch.allclose(high + middle + low, given, atol=1e-6)


def test_finer_detail_is_in_the_high_band() -> None:
    rows = torch.arange(32)
    stripes = {period: (rows // (period // 2) % 2).float() for period in (2, 8)}
    energies = {}
    for period, line in stripes.items():
        bands = Bands()(line.expand(1, 3, 32, 32))[:, :, 8:-8, 8:-8]
        high, middle = bands.chunk(2, dim=1)
        energies[period] = float(high.square().mean() / middle.square().mean())
    assert energies[2] > 1 > energies[8]


@pytest.mark.parametrize("option", INPUTS)
def test_every_input_has_its_channels_and_starts_with_the_pixels_where_it_has_them(
    option: str,
) -> None:
    seen = InputBranch(option)(images())
    assert seen.shape == (2, CHANNELS[option], 12, 12)
    assert torch.equal(seen[:, :3], images()) == option.startswith("rgb")
    with torch.device("meta"):
        shapes = InputBranch(option)(torch.empty(2, 3, 12, 12))
    assert shapes.shape == seen.shape


@pytest.mark.parametrize("option", INPUTS)
def test_filters_are_computed_in_float32_and_are_no_weights(option: str) -> None:
    branch = InputBranch(option)
    exact = branch(images())
    with torch.autocast("cpu", dtype=torch.bfloat16):
        assert torch.equal(branch(images()), exact)
    assert not list(branch.parameters())
    assert not branch.state_dict()


def test_borders_are_continued_by_the_nearest_pixel_with_its_gradient() -> None:
    kernel = torch.randn(2, 5, 3, generator=torch.Generator().manual_seed(1))
    ours, theirs = images(7).requires_grad_(), images(7).requires_grad_()
    filtered = FixedDepthwiseConv2d(kernel)(ours)
    extended = functional.pad(theirs, (1, 1, 2, 2), mode="replicate")
    weight = kernel[:, None].repeat(3, 1, 1, 1)
    expected = functional.conv2d(extended, weight, groups=3)
    assert torch.allclose(filtered, expected, atol=1e-6)
    filtered.square().sum().backward()
    expected.square().sum().backward()
    assert ours.grad is not None
    assert theirs.grad is not None
    assert torch.allclose(ours.grad, theirs.grad, atol=1e-4)
