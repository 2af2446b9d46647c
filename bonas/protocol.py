"""ResultProtocol: what a number holds for, written wherever a number is written.

Numbers are compared where their protocols agree. The digests say which images and conditions; the
definitions beside them say it in words, so that a file can be read without the program.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import bonas
from bonas.data.faces import Faces
from bonas.data.reading_terms import ReadingTerms
from bonas.data.source import SearchData
from bonas.detector_calibration import scored
from bonas.robustness.conditions import ConditionSet
from bonas.training_terms import TrainingTerms
from bonas.versions import versions

SHOWN = 16
"""Digits of a digest on a line."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ImagesUsed:
    """Which images a number was computed on.

    Attributes:
        digest: Of images, labels and groups.
        images: How many.
        forged: The forged ones of them.
        originals: Real faces or videos that they belong to.
        frames_per_video: The fewest and the most; `None` where no image is a frame of a video.
    """

    digest: str
    images: int
    forged: int
    originals: int
    frames_per_video: tuple[int, int] | None

    @classmethod
    def of(cls, faces: Faces) -> "ImagesUsed":
        """Of these faces."""
        return cls(
            digest=faces.digest(),
            images=len(faces),
            forged=int(faces.labels.sum()),
            originals=len(set(faces.originals)),
            frames_per_video=scored(faces.labels.numpy(), faces).frames_per_video,
        )

    def to_json(self) -> dict[str, Any]:
        """All of it; a list stands for the pair."""
        frames = self.frames_per_video
        return {
            "digest": self.digest,
            "images": self.images,
            "forged": self.forged,
            "originals": self.originals,
            "frames_per_video": None if frames is None else list(frames),
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class ResultProtocol:
    """What a number holds for.

    Attributes:
        seed: Of conditions and intervals, or of the search.
        device: Where networks ran and in which precision.
        data: The data set's name, and the images by what they were used for.
        reading: How the data set was read, and each further one.
        conditions: With the definitions of their pixels; `None` where none were tested.
        training: What the weights stand on; `None` where none were trained for the number.
    """

    seed: int
    device: str
    data: Mapping[str, Any]
    reading: Sequence[ReadingTerms] = ()
    conditions: ConditionSet | None = None
    training: TrainingTerms | None = None

    def to_json(self) -> dict[str, Any]:
        """All of it, with the version of bonas and of what it computes with."""
        conditions, training = self.conditions, self.training
        return {
            "version": bonas.__version__,
            "versions": versions(),
            "seed": self.seed,
            "device": self.device,
            "data": dict(self.data),
            "reading": [terms.to_json() for terms in self.reading],
            "conditions": None
            if conditions is None
            else conditions.to_json() | {"digest": conditions.digest},
            "training": None if training is None else training.to_json(),
        }


def images_of(data: SearchData) -> dict[str, Any]:
    """The images of a run by their use: `train`, `val`, `test`, and unseen ones by split/name."""
    used = {"train": data.train, "val": data.val} | ({"test": data.test} if data.test else {})
    used |= {f"val/{name}": faces for name, faces in data.unseen_val.items()}
    used |= {f"test/{name}": faces for name, faces in data.unseen_test.items()}
    return {role: ImagesUsed.of(faces).to_json() for role, faces in used.items() if faces}


def search_protocol(attributes: Mapping[str, Any]) -> dict[str, Any]:
    """What selection scores hold for, in the form of `ResultProtocol`, from a study's attributes.

    What an earlier version did not keep is absent or `None`.
    """
    environment = dict(attributes.get("bonas.environment", {}))
    definitions = dict(attributes.get("bonas.conditions.definitions", {}))
    trained = {"digest": attributes.get("bonas.data.train")}
    config = dict(attributes.get("bonas.config", {}))
    return {
        "version": attributes.get("bonas.version"),
        "device": environment.pop("device", None),
        "versions": environment,
        "seed": config.get("seed"),
        "data": attributes.get("bonas.data.images", {"train": trained}),
        "reading": attributes.get("bonas.data.reading"),
        "conditions": definitions | {"digest": attributes.get("bonas.conditions")},
        "training": {
            "supernet": attributes.get("bonas.supernet"),
            "recipe": config.get("supernet"),
        },
    }


def read_copies(reading: Sequence[Mapping[str, Any]]) -> list[str]:
    """Which of a data set's copies were read, for a line: one for each compression."""
    read = dict.fromkeys(terms.get("compression") for terms in reading)
    return [f"compression {compression}" for compression in read if compression]


def line(protocol: Mapping[str, Any]) -> str:
    """One line for the terminal, of what `ResultProtocol.to_json` or a record holds."""
    data = protocol.get("data") or {}
    whole = {"": data} if "digest" in data else data
    images = {role: used for role, used in whole.items() if isinstance(used, Mapping)}
    parts = [f"data {role} {used['digest']}".replace("  ", " ") for role, used in images.items()]
    spans = [span for used in images.values() if (span := used.get("frames_per_video"))]
    if spans:
        fewest, most = min(span[0] for span in spans), max(span[1] for span in spans)
        parts.append(f"{fewest} - {most} frames per video")
    parts += read_copies(protocol.get("reading") or ())
    conditions, training = protocol.get("conditions"), protocol.get("training")
    if isinstance(conditions, Mapping):
        parts.append(f"conditions {conditions['digest'][:SHOWN]}")
        parts += [
            f"{definition['attack']} {definition['eps']:g}/255"
            for definition in (conditions.get("conditions") or {}).values()
            if "eps" in definition
        ]
    if isinstance(training, Mapping) and "digest" in training:
        parts.append(f"training {training['digest']}")
    if "seed" in protocol:
        parts.append(f"seed {protocol['seed']}")
    parts.append(f"bonas {protocol['version']}")
    return "; ".join([*parts, str(protocol.get("device", "device not known"))])
