"""Relaxation: what takes an architecture's place while it is learned by gradient, and the way back.

Liu et al. (2019), equation 2: a softmax over a decision's options, by strengths that are learned.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

from torch import nn

from bonas.networks.cells import Mixture, RelaxedChoices
from spaces.architecture import Architecture, Choice
from spaces.graphs import NONE, SKIP
from spaces.space import SearchSpace, connects

Strengths = Mapping[str, Mapping[Choice, float]]
"""The softmax weight of each option, by slot."""


class Relaxation(Protocol):
    """How networks of a space are relaxed, and what is derived from learned strengths."""

    @property
    def space(self) -> SearchSpace:
        """Whose architectures are derived."""

    @property
    def slots(self) -> Mapping[str, tuple[Choice, ...]]:
        """What is mixed: the options of each slot, operations on an edge for the most part."""

    @property
    def skipping(self) -> Collection[str]:
        """The slots that offer a skip which hands its input on as it is."""

    def build(self, kept: Mapping[str, Sequence[Choice]]) -> nn.Module:
        """A network whose slots hold these options; initialised by torch's RNG."""

    def relaxed(self, mixtures: Mapping[str, Mixture]) -> object:
        """What the network is called with in the place of an architecture."""

    def derive(self, strengths: Strengths) -> Architecture:
        """The discrete architecture of the strongest options."""


@runtime_checkable
class SupportsMeans(Protocol):
    """A relaxation whose networks see some decisions as the mean of their options, numbers all."""

    @property
    def averaged(self) -> Collection[str]:
        """The slots of these."""


def averaged_slots(relaxation: Relaxation) -> Collection[str]:
    """The slots whose options are mixed as their mean; none where the relaxation names none."""
    return relaxation.averaged if isinstance(relaxation, SupportsMeans) else ()


def preferred(weights: Mapping[Choice, float], *, averaged: bool = False) -> list[Choice]:
    """A slot's options, the one to keep first: the strongest, or the nearest to the mean.

    Where the loss sees nothing but the mean m of the options t, the gradient of a strength is
    w_t (t - m) times that of m: the ends are driven furthest whatever mean is learned, and the
    strongest option would always be one of them.

    Args:
        weights: The softmax weight of each option.
        averaged: Whether the options are numbers and the network sees their mean.
    """
    if not averaged:
        return sorted(weights, key=lambda option: -weights[option])
    mean = sum(w * float(option) for option, w in weights.items()) / sum(weights.values())
    return sorted(weights, key=lambda option: abs(float(option) - mean))


@dataclass(frozen=True, slots=True)
class ChoiceRelaxation:
    """A slot for each decision, for networks that take a mixture wherever they take a choice.

    Attributes:
        space: Whose decisions they are.
        build_with: A network that holds some options of each decision.
        averaged: Decisions of which networks take the mean of the options.
    """

    space: SearchSpace
    build_with: Callable[[Mapping[str, Sequence[Choice]]], nn.Module]
    averaged: Collection[str] = ()

    @property
    def slots(self) -> Mapping[str, tuple[Choice, ...]]:
        """One per decision."""
        return {d.name: d.options for d in self.space.decisions}

    @property
    def skipping(self) -> tuple[str, ...]:
        """All that offer one."""
        return tuple(slot for slot, options in self.slots.items() if SKIP in options)

    def build(self, kept: Mapping[str, Sequence[Choice]]) -> nn.Module:
        """The network with fewer options."""
        return self.build_with(kept)

    def relaxed(self, mixtures: Mapping[str, Mixture]) -> RelaxedChoices:
        """The mixtures in the order of the decisions."""
        return RelaxedChoices(tuple(mixtures[d.name] for d in self.space.decisions))

    def derive(self, strengths: Strengths) -> Architecture:
        """Per decision the strongest option other than `none`, or the nearest to the mean.

        `none` takes part in the softmax, but its strength says nothing: more of it scales the
        other operations down, which a batch norm behind them makes up for (Liu et al. 2019, section
        2.4). Where one option alone stands against it, as of a join, `none` is the choice against,
        unless that cuts all paths.
        """
        slots = self.slots
        some = {
            slot: {o: w for o, w in options.items() if o != NONE or len(slots[slot]) == 2}
            for slot, options in strengths.items()
        }
        strongest = self._strongest(some)
        if connects(self.space, strongest):
            return strongest
        return self._strongest(
            {s: {o: w for o, w in options.items() if o != NONE} for s, options in strengths.items()}
        )

    def _strongest(self, some: Strengths) -> Architecture:
        names = [d.name for d in self.space.decisions]
        chosen = (preferred(some[n], averaged=n in self.averaged)[0] for n in names)
        return Architecture(self.space.name, tuple(chosen))
