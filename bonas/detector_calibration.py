"""What a detector's scores mean, kept beside it: `calibration.json`."""

import hashlib
import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

import bonas
from bonas.data.faces import Faces, Split
from bonas.data.reading_terms import ReadingTerms
from bonas.robustness.auc import delong
from bonas.robustness.calibration import OperatingPoint, Rules, ThresholdRule, operating_point
from bonas.robustness.metrics import FEW_ORIGINALS, originals_by_class
from bonas.robustness.record import ConditionAuc
from bonas.robustness.scored import Scored
from bonas.versions import versions
from bonas.whole_files import write_whole

CALIBRATION = "calibration.json"


@dataclass(frozen=True, slots=True, kw_only=True)
class Calibration:
    """Operating points of a detector with what they were chosen by and on.

    Attributes:
        frames: Of a single image's logit.
        videos: Of the mean of a video's; `None` where the data had no videos of several frames.
        rules: What threshold and band were chosen by.
        data: What they were chosen on and with: `version` and `versions`, the images' `digest`,
            `split` and numbers, `reading`, `device`, and, in a detector's folder, the `detector`:
            its name, seed and the digest of its weights.
    """

    frames: OperatingPoint
    videos: OperatingPoint | None
    rules: Rules
    data: Mapping[str, Any]

    def point(self, *, videos: bool) -> OperatingPoint:
        """The operating point of videos or of frames; the latter where videos have none."""
        return self.videos if videos and self.videos is not None else self.frames

    @property
    def digest(self) -> str:
        """SHA-256 of all of it, the first sixteen hexadecimal digits."""
        text = json.dumps(self.to_json(), sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()[:16]

    @property
    def doubts(self) -> list[str]:
        """Why its verdicts may mean little, a sentence each; of an earlier version none."""
        return list(self.data.get("doubts", ()))

    @property
    def weights(self) -> str | None:
        """The digest of the weights whose scores it is of; `None` where not kept."""
        digest: str | None = self.data.get("detector", {}).get("weights")
        return digest

    @property
    def frames_per_video(self) -> list[int] | None:
        """The fewest and the most of the videos; `None` without videos or where not kept."""
        span: list[int] | None = self.data.get("frames_per_video")
        return span

    def of_detector(self, *, name: str, seed: int, weights: str) -> "Calibration":
        """The calibration with the detector whose scores it is of; `weights` is their digest."""
        detector = {"name": name, "seed": seed, "weights": weights}
        return replace(self, data={**self.data, "detector": detector})

    def to_json(self) -> dict[str, Any]:
        """Everything; in strict JSON."""
        return {
            "frames": self.frames.to_json(),
            "videos": None if self.videos is None else self.videos.to_json(),
            "rules": asdict(self.rules),
            "data": dict(self.data),
        }

    @classmethod
    def from_json(cls, document: Mapping[str, Any]) -> "Calibration":
        """The calibration that `to_json` wrote."""
        videos, rules = document["videos"], document["rules"]
        return cls(
            frames=OperatingPoint.from_json(document["frames"]),
            videos=None if videos is None else OperatingPoint.from_json(videos),
            rules=Rules(**rules | {"threshold": ThresholdRule(rules["threshold"])}),
            data=_checked(document["data"]),
        )


def calibrate(
    logits: np.ndarray,
    faces: Faces,
    *,
    split: Split,
    device: str,
    reading: Sequence[ReadingTerms] = (),
    rules: Rules | None = None,
) -> Calibration:
    """The calibration by these images, which the detector was not trained on.

    Args:
        logits: `n`, of the images.
        faces: `n`, both classes.
        split: Which split they are, to be told with the calibration.
        device: Where the logits were computed and in which precision, to be told as well.
        reading: How the images were read, where from files.
        rules: Of threshold and band.

    Raises:
        ValueError: logits that are not finite, or one class only.
    """
    chosen = rules or Rules()
    frames = scored(logits, faces)
    videos = frames.by_video()
    return Calibration(
        frames=operating_point(frames.scores, frames.forged, chosen),
        videos=(
            operating_point(videos.scores, videos.forged, chosen)
            if len(videos) < len(frames)
            else None
        ),
        rules=chosen,
        data={
            "version": bonas.__version__,
            "versions": versions(),
            "device": device,
            "reading": [terms.to_json() for terms in reading],
            "digest": faces.digest(),
            "split": split.value,
            "images": len(faces),
            "forged": int(faces.labels.sum()),
            "originals": len(set(faces.originals)),
            "frames_per_video": None if (span := frames.frames_per_video) is None else list(span),
            "doubts": _doubts(frames, chosen),
        },
    )


def _checked(data: Mapping[str, Any]) -> dict[str, Any]:
    """What a file says of the calibration's data, if it can be told.

    Raises:
        TypeError: a part is none of its kind.
    """
    for name, kind in (("detector", Mapping), ("doubts", list)):
        if name in data and not isinstance(data[name], kind):
            raise TypeError(f"{name} is {data[name]!r}")
    return dict(data)


def _doubts(sample: Scored, rules: Rules) -> list[str]:
    """Scores that tell nothing on these images, and errors rarer than these can show."""
    originals = originals_by_class(sample)
    found = [
        f"threshold and band of doubt rest on {kind} images of {count} originals only"
        for kind, count in zip(("real", "forged"), originals, strict=True)
        if count < FEW_ORIGINALS
    ]
    if min(originals) >= 2:
        measured = delong(sample.scores, sample.forged, sample.originals)
        auc = ConditionAuc(float(measured.values[0]), float(measured.covariance[0, 0]))
        low, high = auc.interval()
        if low <= 0.5:
            found.append(
                f"scores do not tell forged from real on the calibration's images (AUC "
                f"{auc.value:.3f}, {low:.3f} to {high:.3f}): verdicts mean nothing"
            )
    share = rules.false_positive_rate
    if rules.threshold is ThresholdRule.FPR and originals[0] * share < 1:
        needed = f"{math.ceil(1 / share)} are needed" if share else "no number is enough"
        found.append(
            f"false alarms of {share:g} cannot be measured on {originals[0]} originals with real "
            f"images: {needed}"
        )
    return found


def scored(logits: np.ndarray, faces: Faces) -> Scored:
    """The scores of faces with all that they are grouped by."""
    return Scored(
        np.asarray(logits, dtype=np.float64),
        faces.labels.numpy().astype(bool),
        faces.originals,
        faces.domains,
        faces.videos or ("",) * len(faces),
    )


def save_calibration(folder: Path, calibration: Calibration) -> None:
    """Write it into a detector's folder."""
    text = json.dumps(calibration.to_json(), indent=2, allow_nan=False)
    write_whole(folder / CALIBRATION, text + "\n")


def load_calibration(folder: Path) -> Calibration | None:
    """The calibration in a detector's folder, or `None` where there is none.

    Raises:
        ValueError: a file that is not one.
    """
    file = folder / CALIBRATION
    if not file.is_file():
        return None
    try:
        return Calibration.from_json(json.loads(file.read_text(encoding="utf-8")))
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise ValueError(
            f"{file} is no calibration ({type(error).__name__}: {error}); remove it, and write it "
            "anew with `bonas calibrate`."
        ) from error
