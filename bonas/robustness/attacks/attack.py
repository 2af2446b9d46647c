"""The attacks that a score may contain, by name, and how long each of them tries."""

from dataclasses import dataclass, fields
from enum import StrEnum

import torch
from torch import Tensor

from bonas.robustness.attacks.apgd import VERSION as APGD_VERSION
from bonas.robustness.attacks.apgd import apgd
from bonas.robustness.attacks.fgsm import VERSION as FGSM_VERSION
from bonas.robustness.attacks.fgsm import fgsm
from bonas.robustness.attacks.objective import Network, check_counts
from bonas.robustness.attacks.pgd import STEP, pgd
from bonas.robustness.attacks.pgd import VERSION as PGD_VERSION
from bonas.robustness.attacks.square import VERSION as SQUARE_VERSION
from bonas.robustness.attacks.square import square
from bonas.robustness.conditions import Scalar


class Attack(StrEnum):
    """Kinds of attack."""

    FGSM = "fgsm"
    PGD = "pgd"
    APGD = "apgd"
    SQUARE = "square"


_VERSIONS = {
    Attack.FGSM: FGSM_VERSION,
    Attack.PGD: PGD_VERSION,
    Attack.APGD: APGD_VERSION,
    Attack.SQUARE: SQUARE_VERSION,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Effort:
    """How long the iterated attacks try.

    The defaults suit budgets of a few levels of 8 bits, at which a detector is nearly linear; the
    literature on larger ones uses 100 iterations of APGD and 5,000 of Square (Croce and Hein 2020).

    Attributes:
        pgd: Iterations of PGD, each a forward and a backward pass.
        apgd: The same of APGD.
        square: Iterations of Square, each a forward pass.
        restarts: Of each of them.

    Raises:
        ValueError: one of them is below 1.
    """

    pgd: int = 20
    apgd: int = 20
    square: int = 200
    restarts: int = 1

    def __post_init__(self) -> None:
        check_counts(**{field.name: getattr(self, field.name) for field in fields(self)})

    def iterations(self, attack: Attack) -> int:
        """Of one attack."""
        counts = {Attack.PGD: self.pgd, Attack.APGD: self.apgd, Attack.SQUARE: self.square}
        return counts.get(attack, 1)


DEFAULT_EFFORT = Effort()


def attacked_images(
    attack: Attack,
    network: Network,
    images: Tensor,
    labels: Tensor,
    eps: float,
    *,
    effort: Effort = DEFAULT_EFFORT,
    generator: torch.Generator,
) -> Tensor:
    """Images after one attack, `n x 3 x h x w`, float32.

    Args:
        attack: which one.
        network: `n x 3 x h x w` float32 to logits `n` (or `n x 1`), in evaluation mode.
        images: `n x 3 x h x w`, floating, in [0, 1].
        labels: `n`, 1 forged and 0 genuine.
        eps: budget in units of 1/255, not negative.
        effort: iterations and restarts; FGSM has neither.
        generator: on the CPU; FGSM draws nothing.

    Raises:
        ValueError: an argument is none of these.
    """
    if attack is Attack.FGSM:
        return fgsm(network, images, labels, eps)
    iterated = {Attack.PGD: pgd, Attack.APGD: apgd, Attack.SQUARE: square}[attack]
    found = iterated(
        network,
        images,
        labels,
        eps,
        iterations=effort.iterations(attack),
        restarts=effort.restarts,
        generator=generator,
    )
    return found.images


def attack_definition(
    attack: Attack, eps: float, *, effort: Effort = DEFAULT_EFFORT, seed: int = 0
) -> dict[str, Scalar]:
    """What decides an attack besides images and network, for a `ConditionSet`."""
    definition: dict[str, Scalar] = {
        "attack": attack.value,
        "eps": float(eps),
        "version": _VERSIONS[attack],
    }
    if attack is Attack.FGSM:
        return definition
    definition |= {
        "iterations": effort.iterations(attack),
        "restarts": effort.restarts,
        "seed": seed,
    }
    return definition | {"step": STEP} if attack is Attack.PGD else definition
