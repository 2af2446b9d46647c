"""Small images and videos for the tests of what reads them."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from bonas.data.faces import DataSet


def picture(path: Path, level: int = 0) -> Path:
    """An image of one grey level, 8 px, with its folders."""
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(np.full((8, 8, 3), level, dtype=np.uint8)).save(path)
    return path


def video(path: Path, levels: list[int]) -> Path:
    """A video with a frame of each grey level, 32 px; the test skips without PyAV."""
    av = pytest.importorskip("av", reason="PyAV, of the extra [video], is not installed")
    path.parent.mkdir(parents=True, exist_ok=True)
    with av.open(str(path), "w") as container:
        stream = container.add_stream("mpeg4", rate=10)
        stream.width = stream.height = 32
        stream.pix_fmt = "yuv420p"
        for level in levels:
            image = np.full((32, 32, 3), level, dtype=np.uint8)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(image, format="rgb24")))
        container.mux(stream.encode())
    return path


def originals(data: DataSet) -> list[set[str]]:
    """The originals of each split; in a sound data set no two of them share one."""
    return [set(faces.originals) for faces in data.splits.values()]
