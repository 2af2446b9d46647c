"""Estimates by training from scratch: what a supernet's estimates stand in for."""

import time
from dataclasses import dataclass

from torch import nn

from bonas.checkpoint import Checkpoint
from bonas.data.faces import Faces
from bonas.estimation.estimator import EstimationFailed, check_connected
from bonas.estimation.evaluation import Evaluation
from bonas.estimation.supernet import observe
from bonas.networks.builder import NetworkBuilder, build_network
from bonas.networks.cost import architecture_cost
from bonas.networks.detector import Detector
from bonas.observation import Observation
from bonas.training import Progress, Recipe, train
from spaces.architecture import Architecture


@dataclass(frozen=True, slots=True)
class StandaloneEstimator:
    """Trains each architecture alone and scores it."""

    builder: NetworkBuilder
    faces: Faces
    recipe: Recipe
    evaluation: Evaluation

    def estimate(self, architecture: Architecture, *, seed: int) -> Observation:
        """The score of a network trained from a seed; fidelity 1.

        Raises:
            EstimationFailed: the architecture is disconnected, or training diverged.
        """
        started = time.perf_counter()
        check_connected(self.builder.space, architecture)
        network = build_network(self.builder, architecture, seed=seed)
        detector = self.trained(network, architecture, seed=seed)
        scored = self.evaluation.pairable(self.evaluation.predict(detector))
        cost = architecture_cost(self.builder, architecture, self.faces.images.shape[-1])
        seconds = time.perf_counter() - started
        return observe(scored, cost, seconds=seconds, fidelity=1.0)

    def trained(
        self,
        network: nn.Module,
        architecture: Architecture,
        *,
        seed: int,
        checkpoint: Checkpoint | None = None,
        progress: Progress | None = None,
    ) -> Detector:
        """The network after training as a detector, on the device."""
        device = self.evaluation.device
        network.to(device.device)
        try:
            train(
                network,
                lambda rng: architecture,
                self.faces,
                self.recipe,
                device,
                seed=seed,
                checkpoint=checkpoint,
                progress=progress,
            )
        except FloatingPointError as error:
            raise EstimationFailed(str(error)) from error
        return Detector(network, architecture)
