"""Pictures and videos are read as they are seen, everywhere."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from bonas.data.clips import read_video, stored_as
from bonas.data.face_pictures import face_pictures
from bonas.data.images import read_image, read_picture
from bonas.data.orientation import orientation, stored_size, turned, turned_points
from tests.bonas.data.pictures import stored, turned_video, with_orientation

NUMBERS = range(1, 9)


def seen() -> Image.Image:
    """An image of 48 x 32 pixels, of which no turn is like another."""
    pixels = np.zeros((32, 48, 3), dtype=np.uint8)
    pixels[:16, :12] = (250, 0, 0)
    pixels[16:, 24:] = (0, 250, 0)
    return Image.fromarray(pixels)


@pytest.mark.parametrize("suffix", ["png", "jpg", "webp", "tif"])
@pytest.mark.parametrize("number", NUMBERS)
def test_a_picture_is_read_as_it_is_seen(tmp_path: Path, number: int, suffix: str) -> None:
    file = tmp_path / f"a.{suffix}"
    options: dict[str, dict[str, Any]] = {
        "webp": {"lossless": True},
        "jpg": {"subsampling": 0, "quality": 95},
    }
    stored(seen(), number).save(file, exif=with_orientation(number), **options.get(suffix, {}))
    tolerance = 40 if suffix == "jpg" else 0
    assert np.asarray(read_picture(file), int) == pytest.approx(np.asarray(seen()), abs=tolerance)
    with Image.open(file) as image:
        assert orientation(image) == number
        assert stored_size(image) == stored(seen(), number).size
    # As a detector sees it in use, so it was trained and measured.
    assert np.array_equal(read_image(file, 16), face_pictures(file, 16, 1).pictures[0])


@pytest.mark.parametrize("block", [b"no TIFF", b"II*\0\xff\xff\xff\xff", b"MM\0*"])
def test_a_picture_whose_exif_is_torn_is_read_as_it_is_stored(tmp_path: Path, block: bytes) -> None:
    seen().save(tmp_path / "a.png", exif=b"Exif\0\0" + block)
    assert np.array_equal(np.asarray(read_picture(tmp_path / "a.png")), np.asarray(seen()))


def test_a_number_that_is_none_of_exif_turns_nothing(tmp_path: Path) -> None:
    seen().save(tmp_path / "a.png", exif=with_orientation(9))
    assert np.array_equal(np.asarray(read_picture(tmp_path / "a.png")), np.asarray(seen()))


def test_a_video_is_read_as_it_is_seen(tmp_path: Path) -> None:
    pixels = np.asarray(stored(seen(), 6))
    file = turned_video(tmp_path / "a.mp4", pixels, 90)
    plain = turned_video(tmp_path / "b.mp4", np.asarray(seen()), 0)
    assert (stored_as(file), stored_as(plain)) == (((32, 48), 6), ((48, 32), 1))
    found, expected = read_video(file, 16, 2), read_video(plain, 16, 2)
    assert np.abs(found[0].astype(int) - expected[0]).mean() < 8, "but for the codec"
    for one, other in zip(found, face_pictures(file, 16, 2).pictures, strict=True):
        assert np.array_equal(one, other)


@pytest.mark.parametrize("number", [None, *NUMBERS])
def test_places_are_turned_with_the_picture(number: int | None) -> None:
    image = Image.new("L", (5, 3))
    image.putpixel((4, 1), 255)
    places = turned_points(np.array([[4.5 / 5, 1.5 / 3]]), number)
    pixels = np.asarray(turned(image, number))
    (y,), (x,) = np.nonzero(pixels)
    height, width = pixels.shape
    assert places == pytest.approx(np.array([[(x + 0.5) / width, (y + 0.5) / height]]))
