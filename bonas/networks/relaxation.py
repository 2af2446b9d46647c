"""Relaxed networks: supernets whose decisions carry mixtures, and the strengths of these.

A relaxed network is the supernet of its builder, called with mixtures in the place of choices; the
strengths are learned by gradient beside the operations' own weights (Liu et al. 2019, section 2.2).
"""

from collections.abc import Mapping, Sequence

import torch
from torch import nn
from torch.nn import functional

from bonas.networks.builder import NetworkBuilder, SupportsRelaxation, seeded
from bonas.networks.cells import Mixture
from bonas.networks.choice_relaxation import ChoiceRelaxation, Relaxation
from bonas.networks.operations import OPERATIONS
from spaces.architecture import Choice
from spaces.graphs import NONE

START_DEVIATION = 1e-3


def relaxation_of(builder: NetworkBuilder) -> Relaxation:
    """The relaxation of a builder's networks: its own, or one operation on an edge per decision.

    Raises:
        ValueError: a builder without its own, of a space with decisions other than operations.
    """
    if isinstance(builder, SupportsRelaxation):
        return builder.relaxation()
    for decision in builder.space.decisions:
        foreign = [o for o in decision.options if o != NONE and o not in OPERATIONS]
        if foreign:
            raise ValueError(
                f"gradient strategies need operations to choose from, but {decision.name!r} of "
                f"the space {builder.space.name!r} offers {foreign[0]!r}; use another strategy, "
                "or give the builder a relaxation of its own (SupportsRelaxation)."
            )
    return ChoiceRelaxation(builder.space, builder.build)


class RelaxedNetwork(nn.Module):
    """A network with a mixture on every slot, and the mixtures' strengths.

    No batch norm has a scale or shift that is learned, as in the cells of the published searches:
    that of an option would stand in for its strength, that of an input for those of all skips.

    Args:
        relaxation: Of the space's networks.
        kept: The options of each slot; all of them where none are given.
        seed: Of the initial weights and strengths.
    """

    def __init__(
        self,
        relaxation: Relaxation,
        kept: Mapping[str, Sequence[Choice]] | None = None,
        *,
        seed: int,
    ) -> None:
        super().__init__()
        self.relaxation = relaxation
        self.kept = {s: tuple(o) for s, o in (kept or relaxation.slots).items()}
        self.network = seeded(lambda: relaxation.build(self.kept), seed)
        for module in self.network.modules():
            if isinstance(module, nn.BatchNorm2d):
                module.requires_grad_(False)
        generator = torch.Generator().manual_seed(seed)
        self.strengths = nn.ParameterList(
            START_DEVIATION * torch.randn(len(options), generator=generator)
            for options in self.kept.values()
        )
        self.skip_dropout = 0.0

    @property
    def weights(self) -> list[nn.Parameter]:
        """The parameters that are learned beside the strengths."""
        return [p for p in self.network.parameters() if p.requires_grad]

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        """Logits, `n`, of normalised images, `n x 3 x h x w`."""
        mixtures = {
            slot: Mixture(
                dict(zip(options, functional.softmax(strength, dim=0), strict=True)),
                self.skip_dropout if self.training else 0.0,
            )
            for (slot, options), strength in zip(self.kept.items(), self.strengths, strict=True)
        }
        logits: torch.Tensor = self.network(images, self.relaxation.relaxed(mixtures))
        return logits

    def softmax(self) -> dict[str, dict[Choice, float]]:
        """The weight of each option, by slot."""
        return {
            slot: dict(zip(options, functional.softmax(strength.detach(), 0).tolist(), strict=True))
            for (slot, options), strength in zip(self.kept.items(), self.strengths, strict=True)
        }
