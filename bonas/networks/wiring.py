"""What a call of a `forgery` network uses around the operations of its cells."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch

from bonas.networks.cells import Mixture
from spaces.architecture import Choice
from spaces.forgery import EDGES, ForgerySpace
from spaces.pyramid import ADD, JOINS, TOP_DOWN


@dataclass(frozen=True, slots=True)
class Wiring:
    """The frame of an architecture (`spaces.forgery.Frame`), or what takes its place.

    Attributes:
        input: What the first stage sees, or a mixture of such options.
        thetas: Of each stage's central difference convolutions. One is linear in its theta, so a
            mixture of thetas is one convolution of their mean.
        gates: The joins that are there, and the weight with which each is added; `None` is one.
    """

    input: str | Mixture
    thetas: tuple[float | torch.Tensor, ...]
    gates: Mapping[str, torch.Tensor | None]


def wiring_of(space: ForgerySpace, choices: Sequence[Choice | Mixture]) -> Wiring:
    """What an architecture's choices, or the mixtures in their place, say beside the edges."""
    names = [decision.name for decision in space.decisions[EDGES:]]
    chosen: dict[str | None, Choice | Mixture] = dict(zip(names, choices[EDGES:], strict=False))
    seen = chosen.get("input", space.inputs[0])
    gates: dict[str, torch.Tensor | None] = {}
    for name in (*JOINS, *TOP_DOWN):
        choice = chosen.get(name)
        if choice == ADD:
            gates[name] = None
        elif isinstance(choice, Mixture) and ADD in choice.weights:
            gates[name] = choice.weights[ADD]
    return Wiring(
        seen if isinstance(seen, Mixture) else str(seen),
        tuple(_mean(chosen.get(name, space.thetas[0])) for name in space.theta_decisions),
        gates,
    )


def _mean(theta: Choice | Mixture) -> float | torch.Tensor:
    if not isinstance(theta, Mixture):
        return float(theta)
    terms = [weight * float(value) for value, weight in theta.weights.items()]
    return torch.stack(terms).sum()
