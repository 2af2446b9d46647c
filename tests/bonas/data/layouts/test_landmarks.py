"""Landmarks beside images are read as outlines of faces."""

import io
import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from bonas.data.blending import self_blended
from bonas.data.faces import DataError, Split
from bonas.data.hulls import face_hull
from bonas.data.layouts.landmarks import read_hulls
from bonas.data.layouts.metadata_csv import list_metadata_csv
from bonas.data.layouts.named import list_data
from bonas.data.layouts.reading import read_listing
from bonas.data.layouts.records import Listing, OnBadImage, Record, Settings
from bonas.data.orientation import turned_points
from bonas.data.preparation.ledger import LANDMARKS_FILE
from tests.bonas.data.pictures import with_orientation
from tests.bonas.data.test_hulls import FIVE, dense

STRICT = Settings()
LENIENT = Settings(on_bad_image=OnBadImage.SKIP)
LINE = np.stack([np.arange(68.0), np.arange(68.0)], axis=1)
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


def test_a_row_of_an_absolute_path_is_that_of_the_image(tmp_path: Path) -> None:
    table(tmp_path)
    named = (tmp_path / "landmarks.csv").read_text()
    (tmp_path / "landmarks.csv").write_text(named.replace("a.png", str(tmp_path / "a.png")))
    hulls = hulls_of(list_metadata_csv(tmp_path, STRICT))
    assert hulls is not None
    assert not hulls[0].isnan().any()


@pytest.mark.parametrize("number", range(1, 9))
def test_landmarks_are_of_the_stored_picture_and_turned_with_it(
    tmp_path: Path, number: int
) -> None:
    table(tmp_path)
    Image.new("RGB", (40, 20)).save(tmp_path / "a.png", exif=with_orientation(number))
    hulls = hulls_of(list_metadata_csv(tmp_path, STRICT))
    assert hulls is not None
    outline = turned_points(face_hull(FIVE * [40, 20]) / [40, 20], number)
    assert hulls[0].numpy() == pytest.approx(outline, abs=1e-6)


def test_without_landmarks_there_are_no_outlines(tmp_path: Path) -> None:
    table(tmp_path)
    (tmp_path / "landmarks.csv").unlink()
    data = read_listing(list_metadata_csv(tmp_path, Settings()), 32, Settings())
    assert data.splits[Split.TRAIN].hulls is None


@pytest.mark.parametrize("row", ["a.png,1,2,3\n", "a.png," + ",".join("x" * 10) + "\n"])
def test_a_row_of_another_form_is_an_error_or_a_counted_skip(tmp_path: Path, row: str) -> None:
    table(tmp_path, row)
    message = r"landmarks\.csv, row 2: expected a path and x and y"
    with pytest.raises(DataError, match=message):
        read_listing(list_metadata_csv(tmp_path, STRICT), 32, STRICT)
    data = read_listing(list_metadata_csv(tmp_path, LENIENT), 32, LENIENT)
    assert len(data.skipped) == 1
    assert re.search(message, data.skipped[0])
    assert len(data.splits[Split.TRAIN]) == 3, "the image itself stays"


@pytest.mark.parametrize("content", [b"path\n\xff\xfe", b"path\n" + b"x" * 200_000])
def test_a_table_that_is_none_is_named(tmp_path: Path, content: bytes) -> None:
    table(tmp_path)
    (tmp_path / "landmarks.csv").write_bytes(content)
    with pytest.raises(DataError, match=r"landmarks\.csv is not readable as CSV in UTF-8"):
        read_listing(list_metadata_csv(tmp_path, LENIENT), 32, LENIENT)


def framed(folder: Path, points: np.ndarray) -> Listing:
    """A frame of 100 x 100 pixels as DeepfakeBench keeps it, below a folder of a like name."""
    frames, landmarks = (folder / "frames" / "x" / n / "v" for n in ("frames", "landmarks"))
    frames.mkdir(parents=True)
    landmarks.mkdir(parents=True)
    Image.new("RGB", (100, 100)).save(frames / "007.png")
    np.save(landmarks / "007.npy", points)
    record = Record(frames / "007.png", 0, "v", Split.TRAIN, "real")
    return Listing("x", "deepfakebench", folder / "frames" / "x.json", (record,), root=folder)


def hulls_of(listing: Listing, settings: Settings = STRICT) -> torch.Tensor | None:
    """Of the first record."""
    return read_hulls(listing, {Split.TRAIN: [0]}, settings)[0][Split.TRAIN]


@pytest.mark.parametrize("count", [68, 81])
def test_arrays_beside_frames_are_read(tmp_path: Path, count: int) -> None:
    hulls = hulls_of(framed(tmp_path, 100 * dense(count)))
    assert hulls is not None
    assert hulls[0].numpy() == pytest.approx(face_hull(dense(count)), abs=1e-5)


@pytest.mark.parametrize("relative", [False, True])
def test_a_folder_above_the_data_may_be_called_frames(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, relative: bool
) -> None:
    folder = tmp_path / "frames" / "data"
    for name in "abc":
        for kind in ("real", "fake"):
            (folder / kind).mkdir(parents=True, exist_ok=True)
            Image.new("RGB", (40, 20)).save(folder / kind / f"{name}.png")
    monkeypatch.chdir(folder)
    data = read_listing(list_data(Path() if relative else folder, "folders", STRICT), 32, STRICT)
    assert [faces.hulls for faces in data.splits.values()] == [None] * 3
    listing = framed(tmp_path / "frames" / "more", 100 * dense(68))
    assert hulls_of(listing) is not None
    # Landmarks beside a folder of data are not its own.
    inner = replace(listing, root=tmp_path / "frames" / "more" / "frames" / "x" / "frames")
    assert hulls_of(inner) is None


