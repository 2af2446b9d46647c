import json
from pathlib import Path
from typing import Any

import pytest

from bonas.data.faces import DataError, Split
from bonas.data.layouts.dfdc import list_dfdc
from bonas.data.layouts.dfdc_preview import list_dfdc_preview
from bonas.data.layouts.reading import read_listing
from bonas.data.layouts.records import Listing, OnBadImage, Settings
from tests.bonas.data.pictures import originals, picture, video


def part(folder: Path, start: int, count: int, split: str = "train") -> dict[str, Any]:
    """A part with `count` real videos, as frames, and a forgery of each."""
    table: dict[str, Any] = {}
    for number in range(start, start + count):
        real, fake = f"r{number}.mp4", f"f{number}.mp4"
        table[real] = {"label": "REAL", "original": None, "split": split}
        table[fake] = {"label": "fake", "original": real, "split": split}
        for name, level in ((f"r{number}", 0), (f"f{number}", 200)):
            picture(folder / "frames" / name / "0.png", level)
    (folder / "metadata.json").write_text(json.dumps(table))
    return table


def test_parts_are_joined_and_a_forgery_stays_with_its_original(tmp_path: Path) -> None:
    part(tmp_path / "dfdc_train_part_0", 0, 5)
    part(tmp_path / "dfdc_train_part_10", 5, 5)
    listing = list_dfdc(tmp_path, Settings())
    data = read_listing(listing, 8, Settings())
    assert [len(found) for found in originals(data)] == [6, 2, 2]
    assert set().union(*originals(data)) == {f"r{n}.mp4" for n in range(10)}
    for faces in data.splits.values():
        assert (faces.images[:, 0, 0, 0] == 200 * faces.labels).all()
        assert faces.labels.float().mean() == 0.5
    assert "the splits are made" in listing.notes[0]


def test_splits_that_the_tables_state_are_kept(tmp_path: Path) -> None:
    for number, split in enumerate(("train", "VALIDATION", "test")):
        part(tmp_path / f"dfdc_train_part_{number}", 3 * number, 3, split)
    listing = list_dfdc(tmp_path, Settings())
    assert {(r.path.parents[2].name[-1], r.split) for r in listing.records} == {
        ("0", Split.TRAIN),
        ("1", Split.VAL),
        ("2", Split.TEST),
    }
    assert not listing.notes


def test_a_validation_split_is_made_where_the_tables_state_none(tmp_path: Path) -> None:
    part(tmp_path / "dfdc_train_part_0", 0, 8, "train")
    part(tmp_path / "dfdc_train_part_1", 8, 3, "test")
    listing = list_dfdc(tmp_path, Settings())
    train, val, test = originals(read_listing(listing, 8, Settings()))
    assert (len(train), len(val), len(test)) == (6, 2, 3)
    assert test == {f"r{n}.mp4" for n in range(8, 11)}
    assert listing.notes == ("val is made of 2 of 8 training groups (data.split_seed = 0)",)


def test_a_part_alone_with_videos_is_read(tmp_path: Path) -> None:
    table = {}
    for number in range(4):
        video(tmp_path / f"r{number}.mp4", [20] * 4)
        video(tmp_path / f"f{number}.mp4", [200] * 4)
        table[f"r{number}.mp4"] = {"label": "REAL", "split": "train"}
        table[f"f{number}.mp4"] = {"label": "FAKE", "split": "train", "original": f"r{number}.mp4"}
    (tmp_path / "metadata.json").write_text(json.dumps(table))
    settings = Settings(frames_per_video=3)
    test = read_listing(list_dfdc(tmp_path, settings), 16, settings).splits[Split.TEST]
    assert test.labels.tolist() == [0] * 3 + [1] * 3
    assert test.images[:, 0, 8, 8].tolist() == pytest.approx([20] * 3 + [200] * 3, abs=4)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"label": None}, r"'f0\.mp4': the column 'label' is missing"),
        ({"label": "maybe"}, r"'f0\.mp4': label is 'maybe'; it must be REAL or FAKE"),
        ({"original": None}, r"'f0\.mp4': the column 'original' is missing"),
        ({"split": ""}, r"'f0\.mp4': the column 'split' is missing"),
        ({"split": "dev"}, r"'f0\.mp4': split is 'dev'"),
        ({"split": "test"}, r"original 'r0\.mp4' lies in two splits"),
    ],
)
def test_a_bad_entry_is_named(tmp_path: Path, change: dict[str, Any], message: str) -> None:
    table = part(tmp_path, 0, 4)
    table["f0.mp4"] |= change
    (tmp_path / "metadata.json").write_text(json.dumps(table))
    with pytest.raises(DataError, match=message):
        list_dfdc(tmp_path, Settings())


