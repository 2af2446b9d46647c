"""What finds faces: OpenCV's cascade, and its YuNet with a network of the same form."""

import builtins
import csv
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from bonas.data.errors import DataError
from bonas.data.preparation.boxes import Box, overlap
from bonas.data.preparation.detectors import Cascade, FaceDetector, YuNet, fingerprint
from bonas.data.synthetic import draw_portraits
from tests.bonas.data.preparation.yunet import CELL, POINTS, write_network

NEEDED = "OpenCV, of the extra [prepare], is not installed"


def portrait() -> np.ndarray:
    return draw_portraits(range(1), 256, seed=0).images[0]


def beside(face: np.ndarray, left: int, width: int) -> np.ndarray:
    """A grey picture with the face in it."""
    picture = np.full((len(face), width, 3), 90, dtype=np.uint8)
    picture[:, left : left + face.shape[1]] = face
    return picture


def test_the_cascade_finds_a_face_where_it_is() -> None:
    pytest.importorskip("cv2", reason=NEEDED)
    detector: FaceDetector = Cascade()
    [alone] = detector.faces(portrait())
    assert 80 < alone.box.width < 256
    assert alone.landmarks == ()
    [moved] = detector.faces(beside(portrait(), 250, 600))
    there = Box(alone.box.left + 250, alone.box.top, alone.box.width, alone.box.height)
    assert overlap(moved.box, there) > 0.8


def test_in_a_larger_picture_the_box_is_larger() -> None:
    pytest.importorskip("cv2", reason=NEEDED)
    small = beside(portrait(), 250, 600)
    large = np.asarray(Image.fromarray(small).resize((1800, 768)))
    [first], [second] = (Cascade().faces(picture) for picture in (small, large))
    box = first.box
    expected = Box(box.left * 3, box.top * 3, box.width * 3, box.height * 3)
    assert overlap(second.box, expected) > 0.8


def test_two_detectors_say_the_same_of_the_same_picture() -> None:
    pytest.importorskip("cv2", reason=NEEDED)
    picture = np.hstack([portrait()] * 3)
    first = Cascade()
    first.faces(portrait())
    assert first.faces(picture) == Cascade().faces(picture)


@pytest.mark.parametrize("shape", [(1, 1), (1, 2000), (2000, 1), (10, 10), (300, 400)])
def test_without_a_face_there_is_none_in_any_shape(tmp_path: Path, shape: tuple[int, int]) -> None:
    pytest.importorskip("cv2", reason=NEEDED)
    picture = np.zeros((*shape, 3), dtype=np.uint8)
    for detector in (Cascade(), YuNet(write_network(tmp_path / "n.onnx"))):
        assert detector.faces(picture) == []


@pytest.mark.parametrize("factor", [1, 2])
def test_yunet_gives_boxes_and_landmarks_in_pixels_of_the_picture(
    tmp_path: Path, factor: int
) -> None:
    pytest.importorskip("cv2", reason=NEEDED)
    edge = CELL * factor
    picture = np.zeros((320 * factor, 640 * factor, 3), dtype=np.uint8)
    picture[2 * edge : 3 * edge, 5 * edge : 6 * edge] = 255
    [face] = YuNet(write_network(tmp_path / "n.onnx")).faces(picture)
    assert overlap(face.box, Box(5 * edge, 2 * edge, edge, edge)) > 0.98
    expected = [((5 + x) * edge, (2 + y) * edge) for x, y in POINTS]
    assert np.asarray(face.landmarks) == pytest.approx(np.asarray(expected), abs=0.5)


def test_the_channels_of_yunet_are_those_of_its_pictures(tmp_path: Path) -> None:
    pytest.importorskip("cv2", reason=NEEDED)
    detector = YuNet(write_network(tmp_path / "n.onnx"))
    for channel in range(3):
        picture = np.full((64, 64, 3), 255, dtype=np.uint8)
        picture[:, :, channel] = 0
        assert detector.faces(picture) == [], "only where all three channels are white is a face"


@pytest.mark.parametrize("content", [b"", b"no network", None])
def test_a_network_that_is_none_is_refused(tmp_path: Path, content: bytes | None) -> None:
    pytest.importorskip("cv2", reason=NEEDED)
    file = tmp_path / "n.onnx"
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(DataError, match=r"the face detector is '.*n\.onnx'"):
        YuNet(file)


def test_networks_are_known_by_their_content(tmp_path: Path) -> None:
    first, second = tmp_path / "a.onnx", tmp_path / "b.onnx"
    for file in (first, second):
        file.write_bytes(b"a")
    assert fingerprint(first) == fingerprint(second)
    second.write_bytes(b"b")
    assert fingerprint(first) != fingerprint(second)
    with pytest.raises(DataError, match="is no file"):
        fingerprint(tmp_path)


def test_without_opencv_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    real = builtins.__import__

    def without(name: str, *rest: Any, **named: Any) -> Any:
        if name == "cv2":
            raise ImportError(name)
        return real(name, *rest, **named)

    monkeypatch.delitem(sys.modules, "cv2", raising=False)
    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(DataError, match=r"pip install 'bonas\[prepare\]'"):
        Cascade()


def test_photographed_faces_are_found_when_they_have_room_around_them(shared: Path) -> None:
    """The crops at hand are tighter than what the cascade was trained on; some have room."""
    pytest.importorskip("cv2", reason=NEEDED)
    folder = shared / "data" / "dfdc"
    with (folder / "metadata.csv").open(newline="") as table:
        files = [folder / row["path"] for row in csv.DictReader(table)][:40]
    detector = Cascade()
    found = 0
    for file in files:
        with Image.open(file) as image:
            faces = detector.faces(np.asarray(image.convert("RGB")))
        found += bool(faces)
        assert len(faces) < 4
    assert found >= 5
