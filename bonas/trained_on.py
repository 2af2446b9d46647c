"""What a detector was trained on, kept beside it: numbers on these images say too much.

A data set is more than what was trained on: types that were held back, or splits, lie in the same
folder. So images are known one by one, by their pixels at the detector's size, and types of forgery
by their names.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from safetensors.torch import load_file, save_file

from bonas.data.faces import Faces

TRAINED_ON = "trained_on.safetensors"
_KEYS = "images"
MOST_SEEN = 0.01
"""Share of the images that may look like training images: blank frames lie in every split."""


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


def save_trained_on(folder: Path, faces: Faces) -> None:
    """Keep which images were trained on, eight bytes for each, in a detector's folder."""
    folder.mkdir(parents=True, exist_ok=True)
    keys = torch.from_numpy(np.unique(image_keys(faces.images)))
    save_file({_KEYS: keys}, folder / TRAINED_ON)


def count_trained_on(folder: Path, faces: Faces) -> int | None:
    """How many of these images the detector in a folder was trained on.

    `None` where that was not kept, as by earlier versions.
    """
    file = folder / TRAINED_ON
    if not file.is_file():
        return None
    known = load_file(file)[_KEYS].numpy()
    return int(np.isin(image_keys(faces.images), known).sum())