@pytest.mark.parametrize("name", ["../x.mp4", "/etc/passwd", "..\\x.mp4", "link.mp4", "a\0.mp4"])
def test_a_name_that_leaves_the_folder_is_refused(tmp_path: Path, name: str) -> None:
    folder = tmp_path / "data"
    table = part(folder, 0, 4)
    (tmp_path / "x.mp4").write_bytes(b"secret")
    (folder / "link.mp4").symlink_to(tmp_path / "x.mp4")
    table[name] = {"label": "REAL", "split": "train"}
    (folder / "metadata.json").write_text(json.dumps(table))
    with pytest.raises(DataError, match=r"metadata\.json.*(leaves the data|no usable path)"):
        list_dfdc(folder, Settings())


def test_a_missing_video_is_an_error_or_named(tmp_path: Path) -> None:
    table = part(tmp_path, 0, 4)
    table["gone.mp4"] = {"label": "REAL", "split": "train"}
    (tmp_path / "metadata.json").write_text(json.dumps(table))
    with pytest.raises(DataError, match=r"'gone\.mp4': the video does not exist"):
        list_dfdc(tmp_path, Settings())
    [missing] = list_dfdc(tmp_path, Settings(on_bad_image=OnBadImage.SKIP)).missing
    assert "gone.mp4" in missing


@pytest.mark.parametrize("content", ["", "[1]", '{"a.mp4": 1}', "[" * 100_000, "\ufeff{"])
def test_a_table_of_another_form_is_named(tmp_path: Path, content: str) -> None:
    (tmp_path / "metadata.json").write_text(content, encoding="utf-8")
    with pytest.raises(DataError, match=r"metadata\.json (is not readable|must be an object)"):
        list_dfdc(tmp_path, Settings())


def test_a_torn_video_is_an_error_or_a_named_skip(tmp_path: Path) -> None:
    table = part(tmp_path, 0, 4)
    video(tmp_path / "torn.mp4", [20] * 4).write_bytes(b"")
    table["torn.mp4"] = {"label": "REAL", "split": "train"}
    (tmp_path / "metadata.json").write_text(json.dumps(table))
    with pytest.raises(DataError, match=r"torn\.mp4: unreadable video.*on_bad_image"):
        read_listing(list_dfdc(tmp_path, Settings()), 8, Settings())
    skipping = Settings(on_bad_image=OnBadImage.SKIP)
    assert len(read_listing(list_dfdc(tmp_path, skipping), 8, skipping).skipped) == 1


def preview(folder: Path, entries: list[tuple[str, str, str, str | None]]) -> Listing:
    table = {}
    for number, (label, given, target, swapped) in enumerate(entries):
        name = f"{'original_videos' if label == 'real' else 'method_A'}/{target}/{number}.mp4"
        table[name] = {"label": label, "set": given, "target_id": target, "swapped_id": swapped}
        picture(folder / Path(name).parent / "frames" / str(number) / "0.png")
    (folder / "dataset.json").write_text(json.dumps(table))
    return list_dfdc_preview(folder, Settings())


def test_people_of_the_preview_are_target_and_source(tmp_path: Path) -> None:
    listing = preview(tmp_path, [("real", "test", "20", None), ("fake", "test", "20", "21")])
    assert [r.people for r in listing.records] == [
        ("person 20",),
        ("person 20", "person 21"),
    ]


def test_people_of_the_previews_test_are_in_no_training_video(tmp_path: Path) -> None:
    train = [
        (y, "train", str(n), None if y == "real" else "9")
        for n in range(8)
        for y in ("real", "fake")
    ]
    listing = preview(
        tmp_path,
        [
            *train,
            ("real", "test", "20", None),
            ("fake", "test", "20", "21"),
            ("fake", "train", "1", "20"),
            ("real", "train", "21", None),
        ],
    )
    assert "2 videos left out: their people are in a stricter split" in listing.notes
    people = {s: {r.original for r in listing.records if r.split is s} for s in Split}
    assert people[Split.TEST] == {"person 20"}
    assert len(people[Split.VAL]) == 2
    assert len(people[Split.TRAIN]) == 6
    assert {r.forgery for r in listing.records} == {"real", "method_a"}


def test_a_forgery_below_a_folder_called_real_is_refused(tmp_path: Path) -> None:
    entry = {"label": "fake", "set": "train", "target_id": "1", "swapped_id": "2"}
    picture(tmp_path / "Real" / "frames" / "a" / "0.png")
    (tmp_path / "dataset.json").write_text(json.dumps({"Real/a.mp4": entry}))
    with pytest.raises(DataError, match=r"'Real/a\.mp4': forgery is 'real', but its label is FAKE"):
        list_dfdc_preview(tmp_path, Settings())


def test_a_preview_entry_without_its_person_is_named(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="the column 'swapped_id' is missing"):
        preview(tmp_path, [("fake", "train", "1", None)])
