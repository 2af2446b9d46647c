import os
from pathlib import Path

import pytest

from bonas.data.faces import DataError, Split
from bonas.data.layouts.folders import found_in, group_of, list_folders
from bonas.data.layouts.reading import read_listing
from bonas.data.layouts.records import Settings
from tests.bonas.data.pictures import originals, picture, video

PEOPLE = ("anna", "berta", "clara", "dora", "emma", "frida", "greta", "hanna", "irma", "jana")


def written(folder: Path, real: str = "real", fake: str = "fake") -> Path:
    for number, person in enumerate(PEOPLE):
        picture(folder / real / f"{person}_1.png", number)
        picture(folder / real / f"{person.title()}_2.png", number)
        picture(folder / fake / person / "deep" / "x.png", 100 + number)
    return folder


@pytest.mark.parametrize(("real", "fake"), [("real", "fake"), ("Real", "FAKE")])
def test_both_classes_are_read_with_every_file_of_a_person_in_one_split(
    tmp_path: Path, real: str, fake: str
) -> None:
    listing = list_folders(written(tmp_path, real, fake), Settings())
    data = read_listing(listing, 8, Settings())
    train, val, test = originals(data)
    assert (len(train), len(val), len(test)) == (6, 2, 2)
    assert train | val | test == set(PEOPLE)
    for faces in data.splits.values():
        person = {name: number for number, name in enumerate(PEOPLE)}
        expected = [person[o] + 100 * y for o, y in zip(faces.originals, faces.labels, strict=True)]
        assert faces.images[:, 0, 0, 0].tolist() == expected
        assert faces.labels.float().mean() == pytest.approx(1 / 3)


def test_folders_of_methods_are_said_not_to_be_people(tmp_path: Path) -> None:
    """A common way to sort forgeries, by which they would all be of two people."""
    for number, person in enumerate(PEOPLE):
        picture(tmp_path / "real" / f"{person}.png", number)
        picture(tmp_path / "fake" / ("swap", "gan")[number % 2] / f"{person}.png", 100 + number)
    (note,) = (n for n in list_folders(tmp_path, Settings()).notes if "fake/" in n)
    assert note.startswith("fake/ has files of 2 group(s) (gan, swap) and none in val and test")
    assert "write a metadata.csv with the column forgery" in note
    whole = list_folders(written(tmp_path / "whole"), Settings())
    assert not any("none in" in n for n in whole.notes)


def test_real_faces_alone_are_a_data_set_unless_a_folder_may_be_misspelt(tmp_path: Path) -> None:
    for number, person in enumerate(PEOPLE):
        picture(tmp_path / "Real" / f"{person}.png", number)
    assert found_in(tmp_path)
    listing = list_folders(tmp_path, Settings())
    assert {(r.label, r.split) for r in listing.records} == {(0, split) for split in Split}
    assert "no folder fake/" in listing.notes
    picture(tmp_path / "fakes" / "anna.png")
    assert not found_in(tmp_path)
    with pytest.raises(DataError, match="has no folder 'fake'"):
        list_folders(tmp_path, Settings())


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="the system has no named pipes")
def test_only_regular_files_are_read_and_others_are_said(tmp_path: Path) -> None:
    """To open a pipe would wait for somebody who writes into it."""
    sound = list_folders(written(tmp_path), Settings())
    os.mkfifo(tmp_path / "real" / "anna_3.png")
    picture(tmp_path / "fake" / "berta.png" / "y.png")  # a folder with the name of an image
    (tmp_path / "real" / "anna_4.png").symlink_to(tmp_path / "real" / "gone.png")
    listing = list_folders(tmp_path, Settings())
    more = {r.path for r in listing.records} - {r.path for r in sound.records}
    assert more == {tmp_path / "fake" / "berta.png" / "y.png"}
    assert any(
        n.startswith("2 names left out: no regular files, such as ") and n.endswith("anna_3.png")
        for n in listing.notes
    )


def test_files_of_other_kinds_are_left_out_and_said(tmp_path: Path) -> None:
    """A class of photos whose format is not read would vanish without a word."""
    sound = list_folders(written(tmp_path), Settings())
    for name in ("anna.heic", "berta.avif", "._anna_1.png", ".DS_Store"):
        (tmp_path / "real" / name).write_bytes(b"x")
    picture(tmp_path / "fake" / "berta_9.png").rename(tmp_path / "fake" / "berta_9.jfif")
    listing = list_folders(tmp_path, Settings())
    more = {r.path for r in listing.records} - {r.path for r in sound.records}
    assert more == {tmp_path / "fake" / "berta_9.jfif"}
    said = f"2 files of other kinds left out, such as {tmp_path / 'real' / 'anna.heic'}"
    assert said in listing.notes
    for file in (tmp_path / "real").glob("*.png"):
        file.unlink()
    with pytest.raises(DataError, match=r"no images or videos\. Files such as .*anna\.heic are"):
        list_folders(tmp_path, Settings())


