"""Which images a detector was trained on, kept beside it: numbers on these say too much.

A data set is more than what was trained on: types that were held back, or splits, lie in the same
folder. So images are known one by one, by their pixels at the detector's size.
"""

import hashlib
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
from safetensors.torch import load_file, save_file

from bonas.data.faces import Faces

TRAINED_ON = "trained_on.safetensors"
_KEYS = "images"


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
