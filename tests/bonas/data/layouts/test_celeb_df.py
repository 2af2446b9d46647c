from pathlib import Path

import pytest

from bonas.data.audit import Verdict, pictures_of_folder
from bonas.data.audit.sharing import shared_people
from bonas.data.faces import DataError, Split
from bonas.data.layouts.celeb_df import LIST, list_celeb_df, people_of
from bonas.data.layouts.named import list_data
from bonas.data.layouts.reading import read_listing
from bonas.data.layouts.records import OnBadImage, Settings
from tests.bonas.data.pictures import originals, picture, video

TESTED = [
    "1 Celeb-real/id0_0000.mp4",
    "0 Celeb-synthesis/id1_id2_0000.mp4",
    "1 YouTube-real/00001.mp4",
]


def written(folder: Path, lines: list[str] = TESTED) -> Path:
    for person in range(8):
        other = (person + 1) % 8
        for take in range(2):
            picture(folder / "Celeb-real/frames" / f"id{person}_{take:04}" / "0.png", 10)
            name = f"id{person}_id{other}_{take:04}"
            picture(folder / "Celeb-synthesis/frames" / name / "0.png", 200)
    for number in range(8):
        picture(folder / "YouTube-real/frames" / f"{number:05}" / "0.png", 10)
    (folder / LIST).write_text("\n".join(lines) + "\n\n")
    return folder


def test_one_in_the_list_is_real_and_zero_forged(tmp_path: Path) -> None:
    data = read_listing(list_celeb_df(written(tmp_path), Settings()), 8, Settings())
    test = data.splits[Split.TEST]
    assert sorted(zip(test.labels.tolist(), test.originals, strict=True)) == [
        (0, "id0_0000"),
        (0, "youtube 00001"),
        (1, "id1_0000"),
    ]
    for faces in data.splits.values():
        assert (faces.images[:, 0, 0, 0] == 10 + 190 * faces.labels).all()


@pytest.mark.parametrize(
    ("name", "people"),
    [("id0_0000", ("id0",)), ("id1_id22_0003", ("id1", "id22")), ("00012", ()), ("id1_x", ())],
)
def test_people_are_target_and_source(name: str, people: tuple[str, ...]) -> None:
    assert people_of(name) == people


def test_every_celebrity_of_a_video_is_known_and_its_audit_warns(tmp_path: Path) -> None:
    folder = written(tmp_path)
    people = {r.path.parent.name: r.people for r in list_celeb_df(folder, Settings()).records}
    assert people["id0_0000"] == ("id0",)
    assert people["id3_id4_0001"] == ("id3", "id4")
    assert people["00001"] == ()
    (found,) = shared_people(pictures_of_folder(folder))
    assert found.verdict is Verdict.WARNING, "the published list divides takes, not people"
    assert ("id0" in {names[0] for names in found.files}) or found.count > len(found.files)


@pytest.mark.parametrize(
    "line", ["0 Celeb-real/id2_0000.mp4", "1 Celeb-synthesis/id2_id3_0000.mp4"]
)
def test_a_list_in_the_opposite_convention_is_refused(tmp_path: Path, line: str) -> None:
    with pytest.raises(DataError, match=r"line 4: label . contradicts the folder"):
        list_celeb_df(written(tmp_path, [*TESTED, line]), Settings())


def test_takes_of_the_test_teach_nothing_and_people_do_not_cross_into_val(tmp_path: Path) -> None:
    lines = [TESTED[0], "0 Celeb-synthesis/id1_id2_0000.mp4"]
    listing = list_celeb_df(written(tmp_path, lines), Settings())
    data = read_listing(listing, 8, Settings())
    train, val, test = originals(data)
    assert test == {"id0_0000", "id1_0000"}
    assert len(train | val | test) == len(train) + len(val) + len(test)
    assert "2 training videos left out" in listing.notes[-1]
    assert not {o.split("_")[0] for o in train} & {o.split("_")[0] for o in val}


def test_videos_of_both_real_folders_are_told_apart(tmp_path: Path) -> None:
    folder = written(tmp_path)
    picture(folder / "Celeb-real/frames/00001/0.png")
    listing = list_celeb_df(folder, Settings())
    assert len({r.video for r in listing.records}) == len(listing.records)


def test_video_files_are_read(tmp_path: Path) -> None:
    for number in range(5):
        video(tmp_path / f"Celeb-real/id{number}_0000.mp4", [20] * 3)
        video(tmp_path / f"Celeb-synthesis/id{number}_id9_0000.mp4", [200] * 3)
    (tmp_path / LIST).write_text("1 Celeb-real/id0_0000.mp4\n0 Celeb-synthesis/id0_id9_0000.mp4\n")
    test = read_listing(list_celeb_df(tmp_path, Settings()), 16, Settings()).splits[Split.TEST]
    assert test.labels.tolist() == [0] * 3 + [1] * 3
    assert test.images[:, 0, 8, 8].tolist() == pytest.approx([20] * 3 + [200] * 3, abs=4)


def test_videos_beside_extracted_frames_are_read_whole_and_said(tmp_path: Path) -> None:
    for number in range(5):
        video(tmp_path / f"Celeb-real/id{number}_0000.mp4", [20] * 3)
        name = f"id{number}_id9_0000"
        video(tmp_path / f"Celeb-synthesis/{name}.mp4", [200] * 3)
        if number:
            picture(tmp_path / f"Celeb-synthesis/frames/{name}/0.png", 200)
    (tmp_path / LIST).write_text("1 Celeb-real/id0_0000.mp4\n0 Celeb-synthesis/id0_id9_0000.mp4\n")
    [note] = [n for n in list_data(tmp_path, "auto", Settings()).notes if "read whole" in n]
    assert note.startswith("6 videos have no folder of frames and are read whole, such as id0_")


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("1 ../secret.mp4", "line 4: path '../secret.mp4' leaves the data folder"),
        ("1 /secret.mp4", "line 4: path '/secret.mp4' leaves the data folder"),
        ("2 Celeb-real/id2_0000.mp4", "line 4: .* is not of the form"),
        ("1 Elsewhere/id2_0000.mp4", "line 4: .* is not of the form"),
        ("nonsense", "line 4: 'nonsense' is not of the form"),
        ("1 Celeb-real/gone.mp4", r"line 4: the video '.*gone\.mp4' does not exist"),
    ],
)
def test_a_bad_line_is_named(tmp_path: Path, line: str, message: str) -> None:
    with pytest.raises(DataError, match=message):
        list_celeb_df(written(tmp_path, [*TESTED, line]), Settings())


def test_a_listed_video_that_is_gone_can_be_left_out(tmp_path: Path) -> None:
    folder = written(tmp_path, [*TESTED, "1 Celeb-real/gone.mp4"])
    settings = Settings(on_bad_image=OnBadImage.SKIP)
    assert len(list_celeb_df(folder, settings).missing) == 1


def test_a_missing_list_and_a_missing_folder_are_named(tmp_path: Path) -> None:
    (written(tmp_path) / LIST).unlink()
    with pytest.raises(DataError, match=r"List_of_testing_videos\.txt does not exist"):
        list_celeb_df(tmp_path, Settings())
    with pytest.raises(DataError, match="has no folder 'Celeb-synthesis'"):
        list_celeb_df(picture(tmp_path / "x/Celeb-real/a.png").parents[1], Settings())