def test_folders_of_pictures_are_videos_and_of_their_people_still(tmp_path: Path) -> None:
    for number, person in enumerate(PEOPLE):
        picture(tmp_path / "real" / f"{person}_1.png", number)
        for frame in range(12):
            picture(tmp_path / "fake" / f"{person}_swap" / "cut" / f"{frame}.png", 20 * frame)
    picture(tmp_path / "fake" / "anna_alone" / "x.png")
    settings = Settings(frames_per_video=3)
    listing = list_folders(tmp_path, settings)
    of_anna = [r for r in listing.records if r.original == "anna"]
    assert len({r.split for r in of_anna}) == 1
    assert [(r.path.relative_to(tmp_path).as_posix(), r.video) for r in of_anna] == [
        ("real/anna_1.png", ""),
        ("fake/anna_alone/x.png", ""),
        *((f"fake/anna_swap/cut/{frame}.png", "fake/anna_swap/cut") for frame in (2, 6, 10)),
    ]
    assert "90 frames left out: data.frames_per_video is 3" in listing.notes
    faces = read_listing(listing, 8, settings).splits[Split.TEST]
    assert len(set(faces.videos) - {""}) == 2
    everything = list_folders(tmp_path, Settings())
    assert {(r.original, r.split) for r in everything.records} == {
        (r.original, r.split) for r in listing.records
    }


def test_the_split_is_a_function_of_the_names_and_the_seed(tmp_path: Path) -> None:
    folder = written(tmp_path)

    def tested(seed: int) -> set[str]:
        listing = list_folders(folder, Settings(split_seed=seed))
        return {r.original for r in listing.records if r.split is Split.TEST}

    assert tested(0) == tested(0)
    assert len({frozenset(tested(seed)) for seed in range(8)}) > 1


def test_people_without_a_forgery_reach_every_split(tmp_path: Path) -> None:
    for person in PEOPLE:
        picture(tmp_path / "real" / f"{person}.png")
        picture(tmp_path / "fake" / f"generated{person}.png")
    listing = list_folders(tmp_path, Settings())
    assert {(r.split, r.label) for r in listing.records} == {(s, y) for s in Split for y in (0, 1)}


@pytest.mark.parametrize(
    ("name", "group"),
    [("Anna_01.png", "anna"), ("000_003", "000"), ("00017.jpg", "00017"), ("_x.png", "_x.png")],
)
def test_a_group_is_what_stands_before_the_first_separator(name: str, group: str) -> None:
    assert group_of(name) == group


def test_names_that_say_nothing_of_the_person_are_refused(tmp_path: Path) -> None:
    for number in range(20):
        picture(tmp_path / "real" / f"img_{number}.png")
        picture(tmp_path / "fake" / f"img_{number}.png")
    with pytest.raises(DataError, match=r"form 1 group\(s\) \(img\), too few.*metadata\.csv"):
        list_folders(tmp_path, Settings())


def test_a_missing_a_doubled_and_an_empty_class_are_named(tmp_path: Path) -> None:
    picture(tmp_path / "real" / "a.png")
    (tmp_path / "fakes").mkdir()
    with pytest.raises(DataError, match="has no folder 'fake'"):
        list_folders(tmp_path, Settings())
    (tmp_path / "fakes").rename(tmp_path / "Fake")
    with pytest.raises(DataError, match="Fake has no images or videos"):
        list_folders(tmp_path, Settings())
    (tmp_path / "fake").mkdir()
    if len(list(tmp_path.iterdir())) == 3:  # the file system tells cases apart
        with pytest.raises(DataError, match="has both 'Fake' and 'fake'"):
            list_folders(tmp_path, Settings())


def test_a_class_of_links_to_nothing_is_told_what_they_are(tmp_path: Path) -> None:
    (written(tmp_path) / "none").mkdir()
    real = (tmp_path / "real").rename(tmp_path / "none" / "real")
    (tmp_path / "real").mkdir()
    (tmp_path / "real" / "anna.png").symlink_to(real / "missing.png")
    with pytest.raises(DataError, match=r"anna\.png is no file: a link to nothing"):
        list_folders(tmp_path, Settings())


def test_a_link_out_of_the_folder_is_refused(tmp_path: Path) -> None:
    folder = written(tmp_path / "data")
    (folder / "real" / "zoe.png").symlink_to(picture(tmp_path / "secret.png"))
    with pytest.raises(DataError, match=r"zoe\.png' leaves the data folder"):
        list_folders(folder, Settings())


def test_a_linked_folder_is_refused_and_a_hidden_one_is_no_data(tmp_path: Path) -> None:
    folder = written(tmp_path / "data")
    picture(folder / "real" / ".checkpoints" / "anna_1.png")
    assert len(list_folders(folder, Settings()).records) == 30
    picture(tmp_path / "elsewhere" / "a.png")
    (folder / "real" / "zoe").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(DataError, match=r"zoe' leaves the data folder"):
        list_folders(folder, Settings())


def test_a_video_gives_its_frames_spread_evenly(tmp_path: Path) -> None:
    for number, person in enumerate(PEOPLE):
        video(tmp_path / "real" / f"{person}.mp4", list(range(10, 250, 20)))
        picture(tmp_path / "fake" / f"{person}.png", number)
    settings = Settings(frames_per_video=3)
    data = read_listing(list_folders(tmp_path, settings), 16, settings)
    test = data.splits[Split.TEST]
    assert test.labels.tolist() == [0] * 6 + [1] * 2
    assert test.images[:3, 0, 8, 8].tolist() == pytest.approx([50, 130, 210], abs=4)
