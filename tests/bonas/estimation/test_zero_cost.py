"""Zero-cost proxies against their definitions on small networks."""

import copy
import math
from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional

from bonas.estimation.estimator import EstimationFailed
from bonas.estimation.zero_cost import PROXIES, ZeroCostEstimator, synflow
from bonas.networks.builder import (
    ForgeryBuilder,
    NASBench201Builder,
    build_network,
    build_supernet,
)
from bonas.networks.cost import architecture_cost
from bonas.networks.detector import Detector
from bonas.networks.inputs import CHANNELS
from spaces.architecture import Architecture
from spaces.forgery import INPUTS
from spaces.nasbench201 import NASBENCH201
from tests.bonas.networks.test_every_builder import BUILDERS, drawn

LABELS = torch.tensor([0, 1, 1, 0, 1])
BUILDER = ForgeryBuilder(width=4, level_width=8)
CASCADE = BUILDERS["cascade"]


def seeing(option: str) -> Architecture:
    """One of `forgery_cascade` whose first stage sees this input."""
    architecture = drawn(CASCADE, seed=5)
    names = [decision.name for decision in CASCADE.space.decisions]
    choices = list(architecture.choices)
    choices[names.index("input")] = option
    return replace(architecture, choices=tuple(choices))


NETWORKS = {name: (builder, drawn(builder, seed=5)) for name, builder in BUILDERS.items()} | {
    f"input {option}": (CASCADE, seeing(option)) for option in INPUTS
}


class Small(nn.Module):
    """Two convolutions, a batch norm between, one logit."""

    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.first = nn.Conv2d(3, 4, 3, padding=1, bias=False)
        self.norm = nn.BatchNorm2d(4)
        self.relu = nn.ReLU()
        self.second = nn.Conv2d(4, 5, 3)
        self.logit = nn.Linear(5, 1)

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        value = self.second(self.relu(self.norm(self.first(images))))
        result: torch.Tensor = self.logit(value.mean((2, 3))).squeeze(1)
        return result


@pytest.fixture
def model() -> Small:
    return Small().double()


@pytest.fixture
def images() -> torch.Tensor:
    return torch.rand(5, 3, 8, 8, generator=torch.Generator().manual_seed(1)).double()


def layers(model: Small) -> list[nn.Conv2d | nn.Linear]:
    return [model.first, model.second, model.logit]


def loss(model: nn.Module, images: torch.Tensor) -> torch.Tensor:
    return functional.binary_cross_entropy_with_logits(model(images), LABELS.double())


def gradients(model: Small, images: torch.Tensor) -> list[torch.Tensor]:
    network = copy.deepcopy(model)
    loss(network, images).backward()
    return [layer.weight.grad for layer in layers(network) if layer.weight.grad is not None]


def test_grad_norm_is_the_sum_of_the_layers_norms(model: Small, images: torch.Tensor) -> None:
    expected = sum(float(g.square().sum().sqrt()) for g in gradients(model, images))
    assert PROXIES["grad_norm"](model, images, LABELS) == pytest.approx(expected)


def test_snip_is_the_derivative_with_respect_to_masks(model: Small, images: torch.Tensor) -> None:
    masks = [torch.ones_like(layer.weight).requires_grad_() for layer in layers(model)]
    names = ["first.weight", "second.weight", "logit.weight"]
    masked = {n: dict(model.named_parameters())[n] * m for n, m in zip(names, masks, strict=True)}
    logits = torch.func.functional_call(model, masked, (images,))
    functional.binary_cross_entropy_with_logits(logits, LABELS.double()).backward()
    expected = sum(float(mask.grad.abs().sum()) for mask in masks if mask.grad is not None)
    assert PROXIES["snip"](model, images, LABELS) == pytest.approx(expected)


def test_grasp_is_the_change_of_the_gradient_along_itself(
    model: Small, images: torch.Tensor
) -> None:
    step, before = 1e-6, gradients(model, images)
    moved = copy.deepcopy(model)
    with torch.no_grad():
        for layer, gradient in zip(layers(moved), before, strict=True):
            layer.weight += step * gradient
    changes = [(a - b) / step for a, b in zip(gradients(moved, images), before, strict=True)]
    expected = -sum(
        float((layer.weight.detach() * change).sum())
        for layer, change in zip(layers(model), changes, strict=True)
    )
    assert PROXIES["grasp"](model, images, LABELS) == pytest.approx(expected, rel=1e-3)


