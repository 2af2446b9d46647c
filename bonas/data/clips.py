"""Clips: video files, and folders with the frames of a video, by name.

Frames are taken evenly over a clip. They are resized whole, as images are: no face is looked for
and nothing is cut out, so videos that show more than a face should be cut to faces first.
"""

import contextlib
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from bonas.data.errors import DataError
from bonas.data.images import SUFFIXES, UnreadableFile, check_pixels, reason, resized
from bonas.data.orientation import AS_STORED, OF_TURN, turned

VIDEO_SUFFIXES = frozenset({".mp4", ".m4v", ".avi", ".mov", ".mkv", ".webm"})
_VIDEO_ENDINGS = tuple(VIDEO_SUFFIXES)
FRAMES = ("frames", "images")
"""Folders with a folder of images per video, as DeepfakeBench and FaceForensics++ call them."""
VIDEOS = "videos"
_NO_FRAME = "unreadable video (no frame of it can be decoded)"
# FFmpeg goes by content, not by name: a play list called a.mp4 would open whatever it names.
_CONTAINERS = {"format_whitelist": "mov,avi,matroska", "protocol_whitelist": "file"}


@dataclass(frozen=True, slots=True)
class Clip:
    """A video by its name: one video file, or its frames in order."""

    name: str
    files: tuple[Path, ...]

    def spread(self, count: int) -> tuple[Path, ...]:
        """At most `count` files, evenly over the clip."""
        return tuple(self.files[i] for i in evenly(len(self.files), count))


