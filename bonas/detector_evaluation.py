"""A detector's metrics on a data set: per condition, for frames and videos, by domain and subgroup.

Every number stands beside what it holds for: the digests of data and conditions, the split, the
seed, the version and how decisions were made. A video's score is the mean of its frames' logits.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

import torch

from bonas.data.faces import DataError, Faces
from bonas.detector_calibration import scored
from bonas.estimation.attacked import attacked_faces
from bonas.estimation.evaluation import Evaluation, Protocol
from bonas.protocol import ImagesUsed, ResultProtocol
from bonas.robustness.attacks import Attack, GradientMasking, masked_gradients
from bonas.robustness.attacks.masking import FEWEST
from bonas.robustness.calibration import OperatingPoint
from bonas.robustness.conditions import Condition
from bonas.robustness.estimate import Metrics, Refused
from bonas.robustness.metrics import BINS, DRAWS, measure
from bonas.robustness.record import RobustnessScore
from bonas.robustness.scored import Attributes, Scored
from bonas.saved_detector import SavedDetector
from bonas.score_protocol import BUDGET
from bonas.tested import ALL, DataPart
from bonas.trained_on import Use, count_used

CLEAN_ONLY = Protocol(corruptions=(), attacks=MappingProxyType({}))
FRAMES, VIDEOS = "frames", "videos"
CHECKED = 64
"""Images on which gradients are checked: the sign test needs no more to be sure."""


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
        together: Of all images as they are, `frames` and `videos`, where the conditions divide
            them by what was trained on.
        score: The robustness-weighted AUC of the frames; `None` where a condition is refused or
            only groups without weight were tested.
        gradients: Whether the detector hides its gradients; `None` where that was not looked at.
    """

    protocol: Mapping[str, Any]
    frames: Mapping[Condition, Breakdown]
    videos: Mapping[Condition, Breakdown]
    score: RobustnessScore | None
    gradients: GradientMasking | None = None
    together: Mapping[str, Breakdown] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        """Everything, conditions by their keys."""
        units = {
            unit: {c.key: b.to_json() for c, b in breakdowns.items()}
            for unit, breakdowns in (("frames", self.frames), ("videos", self.videos))
        }
        for unit, breakdown in self.together.items():
            units[unit] = {ALL: breakdown.to_json()} | units[unit]
        return {
            "protocol": dict(self.protocol),
            "score": None if self.score is None else _score(self.score),
            "gradients": None if self.gradients is None else self.gradients.to_json(),
            **units,
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
        DataError: too few images, also for the check of gradients where it is asked for, or of
            one class.
    """
    clean, unseen = tested.divided()
    base = tested.faces if clean is None else clean
    checked = attacked_faces(base, min(CHECKED, protocol.attack_images))
    enough = len(checked) >= FEWEST
    looked = check_gradients or {Attack.APGD, Attack.SQUARE} <= protocol.attacks.keys()
    if check_gradients and not enough:
        raise DataError(
            f"data set {tested.name!r}, split {tested.split!r}: gradients are checked on "
            f"{len(checked)} images, but it takes {FEWEST} of them for a verdict. Raise "
            f"score.attack_images ({protocol.attack_images}), test more images, or do not check."
        )
    evaluation = Evaluation.of(base, unseen, protocol, detector.device, trained=clean is not None)
    done = 0

    def tell(condition: Condition) -> None:
        nonlocal done
        done += 1
        if progress is not None:
            progress(done, len(evaluation.conditions.conditions))

    logits = evaluation.predict(detector.detector, tell)
    seed = protocol.seed
    broken = {
        condition: _broken_down(
            detector,
            scored(values, evaluation.views[condition]),
            attributes,
            seed=seed,
            draws=draws,
        )
        for condition, values in logits.items()
    }
    together: Mapping[str, Breakdown] = {}
    if unseen:
        every = scored(detector(tested.faces.images), tested.faces)
        together = _broken_down(detector, every, attributes, seed=seed, draws=draws)
    frames = {c: units[FRAMES] for c, units in broken.items()}
    videos = {c: units[VIDEOS] for c, units in broken.items() if VIDEOS in units}
    refused = [b.whole.reason for b in frames.values() if isinstance(b.whole, Refused)]
    whole = together[FRAMES].whole if together else None
    if len(refused) == len(frames) and (whole is None or isinstance(whole, Refused)):
        raise DataError(
            f"data set {tested.name!r}, split {tested.split!r}, is not scored: {refused[0]}."
        )
    weighed = any(protocol.weights.of(c.group) > 0 for c in frames)
    return DetectorEvaluation(
        _protocol(detector, tested, evaluation, draws=draws),
        frames,
        videos,
        None if refused or not weighed else evaluation.score(logits),
        _gradients(detector, checked, protocol) if looked and enough else None,
        together,
    )


def _broken_down(
    detector: SavedDetector, sample: Scored, attributes: Attributes, *, seed: int, draws: int
) -> dict[str, Breakdown]:
    """Of frames, and of videos where some have several frames."""
    point = detector.point()
    found = {FRAMES: Breakdown.of(sample, point, attributes, seed=seed, draws=draws)}
    grouped = sample.by_video()
    if len(grouped) < len(sample):
        point = detector.point(videos=True)
        found[VIDEOS] = Breakdown.of(grouped, point, attributes, seed=seed, draws=draws)
    return found


def _gradients(detector: SavedDetector, checked: Faces, protocol: Protocol) -> GradientMasking:
    """Square against APGD by the smaller of their budgets; one that has none gets `BUDGET`."""
    faces = checked.to(detector.device.device)
    budgets = [protocol.attacks.get(a, BUDGET) for a in (Attack.APGD, Attack.SQUARE)]
    return masked_gradients(
        *(detector.detector, faces.images.float() / 255, faces.labels),
        min((eps for eps in budgets if eps > 0), default=BUDGET),
        effort=protocol.attack_effort,
        generator=torch.Generator().manual_seed(protocol.seed),
    )


def _protocol(
    detector: SavedDetector, tested: DataPart, evaluation: Evaluation, *, draws: int
) -> dict[str, Any]:
    calibration, record = detector.calibration, detector.record
    named = {"name": tested.name, "split": tested.split}
    used = {
        **{use.value: count_used(detector.folder, tested.faces, use) for use in Use},
        "forgeries": list(tested.faces.forgeries),
        "forgeries_trained_on": None
        if tested.trained is None
        else [f for f in tested.faces.forgeries if f in tested.trained],
    }
    protocol = ResultProtocol(
        seed=evaluation.protocol.seed,
        device=detector.device.describe(),
        data=named | ImagesUsed.of(tested.faces).to_json() | used,
        reading=() if tested.reading is None else (tested.reading,),
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
        "equal_error_rate": "where FNR = FPR on the ROC curve, a polygon through its points",
        "calibration_error_bins": BINS,
    }
