import itertools

import pytest
import torch
from torch import Tensor

from bonas.robustness.attacks import Attack, attack_definition, fgsm
from tests.bonas.robustness.attacks.worlds import Linear, losses, sample, small_network


@pytest.mark.parametrize("eps", [0.0, 0.5, 1.0, 8.0, 255.0])
def test_the_attack_stays_in_the_ball_and_in_the_image(eps: float) -> None:
    images, labels = sample(6, 8)
    attacked = fgsm(small_network(), images, labels, eps)
    assert attacked.dtype == torch.float32
    assert (attacked - images).abs().max().item() <= eps / 255.0 + 1e-7
    assert attacked.min().item() >= 0.0
    assert attacked.max().item() <= 1.0
    assert torch.equal(attacked, images) == (eps == 0.0)


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("eps", [255.0 / 256.0, 255.0 / 32.0])
def test_a_linear_network_never_loses_less_after_the_attack(seed: int, eps: float) -> None:
    network = Linear(8, seed).eval()
    images, labels = sample(32, 8, seed)
    before = losses(network, images, labels)
    assert (losses(network, fgsm(network, images, labels, eps), labels) > before).all()


@pytest.mark.parametrize("seed", range(3))
def test_on_a_linear_network_the_attack_is_the_worst_corner_of_the_ball(seed: int) -> None:
    network = Linear(2, seed).eval()
    images, labels = sample(2, 2, seed)
    steps = torch.tensor(list(itertools.product((-1.0, 1.0), repeat=12))).view(-1, 3, 2, 2)
    attacked = losses(network, fgsm(network, images, labels, 255.0 / 16.0), labels)
    for index in range(2):
        corners = (images[index] + steps / 16.0).clamp(0.0, 1.0)
        label = labels[index].expand(len(corners))
        worst = losses(network, corners, label).max()
        assert attacked[index].item() == pytest.approx(worst.item(), rel=1e-6)


def test_a_network_is_fooled_more_with_the_labels_of_its_images() -> None:
    network = small_network()
    images, labels = sample(16, 8)
    right = losses(network, fgsm(network, images, labels, 4.0), labels)
    wrong = losses(network, fgsm(network, images, 1 - labels, 4.0), labels)
    assert (right > wrong).all()


def test_a_detector_that_is_very_sure_is_attacked_like_any_other() -> None:
    # Logits near +-10,000: the loss's own gradient is exactly zero where the detector is right.
    images, labels = sample(32, 8)
    sure, unsure = Linear(8, 0, scale=2.0**12).eval(), Linear(8, 0).eval()
    torch.testing.assert_close(
        fgsm(sure, images, labels, 1.0), fgsm(unsure, images, labels, 1.0), rtol=0.0, atol=0.0
    )


def test_the_network_is_left_as_it_was() -> None:
    network = small_network()
    images, labels = sample(4, 8)
    kept = torch.full_like(next(network.parameters()), 3.0)
    next(network.parameters()).grad = kept.clone()
    before = {name: value.clone() for name, value in network.state_dict().items()}
    inputs = images.clone()
    attacked = fgsm(network, images, labels, 2.0)
    assert not attacked.requires_grad
    for name, value in network.state_dict().items():
        assert torch.equal(value, before[name])
    first, *others = network.parameters()
    assert first.grad is not None
    assert torch.equal(first.grad, kept)
    assert all(parameter.grad is None for parameter in others)
    assert torch.equal(images, inputs)
    assert images.grad is None


@pytest.mark.parametrize("context", [torch.no_grad, torch.inference_mode])
def test_the_attack_works_where_gradients_are_off(context: type) -> None:
    network = small_network().requires_grad_(False)
    images, labels = sample(4, 8)
    expected = fgsm(network, images, labels, 1.0)
    with context():
        assert torch.equal(fgsm(network, images * 1.0, labels * 1, 1.0), expected)


def test_the_attack_works_in_float32_inside_autocast_and_on_halves() -> None:
    network = small_network()
    images, labels = sample(4, 8)
    seen = []

    def watched(x: Tensor) -> Tensor:
        logits: Tensor = network(x)
        seen.append((x.dtype, logits.dtype))
        return logits

    expected = fgsm(watched, images, labels, 1.0)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        assert torch.equal(fgsm(watched, images, labels, 1.0), expected)
    fgsm(watched, images.half(), labels, 1.0)
    assert seen == [(torch.float32, torch.float32)] * 3


def test_images_are_attacked_alone() -> None:
    network = small_network()
    images, labels = sample(5, 8)
    together = fgsm(network, images, labels, 1.0)
    for index in range(5):
        alone = fgsm(network, images[index : index + 1], labels[index : index + 1], 1.0)
        torch.testing.assert_close(alone[0], together[index], rtol=0.0, atol=1e-7)


IMAGES, LABELS = sample(2, 4)


@pytest.mark.parametrize(
    ("images", "labels", "eps", "message"),
    [
        ((IMAGES * 255).to(torch.uint8), LABELS, 1.0, "divide uint8 by 255"),
        (IMAGES[:, :1], LABELS, 1.0, "shape n x 3 x h x w"),
        (IMAGES * 255, LABELS, 1.0, r"lie in \[0, 1\]"),
        (IMAGES * torch.nan, LABELS, 1.0, r"lie in \[0, 1\]"),
        (IMAGES, LABELS[:1], 1.0, r"one per image, got shape \(1,\) for 2"),
        (IMAGES, LABELS + 0.5, 1.0, "labels must be 0 or 1"),
        (IMAGES, LABELS, -1.0, "eps must be"),
        (IMAGES, LABELS, float("nan"), "eps must be"),
    ],
)
def test_arguments_of_another_kind_are_refused(
    images: Tensor, labels: Tensor, eps: float, message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        fgsm(small_network(), images, labels, eps)


def test_networks_that_cannot_be_attacked_are_refused() -> None:
    with pytest.raises(ValueError, match="evaluation mode"):
        fgsm(small_network().train(), IMAGES, LABELS, 1.0)
    with pytest.raises(
        ValueError, match=r"one differentiable logit per image, got shape \(2, 12\)"
    ):
        fgsm(lambda x: x.flatten(1)[:, :12], IMAGES, LABELS, 1.0)
    with pytest.raises(ValueError, match="requires_grad=False"):
        fgsm(lambda x: x.detach().mean(dim=(1, 2, 3)), IMAGES, LABELS, 1.0)


def test_a_definition_names_the_budget() -> None:
    assert attack_definition(Attack.FGSM, 1) == {"attack": "fgsm", "eps": 1.0, "version": 1}
