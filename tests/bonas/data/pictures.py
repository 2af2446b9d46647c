"""Small images and videos for the tests of what reads them."""

import os
import struct
from pathlib import Path

import numpy as np
import pytest
from PIL import ExifTags, Image

from bonas.data.faces import DataSet
from bonas.data.orientation import METHODS


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


def renamed_to_latin(file: Path, name: str) -> Path:
    """The file under a name in Latin 1; the test skips where the system has no such names."""
    place = file.parent / os.fsdecode(name.encode("latin-1"))
    try:
        return file.rename(place)
    except OSError as error:
        pytest.skip(f"the file system refuses names that are not in UTF-8: {error}")


def stored(image: Image.Image, number: int) -> Image.Image:
    """What a file holds that is seen as this image once it is turned by a number of EXIF."""
    back = {6: 8, 8: 6}.get(number, number)
    return image if back == 1 else image.transpose(METHODS[back])


def with_orientation(number: int) -> Image.Exif:
    """EXIF that names the number."""
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = number
    return exif


def turned_video(path: Path, pixels: np.ndarray, degrees: int) -> Path:
    """A video of two frames, `h x w x 3`, that are seen after a turn to the right by 0 or 90."""
    av = pytest.importorskip("av", "14", reason="frames tell their turn from PyAV 14 on")
    path.parent.mkdir(parents=True, exist_ok=True)
    with av.open(str(path), "w") as container:
        stream = container.add_stream("mpeg4", rate=10)
        stream.height, stream.width = pixels.shape[:2]
        stream.pix_fmt = "yuv420p"
        for _ in range(2):
            container.mux(stream.encode(av.VideoFrame.from_ndarray(pixels, format="rgb24")))
        container.mux(stream.encode())
    content = bytearray(path.read_bytes())
    if degrees:
        # The matrix stands at a fixed place in the header of the track; nothing of PyAV writes it.
        start = content.index(b"tkhd") + 44
        one, end = 1 << 16, 1 << 30
        content[start : start + 36] = struct.pack(">9i", 0, one, 0, -one, 0, 0, 0, 0, end)
        path.write_bytes(content)
    return path


def originals(data: DataSet) -> list[set[str]]:
    """The originals of each split; in a sound data set no two of them share one."""
    return [set(faces.originals) for faces in data.splits.values()]