def evenly(length: int, count: int) -> list[int]:
    """At most `count` positions of `length`, the middles of equal parts, ascending."""
    if length <= count:
        return list(range(length))
    return [(2 * i + 1) * length // (2 * count) for i in range(count)]


def clips_in(folder: Path) -> dict[str, Clip]:
    """The clips of a folder by name: of `frames/`, else `images/`, and of `videos/`, else its own.

    The first two have a folder of images per video, which is preferred to the video that it was
    cut from; of videos without one the file is a clip. Names that begin with a dot are no data.
    """
    cut: dict[str, Clip] = {}
    for frames in (folder / name for name in FRAMES):
        if not cut and frames.is_dir():
            cut = {p.name: frames_in(p) for p in _visible(frames) if p.is_dir()}
    place = folder / VIDEOS if (folder / VIDEOS).is_dir() else folder
    whole = {f.stem: Clip(f.stem, (f,)) for f in _visible(place) if is_video(f) and f.is_file()}
    # An empty folder is no cut video, unless there is nothing else of that name.
    cut = {name: clip for name, clip in cut.items() if clip.files or name not in whole}
    return cut | {name: clip for name, clip in whole.items() if name not in cut}


def looked_for() -> str:
    """What `clips_in` takes for clips, for messages."""
    frames = " and ".join(f"{name}/" for name in FRAMES)
    return f"looked for folders of images in {frames}, and for video files in {VIDEOS}/"


def frames_in(folder: Path) -> Clip:
    """The images of a folder as a clip, `frame2` before `frame10`."""
    frames = [f for f in _visible(folder) if f.suffix.lower() in SUFFIXES and f.is_file()]
    return Clip(folder.name, tuple(sorted(frames, key=lambda f: natural(f.name))))


def natural(name: str) -> list[tuple[int, str]]:
    """A sort key in which numbers within names count as numbers."""
    parts = re.split(r"(\d+)", name)
    return [_number(p) if i % 2 else (0, p) for i, p in enumerate(parts)]


def _number(digits: str) -> tuple[int, str]:
    """A key in the order of the numbers; Python refuses to read those of thousands of digits."""
    plain = digits if digits.isascii() else "".join(str(int(digit)) for digit in digits)
    plain = plain.lstrip("0")
    return len(plain), plain


def is_video(path: Path) -> bool:
    """Whether the name is that of a video file."""
    name = str(path)
    # Asked of every file several times, and nearly always answered by its last letters.
    return name.lower().endswith(_VIDEO_ENDINGS) and bool(os.path.splitext(name)[1])


def require_decoder() -> Any:
    """The module that decodes videos.

    Raises:
        DataError: it is not installed; names the extra.
    """
    try:
        import av
    except ImportError as error:
        raise DataError(
            "reading videos needs PyAV, which is not installed; install the extra with "
            "`pip install 'bonas[video]'`, or give frames as images."
        ) from error
    return av


def read_video(path: Path, size: int, count: int) -> list[np.ndarray]:
    """At most `count` frames, evenly over a video, each uint8 RGB, `size x size x 3`.

    Raises:
        UnreadableFile: torn, empty, without a picture, or too large.
        DataError: PyAV is not installed.
    """
    return [resized(frame.picture, size) for frame in video_frames(path, count)]


@dataclass(frozen=True, slots=True)
class Frame:
    """A frame of a video.

    Attributes:
        number: From 0, in the order of time.
        picture: RGB, turned as the video's display matrix says.
        orientation: By which it was turned, a number of EXIF.
        length: Frames of the video.
        codec: What they are encoded by.
    """

    number: int
    picture: Image.Image
    orientation: int
    length: int
    codec: str


def video_frames(path: Path, count: int) -> Iterator[Frame]:
    """At most `count` frames, evenly over a video, at their own size, turned as it says.

    Frames are counted in the file, since what its header says of their number need not be true.

    Raises:
        UnreadableFile: torn, empty, without a picture, or too large.
        DataError: PyAV is not installed.
    """
    with _opened(path) as container:
        length = sum(1 for packet in container.demux(video=0) if packet.size)
    wanted = set(evenly(length, count))
    with _opened(path) as container:
        yield from _decoded(container, wanted, length)


def stored_as(path: Path) -> tuple[tuple[int, int], int]:
    """Width and height of a video's frames before they are turned, and by which number they are.

    Raises:
        UnreadableFile: as `video_frames`.
        DataError: PyAV is not installed.
    """
    with _opened(path) as container:
        for frame in container.decode(video=0):
            return (frame.width, frame.height), _orientation(frame)
    raise UnreadableFile(_NO_FRAME)


@contextlib.contextmanager
def _opened(path: Path) -> Iterator[Any]:
    av = require_decoder()
    file = str(path.absolute())
    try:
        with av.open(file, options=_CONTAINERS) as container:
            if not container.streams.video:
                raise UnreadableFile("has no video stream")
            codec = container.streams.video[0].codec_context
            if codec is None:
                raise UnreadableFile("unreadable video (its pictures are of no known codec)")
            check_pixels(codec.width, codec.height)
            yield container
    except UnreadableFile:
        raise
    except (av.error.FFmpegError, OSError, ValueError, LookupError) as error:
        why = reason(error, path.absolute())
        raise UnreadableFile(f"unreadable video ({why})") from error


def _decoded(container: Any, wanted: set[int], length: int) -> Iterator[Frame]:
    stream = container.streams.video[0]
    given = 0
    for number, frame in enumerate(container.decode(stream)):
        check_pixels(frame.width, frame.height)  # may change within a stream
        if number in wanted:
            picture = Image.fromarray(frame.to_ndarray(format="rgb24"))
            way = _orientation(frame)
            yield Frame(number, turned(picture, way), way, length, stream.codec_context.name)
            given += 1
        if given == len(wanted):
            break
    if not given:
        raise UnreadableFile(_NO_FRAME)


def _orientation(frame: Any) -> int:
    # A property from PyAV 14 on. No camera writes other angles than quarter turns.
    return OF_TURN.get(getattr(frame, "rotation", 0), AS_STORED)


def _visible(folder: Path) -> list[Path]:
    return sorted(p for p in folder.iterdir() if not p.name.startswith("."))
