import dataclasses

import pytest
import torch
from torch import Tensor, nn

from bonas.robustness.attacks import Effort, Network, masked_gradients
from tests.bonas.robustness.attacks.worlds import Linear, sample, trained_network

EFFORT = Effort(apgd=10, square=200)


def seeded() -> torch.Generator:
    return torch.Generator().manual_seed(0)


@pytest.fixture(scope="module")
def trained() -> tuple[nn.Module, Tensor, Tensor]:
    images, labels = sample(32, 12)
    return trained_network(images, labels), images, labels


def quantised(network: nn.Module) -> Network:
    """Sees 16 levels of each pixel; rounding has the derivative 0."""
    return lambda x: network((x * 15.0).round() / 15.0)


def saturated(network: nn.Module) -> Network:
    """Sees each pixel as very nearly black or white; the derivative underflows."""
    return lambda x: network(torch.sigmoid(20_000.0 * (x - 0.5)))


@pytest.mark.parametrize("mask", [quantised, saturated])
def test_a_network_that_hides_its_gradients_is_called_out(
    mask: type, trained: tuple[nn.Module, Tensor, Tensor]
) -> None:
    network, images, labels = trained
    verdict = masked_gradients(
        mask(network), images, labels, 16.0, effort=EFFORT, generator=seeded()
    )
    assert verdict.masked
    assert verdict.square > verdict.apgd
    assert verdict.square_stronger > verdict.apgd_stronger
    assert verdict.describe().startswith("gradients are masked: Square is stronger than APGD on ")


def test_rounding_leaves_no_gradient_at_any_image(
    trained: tuple[nn.Module, Tensor, Tensor],
) -> None:
    network, images, labels = trained
    verdict = masked_gradients(
        quantised(network), images, labels, 16.0, effort=EFFORT, generator=seeded()
    )
    assert verdict.flat == 1.0


@pytest.mark.parametrize("eps", [1.0, 16.0])
def test_an_honest_network_is_not_accused(
    eps: float, trained: tuple[nn.Module, Tensor, Tensor]
) -> None:
    network, images, labels = trained
    verdict = masked_gradients(network, images, labels, eps, effort=EFFORT, generator=seeded())
    assert not verdict.masked
    assert verdict.flat == 0.0
    assert verdict.apgd > verdict.square > verdict.clean
    assert verdict.apgd_stronger == verdict.images == 32
    assert verdict.describe().startswith("no sign of masked gradients")


def test_a_network_that_is_very_sure_is_not_accused() -> None:
    images, labels = sample(16, 8)
    network = Linear(8, 0, scale=2.0**12).eval()
    assert not masked_gradients(
        network, images, labels, 4.0, effort=EFFORT, generator=seeded()
    ).masked


def test_the_verdict_is_the_sign_test(trained: tuple[nn.Module, Tensor, Tensor]) -> None:
    network, images, labels = trained
    verdict = masked_gradients(network, images, labels, 1.0, effort=EFFORT, generator=seeded())
    assert verdict.p_value == 1.0
    assert dataclasses.replace(verdict, p_value=0.0099).masked
    assert not dataclasses.replace(verdict, p_value=0.01).masked


def test_ties_decide_nothing() -> None:
    images, labels = sample(8, 8)
    verdict = masked_gradients(
        lambda x: x.sum(dim=(1, 2, 3)) * 0.0, images, labels, 1.0, effort=EFFORT, generator=seeded()
    )
    assert (verdict.square_stronger, verdict.apgd_stronger, verdict.p_value) == (0, 0, 1.0)
    assert verdict.flat == 1.0


def test_too_few_images_or_no_budget_are_refused() -> None:
    network = Linear(8, 0).eval()
    images, labels = sample(8, 8)
    with pytest.raises(ValueError, match="at least 8 and eps positive, got 7 and 1"):
        masked_gradients(network, images[:7], labels[:7], 1.0, generator=seeded())
    with pytest.raises(ValueError, match=r"eps positive, got 8 and 0\.0"):
        masked_gradients(network, images, labels, 0.0, generator=seeded())
