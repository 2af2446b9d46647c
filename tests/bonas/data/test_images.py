import struct
import warnings
import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from bonas.data.images import UnreadableFile, read_image


def save(path: Path, image: Image.Image, **options: object) -> Path:
    image.save(path, **options)
    return path


def chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def test_an_rgb_image_of_the_asked_size_is_read_as_it_is(tmp_path: Path) -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (32, 32, 3), dtype=np.uint8)
    assert np.array_equal(read_image(save(tmp_path / "a.png", Image.fromarray(pixels)), 32), pixels)


def test_sixteen_bits_keep_their_brightness(tmp_path: Path) -> None:
    levels = np.linspace(0, 65535, 256).astype(np.uint16).reshape(16, 16)
    file = save(tmp_path / "a.png", Image.fromarray(levels))
    read = read_image(file, 16)
    assert np.abs(read.astype(int) - levels[:, :, None] / 257).max() <= 0.51


@pytest.mark.parametrize("name", ["a.png", "a.webp"])
def test_transparent_pixels_are_black_whatever_hides_in_them(tmp_path: Path, name: str) -> None:
    pixels = np.full((16, 16, 4), 200, dtype=np.uint8)
    pixels[:, :8, 3], pixels[:, 8:, 3] = 0, 255
    options = {"lossless": True, "exact": True} if name.endswith("webp") else {}
    read = read_image(save(tmp_path / name, Image.fromarray(pixels), **options), 16)
    assert read[8, 0].tolist() == [0, 0, 0]
    assert read[8, 15].tolist() == [200, 200, 200]


def test_a_palette_with_transparency_is_read_without_a_warning(tmp_path: Path) -> None:
    image = Image.new("P", (16, 16), 1)
    image.putpalette([0, 0, 0, 250, 0, 0])
    file = save(tmp_path / "a.png", image, transparency=bytes([0, 255]))
    assert read_image(file, 16)[0, 0].tolist() == [250, 0, 0]


def test_cmyk_white_is_white(tmp_path: Path) -> None:
    file = save(tmp_path / "a.jpg", Image.new("CMYK", (16, 16), (0, 0, 0, 0)))
    assert read_image(file, 16).min() >= 254


@pytest.mark.parametrize("name", ["a.gif", "a.png", "a.webp"])
def test_an_animation_is_refused(tmp_path: Path, name: str) -> None:
    frames = [Image.new("RGB", (16, 16), (level, 0, 0)) for level in (0, 90, 200)]
    file = save(tmp_path / name, frames[0], save_all=True, append_images=frames[1:])
    with pytest.raises(UnreadableFile, match="is animated"):
        read_image(file, 16)


def test_floating_point_levels_are_refused(tmp_path: Path) -> None:
    with pytest.raises(UnreadableFile, match="floating-point"):
        read_image(save(tmp_path / "a.tif", Image.new("F", (16, 16))), 16)


def test_levels_beyond_sixteen_bits_are_refused(tmp_path: Path) -> None:
    with pytest.raises(UnreadableFile, match="at most 16 bits"):
        read_image(save(tmp_path / "a.tif", Image.new("I", (16, 16), 70_000)), 16)


@pytest.mark.parametrize("suffix", ["png", "jpg", "webp", "bmp", "tif", "gif"])
@pytest.mark.parametrize("share", [0.0, 0.1, 0.5, 0.9])
def test_a_torn_file_is_unreadable(tmp_path: Path, suffix: str, share: float) -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (40, 40, 3), dtype=np.uint8)
    file = save(tmp_path / f"a.{suffix}", Image.fromarray(pixels))
    whole = file.read_bytes()
    file.write_bytes(whole[: int(share * len(whole))])
    with pytest.raises(UnreadableFile, match="unreadable image") as error:
        read_image(file, 16)
    assert str(tmp_path) not in str(error.value), "who reads it names the file"


@pytest.mark.parametrize("edge", [8_500, 10_000, 30_000])
def test_a_small_file_that_claims_many_pixels_is_not_decoded(tmp_path: Path, edge: int) -> None:
    header = struct.pack(">IIBBBBB", edge, edge, 8, 0, 0, 0, 0)
    body = chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(b"\0")) + chunk(b"IEND", b"")
    (tmp_path / "a.png").write_bytes(b"\x89PNG\r\n\x1a\n" + body)
    said = f"{edge} x {edge} pixels are above 64000000|has more than 64000000 pixels"
    with warnings.catch_warnings(record=True) as others:
        warnings.simplefilter("always")
        with pytest.raises(UnreadableFile, match=said):
            read_image(tmp_path / "a.png", 16)
    assert not others, "the check of ours is the only word on its size"


def test_a_text_that_unpacks_to_gigabytes_is_not_unpacked(tmp_path: Path) -> None:
    text = b"a\0\0" + zlib.compress(b"\0" * 10_000_000)
    whole = save(tmp_path / "a.png", Image.new("RGB", (16, 16))).read_bytes()
    (tmp_path / "a.png").write_bytes(whole[:33] + chunk(b"zTXt", text) + whole[33:])
    with pytest.raises(UnreadableFile, match="Decompressed data too large"):
        read_image(tmp_path / "a.png", 16)


def test_a_page_description_is_no_image_whatever_its_name(tmp_path: Path) -> None:
    program = b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 16 16\n%%EndComments\nshowpage\n"
    (tmp_path / "a.png").write_bytes(program)
    with pytest.raises(UnreadableFile, match="cannot identify image file"):
        read_image(tmp_path / "a.png", 16)
