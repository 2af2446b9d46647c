"""NetworkBuilder: from architectures and spaces to torch modules.

The seam beside `SearchSpace`: spaces know no modules, so whoever adds a space whose networks are
to be trained adds a builder that turns the graph's named operations into modules.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Protocol, runtime_checkable

import torch
from torch import nn

from bonas.networks.choice_relaxation import ChoiceRelaxation, Relaxation
from bonas.networks.costs import Costs
from bonas.networks.darts import DartsNetwork, slots_of
from bonas.networks.darts_relaxation import DartsRelaxation
from bonas.networks.forgery import ForgeryNetwork
from bonas.networks.macro import MacroNetwork
from bonas.networks.nasbench201 import NASBench201Network
from bonas.networks.sliced import part
from bonas.networks.stage_cost import StageCosts
from bonas.networks.stems import Stem
from spaces.architecture import Architecture, Choice
from spaces.darts import DARTS, DartsSpace
from spaces.forgery import FORGERY, ForgerySpace
from spaces.graphs import NONE
from spaces.macro import MACRO
from spaces.nasbench201 import NASBENCH201
from spaces.space import SearchSpace, connects, unused
from spaces.stages import StageSpace


class SharedNetwork(Protocol):
    """A module whose call also says which of its operations to use."""

    def __call__(self, images: torch.Tensor, architecture: Architecture) -> torch.Tensor:
        """Logits, `n`, of normalised images, `n x 3 x h x w`."""


@runtime_checkable
class NetworkBuilder(Protocol):
    """Builds the networks of one space."""

    @property
    def space(self) -> SearchSpace:
        """The space whose networks it builds."""

    def build(self, options: Mapping[str, Sequence[Choice]]) -> nn.Module:
        """A `SharedNetwork` whose decisions may take these options; initialised by torch's RNG."""


@runtime_checkable
class SupportsSlices(Protocol):
    """A builder of supernets from which an architecture uses parts of weights."""

    def part(self, shared: torch.Tensor, shape: torch.Size) -> torch.Tensor:
        """The part of a shared weight or buffer that a stand-alone network holds as a whole."""


@runtime_checkable
class SupportsRelaxation(Protocol):
    """A builder whose decisions can be learned by gradient, other ones than operations too."""

    def relaxation(self) -> Relaxation:
        """How its networks are relaxed."""


@runtime_checkable
class SupportsDepth(Protocol):
    """A builder of networks of any depth, which P-DARTS lets grow."""

    def shallower(self, share: float) -> NetworkBuilder:
        """The builder of networks of this share of the depth, or as near as it can be."""


@runtime_checkable
class SupportsCosts(Protocol):
    """A builder that tells costs itself, since terms per option do not add up to them."""

    def costs(self, size: int) -> Costs:
        """Of networks that take images of this edge in pixels."""


@dataclass(frozen=True, slots=True)
class ForgeryBuilder:
    """Networks of a `forgery` space; see `ForgeryNetwork` for widths, stem and regions."""

    width: int = 16
    level_width: int = 64
    stem: Stem = "full"
    space: ForgerySpace = FORGERY
    regions: bool = False

    def build(self, options: Mapping[str, Sequence[Choice]]) -> nn.Module:
        """A `ForgeryNetwork`."""
        return ForgeryNetwork(
            options,
            width=self.width,
            level_width=self.level_width,
            stem=self.stem,
            space=self.space,
            regions=self.regions,
        )

    def relaxation(self) -> ChoiceRelaxation:
        """Of every decision: operations, theta, input and joins."""
        thetas = [name for name in self.space.theta_decisions if name is not None]
        return ChoiceRelaxation(self.space, self.build, averaged=tuple(thetas))


@dataclass(frozen=True, slots=True)
class NASBench201Builder:
    """Networks of the NAS-Bench-201 space; see `NASBench201Network`."""

    width: int = 16
    cells: int = 5
    outputs: int = 1

    @property
    def space(self) -> SearchSpace:
        """The `nasbench201` space."""
        return NASBENCH201

    def build(self, options: Mapping[str, Sequence[Choice]]) -> nn.Module:
        """A `NASBench201Network`."""
        return NASBench201Network(options, width=self.width, cells=self.cells, outputs=self.outputs)

    def shallower(self, share: float) -> "NASBench201Builder":
        """With fewer cells per stage, 1 at least."""
        return replace(self, cells=max(1, round(share * self.cells)))


@dataclass(frozen=True, slots=True)
class DartsBuilder:
    """Networks of the `darts` space; see `DartsNetwork`."""

    width: int = 16
    cells: int = 8
    outputs: int = 1

    @property
    def space(self) -> DartsSpace:
        """The `darts` space."""
        return DARTS

    def build(self, options: Mapping[str, Sequence[Choice]]) -> nn.Module:
        """A `DartsNetwork`."""
        return DartsNetwork(
            slots_of(options), width=self.width, cells=self.cells, outputs=self.outputs
        )

    def relaxation(self) -> DartsRelaxation:
        """With all edges of a cell."""
        return DartsRelaxation(self.width, self.cells, self.outputs)

    def shallower(self, share: float) -> "DartsBuilder":
        """With fewer cells, 3 at least, two of which reduce."""
        return replace(self, cells=max(3, round(share * self.cells)))


@dataclass(frozen=True, slots=True)
class MacroBuilder:
    """Networks of the `macro` space, or of another space of stages; see `MacroNetwork`."""

    width: int = 16
    space: StageSpace = MACRO

    def build(self, options: Mapping[str, Sequence[Choice]]) -> nn.Module:
        """A `MacroNetwork`."""
        return MacroNetwork(options, space=self.space, width=self.width)

    def part(self, shared: torch.Tensor, shape: torch.Size) -> torch.Tensor:
        """The first channels and the middle of the kernel."""
        return part(shared, shape)

    def costs(self, size: int) -> StageCosts:
        """Counted stage by stage."""
        return StageCosts(self, size)


def build_supernet(builder: NetworkBuilder, *, seed: int) -> nn.Module:
    """A network that holds every option of every decision."""
    options = {d.name: d.options for d in builder.space.decisions}
    return seeded(lambda: builder.build(options), seed)


def build_network(builder: NetworkBuilder, architecture: Architecture, *, seed: int) -> nn.Module:
    """A network that holds what one architecture uses; operations on dead branches are left out."""
    # Without any path all is unused, also what no network can do without; its call will tell.
    connected = connects(builder.space, architecture)
    dead = unused(builder.space, architecture) if connected else frozenset()
    chosen = {
        decision.name: (NONE if decision.name in dead else choice,)
        for decision, choice in zip(builder.space.decisions, architecture.choices, strict=True)
    }
    return seeded(lambda: builder.build(chosen), seed)


def inherit(builder: NetworkBuilder, network: nn.Module, supernet: nn.Module) -> None:
    """Give a stand-alone network its share of a supernet's weights and statistics, in place.

    A tensor of the network is the supernet's of the same name, or the part of it that the builder
    says; the network then computes what the supernet computes for its architecture.
    """
    shared = supernet.state_dict()
    own = {name: shared[name] for name in network.state_dict()}
    if isinstance(builder, SupportsSlices):
        own = {n: builder.part(own[n], tensor.shape) for n, tensor in network.state_dict().items()}
    network.load_state_dict(own)


def seeded(build: Callable[[], nn.Module], seed: int) -> nn.Module:
    """The module that a constructor gives when torch initialises it from a seed."""
    # torch draws initial weights from its global generator; what it held is put back behind us.
    with torch.random.fork_rng(devices=[]):
        torch.random.manual_seed(seed)
        return build()
