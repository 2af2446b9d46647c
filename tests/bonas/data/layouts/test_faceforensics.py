import json
from pathlib import Path

import pytest

from bonas.data.faces import DataError, Split
from bonas.data.layouts.faceforensics import METHODS, list_faceforensics
from bonas.data.layouts.reading import read_listing
from bonas.data.layouts.records import OnBadImage, Settings
from tests.bonas.data.pictures import originals, picture, video

PAIRS = {"train": [["000", "003"], ["001", "870"]], "val": [["010", "011"]], "test": [["5", "6"]]}
ONE = Settings(frames_per_video=2)


def frames(folder: Path, count: int = 3, level: int = 0) -> None:
    for number in range(count):
        picture(folder / f"{number}.png", level)


def written(folder: Path, compression: str = "c23") -> Path:
    folder.mkdir(exist_ok=True)
    for split, pairs in PAIRS.items():
        (folder / f"{split}.json").write_text(json.dumps(pairs))
        for a, b in pairs:
            for one in (a, b):
                frames(folder / "original_sequences/youtube" / compression / "frames" / one)
            for method in METHODS[:5]:
                place = folder / "manipulated_sequences" / method / compression
                frames(place / "frames" / f"{a}_{b}", level=200)
                frames(place / "frames" / f"{b}_{a}", level=200)
                picture(place / "masks" / f"{a}_{b}" / "0.png")
    return folder


def test_every_method_is_a_domain_and_a_pair_is_one_original(tmp_path: Path) -> None:
    listing = list_faceforensics(written(tmp_path), ONE)
    data = read_listing(listing, 8, ONE)
    assert originals(data) == [{"000_003", "001_870"}, {"010_011"}, {"5_6"}]
    assert data.splits[Split.TRAIN].forgeries == tuple(sorted(m.lower() for m in METHODS[:5]))
    for faces in data.splits.values():
        assert (faces.images[:, 0, 0, 0] == 200 * faces.labels).all()
    assert len(data.splits[Split.TEST]) == 2 * (2 + 5 * 2)


def test_masks_belong_to_the_frame_of_their_name(tmp_path: Path) -> None:
    masked = [r for r in list_faceforensics(written(tmp_path), Settings()).records if r.mask]
    assert len(masked) == 5 * 4
    for record in masked:
        assert record.mask is not None
        assert record.label == 1
        assert (record.mask.parent.name, record.mask.name) == (
            record.path.parent.name,
            record.path.name,
        )


def test_frames_as_the_data_sets_own_script_extracts_them_are_read(tmp_path: Path) -> None:
    before = list_faceforensics(written(tmp_path), ONE).records
    for place in list(tmp_path.glob("*/*/c23/frames")):
        place.rename(place.with_name("images"))
    after = list_faceforensics(tmp_path, ONE).records
    assert [Path(str(r.path).replace("/images/", "/frames/")) for r in after] == [
        r.path for r in before
    ]


def test_a_folder_without_videos_is_said_with_what_was_looked_for(tmp_path: Path) -> None:
    method = written(tmp_path) / "manipulated_sequences/FaceSwap/c23"
    (method / "frames").rename(method / "stills")
    message = (
        f"{method} has no videos: looked for folders of "
        "images in frames/ and images/, and for video files in videos/"
    )
    assert message in list_faceforensics(tmp_path, ONE).notes
    for place in list(tmp_path.glob("*/*/c23/frames")):
        place.rename(place.with_name("stills"))
    with pytest.raises(DataError, match=r"youtube/c23 has no videos: looked for.*images/"):
        list_faceforensics(tmp_path, ONE)


def test_frames_of_masks_belong_to_the_frame_of_their_name(tmp_path: Path) -> None:
    method = written(tmp_path) / "manipulated_sequences" / "FaceSwap"
    for number in (0, 2):
        picture(method / "masks" / "frames" / "000_003" / f"{number}.png")
    records = list_faceforensics(tmp_path, Settings()).records
    of_clip = [r for r in records if r.path.parent == method / "c23" / "frames" / "000_003"]
    masks = [None if r.mask is None else r.mask.relative_to(method).as_posix() for r in of_clip]
    assert masks == ["masks/frames/000_003/0.png", None, "masks/frames/000_003/2.png"]


def test_ids_of_two_splits_never_meet_in_a_video(tmp_path: Path) -> None:
    frames(written(tmp_path) / "manipulated_sequences/Deepfakes/c23/frames/000_010")
    frames(tmp_path / "original_sequences/youtube/c23/frames/999")
    listing = list_faceforensics(tmp_path, ONE)
    assert not [r for r in listing.records if r.path.parent.name in ("000_010", "999")]
    assert "1 videos left out: made of faces of two splits" in listing.notes
    assert "1 videos left out: of no pair in the split files" in listing.notes
    ids: dict[str, Split] = {}
    for record in listing.records:
        assert record.people == tuple(record.path.parent.name.split("_"))
        for one in record.people:
            assert ids.setdefault(one, record.split) is record.split


