"""Detectors of faces: OpenCV's cascade, and its YuNet with a network that the user has.

Both look at a picture that is shrunk to at most `EDGE` pixels. The cascade comes with OpenCV; it
finds upright frontal faces that have some room around them. YuNet (Wu et al. 2023) is the
`face_detection_yunet_*.onnx` of OpenCV's model zoo; it also finds small, turned and covered faces,
and gives five landmarks of each.
"""

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import PIL

import bonas
from bonas.data.clips import require_decoder
from bonas.data.errors import DataError
from bonas.data.preparation.boxes import Box, FoundFace

EDGE = 640
"""Pixels of the longer edge, at most, of the picture in which faces are looked for."""

LANDMARKS = ("right_eye", "left_eye", "nose", "right_mouth", "left_mouth")
"""Of YuNet, in its order; right and left are those of the person."""

CASCADE = "haarcascade_frontalface_default.xml"
WINDOW = 24  # pixels: what the cascade was trained on
LEAST = 1 / 12  # of the shorter edge of a picture: a crop of less would mostly be enlargement
STEP, NEIGHBOURS = 1.1, 5  # scale step and hits that make a face; those of OpenCV's own samples
SCORE, SUPPRESSION = 0.7, 0.3  # fewer false alarms than a score of 0.6, more faces than 0.9


class FaceDetector(Protocol):
    """Finds faces."""

    def faces(self, picture: np.ndarray) -> list[FoundFace]:
        """The faces in a picture, uint8 RGB `h x w x 3`, always in the same order."""
        ...


MakeDetector = Callable[[], FaceDetector]
"""What a worker process makes its own detector with: detectors cannot be sent, this can."""


class Cascade:
    """OpenCV's Haar cascade for frontal faces (Viola and Jones 2001).

    Raises:
        DataError: OpenCV is not installed, or comes without the cascade.
    """

    def __init__(self) -> None:
        self._cv2 = require_opencv()
        data = getattr(self._cv2, "data", None)
        file = Path(getattr(data, "haarcascades", ""), CASCADE)
        if not hasattr(self._cv2, "CascadeClassifier") or not file.is_file():
            raise DataError(
                f"OpenCV {self._cv2.__version__} has no {CASCADE}; install one below version 5 "
                "with `pip install 'bonas[prepare]'`, or give --detector a network."
            )
        self._cascade = self._cv2.CascadeClassifier(str(file))

    def faces(self, picture: np.ndarray) -> list[FoundFace]:
        """The boxes of upright frontal faces, the largest first, without landmarks."""
        small, factor = _shrunk(self._cv2, picture)
        # Without levelling the grey values first: that found fewer photographed faces, not more.
        grey = self._cv2.cvtColor(small, self._cv2.COLOR_RGB2GRAY)
        least = max(WINDOW, round(LEAST * min(grey.shape)))
        boxes = self._cascade.detectMultiScale(grey, STEP, NEIGHBOURS, minSize=(least, least))
        rows = sorted(map(tuple, boxes), key=lambda box: (-box[2], *box))
        return [FoundFace(Box(*(float(value) / factor for value in row))) for row in rows]


class YuNet:
    """OpenCV's `FaceDetectorYN`.

    Args:
        network: The ONNX file.

    Raises:
        DataError: OpenCV is not installed, there is no such file, or it is no such network.
    """

    def __init__(self, network: Path) -> None:
        self._cv2 = require_opencv()
        if not network.is_file():
            raise DataError(f"the face detector is {str(network)!r}, which does not exist.")
        try:
            self._detector = self._cv2.FaceDetectorYN.create(
                str(network), "", (EDGE, EDGE), SCORE, SUPPRESSION
            )
            self.faces(np.zeros((64, 64, 3), dtype=np.uint8))
        except (self._cv2.error, SystemError) as error:
            raise DataError(
                f"the face detector is {str(network)!r}, which OpenCV {self._cv2.__version__} does "
                "not run as YuNet; give a face_detection_yunet_*.onnx of its model zoo, of 2023 or "
                f"later ({' '.join(str(error).split())[:200]})."
            ) from error

    def faces(self, picture: np.ndarray) -> list[FoundFace]:
        """Boxes with five landmarks (`LANDMARKS`), the surest first."""
        small, factor = _shrunk(self._cv2, picture)
        self._detector.setInputSize((small.shape[1], small.shape[0]))
        _, rows = self._detector.detect(self._cv2.cvtColor(small, self._cv2.COLOR_RGB2BGR))
        # A row: x, y, width, height, then x and y of each landmark, then the score.
        return [] if rows is None else [_of_row(row / factor) for row in rows]


def tool_versions(*, detects: bool, decodes: bool) -> dict[str, str]:
    """Versions of what crops are made with.

    Args:
        detects: Whether faces are looked for.
        decodes: Whether videos are read.

    Raises:
        DataError: OpenCV or PyAV is needed and not installed.
    """
    found = {"bonas": bonas.__version__, "pillow": PIL.__version__}
    if detects:
        found["opencv"] = require_opencv().__version__
    if decodes:
        found["av"] = require_decoder().__version__
    return found


def require_opencv() -> Any:
    """OpenCV, which computes in one thread from now on: the workers are many.

    Raises:
        DataError: it is not installed; names the extra.
    """
    try:
        import cv2
    except ImportError as error:
        raise DataError(
            "finding faces needs OpenCV, which is not installed; install the extra with "
            "`pip install 'bonas[prepare]'`, or say --whole if the pictures are faces already."
        ) from error
    cv2.setNumThreads(1)
    return cv2


def fingerprint(network: Path) -> str:
    """By which a network's file is known again, whatever its name.

    Raises:
        DataError: there is no such file.
    """
    if not network.is_file():
        raise DataError(f"the face detector is {str(network)!r}, which is no file.")
    return hashlib.sha256(network.read_bytes()).hexdigest()[:16]


def _shrunk(cv2: Any, picture: np.ndarray) -> tuple[np.ndarray, float]:
    """The picture at `EDGE` pixels or less, and by what it was multiplied."""
    height, width = picture.shape[:2]
    factor = min(1.0, EDGE / max(height, width))
    if factor == 1.0:
        return picture, 1.0
    size = (max(1, round(width * factor)), max(1, round(height * factor)))
    return cv2.resize(picture, size, interpolation=cv2.INTER_AREA), factor


def _of_row(row: np.ndarray) -> FoundFace:
    points = row[4:14].reshape(5, 2).tolist()
    return FoundFace(Box(*row[:4].tolist()), tuple((x, y) for x, y in points))
