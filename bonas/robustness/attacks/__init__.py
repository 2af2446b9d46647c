"""Attacks on a detector: the least change of the pixels that misleads it."""

from bonas.robustness.attacks.apgd import apgd
from bonas.robustness.attacks.attack import (
    DEFAULT_EFFORT,
    Attack,
    Effort,
    attack_definition,
    attacked_images,
)
from bonas.robustness.attacks.best import Attacked
from bonas.robustness.attacks.fgsm import fgsm
from bonas.robustness.attacks.masking import GradientMasking, masked_gradients
from bonas.robustness.attacks.objective import Network
from bonas.robustness.attacks.pgd import pgd
from bonas.robustness.attacks.square import square

__all__ = [
    "DEFAULT_EFFORT",
    "Attack",
    "Attacked",
    "Effort",
    "GradientMasking",
    "Network",
    "apgd",
    "attack_definition",
    "attacked_images",
    "fgsm",
    "masked_gradients",
    "pgd",
    "square",
]
