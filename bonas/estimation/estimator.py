"""Estimator: gives an architecture its observation."""

from typing import Protocol

from bonas.observation import Observation
from spaces.architecture import Architecture
from spaces.space import SearchSpace, connects


class Estimator(Protocol):
    """Supernet, stand-alone training, zero-cost scores and tables are estimators alike."""

    def estimate(self, architecture: Architecture, *, seed: int) -> Observation:
        """The observation of an architecture, a function of the two arguments.

        Raises:
            EstimationFailed: this architecture could not be estimated; the search goes on.
        """


class EstimationFailed(RuntimeError):
    """One architecture could not be estimated; it is kept in the study as failed."""


def check_connected(space: SearchSpace, architecture: Architecture) -> None:
    """Raise where nothing of the images would reach the verdict; strategies propose no such ones.

    Raises:
        EstimationFailed: no path leads from the input to the output.
    """
    if not connects(space, architecture):
        raise EstimationFailed(
            f"{architecture.choices} connects its input to nothing in the space {space.name!r}; "
            "estimate one that spaces.space.connects holds for."
        )
