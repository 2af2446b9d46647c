"""What a detector is tested on, divided by whether it was trained on that kind of forgery."""

from dataclasses import dataclass
from pathlib import Path

import torch

from bonas.data.faces import DataSet, Faces, Split
from bonas.data.reading_terms import ReadingTerms
from bonas.data.unseen import forgery_conditions
from bonas.saved_detector import SavedDetector
from bonas.trained_on import MOST_SEEN, count_used

ALL = "all"


@dataclass(frozen=True, slots=True)
class DataPart:
    """What a detector is tested on.

    Attributes:
        faces: Both classes.
        name: Of the data set.
        split: Of it: one of `Split` or `all`.
        trained: The types of forgery in it that the detector was trained on; `None` where that is
            not known, and all of them count as such.
        reading: How the data set was read, where it was.
    """

    faces: Faces
    name: str
    split: str
    trained: tuple[str, ...] | None = None
    reading: ReadingTerms | None = None

    def divided(self) -> tuple[Faces | None, dict[str, Faces]]:
        """The real faces with what was trained on, `None` where nothing was, and with each other
        type by the name of its condition.

        Raises:
            DataError: a type that cannot name a condition.
        """
        if self.trained is None:
            return self.faces, {}
        seen = [f for f in self.faces.forgeries if f in self.trained]
        others = [f for f in self.faces.forgeries if f not in self.trained]
        unseen = forgery_conditions(others, f"data set {self.name!r}")
        clean = self.faces.of_domains(seen) if seen else None
        return clean, {name: self.faces.of_domains([f]) for name, f in unseen.items()}


def trained_types(detector: SavedDetector, data: DataSet, path: Path) -> tuple[str, ...] | None:
    """The types of forgery of a data set that a detector was trained on, `None` if not known.

    Types of another data set are others, whatever they are called. It is the training's where it
    lies in the same place, or where some of its images were trained on.
    """
    learnt = detector.record.trained_on
    if learnt is None:
        return None
    if learnt.path != str(path.resolve()):
        counts = [count_used(detector.folder, faces) for faces in data.splits.values()]
        known = [count for count in counts if count is not None]
        if len(known) < len(counts):
            return None
        if sum(known) <= MOST_SEEN * sum(len(faces) for faces in data.splits.values()):
            return ()
    return learnt.forgeries


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
