"""SavedDetector: a trained detector read back from its folder, ready to be called."""

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from pydantic import ValidationError
from safetensors import SafetensorError, safe_open
from torch import nn

from bonas.builders import builder_of
from bonas.checkpoint import load_weights
from bonas.config import ConfigError, SpaceTable
from bonas.config_file import load_config
from bonas.detector_calibration import Calibration, load_calibration
from bonas.detector_record import (
    ARCHITECTURE,
    METRICS,
    NETWORK,
    WEIGHTS,
    TrainedRecord,
    load_record,
)
from bonas.device import Device, Precision, choose_device
from bonas.estimation.evaluation import logits_of
from bonas.localisation import predicted_regions
from bonas.networks.builder import NetworkBuilder, build_network, seeded
from bonas.networks.detector import Detector
from bonas.networks.plain import PlainNetwork
from bonas.robustness.calibration import UNCALIBRATED, OperatingPoint
from bonas.run_folder import file_digest
from bonas.step_time import PLAIN
from spaces.architecture import Architecture


@dataclass(frozen=True, slots=True)
class SavedDetector:
    """A trained detector: from images to logits, and from logits to probabilities and verdicts.

    Attributes:
        folder: Where it lies.
        detector: The network with its architecture, on the device, in evaluation mode.
        device: Where it runs.
        record: What is said of it.
        calibration: What its logits mean; `None` where it was trained without.
    """

    folder: Path
    detector: Detector
    device: Device
    record: TrainedRecord
    calibration: Calibration | None

    @property
    def image_size(self) -> int:
        """Edge of the images that it was trained on, in pixels."""
        return int(self.record.protocol["image_size"])

    @property
    def digest(self) -> str:
        """Of its weights."""
        return file_digest(self.folder / WEIGHTS)

    @property
    def doubts(self) -> list[str]:
        """Why its verdicts may mean little, a sentence each; without a calibration none."""
        if self.calibration is None:
            return []
        if self.calibration.weights in (None, self.digest):
            return self.calibration.doubts
        other = f"the calibration is of other weights, {self.calibration.weights}: calibrate anew"
        return [other, *self.calibration.doubts]

    def identity(self) -> dict[str, str]:
        """What names it beside a number: its name, and the digest of its weights."""
        return {"name": self.record.name, "weights": self.digest}

    def __call__(self, images: torch.Tensor) -> np.ndarray:
        """Logits, float64 `n`, of RGB images, uint8 `n x 3 x h x w`; positive means forged.

        Raises:
            ValueError: images of another type, shape or size than the detector's.
        """
        self._check(images)
        if not len(images):
            return np.empty(0)
        return logits_of(self.detector, images.to(self.device.device), self.device)

    @property
    def localises(self) -> bool:
        """Whether it has a second head, for the manipulated region: its network refuses if not."""
        blank = torch.zeros(1, 3, self.image_size, self.image_size, dtype=torch.uint8)
        try:
            self.regions(blank)
        except ValueError:
            return False
        return True

    def regions(self, images: torch.Tensor) -> np.ndarray:
        """The probability that each pixel was manipulated, float32 `n x h x w`, of RGB images.

        Raises:
            ValueError: images as they are refused by `__call__`, or no head for regions.
        """
        self._check(images)
        return predicted_regions(self.detector, images, self.device).numpy()

    def _check(self, images: torch.Tensor) -> None:
        size = self.image_size
        if images.dtype != torch.uint8 or images.shape[1:] != (3, size, size):
            raise ValueError(
                f"images must be uint8, n x 3 x {size} x {size}, as the detector was trained on, "
                f"got {images.dtype} of shape {tuple(images.shape)}; resize them"
            )

    def point(self, *, videos: bool = False) -> OperatingPoint:
        """What turns its logits, or means of a video's, into probabilities and verdicts."""
        return UNCALIBRATED if self.calibration is None else self.calibration.point(videos=videos)


def load_detector(
    folder: Path | str,
    *,
    device: str = "auto",
    precision: Precision = Precision.AUTO,
    builder: NetworkBuilder | None = None,
) -> SavedDetector:
    """The detector in a folder that `bonas train` or `bonas compare` wrote.

    Args:
        folder: `RUN/detectors/KEY` or `RUN/comparison/NAME`; of detectors trained by versions that
            did not describe the network beside its weights, within its run.
        device: `auto`, `cpu`, `cuda` or `cuda:N`.
        precision: Of the forward pass.
        builder: Of a space of one's own. The code that a detector's folder names is not run: the
            folder may be anyone's.

    Raises:
        ConfigError: no finished detector lies there, or one of its files cannot be used.
    """
    place = Path(folder)
    try:
        record = load_record(place)
        if record is None or not (place / WEIGHTS).is_file():
            raise ConfigError(
                f"{str(place)!r} holds no trained detector: it lacks {METRICS} or {WEIGHTS}. "
                "Name a folder that `bonas train` wrote, such as RUN/detectors/KEY."
            )
        where = choose_device(device, precision)
        text = (place / ARCHITECTURE).read_text(encoding="utf-8")
        architecture = Architecture.from_json(text)
        network = _network(place, architecture, builder)
        load_weights(place / WEIGHTS, network)
        calibration = load_calibration(place)
    except ConfigError:
        raise
    except (OSError, ValueError, KeyError, TypeError, RuntimeError, SafetensorError) as error:
        raise ConfigError(f"{place} cannot be loaded: {error}") from error
    detector = Detector(network.to(where.device), architecture)
    return SavedDetector(place, detector.eval(), where, record, calibration)


def _network(folder: Path, architecture: Architecture, builder: NetworkBuilder | None) -> nn.Module:
    """The network of an architecture, its weights still to be loaded."""
    if architecture == PLAIN:
        return seeded(PlainNetwork, 0)
    table = _space_table(folder)
    if table.own and builder is None:
        raise ConfigError(
            f"{folder} is a detector of {table.name!r}, a space of one's own, whose code is not "
            "run unasked; give its builder, bonas.load_detector(folder, builder=...)."
        )
    builder = builder if table.own and builder else builder_of(table)
    if architecture.space != builder.space.name:
        raise ConfigError(
            f"{folder / ARCHITECTURE} is of the space {architecture.space!r}, but the network is "
            f"described as one of {builder.space.name!r}; restore the file."
        )
    return build_network(builder, architecture, seed=0)


def _space_table(folder: Path) -> SpaceTable:
    """How wide and deep networks are built: said beside the weights, before that by the run."""
    with safe_open(folder / WEIGHTS, framework="pt") as file:
        described = (file.metadata() or {}).get(NETWORK)
    if described is not None:
        try:
            return SpaceTable.model_validate(json.loads(described))
        except ValidationError as error:
            raise ConfigError(f"{folder / WEIGHTS} describes no known network: {error}") from error
    config = folder.resolve().parent.parent / "config.toml"
    if not config.is_file():
        raise ConfigError(
            f"{folder / WEIGHTS} does not say which network it is of, and {config} is not there "
            "to say so. Put the folder back into its run, or train it again."
        )
    return load_config(config).space
