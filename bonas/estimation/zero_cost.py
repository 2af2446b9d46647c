"""Zero-cost proxies: scores of untrained networks from one mini-batch.

After Abdelfattah et al. (2021), whose selection of proxies this is, and the papers named with each.
A proxy takes a model from images to logits, the images and their labels; the model itself is not
changed. Batch norms use the statistics of the mini-batch, as in training. Higher is better.
"""

import copy
import math
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import nn
from torch.nn import functional

from bonas.estimation.estimator import EstimationFailed, check_connected
from bonas.networks.builder import NetworkBuilder, build_network
from bonas.networks.cost import COSTS, architecture_cost
from bonas.networks.detector import Detector
from bonas.networks.inputs import InputBranch
from bonas.networks.operations import CentralDifferenceConv2d
from bonas.networks.sliced import SlicedConv2d
from bonas.observation import Observation
from spaces.architecture import Architecture

Proxy = Callable[[nn.Module, torch.Tensor, torch.Tensor], float]
"""From a model, images `n x 3 x h x w` and labels `n` to a score."""

JITTER = 1e-5


def grad_norm(model: nn.Module, images: torch.Tensor, labels: torch.Tensor) -> float:
    """Sum over layers of the Euclidean norm of the loss's gradient (Abdelfattah et al. 2021)."""
    network = _in_training(model)
    weights = _weights(network)
    gradients = _gradients(_loss(network(images), labels), weights)
    return float(sum(gradient.norm() for gradient in gradients))


def snip(model: nn.Module, images: torch.Tensor, labels: torch.Tensor) -> float:
    """Sum of |w dL/dw|: how the loss changes if a weight is cut (Lee et al. 2019, equation 5)."""
    network = _in_training(model)
    weights = _weights(network)
    gradients = _gradients(_loss(network(images), labels), weights)
    return float(sum((w.detach() * g).abs().sum() for w, g in zip(weights, gradients, strict=True)))


def grasp(model: nn.Module, images: torch.Tensor, labels: torch.Tensor) -> float:
    """Sum of -w (H g): how cutting weights changes the flow of gradients.

    Wang et al. (2020), equation 8; g is the loss's gradient and H its Hessian in all weights.
    """
    network = _in_training(model)
    weights = _weights(network)
    loss = _loss(network(images), labels)
    gradients = _gradients(loss, weights, create_graph=True)
    flow = torch.stack([(g.detach() * g).sum() for g in gradients]).sum()
    products = _gradients(flow, weights)
    return float(-sum((w.detach() * h).sum() for w, h in zip(weights, products, strict=True)))


def fisher(model: nn.Module, images: torch.Tensor, labels: torch.Tensor) -> float:
    """Sum over channels of the mean over images of half the squared saliency of the activation.

    The saliency of a channel is its activation times its gradient, summed over positions (Turner
    et al. 2020, equation 2); the channels are the outputs of convolutions and linear layers.
    """
    network = _in_training(model)
    activations: list[torch.Tensor] = []

    def keep(module: nn.Module, inputs: Any, output: torch.Tensor) -> None:
        activations.append(output)

    handles = [m.register_forward_hook(keep) for m in _layers(network)]
    loss = _loss(network(images), labels)
    for handle in handles:
        handle.remove()
    total = 0.0
    for activation, gradient in zip(activations, _gradients(loss, activations), strict=True):
        saliency = (activation * gradient).flatten(2).sum(2) if activation.ndim > 2 else (
            activation * gradient
        )  # fmt: skip
        # The loss is a mean over the batch: each image's own gradient is n times as large.
        total += float((len(images) * saliency.detach()).square().mean(0).sum() / 2)
    return total


def synflow(model: nn.Module, images: torch.Tensor, labels: torch.Tensor) -> float:
    """Sum of w dR/dw with all weights made positive, R the output for an image of ones.

    Tanaka et al. (2020), equation 5; neither the images' content nor the labels matter. Batch
    norms are taken out, which would undo any scale, and the arithmetic is in float64. Fixed filters
    of the input, of which an image of ones leaves nothing or what rounding does, are passed: the
    first layer that learns sees ones in each of its channels.
    """
    network = _without_norms(copy.deepcopy(model).double())
    for module in network.modules():
        # A difference of positive weights would be negative again.
        if isinstance(module, CentralDifferenceConv2d):
            module.register_forward_pre_hook(_as_plain)  # a call may say another theta than its own
        elif isinstance(module, SlicedConv2d):
            module.theta = 0.0
        elif isinstance(module, InputBranch):
            module.register_forward_hook(_as_unfiltered)
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.abs_()
    weights = _weights(network)
    total = network(torch.ones_like(images[:1], dtype=torch.float64)).sum()
    gradients = _gradients(total, weights)
    return float(sum((w.detach() * g).abs().sum() for w, g in zip(weights, gradients, strict=True)))


def jacob_cov(model: nn.Module, images: torch.Tensor, labels: torch.Tensor) -> float:
    """How little the images' input gradients are correlated (Mellor et al. 2020, equation 3).

    -sum over eigenvalues v of the correlation matrix of log(v + k) + 1 / (v + k), k = 1e-5.
    """
    network = _in_training(model)
    inputs = images.clone().requires_grad_()
    (jacobian,) = torch.autograd.grad(network(inputs).sum(), inputs)
    rows = jacobian.flatten(1).double()
    rows = rows - rows.mean(dim=1, keepdim=True)
    rows = rows / rows.norm(dim=1, keepdim=True).clamp_min(1e-300)
    if not rows.isfinite().all():
        return math.nan
    values = torch.linalg.eigvalsh(rows @ rows.mT).clamp_min(0) + JITTER
    return float(-(values.log() + 1 / values).sum())


