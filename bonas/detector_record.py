"""A trained detector on disk: weights, architecture and the numbers that it is known by."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from torch import nn

import bonas
from bonas.checkpoint import save_weights
from bonas.config import SpaceTable
from bonas.detector_calibration import Calibration, save_calibration
from bonas.estimation.evaluation import Evaluation
from bonas.networks.cost import network_cost
from bonas.region_quality import RegionQuality
from bonas.robustness.record import RobustnessScore
from spaces.architecture import Architecture

WEIGHTS, ARCHITECTURE, METRICS = "detector.safetensors", "architecture.json", "metrics.json"
REGIONS = "regions.png"
"""A picture of test faces with their masks and predicted regions, where a detector tells these."""
COLUMNS = "columns"
"""Under which that picture says of which type the face of each column is."""
NETWORK = "network"
"""Under which the weights' metadata say how the network of an architecture is built."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainedRecord:
    """What is said of one trained network.

    Attributes:
        name: What it is, such as `found` or the architecture's canonical key.
        seed: Of its initialisation and training.
        choices: Of its architecture; empty for a hand-designed one.
        steps: Batches that it was trained on.
        seconds: Wall time of the training.
        parameters: Trainable ones.
        multiply_adds: Of one image.
        score: On the test split and the further data sets.
        protocol: Data digests, sizes, version and device: what the numbers hold for.
        regions: How well manipulated regions are found, where the network tells them.
    """

    name: str
    seed: int
    choices: tuple[Any, ...]
    steps: int
    seconds: float
    parameters: int
    multiply_adds: int
    score: RobustnessScore
    protocol: Mapping[str, Any]
    regions: RegionQuality | None = None

    def to_json(self) -> dict[str, Any]:
        """The record with each condition's 95 % interval written out."""
        score = self.score.to_json()
        for condition, auc in self.score.conditions:
            score["conditions"][condition.key]["interval"] = list(auc.interval())
        return {
            "name": self.name,
            "seed": self.seed,
            "choices": list(self.choices),
            "steps": self.steps,
            "seconds": self.seconds,
            "parameters": self.parameters,
            "multiply_adds": self.multiply_adds,
            "score": score | {"interval": list(self.score.interval())},
            "protocol": dict(self.protocol),
            **({} if self.regions is None else {"regions": self.regions.to_json()}),
        }

    @classmethod
    def from_json(cls, document: Mapping[str, Any]) -> "TrainedRecord":
        """The record that `to_json` wrote."""
        regions = document.get("regions")
        return cls(
            name=document["name"],
            seed=document["seed"],
            choices=tuple(document["choices"]),
            steps=document["steps"],
            seconds=document["seconds"],
            parameters=document["parameters"],
            multiply_adds=document["multiply_adds"],
            score=RobustnessScore.from_json(document["score"]),
            protocol=document["protocol"],
            regions=RegionQuality.from_json(regions)
            if (regions := document.get("regions"))
            else None,
        )


def record_of(
    name: str,
    network: nn.Module,
    score: RobustnessScore,
    evaluation: Evaluation,
    *,
    seed: int,
    choices: tuple[Any, ...],
    steps: int,
    seconds: float,
    training_data: str,
) -> TrainedRecord:
    """The record of a network that was just trained and scored."""
    clean = next(iter(evaluation.views.values()))
    size = clean.images.shape[-1]
    cost = network_cost(network, size)
    return TrainedRecord(
        name=name,
        seed=seed,
        choices=choices,
        steps=steps,
        seconds=seconds,
        parameters=int(cost["parameters"]),
        multiply_adds=int(cost["multiply_adds"]),
        score=score,
        protocol={
            "version": bonas.__version__,
            "device": evaluation.device.describe(),
            "image_size": size,
            "training_data": training_data,
            "conditions": evaluation.conditions.digest,
            "images": {c.key: len(f) for c, f in evaluation.views.items()},
            "originals": {c.key: len(set(f.originals)) for c, f in evaluation.views.items()},
        },
    )


def save_detector(
    folder: Path,
    network: nn.Module,
    architecture: Architecture,
    record: TrainedRecord,
    *,
    space: SpaceTable,
    calibration: Calibration,
) -> None:
    """Write the detector's folder; the metrics last, so that their presence means complete."""
    described = {"name": record.name, NETWORK: space.model_dump_json(exclude_none=True)}
    save_weights(folder / WEIGHTS, network, described)
    (folder / ARCHITECTURE).write_text(architecture.to_json() + "\n", encoding="utf-8")
    save_calibration(folder, calibration)
    text = json.dumps(record.to_json(), indent=2)
    (folder / METRICS).write_text(text + "\n", encoding="utf-8")


def load_record(folder: Path) -> TrainedRecord | None:
    """The record in a detector's folder, or `None` where training has not ended there."""
    file = folder / METRICS
    if not file.is_file():
        return None
    return TrainedRecord.from_json(json.loads(file.read_text(encoding="utf-8")))
