"""The names of what networks cost, and who can tell it without building them."""

from collections.abc import Mapping
from typing import Protocol

from spaces.architecture import Architecture

COSTS = ("parameters", "multiply_adds", "activations")
STEP_TIME = "step_time"
"""A further cost, which is measured: see `bonas.step_time`."""


class Costs(Protocol):
    """Tells what networks cost without building them."""

    @property
    def skeleton(self) -> Mapping[str, float]:
        """The least that a network costs, by name."""

    def cost(self, architecture: Architecture) -> dict[str, float]:
        """What an architecture's network costs, by the same names."""