def naswot(model: nn.Module, images: torch.Tensor, labels: torch.Tensor) -> float:
    """Log determinant of the kernel of ReLU patterns (Mellor et al. 2021, equation 2).

    The kernel counts the units in which two images agree on whether the ReLU is active; units are
    outputs of `torch.nn.ReLU` modules.

    Raises:
        EstimationFailed: two images have the same pattern: the determinant is zero; or the model
            has no such module.
    """
    network = _in_training(model)
    count = len(images)
    kernel = torch.zeros(count, count, dtype=torch.float64, device=images.device)

    def agree(module: nn.Module, inputs: tuple[torch.Tensor], output: torch.Tensor) -> None:
        active = (output.detach() > 0).flatten(1).double()
        kernel.add_(active @ active.mT + (1 - active) @ (1 - active).mT)

    handles = [m.register_forward_hook(agree) for m in network.modules() if isinstance(m, nn.ReLU)]
    if not handles:
        raise EstimationFailed("the model has no torch.nn.ReLU module, of which naswot speaks.")
    with torch.no_grad():
        network(images)
    for handle in handles:
        handle.remove()
    sign, logarithm = torch.linalg.slogdet(kernel)
    if sign <= 0 or not math.isfinite(float(logarithm)):
        raise EstimationFailed(
            f"the ReLU patterns of {count} images are not all different; take other images."
        )
    return float(logarithm)


PROXIES: Mapping[str, Proxy] = {
    "synflow": synflow,
    "snip": snip,
    "grasp": grasp,
    "fisher": fisher,
    "grad_norm": grad_norm,
    "jacob_cov": jacob_cov,
    "naswot": naswot,
}


@dataclass(frozen=True, slots=True)
class ZeroCostEstimator:
    """Scores untrained networks by a proxy, or by how large they are.

    Attributes:
        builder: Builds the networks.
        proxy: A name in `PROXIES`, or a cost: `parameters`, `multiply_adds` or `activations`.
        images: In [0, 1], `n x 3 x h x w`, on the device that networks are to be built on.
        labels: Classes, `n`.
    """

    builder: NetworkBuilder
    proxy: str
    images: torch.Tensor
    labels: torch.Tensor

    def __post_init__(self) -> None:
        if self.proxy not in (*PROXIES, *COSTS):
            raise ValueError(
                f"proxy is {self.proxy!r}; it must be one of {', '.join((*PROXIES, *COSTS))}."
            )

    def estimate(self, architecture: Architecture, *, seed: int) -> Observation:
        """The score of the network that the seed initialises.

        Raises:
            EstimationFailed: the architecture is disconnected, or the score is not finite.
        """
        started = time.perf_counter()
        check_connected(self.builder.space, architecture)
        cost = architecture_cost(self.builder, architecture, self.images.shape[-1])
        value = cost.get(self.proxy, math.nan)
        if self.proxy not in cost:
            network = build_network(self.builder, architecture, seed=seed)
            model = Detector(network.to(self.images.device), architecture)
            value = PROXIES[self.proxy](model, self.images, self.labels)
        if not math.isfinite(value):
            raise EstimationFailed(f"{self.proxy} is {value}.")
        cost["seconds"] = time.perf_counter() - started
        return Observation(value=value, cost=cost, fidelity=0.0)


def _in_training(model: nn.Module) -> nn.Module:
    """A copy whose batch norms use the mini-batch; the model keeps its own statistics."""
    return copy.deepcopy(model).train()


def _without_norms(network: nn.Module) -> nn.Module:
    for name, child in network.named_children():
        if isinstance(child, nn.BatchNorm2d):
            setattr(network, name, nn.Identity())
        else:
            _without_norms(child)
    return network


def _as_plain(module: nn.Module, inputs: tuple[Any, ...]) -> tuple[torch.Tensor, float]:
    return inputs[0], 0.0


def _as_unfiltered(
    module: nn.Module, inputs: tuple[torch.Tensor], output: torch.Tensor
) -> torch.Tensor:
    return inputs[0][:, :1].expand_as(output)


def _layers(network: nn.Module) -> Iterator[nn.Conv2d | nn.Linear]:
    """Those that learn: fixed filters of the input have no weights to be scored."""
    layers = (m for m in network.modules() if isinstance(m, (nn.Conv2d, nn.Linear)))
    return (layer for layer in layers if layer.weight.requires_grad)


def _weights(network: nn.Module) -> list[torch.Tensor]:
    return [layer.weight for layer in _layers(network)]


def _gradients(
    value: torch.Tensor, of: list[torch.Tensor], *, create_graph: bool = False
) -> list[torch.Tensor]:
    found = torch.autograd.grad(
        value, of, create_graph=create_graph, allow_unused=True, materialize_grads=True
    )
    return list(found)


def _loss(logits: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
    """Binary cross entropy of `n` logits, cross entropy of `n x classes`."""
    if logits.ndim == 1:
        return functional.binary_cross_entropy_with_logits(logits, labels.to(logits.dtype))
    return functional.cross_entropy(logits, labels.long())