def test_fisher_sums_the_squared_saliency_of_each_image_and_channel(
    model: Small, images: torch.Tensor
) -> None:
    kept: list[torch.Tensor] = []

    def keep(module: nn.Module, inputs: object, output: torch.Tensor) -> None:
        output.retain_grad()
        kept.append(output)

    for layer in layers(model):
        layer.register_forward_hook(keep)
    network = copy.deepcopy(model)
    functional.binary_cross_entropy_with_logits(
        network(images), LABELS.double(), reduction="sum"
    ).backward()
    expected = 0.0
    for output in kept:
        assert output.grad is not None
        for image in range(5):
            for channel in range(output.shape[1]):
                product = (output.detach() * output.grad)[image, channel].sum()
                expected += float(product) ** 2 / (2 * 5)
    for layer in layers(model):
        layer._forward_hooks.clear()
    assert PROXIES["fisher"](model, images, LABELS) == pytest.approx(expected)


def test_synflow_is_conserved_from_layer_to_layer() -> None:
    """Tanaka et al. (2020), theorem 2: each layer of a chain without biases has the same sum."""
    chain = nn.Sequential(nn.Conv2d(3, 4, 3, bias=False), nn.ReLU(), nn.Conv2d(4, 2, 1, bias=False))
    weights = [chain[0].weight.detach().double().abs(), chain[2].weight.detach().double().abs()]
    ones = torch.ones(1, 3, 6, 6).double()
    through = functional.conv2d(functional.conv2d(ones, weights[0]), weights[1]).sum()
    images = torch.rand(4, 3, 6, 6)
    assert synflow(chain, images, LABELS) == pytest.approx(2 * float(through))


def test_synflow_has_no_batch_norm_and_of_biases_what_flows_through_weights(
    model: Small, images: torch.Tensor
) -> None:
    """A positive network is linear in each weight: `w dR/dw` is what is lost where it is zero."""
    flat = copy.deepcopy(model).double()
    flat.norm = nn.Identity()  # type: ignore[assignment]
    layers = (flat.first, flat.second, flat.logit)
    with torch.no_grad():
        for parameter in flat.parameters():
            parameter.abs_()
        ones = torch.ones_like(images[:1], dtype=torch.float64)
        whole, expected = float(flat(ones)), 0.0
        for layer in layers:
            kept = layer.weight.clone()
            layer.weight.zero_()
            expected += whole - float(flat(ones))
            layer.weight.copy_(kept)
    assert 0 < expected < 3 * whole, "biases flow past the weights before them"
    assert synflow(model, images, LABELS) == pytest.approx(expected)
    with torch.no_grad():
        model.norm.weight.mul_(-7)
        model.norm.bias.add_(3)
        model.norm.running_mean.add_(5)  # type: ignore[union-attr]
    before = copy.deepcopy(model.state_dict())
    assert synflow(model, images, LABELS) == pytest.approx(expected)
    assert all(torch.equal(model.state_dict()[name], value) for name, value in before.items())


CONVOLUTIONS = {
    "forgery": Architecture("forgery", ("conv_3x3",) * 18),
    "cascade": Architecture(
        "forgery_cascade", (*("conv_3x3",) * 18, "rgb", 0.3, 0.9, 0.7, "add", "add", "none")
    ),
    "macro": Architecture("macro", ("conv", 2, 0.5, 5, 3) * 4),
}
DIFFERENCES = {"conv_3x3": "cdc_3x3", "conv": "cdc"}


@pytest.mark.parametrize("networks", CONVOLUTIONS)
def test_synflow_reads_a_difference_as_a_plain_convolution(networks: str) -> None:
    builder, plain = BUILDERS[networks], CONVOLUTIONS[networks]
    exchanged = [DIFFERENCES.get(str(choice), choice) for choice in plain.choices]
    scores = []
    for architecture in (plain, replace(plain, choices=tuple(exchanged))):
        model = Detector(build_network(builder, architecture, seed=0), architecture)
        scores.append(synflow(model, torch.rand(2, 3, 32, 32), LABELS[:2]))
    assert scores[0] == scores[1] > 0


