"""Estimates with the weights of a supernet: no training per architecture, or very little."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import nn

from bonas.data.batches import PairedBatches
from bonas.data.faces import Faces
from bonas.device import Device
from bonas.estimation.estimator import EstimationFailed, check_connected
from bonas.estimation.evaluation import Evaluation
from bonas.few_originals import flags_of
from bonas.networks.builder import NetworkBuilder, build_network, inherit
from bonas.networks.cost import architecture_cost
from bonas.networks.costs import STEP_TIME, Costs
from bonas.networks.detector import Detector, normalise
from bonas.observation import Observation
from bonas.robustness.differences import PairableScore
from bonas.robustness.loadings import error_loadings
from bonas.training import Recipe, train
from spaces.architecture import Architecture
from spaces.space import SearchSpace, connects, sample

CALIBRATION_BATCH = 64
PATH_DRAWS = 100_000


@dataclass(frozen=True, slots=True)
class SupernetEstimator:
    """Scores architectures with shared weights (Guo et al. 2020, single path one-shot).

    With `tuning`, an architecture's own copy of the weights is trained for some steps first: all
    paths through shared weights are far from their best, by different distances.

    Attributes:
        supernet: Trained, on the device.
        builder: Builds stand-alone networks, to count their parameters and multiply-adds.
        calibration: Training images by which batch-norm statistics are re-estimated for every
            architecture: those of the supernet average over paths that it does not take.
        evaluation: The conditions.
        fidelity: Of these estimates, below 1; tuned ones have twice as much.
        tuning: How the copy is trained, if at all, and on which faces.
        times: Tells step times, which then are among an observation's costs.
    """

    supernet: nn.Module
    builder: NetworkBuilder
    calibration: Faces
    evaluation: Evaluation
    fidelity: float = 0.1
    tuning: tuple[Recipe, Faces] | None = None
    times: Costs | None = None

    @property
    def digest(self) -> str:
        """Of the condition set: only scores of equal digests may be compared."""
        return self.evaluation.conditions.digest

    @property
    def definitions(self) -> dict[str, Any]:
        """Of the conditions, as `ConditionSet.to_json`."""
        return self.evaluation.conditions.to_json()

    @property
    def flags(self) -> dict[str, list[str]]:
        """Which conditions have too few originals."""
        return flags_of(self.evaluation.views)

    def estimate(self, architecture: Architecture, *, seed: int) -> Observation:
        """The score with shared weights.

        The seed has no influence: what tuning draws is the same for all architectures, so that
        their differences are their own.

        Raises:
            EstimationFailed: the architecture is disconnected, or tuning diverged.
        """
        started = time.perf_counter()
        check_connected(self.builder.space, architecture)
        detector = Detector(self.supernet, architecture)
        if self.tuning is not None:
            detector = self._tuned(architecture, *self.tuning)
        recalibrate(detector, self.calibration, self.evaluation.device)
        scored = self.evaluation.pairable(self.evaluation.predict(detector))
        size = self.calibration.images.shape[-1]
        cost = architecture_cost(self.builder, architecture, size)
        if self.times is not None:
            cost[STEP_TIME] = self.times.cost(architecture)[STEP_TIME]
        return observe(
            scored,
            cost,
            seconds=time.perf_counter() - started,
            fidelity=self.fidelity * (1 if self.tuning is None else 2),
        )

    def _tuned(self, architecture: Architecture, recipe: Recipe, faces: Faces) -> Detector:
        network = build_network(self.builder, architecture, seed=0)
        inherit(self.builder, network, self.supernet)
        device = self.evaluation.device
        network.to(device.device)
        try:
            train(network, lambda rng: architecture, faces, recipe, device, seed=0)
        except FloatingPointError as error:
            raise EstimationFailed(str(error)) from error
        return Detector(network, architecture)


def observe(
    scored: PairableScore, cost: dict[str, float], *, seconds: float, fidelity: float
) -> Observation:
    """A score as an observation."""
    score = scored.score
    return Observation(
        value=score.value,
        variance=score.variance,
        error_loadings=error_loadings(scored),
        aucs={condition.key: auc.value for condition, auc in score.conditions},
        auc_variances={condition.key: auc.sampling_variance for condition, auc in score.conditions},
        cost=cost | {"seconds": seconds},
        fidelity=fidelity,
    )


def recalibrate(detector: Detector, calibration: Faces, device: Device) -> None:
    """Replace the batch-norm statistics of the detector's path by the mean over these images."""
    norms = [m for m in detector.modules() if isinstance(m, nn.BatchNorm2d)]
    momenta = [norm.momentum for norm in norms]
    for norm in norms:
        norm.reset_running_stats()
        norm.momentum = None  # a cumulative average
    detector.train()
    with torch.no_grad(), device.mixed_precision():
        for images in calibration.images.split(CALIBRATION_BATCH):
            detector.network(normalise(images.float() / 255), detector.architecture)
    detector.eval()
    for norm, momentum in zip(norms, momenta, strict=True):
        norm.momentum = momentum


def calibration_faces(train: Faces, count: int, *, seed: int) -> Faces:
    """Pairs of real and forged training images, `count` in all or as many as there are."""
    pairs = PairedBatches.of(train, 2, seed=seed).epoch(0)
    return train.select(pairs[: count // 2].reshape(-1).tolist())


def uniform_paths(
    space: SearchSpace, allowed: Callable[[Architecture], bool] | None = None
) -> Callable[[np.random.Generator], Architecture]:
    """Draws architectures uniformly among those whose input reaches their output.

    Args:
        space: The search space.
        allowed: Further leaves out those for which it does not hold. Draws raise `ValueError`
            where none of 100,000 combinations is left.
    """

    def draw(rng: np.random.Generator) -> Architecture:
        for _ in range(PATH_DRAWS):
            architecture = sample(space, rng=rng)
            if (allowed is None or allowed(architecture)) and connects(space, architecture):
                return architecture
        rule = "connected" if allowed is None else "connected and within search.limits: raise them"
        raise ValueError(
            f"none of {PATH_DRAWS:,} random architectures of the space {space.name!r} is {rule}."
        )

    return draw
