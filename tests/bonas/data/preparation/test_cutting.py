"""What is written of a video, of its frames, or of a picture."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from bonas.data.preparation import cutting
from bonas.data.preparation.boxes import Box, FoundFace
from bonas.data.preparation.cutting import Cut, Outcome, Reason, Skip, Unit, cut
from tests.bonas.data.pictures import picture, video

HOW = Cut(size=16, frames=4, enlarge=1.0, whole=False, quality=None)
WHOLE = Cut(size=16, frames=4, enlarge=1.0, whole=True, quality=None)


class Brightest:
    """A detector of an exact world: the face is where it is white, its nose in the middle."""

    def faces(self, picture: np.ndarray) -> list[FoundFace]:
        rows, columns = np.nonzero(picture.min(axis=2) > 200)
        if not len(rows):
            return []
        left, top = float(columns.min()), float(rows.min())
        width, height = float(np.ptp(columns)) + 1, float(np.ptp(rows)) + 1
        middle = (left + width / 2, top + height / 2)
        return [FoundFace(Box(left, top, width, height), (middle,))]


def spot(path: Path, left: int | None, top: int = 10) -> Path:
    """A dark picture, 60 x 40, with a white face of 20 px, if any."""
    pixels = np.full((40, 60, 3), 20, dtype=np.uint8)
    if left is not None:
        pixels[top : top + 20, left : left + 20] = 250
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(pixels).save(path)
    return path


def done(
    folder: Path, files: list[Path], how: Cut = HOW, *, detector: Brightest | None = None
) -> Outcome:
    unit = Unit(tuple(files), tuple(f"faces/{file.stem}" for file in files), "state")
    return cut(unit, folder / "out", how, detector)


def levels(file: Path) -> np.ndarray:
    with Image.open(file) as image:
        assert image.mode == "RGB"
        return np.asarray(image)


def test_the_face_fills_the_crop_and_its_landmarks_are_in_pixels_of_it(tmp_path: Path) -> None:
    outcome = done(tmp_path, [spot(tmp_path / "a.png", 30)], detector=Brightest())
    [crop] = outcome.crops
    assert (crop.path, crop.of, crop.landmarks) == ("faces/a.png", 0, ((8.0, 8.0),))
    pixels = levels(tmp_path / "out" / crop.path)
    assert pixels.shape == (16, 16, 3)
    assert (pixels == 250).all()


def test_a_whole_picture_is_resized_as_the_readers_of_data_do(tmp_path: Path) -> None:
    file = spot(tmp_path / "a.png", 30)
    [crop] = done(tmp_path, [file], WHOLE).crops
    with Image.open(file) as image:
        expected = np.asarray(image.resize((16, 16), Image.Resampling.LANCZOS))
    assert (levels(tmp_path / "out" / crop.path) == expected).all()
    assert crop.landmarks == ()


def test_whole_pictures_without_a_face_are_kept_and_those_with_one_get_landmarks(
    tmp_path: Path,
) -> None:
    files = [spot(tmp_path / "a.png", None), spot(tmp_path / "b.png", 30)]
    outcome = done(tmp_path, files, WHOLE, detector=Brightest())
    assert [c.landmarks for c in outcome.crops] == [(), ((10.67, 8.0),)]
    assert not outcome.skips


def test_frames_without_the_face_are_skipped_and_named(tmp_path: Path) -> None:
    files = [spot(tmp_path / f"{i}.png", left) for i, left in enumerate((5, None, 6))]
    outcome = done(tmp_path, files, detector=Brightest())
    assert [(c.path, c.of) for c in outcome.crops] == [("faces/0.png", 0), ("faces/2.png", 2)]
    assert outcome.skips == (Skip(1, Reason.NO_FACE),)


def test_of_a_video_frames_are_named_by_their_number(tmp_path: Path) -> None:
    file = video(tmp_path / "v.mp4", [250] * 8)
    outcome = done(tmp_path, [file], detector=Brightest())
    assert [c.path for c in outcome.crops] == [f"faces/v/{n:06d}.png" for n in (1, 3, 5, 7)]
    assert {c.of for c in outcome.crops} == {0}


def test_frames_of_a_video_without_its_face_are_counted_and_one_without_any_is_skipped(
    tmp_path: Path,
) -> None:
    some = done(tmp_path, [video(tmp_path / "v.mp4", [250, 20, 250, 20])], detector=Brightest())
    assert (len(some.crops), some.lost, some.skips) == (2, 2, ())
    none = done(tmp_path, [video(tmp_path / "w.mp4", [20] * 4)], detector=Brightest())
    assert none == Outcome(skips=(Skip(0, Reason.NO_FACE),))


def test_an_unreadable_file_is_skipped_with_its_reason_and_the_others_are_not(
    tmp_path: Path,
) -> None:
    torn, bomb = tmp_path / "torn.png", tmp_path / "bomb.png"
    torn.write_bytes(b"no picture")
    Image.new("1", (8_100, 8_100)).save(bomb)
    files = [torn, spot(tmp_path / "a.png", 5), tmp_path / "gone.png", bomb]
    outcome = done(tmp_path, files, detector=Brightest())
    assert [c.of for c in outcome.crops] == [1]
    said = [(skip.of, skip.reason) for skip in outcome.skips]
    assert said == [(0, Reason.UNREADABLE), (2, Reason.MISSING), (3, Reason.UNREADABLE)]
    assert all(skip.detail for skip in outcome.skips)


@pytest.mark.parametrize("content", [b"", b"no video", b"\0" * 1000])
def test_an_unreadable_video_is_skipped(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "v.mp4"
    file.write_bytes(content)
    pytest.importorskip("av", reason="PyAV, of the extra [video], is not installed")
    [skip] = done(tmp_path, [file], detector=Brightest()).skips
    assert skip.reason is Reason.UNREADABLE
    assert "unreadable video" in skip.detail


def test_frames_that_would_fill_the_memory_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cutting, "MOST_HELD", 3 * 32 * 32)
    file = video(tmp_path / "v.mp4", [250] * 4)
    [skip] = done(tmp_path, [file], detector=Brightest()).skips
    assert "lower --frames" in skip.detail
    fewer = Cut(size=16, frames=3, enlarge=1.0, whole=False, quality=None)
    assert len(done(tmp_path, [file], fewer, detector=Brightest()).crops) == 3


def test_a_picture_is_turned_as_its_orientation_says(tmp_path: Path) -> None:
    file = spot(tmp_path / "a.png", 0, top=0)
    with Image.open(file) as image:
        exif = image.getexif()
        exif[0x0112] = 6  # the camera was turned: right is where down is stored
        image.save(file, exif=exif)
    [crop] = done(tmp_path, [file], WHOLE).crops
    pixels = levels(tmp_path / "out" / crop.path)
    assert pixels[2, 14].min() > 200, "the left upper corner becomes the right upper one"
    assert pixels[2, 2].max() < 60


def test_a_video_is_turned_as_a_player_turns_it(tmp_path: Path) -> None:
    av = pytest.importorskip("av", reason="PyAV, of the extra [video], is not installed")
    if not hasattr(av.VideoFrame, "rotation"):
        pytest.skip("this PyAV does not tell how a video is turned")
    file = tmp_path / "v.mp4"
    with av.open(str(file), "w") as container:
        stream = container.add_stream("mpeg4", rate=10)
        stream.width = stream.height = 32
        stream.pix_fmt = "yuv420p"
        image = np.full((32, 32, 3), 20, dtype=np.uint8)
        image[:16, :16] = 250
        container.mux(stream.encode(av.VideoFrame.from_ndarray(image, format="rgb24")))
        container.mux(stream.encode())
    # The matrix of the track header (ISO 14496-12, 8.3.2), for a quarter turn to the right.
    content = bytearray(file.read_bytes())
    start = content.index(b"tkhd") + 4 + 40
    one, minus = 1 << 16, (1 << 32) - (1 << 16)
    for place, value in enumerate((0, one, 0, minus, 0, 0)):
        content[start + 4 * place : start + 4 * place + 4] = value.to_bytes(4, "big")
    file.write_bytes(content)
    [crop] = done(tmp_path, [file], WHOLE).crops
    pixels = levels(tmp_path / "out" / crop.path)
    assert pixels[3, 12].min() > 180, "the left upper corner becomes the right upper one"
    assert pixels[3, 3].max() < 80


def test_jpeg_has_the_asked_quality(tmp_path: Path) -> None:
    file = spot(tmp_path / "a.png", 30)
    tables = []
    for quality in (50, 90):
        how = Cut(size=16, frames=4, enlarge=1.0, whole=True, quality=quality)
        [crop] = done(tmp_path, [file], how).crops
        assert crop.path == "faces/a.jpg"
        with Image.open(tmp_path / "out" / crop.path) as image:
            assert image.format == "JPEG"
            tables.append(sum(image.quantization[0]))  # type: ignore[attr-defined]
    assert tables[0] > tables[1]


def test_what_an_interrupted_start_left_behind_is_removed(tmp_path: Path) -> None:
    file = video(tmp_path / "v.mp4", [250] * 4)
    left = picture(tmp_path / "out" / "faces" / "v" / "999999.png")
    done(tmp_path, [file], detector=Brightest())
    assert not left.exists()
    picture(tmp_path / "out" / "faces" / "b.png")
    done(tmp_path, [spot(tmp_path / "b.png", None)], detector=Brightest())
    assert not (tmp_path / "out" / "faces" / "b.png").exists()


def test_a_crop_that_cannot_be_written_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "out").write_text("no folder")
    with pytest.raises(OSError, match="out"):
        done(tmp_path, [spot(tmp_path / "a.png", 5)], WHOLE)
