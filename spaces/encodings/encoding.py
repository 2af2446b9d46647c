"""Encoding: architectures as rows of numbers."""

from collections.abc import Sequence
from typing import Protocol

import torch

from spaces.architecture import Architecture


class Encoding(Protocol):
    """Turns architectures of one space into features. Implementations are frozen values."""

    @property
    def dimension(self) -> int:
        """The number of features d, fixed for the space."""

    def encode(self, architectures: Sequence[Architecture]) -> torch.Tensor:
        """Features, float64 on the CPU, `n x d`. A row depends on its architecture alone."""
