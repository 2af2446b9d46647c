"""The pictures of one file as a detector sees them: upright, whole or cut to the face.

Cutting is that of `bonas prepare`: the same search, the same square around the same face.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

from bonas.data.clips import is_video, video_frames
from bonas.data.images import UnreadableFile, read_picture, resized
from bonas.data.preparation.boxes import main_face, squares
from bonas.data.preparation.cutting import MOST_HELD, Reason
from bonas.data.preparation.detectors import FaceDetector

FAR_FROM_SQUARE = 1.25
"""Longer edge over the shorter one, from where a face that is squeezed to a square looks it."""


@dataclass(frozen=True, slots=True)
class Cropping:
    """How faces are cut.

    Attributes:
        detector: Finds them.
        name: Of the detector, for what is written of its crops.
        enlarge: Edge of the square over the longer edge of the face's box.
    """

    detector: FaceDetector
    name: str
    enlarge: float

    @property
    def described(self) -> str:
        """Such as `cascade, enlarged 1.3`."""
        return f"{self.name}, enlarged {self.enlarge:g}"


@dataclass(frozen=True, slots=True)
class FacePictures:
    """What was read of a file.

    Attributes:
        pictures: uint8 RGB, `size x size x 3` each, at least one.
        shape: Width and height of the first as it is shown, before it was cut or resized.
        lost: Frames in which the face was not found.
    """

    pictures: tuple[np.ndarray, ...]
    shape: tuple[int, int]
    lost: int = 0

    @property
    def far_from_square(self) -> bool:
        """Whether making it a square changes the shape of a face to be seen."""
        return max(self.shape) > FAR_FROM_SQUARE * min(self.shape)


def face_pictures(
    file: Path, size: int, frames: int, cropping: Cropping | None = None
) -> FacePictures:
    """The pictures of an image, or at most `frames` of a video.

    Args:
        file: Of either kind.
        size: Edge of the pictures.
        frames: Most of a video, evenly.
        cropping: Whole pictures are resized unless given.

    Raises:
        UnreadableFile: as `read_picture` or `video_frames`; no face was found, or too large frames.
    """
    if cropping is None:
        shape = (0, 0)
        pictures: list[np.ndarray] = []
        for image in _shown(file, frames):
            shape = shape if pictures else image.size
            pictures.append(resized(image, size))
        return FacePictures(tuple(pictures), shape)
    images = list(_held(_shown(file, frames)))
    faces = main_face([cropping.detector.faces(np.asarray(image)) for image in images])
    boxes = squares(faces, [image.size for image in images], cropping.enlarge)
    cut = tuple(
        resized(image.crop((left, top, left + int(box.width), top + int(box.height))), size)
        for image, box in zip(images, boxes, strict=True)
        if box is not None
        for left, top in [(int(box.left), int(box.top))]
    )
    if not cut:
        raise UnreadableFile(Reason.NO_FACE.value)
    return FacePictures(cut, images[0].size, len(images) - len(cut))


def _held(images: Iterator[Image.Image]) -> Iterator[Image.Image]:
    """The images, as long as all of them together are not too large."""
    held = 0
    for image in images:
        held += image.width * image.height
        if held > MOST_HELD:
            raise UnreadableFile("the frames are too large for so many; lower --frames")
        yield image


def _shown(file: Path, frames: int) -> Iterator[Image.Image]:
    if not is_video(file):
        yield read_picture(file)
        return
    for frame in video_frames(file, frames):
        yield frame.picture
