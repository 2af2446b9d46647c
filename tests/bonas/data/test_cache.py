import os
import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from bonas.data import cache, digests
from bonas.data.faces import DataError, DataSet, Split
from bonas.data.layouts import reading
from bonas.data.layouts.metadata_csv import list_metadata_csv
from bonas.data.layouts.records import OnBadImage, Settings

SKIP = Settings(on_bad_image=OnBadImage.SKIP)


@pytest.fixture(autouse=True)
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("BONAS_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    rng = np.random.default_rng(0)
    rows = ["path,label,original,split"]
    place = tmp_path / "faces"
    place.mkdir()
    for number in range(8):
        pixels = rng.integers(0, 255, (40, 40, 3), dtype=np.uint8)
        Image.fromarray(pixels).save(place / f"{number}.png")
        split, label = ("train", "val")[number // 4], ("REAL", "FAKE")[number % 2]
        rows.append(f"{number}.png,{label},person{number // 2},{split}")
    (place / "metadata.csv").write_text("\n".join(rows) + "\n")
    return place


def read(folder: Path, size: int = 32, settings: Settings = SKIP) -> DataSet:
    return reading.read_listing(list_metadata_csv(folder, settings), size, settings)


def same(first: DataSet, second: DataSet) -> bool:
    return (
        first.splits.keys() == second.splits.keys()
        and first.skipped == second.skipped
        and all(f.digest() == second.splits[s].digest() for s, f in first.splits.items())
    )


@pytest.fixture
def decodings(monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    opened: list[Path] = []
    decode = reading.read_image

    def counted(path: Path, size: int) -> np.ndarray:
        opened.append(path)
        return decode(path, size)

    monkeypatch.setattr(reading, "read_image", counted)
    return opened


def test_the_second_start_decodes_nothing_and_gives_the_same(
    folder: Path, decodings: list[Path]
) -> None:
    first = read(folder)
    assert len(decodings) == 8
    told: list[tuple[int, int]] = []
    listing = list_metadata_csv(folder, SKIP)
    second = reading.read_listing(listing, 32, SKIP, progress=lambda *t: told.append(t))
    assert len(decodings) == 8
    assert same(first, second)
    assert told == [(8, 8)]


def test_images_from_the_cache_can_be_written_to_without_changing_it(folder: Path) -> None:
    before = read(folder)
    digest = before.splits[Split.TRAIN].digest()
    read(folder).splits[Split.TRAIN].images.zero_()
    assert read(folder).splits[Split.TRAIN].digest() == digest


def test_what_changes_the_images_is_decoded_again(folder: Path, decodings: list[Path]) -> None:
    first = read(folder)
    read(folder, size=36)
    assert len(decodings) == 16, "another size"
    changed = folder / "3.png"
    Image.new("RGB", (40, 40), "white").save(changed)
    os.utime(changed, ns=(1, 1))
    again = read(folder)
    assert len(decodings) == 24, "another file"
    assert not same(first, again)
    table = (folder / "metadata.csv").read_text().replace("person0", "someone")
    (folder / "metadata.csv").write_text(table)
    renamed = read(folder)
    assert len(decodings) == 24, "names are read from the table, not from the cache"
    assert "someone" in renamed.splits[Split.TRAIN].originals


def test_a_touched_a_moved_and_a_copied_file_are_what_they_were(
    folder: Path, tmp_path: Path, decodings: list[Path]
) -> None:
    (folder / "5.png").write_bytes(b"no image")
    first = read(folder)
    for file in folder.iterdir():
        os.utime(file, ns=(1, 1))
    assert same(first, read(folder))
    shutil.copytree(folder, tmp_path / "copy" / "faces")
    copied = read(tmp_path / "copy" / "faces")
    assert [f.digest() for f in copied.splits.values()] == [
        f.digest() for f in first.splits.values()
    ]
    assert str(tmp_path / "copy") in copied.skipped[0], "a problem is that of the file here"
    shutil.move(folder, tmp_path / "moved")
    assert len(read(tmp_path / "moved").splits[Split.TRAIN]) == 4
    assert len(decodings) == 8


def test_other_content_of_the_same_size_and_time_is_seen(
    folder: Path, decodings: list[Path]
) -> None:
    file = folder / "3.png"
    Image.new("RGB", (40, 40), "white").save(file, "BMP")
    before, size = file.stat(), file.stat().st_size
    first = read(folder)
    Image.new("RGB", (40, 40), "black").save(file, "BMP")
    os.utime(file, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert (file.stat().st_size, file.stat().st_mtime_ns) == (size, before.st_mtime_ns)
    again = read(folder)
    assert len(decodings) == 16
    assert not same(first, again)


def test_an_unchanged_file_is_not_read_for_its_digest(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = read(folder)
    monkeypatch.setattr(digests, "_digest", lambda name: pytest.fail(f"{name} was read"))
    assert same(first, read(folder))


@pytest.mark.parametrize("content", ["", "[]", '{"a": 1}', "no JSON"])
def test_a_broken_memory_of_digests_is_made_again(
    content: str, folder: Path, place: Path, decodings: list[Path]
) -> None:
    first = read(folder)
    (memory,) = (place / cache.DIGESTS).iterdir()
    whole = memory.read_text()
    memory.write_text(content)
    assert same(first, read(folder))
    assert memory.read_text() == whole
    assert len(decodings) == 8


def test_what_was_skipped_is_remembered_and_still_an_error_for_others(
    folder: Path, decodings: list[Path]
) -> None:
    (folder / "5.png").write_bytes(b"no image")
    first = read(folder)
    assert len(first.skipped) == 1
    assert same(first, read(folder))
    assert len(decodings) == 8
    assert len(first.splits[Split.VAL]) == 3
    with pytest.raises(DataError, match=r"5\.png"):
        read(folder, settings=Settings())


@pytest.mark.parametrize("broken", ["index.json", "train.npy"])
def test_a_broken_cache_is_made_again(
    broken: str, folder: Path, place: Path, decodings: list[Path], caplog: pytest.LogCaptureFixture
) -> None:
    first = read(folder)
    (entry,) = (p for p in place.iterdir() if p.name != cache.DIGESTS)
    (entry / broken).write_bytes((entry / broken).read_bytes()[:60])
    assert same(first, read(folder))
    assert len(decodings) == 16
    assert "is not a usable cache" in caplog.text
    assert same(first, read(folder))
    assert len(decodings) == 16
    left = {p.name for p in place.iterdir()}
    assert left == {entry.name, cache.DIGESTS}, "temporary files are left"


def test_a_place_that_cannot_be_written_is_done_without(
    folder: Path, place: Path, caplog: pytest.LogCaptureFixture
) -> None:
    place.write_text("a file, no folder")
    assert len(read(folder).splits[Split.TRAIN]) == 4
    assert "decoded images are not cached" in caplog.text


def test_the_place_follows_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("BONAS_CACHE")
    monkeypatch.setenv("XDG_CACHE_HOME", "/somewhere")
    assert cache.cache_folder() == Path("/somewhere/bonas")
    monkeypatch.delenv("XDG_CACHE_HOME")
    assert cache.cache_folder() == Path.home() / ".cache" / "bonas"