def test_the_compression_is_chosen(tmp_path: Path) -> None:
    written(tmp_path, "c40")
    with pytest.raises(DataError, match=r"compression 'c23'; it has c40\. Set data\.compression"):
        list_faceforensics(tmp_path, Settings())
    listing = list_faceforensics(tmp_path, Settings(compression="c40"))
    assert all("c40" in r.path.parts for r in listing.records)


def test_a_method_without_the_compression_is_said_to_be_left_out(tmp_path: Path) -> None:
    place = written(tmp_path) / "manipulated_sequences" / "FaceSwap"
    (place / "c23").rename(place / "c40")
    listing = list_faceforensics(tmp_path, ONE)
    assert "FaceSwap left out: it has no c23" in listing.notes
    assert "faceswap" not in {r.forgery for r in listing.records}


def test_actors_never_cross_the_made_splits(tmp_path: Path) -> None:
    actors = [f"{n:02}" for n in range(1, 11)]
    for a in actors:
        frames(tmp_path / "original_sequences/actors/c23/frames" / f"{a}__hall", 1)
        for b in actors:
            if a != b:
                place = tmp_path / "manipulated_sequences/DeepFakeDetection/c23/frames"
                frames(place / f"{a}_{b}__hall__ABC", 1)
    listing = list_faceforensics(tmp_path, ONE)
    seen: dict[str, Split] = {}
    for record in listing.records:
        for actor in record.path.parent.name.partition("__")[0].split("_"):
            assert seen.setdefault(actor, record.split) is record.split
    assert {(r.split, r.label) for r in listing.records} == {(s, y) for s in Split for y in (0, 1)}
    kept = sum(r.label for r in listing.records)
    assert f"{90 - kept} videos left out: made of faces of two splits" in listing.notes


def test_videos_are_read_with_the_masks_that_are_videos(tmp_path: Path) -> None:
    for split, ((a, b), *_) in PAIRS.items():
        (tmp_path / f"{split}.json").write_text(json.dumps([[a, b]]))
        video(tmp_path / f"original_sequences/youtube/c23/videos/{a}.mp4", [20] * 5)
        method = tmp_path / "manipulated_sequences/FaceSwap"
        video(method / f"c23/videos/{a}_{b}.mp4", [200] * 5)
        video(method / f"masks/videos/{a}_{b}.mp4", [255] * 5)
    listing = list_faceforensics(tmp_path, ONE)
    assert [r.mask is not None for r in listing.records] == [bool(r.label) for r in listing.records]
    test = read_listing(listing, 16, ONE).splits[Split.TEST]
    assert test.labels.tolist() == [0, 0, 1, 1]
    assert test.images[:, 0, 8, 8].tolist() == pytest.approx([20, 20, 200, 200], abs=4)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, r"val\.json does not exist.*copy the three split files"),
        ("[[", r"val\.json is not readable as JSON"),
        ("{}", r"val\.json must be a list of pairs"),
        ('[["010", 11]]', r"val\.json, entry 0: \['010', 11\] is not a pair"),
        ('[["000", "010"]]', r"val\.json, entry 0: '000' lies in two splits, 'train' and 'val'"),
    ],
)
def test_a_bad_split_file_is_named(tmp_path: Path, content: str | None, message: str) -> None:
    written(tmp_path)
    file = tmp_path / "val.json"
    file.unlink() if content is None else file.write_text(content)
    with pytest.raises(DataError, match=message):
        list_faceforensics(tmp_path, Settings())


def test_an_empty_folder_of_frames_is_an_error_or_named(tmp_path: Path) -> None:
    (written(tmp_path) / "original_sequences/youtube/c23/frames/5/0.png").parent.mkdir(
        exist_ok=True
    )
    for file in (tmp_path / "original_sequences/youtube/c23/frames/5").iterdir():
        file.unlink()
    with pytest.raises(DataError, match=r"c23: its video '5' has no images.*on_bad_image"):
        list_faceforensics(tmp_path, Settings())
    skipping = Settings(on_bad_image=OnBadImage.SKIP)
    assert len(list_faceforensics(tmp_path, skipping).missing) == 1


def test_a_link_out_of_the_data_is_refused(tmp_path: Path) -> None:
    folder = written(tmp_path / "data")
    frames(tmp_path / "elsewhere")
    place = folder / "original_sequences/youtube/c23/frames/5"
    for file in place.iterdir():
        file.unlink()
    place.rmdir()
    place.symlink_to(tmp_path / "elsewhere")
    with pytest.raises(DataError, match="leaves the data folder"):
        list_faceforensics(folder, Settings())
