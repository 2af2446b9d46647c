"""Several encodings side by side."""

import itertools
from collections.abc import Sequence
from dataclasses import dataclass

import torch

from spaces.architecture import Architecture
from spaces.encodings.encoding import Encoding


@dataclass(frozen=True, slots=True)
class JoinedEncoding:
    """The features of all parts, one part after the other.

    It tells two architectures apart if one of its parts does.
    """

    parts: tuple[Encoding, ...]

    def __post_init__(self) -> None:
        if not self.parts:
            raise ValueError("parts is empty; join at least one encoding.")

    @property
    def dimension(self) -> int:
        """The sum of the parts' dimensions."""
        return sum(part.dimension for part in self.parts)

    @property
    def columns(self) -> tuple[slice, ...]:
        """Where each part's features lie."""
        ends = [0]
        for part in self.parts:
            ends.append(ends[-1] + part.dimension)
        return tuple(slice(a, b) for a, b in itertools.pairwise(ends))

    def encode(self, architectures: Sequence[Architecture]) -> torch.Tensor:
        """Features, float64, `n x d`."""
        return torch.cat([part.encode(architectures) for part in self.parts], dim=1)
