import math
import re
import subprocess
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from bonas.data.audit.measures import BANDS, WINDOW, Measures, band_shares, measure
from bonas.data.images import UnreadableFile, read_image
from tests.bonas.data.pictures import turned_video, video


def wave(frequency: float, size: int = 64) -> np.ndarray:
    """A sine along x of this share of the highest frequency."""
    x = np.arange(size)
    return np.tile(100 * np.sin(np.pi * frequency * x), (size, 1)).astype(np.float32)


@pytest.mark.parametrize(
    ("frequency", "band"), [(0.06, 0), (0.19, 1), (0.375, 2), (0.75, 3)]
)  # fmt: skip
def test_a_wave_lies_in_the_band_of_its_frequency(frequency: float, band: int) -> None:
    assert band_shares(wave(frequency))[band] > 0.9


@pytest.mark.parametrize("shape", [(64, 64), (33, 70), (WINDOW + 40, WINDOW + 90), (1, 5)])
def test_shares_sum_to_one_and_ignore_light(shape: tuple[int, int]) -> None:
    luma = np.random.default_rng(0).normal(100, 20, shape).astype(np.float32)
    shares = band_shares(luma)
    assert len(shares) == len(BANDS) + 1
    assert sum(shares) == pytest.approx(1)
    assert band_shares(0.5 * luma + 30) == pytest.approx(shares, rel=1e-3)


def test_a_flat_picture_has_no_spectrum() -> None:
    assert all(math.isnan(share) for share in band_shares(np.full((32, 32), 7, np.float32)))


def test_a_file_and_its_pixels_agree_in_what_both_have(tmp_path: Path) -> None:
    pixels = np.random.default_rng(0).integers(0, 255, (40, 50, 3), dtype=np.uint8)
    Image.fromarray(pixels).save(tmp_path / "A.PNG")
    of_file = measure(tmp_path / "A.PNG")
    of_pixels = measure(torch.from_numpy(pixels).permute(2, 0, 1))
    assert isinstance(of_file, Measures)
    assert isinstance(of_pixels, Measures)
    assert (of_file.width, of_file.height) == (of_pixels.width, of_pixels.height) == (50, 40)
    assert of_file.colour == of_pixels.colour == pytest.approx(tuple(pixels.mean((0, 1))))
    assert of_file.hash == of_pixels.hash
    assert of_file.bands == of_pixels.bands
    assert (of_file.kind, of_file.suffix, of_pixels.kind) == ("PNG", ".png", "")
    assert of_file.file_bytes == (tmp_path / "A.PNG").stat().st_size
    assert math.isnan(of_pixels.file_bytes)


@pytest.mark.parametrize("mode", ["L", "CMYK", "RGB"])
def test_jpeg_tables_are_read_in_every_mode(tmp_path: Path, mode: str) -> None:
    Image.new(mode, (32, 32)).save(tmp_path / "a.jpg", quality=70)
    found = measure(tmp_path / "a.jpg")
    assert isinstance(found, Measures)
    assert found.quality == 70
    assert found.tables.startswith("of quality 70")


def test_a_format_is_told_by_content_not_by_extension(tmp_path: Path) -> None:
    Image.new("RGB", (32, 32)).save(tmp_path / "a.jpg", "PNG")
    found = measure(tmp_path / "a.jpg")
    assert isinstance(found, Measures)
    assert (found.kind, found.suffix, found.tables) == ("PNG", ".jpg", "")
    assert math.isnan(found.quality)


@pytest.mark.parametrize("content", [b"", b"no picture", b"\x89PNG\r\n\x1a\n torn"])
def test_the_reason_why_a_file_cannot_be_read_is_given(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "a.png").write_bytes(content)
    reason = measure(tmp_path / "a.png")
    assert isinstance(reason, str)
    assert "unreadable image" in reason


def test_a_decompression_bomb_is_not_opened(tmp_path: Path) -> None:
    Image.new("1", (8_100, 8_100)).save(tmp_path / "a.png")
    assert measure(tmp_path / "a.png") == "8100 x 8100 pixels are above 64000000"


def forged_page(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A page description whose reader would start another program."""
    program = "%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 16 16\n%%EndComments\nshowpage\n"
    path.write_text(program)
    monkeypatch.setattr(subprocess, "check_call", lambda *_, **__: pytest.fail("gs was started"))


def animation(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    frames = [Image.new("RGB", (16, 16), (level, 0, 0)) for level in (0, 90, 200)]
    frames[0].save(path, "GIF", save_all=True, append_images=frames[1:])


def floating(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    Image.new("F", (16, 16)).save(path, "TIFF")


def torn_header(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Bytes on which the decoder raises what is no `OSError`."""
    path.write_bytes(b"BM" + bytes(12) + b"\x28\0\0\0" + bytes(2))


@pytest.mark.parametrize(
    ("make", "reason"),
    [
        (forged_page, "cannot identify image file"),
        (animation, "is animated"),
        (floating, "floating-point levels"),
        (torn_header, "unreadable image"),
    ],
)
def test_what_the_reader_of_data_refuses_the_audit_refuses(
    make: Callable[[Path, pytest.MonkeyPatch], None],
    reason: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    file = tmp_path / "x.jpg"
    make(file, monkeypatch)
    found = measure(file)
    assert isinstance(found, str)
    assert reason in found
    with pytest.raises(UnreadableFile, match=re.escape(found)):
        read_image(file, 16)


def test_sixteen_bits_are_measured_at_their_brightness(tmp_path: Path) -> None:
    levels = np.linspace(0, 65535, 1024).astype(np.uint16).reshape(32, 32)
    Image.fromarray(levels).save(tmp_path / "a.png")
    found = measure(tmp_path / "a.png")
    assert isinstance(found, Measures)
    assert found.brightness == pytest.approx(127.5, abs=1)


def test_a_video_is_measured_on_some_of_its_frames(tmp_path: Path) -> None:
    levels = [40] * 10 + [200] * 10
    found = measure(video(tmp_path / "A.MP4", levels))
    assert isinstance(found, Measures)
    assert found.brightness == pytest.approx(120, abs=4), "one frame of each half"
    assert (found.width, found.height) == (32, 32)
    assert (found.kind, found.suffix, found.tables) == ("mpeg4", ".mp4", "")
    assert math.isnan(found.file_bytes), "it tells how long the video is"
    pixels = 20 * 32 * 32
    assert found.pixel_bytes == pytest.approx((tmp_path / "A.MP4").stat().st_size / pixels)
    assert found.grey.mean() == pytest.approx(40, abs=2), "the first of them is compared"


def test_a_turned_video_is_measured_upright(tmp_path: Path) -> None:
    found = measure(turned_video(tmp_path / "a.mp4", np.zeros((48, 32, 3), np.uint8), 90))
    assert isinstance(found, Measures)
    assert (found.width, found.height, found.orientation) == (48, 32, "6")


def test_a_torn_video_gives_its_reason(tmp_path: Path) -> None:
    pytest.importorskip("av", reason="PyAV, of the extra [video], is not installed")
    (tmp_path / "a.mp4").write_bytes(b"no video")
    reason = measure(tmp_path / "a.mp4")
    assert isinstance(reason, str)
    assert "unreadable video" in reason
