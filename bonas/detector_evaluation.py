"""A detector's metrics on a data set: per condition, for frames and videos, by domain and subgroup.

Every number stands beside what it holds for: the digests of data and conditions, the split, the
seed, the version and how decisions were made. A video's score is the mean of its frames' logits.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

import numpy as np
import torch

from bonas.data.faces import DataError, DataSet, Faces, Split
from bonas.detector_calibration import scored
from bonas.estimation.attacked import attacked_faces
from bonas.estimation.evaluation import Evaluation, Protocol
from bonas.protocol import ImagesUsed, ResultProtocol
from bonas.robustness.attacks import Attack, GradientMasking, masked_gradients
from bonas.robustness.attacks.masking import FEWEST
from bonas.robustness.calibration import OperatingPoint
from bonas.robustness.conditions import CLEAN, Condition
from bonas.robustness.estimate import Metrics, Refused
from bonas.robustness.metrics import BINS, DRAWS, measure
from bonas.robustness.record import RobustnessScore
from bonas.robustness.scored import Attributes, Scored
from bonas.saved_detector import SavedDetector
from bonas.score_protocol import BUDGET
from bonas.trained_on import count_trained_on

ALL = "all"
CLEAN_ONLY = Protocol(corruptions=(), attacks=MappingProxyType({}))
CHECKED = 64
"""Images on which gradients are checked: the sign test needs no more to be sure."""


@dataclass(frozen=True, slots=True)
class DataPart:
    """What a detector is tested on.

    Attributes:
        faces: Both classes.
        name: Of the data set.
        split: Of it: one of `Split` or `all`.
    """

    faces: Faces
    name: str
    split: str


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
        score: The robustness-weighted AUC of the frames; `None` where a condition is refused or
            only groups without weight were tested.
        gradients: Whether the detector hides its gradients; `None` where that was not looked at.
    """

    protocol: Mapping[str, Any]
    frames: Mapping[Condition, Breakdown]
    videos: Mapping[Condition, Breakdown]
    score: RobustnessScore | None
    gradients: GradientMasking | None = None

    def to_json(self) -> dict[str, Any]:
        """Everything, conditions by their keys."""
        return {
            "protocol": dict(self.protocol),
            "score": None if self.score is None else _score(self.score),
            "gradients": None if self.gradients is None else self.gradients.to_json(),
            "frames": {c.key: b.to_json() for c, b in self.frames.items()},
            "videos": {c.key: b.to_json() for c, b in self.videos.items()},
        }


def _score(score: RobustnessScore) -> dict[str, Any]:
    """With its interval and the worst condition."""
    worst, auc = score.worst
    told = {"condition": worst.key, "auc": auc.value, "interval": list(auc.interval())}
    return score.to_json() | {"interval": list(score.interval()), "worst": told}


def evaluate_detector(
    detector: SavedDetector,
    tested: DataPart,
    protocol: Protocol = CLEAN_ONLY,
    *,
    attributes: Attributes = MappingProxyType({}),
    draws: int = DRAWS,
    check_gradients: bool = False,
    progress: Callable[[int, int], None] | None = None,
) -> DetectorEvaluation:
    """The metrics of a detector on faces.

    Args:
        detector: What is tested.
        tested: Both classes, of the detector's image size.
        protocol: Under which conditions; its seed is that of the bootstrap, too.
        attributes: Of originals, for subgroups.
        draws: Of the bootstrap.
        check_gradients: Whether to look for hidden gradients where the conditions do not.
        progress: Told (conditions done, conditions in all).

    Raises:
        DataError: too few images, or of one class.
    """
    evaluation = Evaluation.of(tested.faces, {}, protocol, detector.device)
    done = 0

    def tell(condition: Condition) -> None:
        nonlocal done
        done += 1
        if progress is not None:
            progress(done, len(evaluation.conditions.conditions))

    logits = evaluation.predict(detector.detector, tell)
    frames, videos = _broken_down(detector, evaluation, logits, attributes, draws)
    refused = [b.whole.reason for b in frames.values() if isinstance(b.whole, Refused)]
    if len(refused) == len(frames):
        raise DataError(
            f"data set {tested.name!r}, split {tested.split!r}, is not scored: {refused[0]}."
        )
    weighed = any(protocol.weights.of(c.group) > 0 for c in frames)
    both = {Attack.APGD, Attack.SQUARE} <= protocol.attacks.keys()
    return DetectorEvaluation(
        _protocol(detector, tested, evaluation, draws=draws),
        frames,
        videos,
        None if refused or not weighed else evaluation.score(logits),
        _gradients(detector, evaluation) if both or check_gradients else None,
    )


def _broken_down(
    detector: SavedDetector,
    evaluation: Evaluation,
    logits: Mapping[Condition, np.ndarray],
    attributes: Attributes,
    draws: int,
) -> tuple[dict[Condition, Breakdown], dict[Condition, Breakdown]]:
    """Of frames and of videos, the latter where some have several frames."""
    frames, videos, seed = {}, {}, evaluation.protocol.seed
    for condition, values in logits.items():
        sample = scored(values, evaluation.views[condition])
        point = detector.point()
        frames[condition] = Breakdown.of(sample, point, attributes, seed=seed, draws=draws)
        grouped = sample.by_video()
        if len(grouped) < len(sample):
            point = detector.point(videos=True)
            videos[condition] = Breakdown.of(grouped, point, attributes, seed=seed, draws=draws)
    return frames, videos


def _gradients(detector: SavedDetector, evaluation: Evaluation) -> GradientMasking | None:
    """Square against APGD on some of the attacked images, by the smaller of their budgets."""
    protocol = evaluation.protocol
    faces = attacked_faces(evaluation.views[CLEAN], min(CHECKED, protocol.attack_images))
    if len(faces) < FEWEST:
        return None
    budgets = [protocol.attacks.get(a, BUDGET) for a in (Attack.APGD, Attack.SQUARE)]
    return masked_gradients(
        *(detector.detector, faces.images.float() / 255, faces.labels),
        min(eps for eps in [*budgets, BUDGET] if eps > 0),
        effort=protocol.attack_effort,
        generator=torch.Generator().manual_seed(protocol.seed),
    )


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
    detector: SavedDetector, tested: DataPart, evaluation: Evaluation, *, draws: int
) -> dict[str, Any]:
    calibration, record = detector.calibration, detector.record
    named = {"name": tested.name, "split": tested.split}
    trained_on = {"trained_on": count_trained_on(detector.folder, tested.faces)}
    protocol = ResultProtocol(
        seed=evaluation.protocol.seed,
        device=detector.device.describe(),
        data=named | ImagesUsed.of(tested.faces).to_json() | trained_on,
        conditions=evaluation.conditions,
    )
    return protocol.to_json() | {
        "training": record.protocol.get("training"),
        "detector": {
            "folder": str(detector.folder),
            "name": record.name,
            "seed": record.seed,
            "weights": detector.digest,
            "training_data": record.protocol["training_data"],
        },
        "calibration": None if calibration is None else calibration.to_json(),
        "image_size": detector.image_size,
        "weights": evaluation.protocol.weights.to_json(),
        "attack_images": evaluation.protocol.attack_images,
        "bootstrap_draws": draws,
        "video_score": "mean of the frames' logits",
        "calibration_error_bins": BINS,
    }
