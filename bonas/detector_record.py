"""A trained detector on disk: weights, architecture and the numbers that it is known by."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from torch import nn

from bonas.checkpoint import save_weights
from bonas.config import SpaceTable
from bonas.detector_calibration import Calibration, save_calibration
from bonas.estimation.evaluation import Evaluation
from bonas.few_originals import flags_of
from bonas.networks.cost import network_cost
from bonas.protocol import ResultProtocol
from bonas.region_quality import RegionQuality
from bonas.robustness.record import RobustnessScore
from bonas.run_folder import file_digest
from bonas.trained_on import TrainedOn
from bonas.whole_files import read_json, write_json, write_whole
from spaces.architecture import Architecture

WEIGHTS, ARCHITECTURE, METRICS = "detector.safetensors", "architecture.json", "metrics.json"
REGIONS = "regions.png"
"""A picture of test faces with their masks and predicted regions, where a detector tells these."""
COLUMNS = "columns"
"""Under which that picture says of which type the face of each column is."""
TRAINING = "training"
"""Under which a record's protocol says what the training stood on, and the weights its digest."""
TRAINED_ON = "trained_on"
"""Under which a record's protocol says which types of forgery were trained on."""
FLAGS = "flags"
"""Under which it says which conditions have too few originals."""
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

    @property
    def training(self) -> Mapping[str, Any]:
        """What its training stood on, as far as it is known; see `TrainingTerms.to_json`."""
        known = {"data": self.protocol["training_data"], "seed": self.seed}
        said: Mapping[str, Any] | None = self.protocol.get(TRAINING)
        return said or known | {"recipe": {"steps": self.steps}}

    @property
    def trained_on(self) -> TrainedOn | None:
        """Which types of forgery were trained on; `None` where an earlier version did not say."""
        said = self.protocol.get(TRAINED_ON)
        return None if said is None else TrainedOn.from_json(said)

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
            regions=None if regions is None else RegionQuality.from_json(regions),
        )


def record_of(
    name: str,
    network: nn.Module,
    score: RobustnessScore,
    evaluation: Evaluation,
    *,
    protocol: ResultProtocol,
    choices: tuple[Any, ...],
    seconds: float,
    trained_on: TrainedOn | None = None,
) -> TrainedRecord:
    """The record of a network that was trained, as the protocol says, and scored."""
    terms = protocol.training
    assert terms is not None
    clean = next(iter(evaluation.views.values()))
    size = clean.images.shape[-1]
    cost = network_cost(network, size)
    return TrainedRecord(
        name=name,
        seed=terms.seed,
        choices=choices,
        steps=int(terms.recipe["steps"]),
        seconds=seconds,
        parameters=int(cost["parameters"]),
        multiply_adds=int(cost["multiply_adds"]),
        score=score,
        protocol=protocol.to_json()
        | {
            "image_size": size,
            "training_data": terms.data,
            TRAINED_ON: None if trained_on is None else trained_on.to_json(),
            "images": {c.key: len(f) for c, f in evaluation.views.items()},
            "originals": {c.key: len(set(f.originals)) for c, f in evaluation.views.items()},
            FLAGS: flags_of(evaluation.views),
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
    described = {
        "name": record.name,
        NETWORK: space.model_dump_json(exclude_none=True),
        TRAINING: str(record.training.get("digest", "")),
    }
    save_weights(folder / WEIGHTS, network, described)
    write_whole(folder / ARCHITECTURE, architecture.to_json() + "\n")
    weights = file_digest(folder / WEIGHTS)
    named = calibration.of_detector(name=record.name, seed=record.seed, weights=weights)
    save_calibration(folder, named)
    save_record(folder, record)


def save_record(folder: Path, record: TrainedRecord) -> None:
    """Write what is said of the detector in a folder."""
    write_json(folder / METRICS, record.to_json())


def load_record(folder: Path) -> TrainedRecord | None:
    """The record in a detector's folder, or `None` where training has not ended there.

    Raises:
        ConfigError: as in `read_record`.
    """
    file = folder / METRICS
    return read_record(file) if file.is_file() else None


def read_record(file: Path) -> TrainedRecord:
    """The record in a file.

    Raises:
        ConfigError: it is none that can be read.
    """
    remedy = "Restore it, or remove it and run again what trained the network."
    return read_json(file, TrainedRecord.from_json, remedy)
