"""Networks trained from scratch for equal time on equal data, and what each then scores."""

import copy
import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from itertools import pairwise
from pathlib import Path

import numpy as np
import torch
from torch import nn

from bonas.assembly import Components
from bonas.config import ConfigError
from bonas.detector_record import TrainedRecord, load_record, record_of, save_detector
from bonas.estimation.evaluation import Evaluation
from bonas.estimation.supernet import uniform_paths
from bonas.networks.builder import build_network, seeded
from bonas.networks.detector import Detector
from bonas.networks.plain import PlainNetwork
from bonas.training import Progress, Recipe, train
from spaces.architecture import Architecture

TIMED_ROUNDS, TIMED_STEPS, WARM_STEPS = 5, 8, 3
PLAIN = Architecture("plain", ())
"""Stands for the hand-designed network, which no space describes."""


class Rival(StrEnum):
    """What a found architecture is compared with."""

    RANDOM = "random"
    PLAIN = "plain"


@dataclass(frozen=True, slots=True)
class Contestant:
    """A network to be trained.

    Attributes:
        name: `found`, `random` or `plain`.
        architecture: Of a space, or `PLAIN`.
        seed: Of initialisation and training.
    """

    name: str
    architecture: Architecture
    seed: int

    def build(self, parts: Components) -> nn.Module:
        """The untrained network, on the device."""
        if self.architecture == PLAIN:
            return seeded(PlainNetwork, self.seed).to(parts.device.device)
        network = build_network(parts.builder, self.architecture, seed=self.seed)
        return network.to(parts.device.device)


def contestants(
    parts: Components, found: Architecture, rivals: Sequence[Rival], seeds: Sequence[int]
) -> list[Contestant]:
    """Per seed the found architecture and its rivals, the random one drawn with that seed.

    The random architecture keeps the search's limits too: it is what the search chose among.
    """
    draw = uniform_paths(parts.builder.space, parts.allowed)
    result = []
    for seed in seeds:
        rng = np.random.default_rng(np.random.SeedSequence([parts.config.seed, seed, 3]))
        result.append(Contestant("found", found, seed))
        result += [
            Contestant(r.value, PLAIN if r is Rival.PLAIN else draw(rng), seed) for r in rivals
        ]
    return result


def steps_for_equal_time(
    parts: Components, recipe: Recipe, entrants: Sequence[Contestant]
) -> list[int]:
    """Steps by which each contestant trains as long as the first one does in `recipe.steps`.

    The time of a step is the median over interleaved rounds, so that what else the machine does
    meanwhile slows all of them alike. The first steps of a round, in which memory is claimed and
    kernels are prepared, do not count.
    """
    networks = [entrant.build(parts) for entrant in entrants]
    seconds: list[list[float]] = [[] for _ in entrants]
    for _ in range(TIMED_ROUNDS):
        for number, (entrant, network) in enumerate(zip(entrants, networks, strict=True)):
            seconds[number].extend(_timed(parts, recipe, entrant, network))
    medians = [statistics.median(s) for s in seconds]
    return [max(1, round(recipe.steps * medians[0] / m)) for m in medians]


def run_contestant(
    parts: Components,
    evaluation: Evaluation,
    recipe: Recipe,
    entrant: Contestant,
    *,
    steps: int,
    folder: Path,
    progress: Progress | None = None,
) -> TrainedRecord:
    """Train one contestant, score it and keep it; read it back where it was done before.

    Raises:
        ConfigError: it was done before with another number of steps.
    """
    done = load_record(folder)
    if done is not None:
        if done.steps != steps:
            raise ConfigError(
                f"{folder} holds a training of {done.steps} steps, now {steps} are asked for; "
                "remove or rename the folder to train again."
            )
        return done
    network = entrant.build(parts)
    checkpoint = folder / "training.checkpoint"
    started = time.perf_counter()
    train(
        network,
        lambda rng: entrant.architecture,
        parts.train,
        replace(recipe, steps=steps),
        parts.device,
        seed=entrant.seed,
        checkpoint=checkpoint,
        progress=progress,
    )
    seconds = time.perf_counter() - started
    detector = Detector(network, entrant.architecture)
    record = record_of(
        entrant.name,
        detector,
        evaluation.score(evaluation.predict(detector)),
        evaluation,
        seed=entrant.seed,
        choices=entrant.architecture.choices,
        steps=steps,
        seconds=seconds,
        training_data=parts.train.digest(),
    )
    save_detector(folder, network, entrant.architecture, record)
    checkpoint.unlink(missing_ok=True)
    return record


def _timed(
    parts: Components, recipe: Recipe, entrant: Contestant, network: nn.Module
) -> list[float]:
    """Seconds of single steps of a copy of the network."""
    few = replace(recipe, steps=TIMED_STEPS)
    ends: list[float] = []

    def note(step: int, loss: float) -> None:
        _wait(parts.device.device)
        ends.append(time.perf_counter())

    choose = _constant(entrant.architecture)
    train(copy.deepcopy(network), choose, parts.train, few, parts.device, seed=0, progress=note)
    return [after - before for before, after in pairwise(ends[WARM_STEPS - 1 :])]


def _constant(architecture: Architecture) -> Callable[[np.random.Generator], Architecture]:
    return lambda rng: architecture


def _wait(device: torch.device) -> None:
    if device.type == "cuda":
        torch.cuda.synchronize(device)