@pytest.mark.parametrize("points", [np.full((68, 2), np.nan), np.full((5, 2), np.inf), LINE])
def test_points_on_a_line_or_of_no_place_are_of_no_face(tmp_path: Path, points: np.ndarray) -> None:
    assert hulls_of(framed(tmp_path, points)) is None


@pytest.mark.parametrize(
    ("scale", "shift"),
    [(10.0, 0.0), (1.0, 1.2), (1.0, -0.45), (1.0, 0.75), (3.0, -1.0), (0.2, -0.1), (1e6, 0.0)],
)
def test_landmarks_that_are_not_on_the_picture_are_an_error_or_a_counted_skip(
    tmp_path: Path, scale: float, shift: float
) -> None:
    listing = framed(tmp_path, 100 * (scale * dense(68) + [shift, 0]))
    message = r"007\.png: its landmarks are not those of a face in it: \d+% of .* 100 x 100 pixels"
    with pytest.raises(DataError, match=rf"{message}.*on_bad_image"):
        hulls_of(listing)
    data = read_listing(listing, 32, LENIENT)
    assert len(data.skipped) == 1
    assert re.search(message, data.skipped[0])
    faces = data.splits[Split.TRAIN]
    assert (len(faces), faces.hulls) == (1, None), "the image itself stays"


@pytest.mark.parametrize("place", [-0.42, 0.2, 0.42])
@pytest.mark.parametrize("scale", [0.25, 1.0, 1.5])
def test_with_the_landmarks_that_are_taken_every_blend_is_a_forgery(
    tmp_path: Path, scale: float, place: float
) -> None:
    hulls = hulls_of(framed(tmp_path, 100 * (scale * (dense(68) - [0.4, 0.6]) + 0.5 + [place, 0])))
    assert hulls is not None
    images = torch.randint(0, 256, (1, 3, 32, 32), dtype=torch.uint8).repeat(200, 1, 1, 1)
    generator = torch.Generator().manual_seed(0)
    copies, weights = self_blended(images, hulls=hulls.repeat(200, 1, 1), generator=generator)
    assert weights.flatten(1).amax(1).gt(0).all()
    assert copies.ne(images).flatten(1).any(1).all()


def claiming(shape: tuple[int, ...], kind: str = "<f8") -> bytes:
    """The beginning of an array file, without its values."""
    file = io.BytesIO()
    np.lib.format.write_array_header_1_0(
        file, {"descr": kind, "fortran_order": False, "shape": shape}
    )
    return file.getvalue()


def saved(points: np.ndarray) -> bytes:
    file = io.BytesIO()
    np.save(file, points)
    return file.getvalue()


def archived(points: np.ndarray) -> bytes:
    file = io.BytesIO()
    np.savez(file, points)
    return file.getvalue()


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "is no array of landmarks"),
        (b"no array", "is no array of landmarks"),
        (archived(LINE), "is no array of landmarks"),
        (saved(LINE)[:-8], "is no array of landmarks"),
        (claiming((10**13, 2)), "is no array of landmarks"),
        (claiming((10**30, 2)), "is no array of landmarks"),
        (claiming((68, 2), "|O") + b"x" * 1088, "is no array of landmarks"),
        (saved(LINE[:3]), r"is of shape \(3, 2\); it must be n x 2"),
        (saved(LINE.ravel()), r"is of shape \(136,\); it must be n x 2"),
        (saved(LINE.astype("U8")), r"is of type <U8; it must hold numbers"),
    ],
)
def test_an_array_of_another_form_is_an_error_or_a_counted_skip(
    tmp_path: Path, content: bytes, message: str
) -> None:
    listing = framed(tmp_path, LINE)
    (tmp_path / "frames" / "x" / "landmarks" / "v" / "007.npy").write_bytes(content)
    with pytest.raises(DataError, match=rf"007\.npy {message}.*on_bad_image"):
        hulls_of(listing)
    data = read_listing(listing, 32, LENIENT)
    assert len(data.skipped) == 1
    assert "007.npy" in data.skipped[0]
    faces = data.splits[Split.TRAIN]
    assert (len(faces), faces.hulls) == (1, None), "the image itself stays"


def test_an_array_or_a_table_outside_the_data_is_refused(tmp_path: Path) -> None:
    listing = framed(tmp_path / "data", 100 * dense(68))
    place = tmp_path / "data" / "frames" / "x" / "landmarks"
    place.rename(tmp_path / "elsewhere")
    place.symlink_to(tmp_path / "elsewhere")
    with pytest.raises(DataError, match=r"path .*007\.npy' leaves the data folder"):
        hulls_of(listing, LENIENT)
    folder = tmp_path / "table"
    folder.mkdir()
    table(folder)
    (folder / "landmarks.csv").rename(tmp_path / "landmarks.csv")
    (folder / "landmarks.csv").symlink_to(tmp_path / "landmarks.csv")
    with pytest.raises(DataError, match=r"landmarks\.csv' leaves the data folder"):
        read_listing(list_metadata_csv(folder, LENIENT), 32, LENIENT)


def test_a_table_beside_the_data_folder_is_of_other_data(tmp_path: Path) -> None:
    points = ",".join(map(str, (FIVE * [40, 20]).ravel()))
    folder = tmp_path / "data"
    for name in "abc":
        for kind in ("real", "fake"):
            (folder / kind).mkdir(parents=True, exist_ok=True)
            Image.new("RGB", (40, 20)).save(folder / kind / f"{name}.png")
    rows = "".join(f"data/real/{name}.png,{points}\n" for name in "abc")
    (tmp_path / "landmarks.csv").write_text(HEAD + rows)
    data = read_listing(list_data(folder, "folders", STRICT), 32, STRICT)
    assert [faces.hulls for faces in data.splits.values()] == [None] * 3
