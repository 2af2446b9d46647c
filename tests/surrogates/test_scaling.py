import math

import pytest
import torch

from surrogates.scaling import Scale, compressed_scale, standard_scale
from surrogates.surrogate import Marginals


def _skewed() -> torch.Tensor:
    """Forty good values near 90 and ten that failed, down to 10."""
    generator = torch.Generator().manual_seed(0)
    good = 90 + torch.randn(40, generator=generator).double()
    return torch.cat([good, torch.linspace(10, 80, 10).double()])


@pytest.fixture(params=["linear", "compressed"])
def scale(request: pytest.FixtureRequest) -> Scale:
    return {"linear": standard_scale, "compressed": compressed_scale}[request.param](_skewed())


def test_scaled_values_have_mean_zero_and_deviation_one(scale: Scale) -> None:
    scaled = scale(_skewed())
    assert abs(float(scaled.mean())) < 1e-12
    assert float(scaled.std(correction=0)) == pytest.approx(1.0)


def test_the_inverse_undoes_the_scale_also_outside_the_values_seen(scale: Scale) -> None:
    values = torch.linspace(-300, 200, 1_001).double()
    scaled = scale(values)
    assert (scaled.diff() > 0).all()
    assert torch.allclose(scale.inverse(scaled), values, atol=1e-9)


def test_the_compressed_scale_is_smooth_at_the_knee_and_at_the_lowest_value() -> None:
    scale = compressed_scale(_skewed())
    for joint in (scale.knee, scale.knee - scale.depth):
        around = torch.tensor([joint - 1e-4, joint, joint + 1e-4]).double()
        left, right = scale(around).diff()
        assert float(left) == pytest.approx(float(right), rel=1e-3)


def test_failures_do_not_set_the_scale_of_the_good() -> None:
    values = _skewed()
    good = slice(0, 40)
    assert float(compressed_scale(values)(values)[good].std()) > 3 * float(
        standard_scale(values)(values)[good].std()
    )


@pytest.mark.parametrize(("factor", "offset"), [(1e-6, 0.0), (1e6, -5e6), (2.0, 100.0)])
def test_units_do_not_matter(factor: float, offset: float) -> None:
    values = _skewed()
    moved = values * factor + offset
    assert torch.allclose(
        compressed_scale(moved)(moved), compressed_scale(values)(values), atol=1e-6
    )


@pytest.mark.parametrize("values", [[3.0], [2.0, 2.0, 2.0], [1.0, 5.0, 5.0, 5.0, 5.0]])
def test_without_a_spread_above_the_median_nothing_is_compressed(values: list[float]) -> None:
    scale = compressed_scale(torch.tensor(values).double())
    assert math.isinf(scale.knee)
    assert torch.isfinite(scale(torch.tensor(values).double())).all()


def test_moments_in_the_values_units_are_those_of_samples(scale: Scale) -> None:
    mean = torch.tensor([1.0, 0.0, -1.0, -2.0]).double()
    deviation = torch.tensor([0.1, 0.5, 0.5, 0.2]).double()
    generator = torch.Generator().manual_seed(1)
    draws = torch.randn(200_000, 4, generator=generator).double() * deviation + mean
    values = scale.inverse(draws)
    undone = scale.undo(Marginals(mean, deviation.square()))
    assert torch.allclose(undone.mean, values.mean(0), rtol=0.01)
    assert torch.allclose(undone.variance, values.var(0), rtol=0.03)


@pytest.mark.parametrize(
    ("factor", "offset"), [(1.0, 0.0), (1e-6, 0.0), (1e6, 0.0), (1.0, 1e-6), (1.0, 1e6)]
)
def test_rounding_among_saturated_values_is_no_distance(factor: float, offset: float) -> None:
    """A quarter and more of the values equal the best up to their last bit."""
    clean = torch.cat([torch.linspace(0.7, 0.9, 15), torch.ones(25)]).double()
    bits = torch.randint(0, 2, (25,), generator=torch.Generator().manual_seed(0)).double()
    noisy = clean.clone()
    noisy[15:] -= 2.2e-16 * bits
    assert noisy.unique().numel() > clean.unique().numel()
    expected = standard_scale(clean)(clean)
    for values in (clean, noisy):
        moved = values * factor + offset
        tied = moved[15:].max() - moved[15:].min()
        assert tied <= 1e-15 * moved.abs().max()
        assert torch.allclose(compressed_scale(moved)(moved), expected, atol=1e-3)
