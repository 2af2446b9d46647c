"""What a detector was trained, selected and calibrated on, kept beside it.

Numbers on these images say too much. A data set is more than what was used: types that were held
back, or splits, lie in the same folder. So images are known one by one, by their pixels at the
detector's size, and types of forgery by their names.
"""

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from safetensors.torch import load_file

from bonas.checkpoint import write_tensors
from bonas.data.faces import Faces

_KEYS = "images"
MOST_SEEN = 0.01
"""Share of the images that may look like training images: blank frames lie in every split."""


class Use(StrEnum):
    """What images served for."""

    TRAINED = "trained_on"  # they decided the weights
    SELECTED = "selected_on"  # they selected the architecture, by the score of the search
    CALIBRATED = "calibrated_on"  # they decided probability and threshold

    @property
    def file(self) -> str:
        """Which images of this use are known, in a detector's folder."""
        return f"{self.value}.safetensors"


@dataclass(frozen=True, slots=True)
class TrainedOn:
    """The kinds of forgery that a detector was trained on, and whose they are.

    Attributes:
        data_set: Its name.
        path: Where it lay; empty of drawn faces.
        forgeries: The types, sorted.
    """

    data_set: str
    path: str
    forgeries: tuple[str, ...]

    def to_json(self) -> dict[str, Any]:
        """All of it."""
        return {"data_set": self.data_set, "path": self.path, "forgeries": list(self.forgeries)}

    @classmethod
    def from_json(cls, document: Mapping[str, Any]) -> "TrainedOn":
        """What `to_json` wrote."""
        return cls(document["data_set"], document["path"], tuple(document["forgeries"]))


def image_keys(images: torch.Tensor) -> npt.NDArray[np.int64]:
    """A number per image, `n`, equal where all pixels are; of uint8 `n x 3 x h x w`."""
    pixels = np.ascontiguousarray(images.cpu().numpy())
    digests = [hashlib.blake2b(image.tobytes(), digest_size=8).digest() for image in pixels]
    return np.frombuffer(b"".join(digests), dtype="<i8").astype(np.int64)


def save_used(folder: Path, use: Use, parts: Iterable[Faces]) -> None:
    """Keep which images had a use, eight bytes for each, in a detector's folder."""
    keys = [image_keys(faces.images) for faces in parts]
    known = np.unique(np.concatenate([np.empty(0, np.int64), *keys]))
    write_tensors(folder / use.file, {_KEYS: torch.from_numpy(known)}, {})


def count_used(folder: Path, faces: Faces, use: Use = Use.TRAINED) -> int | None:
    """How many of these images had a use for the detector in a folder.

    `None` where that was not kept, as by earlier versions.
    """
    file = folder / use.file
    if not file.is_file():
        return None
    known = load_file(file)[_KEYS].numpy()
    return int(np.isin(image_keys(faces.images), known).sum())