@pytest.mark.parametrize("option", [option for option in INPUTS if option != "rgb"])
def test_synflow_sees_no_filter_before_the_first_layer(option: str, images: torch.Tensor) -> None:
    """A first layer that spreads the kernels of pixels over more channels has the same score."""
    supernet = build_supernet(CASCADE, seed=0)
    weights = supernet.state_dict()
    pixels, filtered = (weights[f"entries.0.firsts.{name}.0.weight"] for name in ("rgb", option))
    times = CHANNELS[option] // CHANNELS["rgb"]
    filtered.copy_(pixels.repeat(1, times, 1, 1) / times)
    expected, found = (
        synflow(Detector(supernet, seeing(name)), images, LABELS) for name in ("rgb", option)
    )
    assert found == pytest.approx(expected)


def test_jacob_cov_is_the_entropy_of_the_gradients_correlations(
    model: Small, images: torch.Tensor
) -> None:
    rows = []
    inputs = images.clone().requires_grad_()
    logits = copy.deepcopy(model)(inputs)
    for image in range(5):
        (gradient,) = torch.autograd.grad(logits.sum(), inputs, retain_graph=True)
        rows.append(gradient[image].flatten().numpy())
    values = np.linalg.eigvalsh(np.corrcoef(rows))
    expected = -np.sum(np.log(values + 1e-5) + 1 / (values + 1e-5))
    assert PROXIES["jacob_cov"](model, images, LABELS) == pytest.approx(expected, rel=1e-6)


def test_naswot_is_the_log_determinant_of_agreeing_units(
    model: Small, images: torch.Tensor
) -> None:
    with torch.no_grad():
        active = copy.deepcopy(model).norm(model.first(images)).flatten(1) > 0
    kernel = np.array([[float((a == b).sum()) for b in active] for a in active])
    expected = math.log(np.linalg.det(kernel))
    assert PROXIES["naswot"](model, images, LABELS) == pytest.approx(expected)
    with pytest.raises(EstimationFailed, match="not all different"):
        PROXIES["naswot"](model, images[:1].repeat(3, 1, 1, 1), LABELS[:3])


@pytest.mark.parametrize("name", PROXIES)
def test_a_proxy_leaves_the_model_as_it_was(name: str, model: Small, images: torch.Tensor) -> None:
    before = {n: t.clone() for n, t in model.state_dict().items()}
    model.eval()
    PROXIES[name](model, images, LABELS)
    assert not model.training
    assert all(p.grad is None for p in model.parameters())
    assert all(torch.equal(t, before[n]) for n, t in model.state_dict().items())


@pytest.mark.parametrize("name", [*PROXIES, "parameters", "multiply_adds"])
@pytest.mark.parametrize("networks", NETWORKS)
def test_every_score_is_finite_and_repeats_with_its_seed(networks: str, name: str) -> None:
    builder, architecture = NETWORKS[networks]
    generator = torch.Generator().manual_seed(0)
    images = torch.rand(6, 3, 32, 32, generator=generator)
    estimator = ZeroCostEstimator(builder, name, images, torch.tensor([0, 1] * 3))
    first, again = (estimator.estimate(architecture, seed=3) for _ in range(2))
    assert first.value == again.value
    assert first.cost["parameters"] == architecture_cost(builder, architecture, 32)["parameters"]
    if name in first.cost:
        assert first.value == first.cost[name]


def test_several_classes_are_scored_by_their_cross_entropy() -> None:
    builder = NASBench201Builder(width=4, cells=1, outputs=10)
    estimator = ZeroCostEstimator(
        builder, "snip", torch.rand(4, 3, 32, 32), torch.tensor([9, 0, 3, 3])
    )
    choices = ("conv_3x3", "skip", "conv_1x1", "skip", "avg_pool_3x3", "conv_3x3")
    found = estimator.estimate(Architecture(NASBENCH201.name, choices), seed=0)
    assert found.value is not None
    assert found.value > 0


def test_an_unknown_proxy_and_a_model_without_relus_are_named(images: torch.Tensor) -> None:
    with pytest.raises(ValueError, match="proxy is 'magic'; it must be one of synflow"):
        ZeroCostEstimator(BUILDER, "magic", images, LABELS)
    linear = nn.Sequential(nn.Flatten(), nn.Linear(192, 1), nn.Flatten(0)).double()
    with pytest.raises(EstimationFailed, match=r"no torch\.nn\.ReLU module"):
        PROXIES["naswot"](linear, images, LABELS)
