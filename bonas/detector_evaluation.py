"""A detector's metrics on a data set: per condition, for frames and videos, by domain and subgroup.

Every number stands beside what it holds for: the digests of data and conditions, the split, the
seed, the version and how decisions were made. A video's score is the mean of its frames' logits.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import Any

import torch

from bonas.data.faces import DataError, DataSet, Faces, Split
from bonas.detector_calibration import scored
from bonas.estimation.evaluation import Evaluation, Protocol
from bonas.protocol import ImagesUsed, ResultProtocol
from bonas.robustness.calibration import OperatingPoint
from bonas.robustness.conditions import Condition
from bonas.robustness.estimate import Metrics, Refused
from bonas.robustness.metrics import BINS, DRAWS, measure
from bonas.robustness.record import RobustnessScore
from bonas.robustness.scored import Attributes, Scored
from bonas.saved_detector import SavedDetector

ALL = "all"
CLEAN_ONLY = Protocol(corruptions=(), attacks=MappingProxyType({}))


class Conditions(StrEnum):
    """Which conditions are tested."""

    CLEAN = "clean"
    ALL = "all"


@dataclass(frozen=True, slots=True)
class Breakdown:
    """Metrics of all images or videos of a condition, and of parts of them.

    Attributes:
        whole: Of all.
        domains: Of each type of forgery against all real ones; none where there is one type.
        subgroups: Of each value of each attribute, by `attribute=value`.
    """

    whole: Metrics | Refused
    domains: Mapping[str, Metrics | Refused]
    subgroups: Mapping[str, Metrics | Refused]

    @classmethod
    def of(
        cls, sample: Scored, point: OperatingPoint, attributes: Attributes, *, seed: int, draws: int
    ) -> "Breakdown":
        """The breakdown of a sample; arguments as `measure`."""
        domains = sample.by_domain()
        return cls(
            measure(sample, point, seed=seed, draws=draws),
            {n: measure(s, point, seed=seed, draws=draws) for n, s in domains.items()}
            if len(domains) > 1
            else {},
            {
                n: measure(s, point, seed=seed, draws=draws)
                for n, s in sample.by_subgroup(attributes).items()
            },
        )

    def to_json(self) -> dict[str, Any]:
        """The parts by their names."""
        parts = {"domains": self.domains, "subgroups": self.subgroups}
        named = {k: {n: m.to_json() for n, m in v.items()} for k, v in parts.items()}
        return {"whole": self.whole.to_json()} | named


@dataclass(frozen=True, slots=True)
class DetectorEvaluation:
    """What one detector is worth on one data set.

    Attributes:
        protocol: What the numbers hold for.
        frames: By condition.
        videos: By condition; empty where no video has several frames.
        score: The robustness-weighted AUC of the frames; `None` where a condition is refused.
    """

    protocol: Mapping[str, Any]
    frames: Mapping[Condition, Breakdown]
    videos: Mapping[Condition, Breakdown]
    score: RobustnessScore | None

    def to_json(self) -> dict[str, Any]:
        """Everything, conditions by their keys."""
        return {
            "protocol": dict(self.protocol),
            "score": None
            if self.score is None
            else self.score.to_json() | {"interval": list(self.score.interval())},
            "frames": {c.key: b.to_json() for c, b in self.frames.items()},
            "videos": {c.key: b.to_json() for c, b in self.videos.items()},
        }


def evaluate_detector(
    detector: SavedDetector,
    faces: Faces,
    name: str,
    split: str,
    *,
    conditions: Conditions = Conditions.CLEAN,
    attributes: Attributes = MappingProxyType({}),
    seed: int = 0,
    draws: int = DRAWS,
    progress: Callable[[int, int], None] | None = None,
) -> DetectorEvaluation:
    """The metrics of a detector on faces.

    Args:
        detector: What is tested.
        faces: Both classes, of the detector's image size.
        name: Of the data set.
        split: Of the data set: one of `Split` or `all`.
        conditions: Clean images only, or the standard corruptions and attacks as well.
        attributes: Of originals, for subgroups.
        seed: Of the corruptions' noise and the bootstrap.
        draws: Of the bootstrap.
        progress: Told (conditions done, conditions in all).

    Raises:
        DataError: too few images, or of one class.
    """
    protocol = Protocol(seed=seed) if conditions is Conditions.ALL else CLEAN_ONLY
    evaluation = Evaluation.of(faces, {}, protocol, detector.device)
    done = 0

    def tell(condition: Condition) -> None:
        nonlocal done
        done += 1
        if progress is not None:
            progress(done, len(evaluation.conditions.conditions))

    logits = evaluation.predict(detector.detector, tell)
    frames, videos = {}, {}
    for condition, values in logits.items():
        sample = scored(values, evaluation.views[condition])
        frames[condition] = Breakdown.of(
            sample, detector.point(), attributes, seed=seed, draws=draws
        )
        grouped = sample.by_video()
        if len(grouped) < len(sample):
            videos[condition] = Breakdown.of(
                grouped, detector.point(videos=True), attributes, seed=seed, draws=draws
            )
    refused = [b.whole.reason for b in frames.values() if isinstance(b.whole, Refused)]
    if len(refused) == len(frames):
        raise DataError(f"data set {name!r}, split {split!r}, is not scored: {refused[0]}.")
    facts = _protocol(detector, faces, name, split, evaluation, seed=seed, draws=draws)
    return DetectorEvaluation(facts, frames, videos, None if refused else evaluation.score(logits))


def faces_of(data: DataSet, split: str) -> Faces:
    """The faces of a split, or of all splits together.

    Raises:
        DataError: the split is absent or of one class.
    """
    if split != ALL:
        return data.require(Split(split), "the evaluation")
    parts = list(data.splits.values())
    images = torch.cat([part.images for part in parts])
    named = any(part.videos for part in parts)
    whole = Faces(
        images,
        torch.cat([part.labels for part in parts]),
        tuple(o for part in parts for o in part.originals),
        tuple(d for part in parts for d in part.domains),
        tuple(v for part in parts for v in part.videos or ("",) * len(part)) if named else (),
    )
    return DataSet(data.name, {Split.TEST: whole}).require(Split.TEST, "the evaluation")


def _protocol(
    detector: SavedDetector,
    faces: Faces,
    name: str,
    split: str,
    evaluation: Evaluation,
    *,
    seed: int,
    draws: int,
) -> dict[str, Any]:
    calibration, trained = detector.calibration, detector.record.protocol.get("training")
    protocol = ResultProtocol(
        seed=seed,
        device=detector.device.describe(),
        data={"name": name, "split": split} | ImagesUsed.of(faces).to_json(),
        conditions=evaluation.conditions,
    )
    return protocol.to_json() | {
        "training": trained,
        "detector": {
            "folder": str(detector.folder),
            "name": detector.record.name,
            "seed": detector.record.seed,
            "weights": detector.digest,
            "training_data": detector.record.protocol["training_data"],
        },
        "calibration": None if calibration is None else calibration.to_json(),
        "image_size": detector.image_size,
        "bootstrap_draws": draws,
        "video_score": "mean of the frames' logits",
        "calibration_error_bins": BINS,
    }
