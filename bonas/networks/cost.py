"""What a network costs: parameters, multiply-adds and activations of one image.

Activations, the elements that convolutions and pooling write, follow the running time of small
networks more closely than multiply-adds do (Radosavovic et al. 2020, section 4): a pooling has no
multiply-add, and writes as much as a convolution.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import nn

from bonas.networks.builder import NetworkBuilder, build_network, build_supernet
from bonas.networks.costs import COSTS as COSTS  # imported from here by those who count
from bonas.networks.costs import STEP_TIME as STEP_TIME
from bonas.networks.costs import Costs
from bonas.networks.detector import Detector
from bonas.networks.operations import DilatedDepthwiseConv2d
from spaces.architecture import Architecture, Choice
from spaces.space import Decision, live, neutral_options

_WRITING = (nn.Conv2d, nn.Linear, nn.AvgPool2d, nn.MaxPool2d)


def network_cost(network: nn.Module, size: int) -> dict[str, float]:
    """The costs of a network that takes images, by the names in `COSTS`.

    Args:
        network: From images in [0, 1] to logits; its training mode is put back.
        size: Edge of the images in pixels.
    """
    cost = dict.fromkeys(COSTS, 0.0)
    cost["parameters"] = float(sum(p.numel() for p in network.parameters() if p.requires_grad))

    def count(module: nn.Module, inputs: Any, output: torch.Tensor) -> None:
        _count(cost, module, output)

    _forward(network, size, list(network.modules()), count)
    return cost


def architecture_cost(
    builder: NetworkBuilder, architecture: Architecture, size: int
) -> dict[str, float]:
    """The costs of an architecture's stand-alone network, without drawing its weights."""
    with torch.device("meta"):
        network = build_network(builder, architecture, seed=0)
    # The CPU computes one image sooner than the meta device works out its shapes.
    network.to_empty(device="cpu")
    for tensor in (*network.parameters(), *network.buffers()):
        tensor.detach().zero_()
    return network_cost(Detector(network, architecture), size)


def _cost_of_path(shared: nn.Module, architecture: Architecture, size: int) -> dict[str, float]:
    """Of a supernet, what one architecture's path uses; parameters of the modules it calls."""
    detector = Detector(shared, architecture)
    cost, used = dict.fromkeys(COSTS, 0.0), set[nn.Parameter]()

    def count(module: nn.Module, inputs: Any, output: torch.Tensor) -> None:
        used.update(module.parameters(recurse=False))
        _count(cost, module, output)

    _forward(detector, size, list(detector.modules()), count)
    return cost | {"parameters": float(sum(p.numel() for p in used))}


def _forward(
    network: nn.Module, size: int, watched: Sequence[nn.Module], hook: Callable[..., None]
) -> None:
    """One image through the network, the hook told of what the watched modules return."""
    handles = [module.register_forward_hook(hook) for module in watched]
    was_training = network.training
    device = next(network.parameters()).device
    try:
        with torch.no_grad():
            network.eval()(torch.zeros(1, 3, size, size, device=device))
    finally:
        network.train(was_training)
        for handle in handles:
            handle.remove()


def _count(cost: dict[str, float], module: nn.Module, output: torch.Tensor) -> None:
    if isinstance(module, _WRITING):
        # On a CPU a dilated depthwise convolution folds its input and unfolds its output beside.
        folds = isinstance(module, DilatedDepthwiseConv2d) and module.stride == (1, 1)
        written = 3 if folds else 1
        cost["activations"] += written * output.numel()
        cost["multiply_adds"] += output.numel() * _multiply_adds_per_element(module)


def _multiply_adds_per_element(module: nn.Module) -> int:
    if isinstance(module, nn.Conv2d):
        return module.in_channels // module.groups * math.prod(module.kernel_size)
    return module.in_features if isinstance(module, nn.Linear) else 0


@dataclass(frozen=True, slots=True)
class OptionCosts:
    """What each option adds to a network: costs of millions of candidates without building them.

    The cost of a cell network is that of its skeleton plus one term per live decision. Where a
    later stage is dead its part of the skeleton is counted all the same: a little too much.

    Attributes:
        builder: Of the space.
        skeleton: Cost of the network whose operations all skip and whose other decisions take
            the option that adds least (`spaces.space.neutral_options`), by name.
        terms: What a choice adds to it, by decision and option.
    """

    builder: NetworkBuilder
    skeleton: Mapping[str, float]
    terms: Mapping[tuple[str, Choice], Mapping[str, float]]

    @classmethod
    def count(cls, builder: NetworkBuilder, size: int) -> "OptionCosts":
        """The costs in `COSTS` at an image size.

        Raises:
            ValueError: a space in which a decision's cost depends on others.
        """
        decisions = builder.space.decisions
        plain = with_options(builder, decisions, {})
        skeleton = architecture_cost(builder, plain, size)
        # On the CPU, not the meta device, whose shape functions take longer than the arithmetic.
        shared = build_supernet(builder, seed=0)
        passed = _cost_of_path(shared, plain, size)
        terms = {}
        for decision in decisions:
            for option in decision.options:
                changed = with_options(builder, decisions, {decision.name: option})
                cost = _cost_of_path(shared, changed, size)
                # An option that cuts the path leaves less than the skeleton; it adds nothing.
                terms[decision.name, option] = {
                    name: max(0.0, cost[name] - passed[name]) for name in COSTS
                }
        return cls(builder, skeleton, terms)

    def cost(self, architecture: Architecture) -> dict[str, float]:
        """The costs by sum of terms; the counted ones are exact where all stages are live."""
        used = live(self.builder.space, architecture)
        total = dict(self.skeleton)
        for decision, choice in zip(
            self.builder.space.decisions, architecture.choices, strict=True
        ):
            if decision.name in used:
                for name, term in self.terms[decision.name, choice].items():
                    total[name] += term
        return total


@dataclass(frozen=True, slots=True)
class Limits:
    """Upper limits of costs.

    Attributes:
        costs: Of the space's networks.
        limits: The largest cost allowed, by name.

    Raises:
        ValueError: a limit of an unknown cost, or one that not even the skeleton keeps.
    """

    costs: Costs
    limits: Mapping[str, float]

    def __post_init__(self) -> None:
        for name, most in self.limits.items():
            if name not in self.costs.skeleton:
                known = ", ".join(dict.fromkeys([*self.costs.skeleton, STEP_TIME]))
                raise ValueError(f"search.limits names {name!r}; costs are {known}.")
            least = self.costs.skeleton[name]
            if least > most:
                raise ValueError(
                    f"search.limits.{name} is {most:g}, but a network without needless "
                    f"operations has {least:g} at this image size; raise the limit or lower "
                    "space.width."
                )

    def allow(self, architecture: Architecture) -> bool:
        """Whether every cost is within its limit."""
        cost = self.costs.cost(architecture)
        return all(cost[name] <= most for name, most in self.limits.items())


def with_options(
    builder: NetworkBuilder, decisions: Sequence[Decision], choices: Mapping[str, Choice]
) -> Architecture:
    """The architecture of these options, and of a skip for every other decision.

    Where a decision offers no skip, its neutral option (`spaces.space.neutral_options`).
    """
    neutral = neutral_options(builder.space)
    chosen = tuple(choices.get(d.name, neutral[d.name]) for d in decisions)
    return Architecture(builder.space.name, chosen)
