"""One video, or the frames of one, or one picture: read, searched for its face, cut and written.

This is what a worker process does; it imports little.
"""

import shutil
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

import numpy as np
from PIL import Image

from bonas.data.clips import is_video, video_frames
from bonas.data.images import UnreadableFile, read_picture, resized
from bonas.data.preparation.boxes import Box, FoundFace, main_face, squares
from bonas.data.preparation.detectors import FaceDetector

MOST_HELD = 32 * 3840 * 2160
"""Pixels of all frames of one video that are held at once, 0.8 GB: 32 frames of the size 4K."""

Point = tuple[float, float]


class Reason(StrEnum):
    """Why nothing was written of a file."""

    MISSING = "missing"
    UNREADABLE = "unreadable"
    NO_FACE = "no face found"


@dataclass(frozen=True, slots=True)
class Unit:
    """What is prepared in one piece, with one choice of face: a video, its frames, or a picture.

    Attributes:
        files: A video file, or one or more pictures in their order.
        places: For each file where its crops go, relative to the data folder, without suffix: a
            video's place becomes a folder.
        state: Of the files, by which a changed one is noticed.
    """

    files: tuple[Path, ...]
    places: tuple[str, ...]
    state: str


@dataclass(frozen=True, slots=True)
class Cut:
    """How faces are cut.

    Attributes:
        size: Edge of a crop in pixels.
        frames: Most frames of a video.
        enlarge: Edge of the square that is cut over the longer edge of the face's box.
        whole: Whether pictures are faces already and are resized as they are.
        quality: Of JPEG, 1 to 100; PNG without.
    """

    size: int
    frames: int
    enlarge: float
    whole: bool
    quality: int | None

    @property
    def suffix(self) -> str:
        """Of the files that are written."""
        return ".png" if self.quality is None else ".jpg"


@dataclass(frozen=True, slots=True)
class Crop:
    """A face that was written.

    Attributes:
        path: Relative to the data folder.
        of: Position of the unit's file that it comes from.
        landmarks: x and y of each in pixels of the crop; empty without.
    """

    path: str
    of: int
    landmarks: tuple[Point, ...] = ()


@dataclass(frozen=True, slots=True)
class Skip:
    """A file of which nothing was written.

    Attributes:
        of: Its position in the unit.
        reason: In short.
        detail: What its reader said.
    """

    of: int
    reason: Reason
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of a unit.

    Attributes:
        crops: Written, in order.
        skips: Files that gave none.
        lost: Frames of a video without its face, which other frames show.
    """

    crops: tuple[Crop, ...] = ()
    skips: tuple[Skip, ...] = ()
    lost: int = 0


@dataclass(frozen=True, slots=True)
class _Picture:
    of: int
    place: str
    image: Image.Image


def cut(unit: Unit, folder: Path, how: Cut, detector: FaceDetector | None) -> Outcome:
    """Write the face crops of a unit below a data folder, in place of earlier ones.

    Args:
        unit: What is read.
        folder: What is written to.
        how: Sizes and format.
        detector: May be `None` for whole pictures, which then have no landmarks.

    Raises:
        OSError: a crop cannot be written.
    """
    for file, place in zip(unit.files, unit.places, strict=True):
        _clear(file, folder / place, how.suffix)
    pictures, skips = _read(unit, how.frames)
    found = _faces(pictures, detector, how)
    crops: list[Crop] = []
    without: list[_Picture] = []
    for picture, face, box in zip(pictures, found, _boxes(pictures, found, how), strict=True):
        if box is None:
            without.append(picture)
        else:
            path = picture.place + how.suffix
            _write(picture.image, box, folder / path, how)
            crops.append(Crop(path, picture.of, _landmarks(face, box, how.size)))
    cut_of = {crop.of for crop in crops}
    empty = dict.fromkeys(p.of for p in without if p.of not in cut_of)
    skips += [Skip(of, Reason.NO_FACE) for of in empty]
    lost = sum(picture.of in cut_of for picture in without)
    return Outcome(tuple(crops), tuple(sorted(skips, key=lambda skip: skip.of)), lost)


def _clear(file: Path, place: Path, suffix: str) -> None:
    """Remove what an earlier or interrupted start wrote of a file."""
    if is_video(file):
        shutil.rmtree(place, ignore_errors=True)
    else:
        Path(f"{place}{suffix}").unlink(missing_ok=True)


def _read(unit: Unit, frames: int) -> tuple[list[_Picture], list[Skip]]:
    """The upright pictures of a unit, and the files that cannot be read."""
    pictures: list[_Picture] = []
    skips: list[Skip] = []
    held = 0
    for of, (file, place) in enumerate(zip(unit.files, unit.places, strict=True)):
        before = len(pictures)
        try:
            for picture in _pictures(file, of, place, frames):
                held += picture.image.width * picture.image.height
                if held > MOST_HELD:
                    raise UnreadableFile("the frames are too large for so many; lower --frames")
                pictures.append(picture)
        except UnreadableFile as error:
            del pictures[before:]
            reason = Reason.UNREADABLE if file.is_file() else Reason.MISSING
            skips.append(Skip(of, reason, str(error)))
    return pictures, skips


def _pictures(file: Path, of: int, place: str, frames: int) -> Iterator[_Picture]:
    if not is_video(file):
        yield _Picture(of, place, read_picture(file))
        return
    for frame in video_frames(file, frames):
        yield _Picture(of, f"{place}/{frame.number:06d}", frame.picture)


def _faces(
    pictures: Sequence[_Picture], detector: FaceDetector | None, how: Cut
) -> list[FoundFace | None]:
    """The face of each picture; where pictures are whole faces, each by itself."""
    if detector is None:
        return [None] * len(pictures)
    found = [detector.faces(np.asarray(picture.image)) for picture in pictures]
    return [main_face([faces])[0] for faces in found] if how.whole else main_face(found)


def _boxes(
    pictures: Sequence[_Picture], faces: Sequence[FoundFace | None], how: Cut
) -> list[Box | None]:
    """What is cut out of each picture."""
    sizes = [picture.image.size for picture in pictures]
    if how.whole:
        return [Box(0, 0, *size) for size in sizes]
    return squares(faces, sizes, how.enlarge)


def _write(image: Image.Image, box: Box, file: Path, how: Cut) -> None:
    left, top = int(box.left), int(box.top)
    inside = image.crop((left, top, left + int(box.width), top + int(box.height)))
    pixels = Image.fromarray(resized(inside, how.size))
    file.parent.mkdir(parents=True, exist_ok=True)
    if how.quality is None:
        pixels.save(file, format="PNG")
    else:
        pixels.save(file, format="JPEG", quality=how.quality)


def _landmarks(face: FoundFace | None, box: Box, size: int) -> tuple[Point, ...]:
    """In pixels of the crop, to a hundredth."""
    if face is None:
        return ()
    across, down = size / box.width, size / box.height
    return tuple(
        (round((x - box.left) * across, 2), round((y - box.top) * down, 2))
        for x, y in face.landmarks
    )
