"""Landmarks beside images are read as outlines of faces."""

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from bonas.data.faces import DataError, Split
from bonas.data.hulls import face_hull
from bonas.data.layouts.landmarks import read_hulls
from bonas.data.layouts.metadata_csv import list_metadata_csv
from bonas.data.layouts.reading import read_listing
from bonas.data.layouts.records import Listing, Record, Settings
from bonas.data.preparation.ledger import LANDMARKS_FILE
from tests.bonas.data.test_hulls import FIVE, dense

HEAD = "path,right_eye_x,right_eye_y,left_eye_x,left_eye_y,nose_x,nose_y,right_mouth_x,...\n"


def table(folder: Path, row: str = "") -> None:
    """A real and a forged picture of 40 x 20 pixels, and landmarks of both."""
    lines = ["path,label,original,split"]
    points = ",".join(map(str, (FIVE * [40, 20]).ravel()))
    for name, label in (("a.png", "real"), ("b.png", "fake"), ("c.png", "real")):
        Image.new("RGB", (40, 20)).save(folder / name)
        lines.append(f"{name},{label},{name[0]},train")
    (folder / "metadata.csv").write_text("\n".join(lines) + "\n")
    rows = row or f"a.png,{points}\nb.png,{points}\n"
    (folder / LANDMARKS_FILE).write_text(HEAD + rows)


@pytest.mark.parametrize("size", [32, 64])
def test_real_images_have_the_outline_of_their_row_whatever_their_size(
    tmp_path: Path, size: int
) -> None:
    table(tmp_path)
    data = read_listing(list_metadata_csv(tmp_path, Settings()), size, Settings())
    faces = data.splits[Split.TRAIN]
    assert faces.hulls is not None
    # Of pixels, in which the picture is twice as wide as high.
    expected = face_hull(FIVE * [40, 20]) / [40, 20]
    assert faces.hulls[0].numpy() == pytest.approx(expected, abs=1e-6)
    assert faces.hulls[1:].isnan().all(), "forged, and without a row"
    chosen = faces.select([2, 0])
    assert chosen.hulls is not None
    assert torch.equal(chosen.hulls[1], faces.hulls[0])


def test_without_landmarks_there_are_no_outlines(tmp_path: Path) -> None:
    table(tmp_path)
    (tmp_path / "landmarks.csv").unlink()
    data = read_listing(list_metadata_csv(tmp_path, Settings()), 32, Settings())
    assert data.splits[Split.TRAIN].hulls is None


@pytest.mark.parametrize("row", ["a.png,1,2,3\n", "a.png," + ",".join("x" * 10) + "\n"])
def test_a_row_of_another_form_is_named(tmp_path: Path, row: str) -> None:
    table(tmp_path, row)
    with pytest.raises(DataError, match=r"landmarks\.csv, row 2: expected a path and x and y"):
        read_listing(list_metadata_csv(tmp_path, Settings()), 32, Settings())


def framed(folder: Path, points: np.ndarray) -> Listing:
    """A frame of 100 x 100 pixels as DeepfakeBench keeps it, below a folder of a like name."""
    frames, landmarks = (folder / "frames" / "x" / n / "v" for n in ("frames", "landmarks"))
    frames.mkdir(parents=True)
    landmarks.mkdir(parents=True)
    Image.new("RGB", (100, 100)).save(frames / "007.png")
    np.save(landmarks / "007.npy", points)
    record = Record(frames / "007.png", 0, "v", Split.TRAIN, "real")
    return Listing("x", "deepfakebench", folder / "frames" / "x.json", (record,))


@pytest.mark.parametrize("count", [68, 81])
def test_arrays_beside_frames_are_read(tmp_path: Path, count: int) -> None:
    hulls = read_hulls(framed(tmp_path, 100 * dense(count)), [0])
    assert hulls is not None
    assert hulls[0].numpy() == pytest.approx(face_hull(dense(count)), abs=1e-5)


def test_points_on_a_line_are_of_no_face_and_other_arrays_are_named(tmp_path: Path) -> None:
    line = np.stack([np.arange(68.0), np.arange(68.0)], axis=1)
    assert read_hulls(framed(tmp_path / "line", line), [0]) is None
    with pytest.raises(DataError, match=r"007\.npy is of shape \(3, 2\); it must be n x 2"):
        read_hulls(framed(tmp_path / "few", line[:3]), [0])
