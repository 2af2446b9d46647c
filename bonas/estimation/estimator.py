"""Estimator: gives an architecture its observation."""

from typing import Protocol

from bonas.observation import Observation
from spaces.architecture import Architecture


class Estimator(Protocol):
    """Supernet, stand-alone training, zero-cost scores and tables are estimators alike."""

    def estimate(self, architecture: Architecture, *, seed: int) -> Observation:
        """The observation of an architecture, a function of the two arguments.

        Raises:
            EstimationFailed: this architecture could not be estimated; the search goes on.
        """


class EstimationFailed(RuntimeError):
    """One architecture could not be estimated; it is kept in the study as failed."""
