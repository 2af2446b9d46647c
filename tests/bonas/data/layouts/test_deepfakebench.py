import json
import re
from pathlib import Path
from typing import Any

import pytest

from bonas.data.faces import DataError, Split
from bonas.data.layouts.deepfakebench import list_deepfakebench
from bonas.data.layouts.reading import read_listing
from bonas.data.layouts.records import OnBadImage, Settings
from tests.bonas.data.pictures import originals, picture

PAIRS = {"train": ("000", "003"), "val": ("010", "011"), "test": ("020", "021")}


def write(folder: Path, document: Any, name: str = "FF") -> Path:
    (folder / "dataset_json").mkdir(parents=True, exist_ok=True)
    (folder / "dataset_json" / f"{name}.json").write_text(json.dumps(document))
    return folder


def entry(folder: Path, label: str, place: str, level: int, slash: str = "/") -> dict[str, Any]:
    """An entry with three frames that exist, listed in no order."""
    frames = [f"{place}/{n}.png" for n in (10, 9, 1)]
    for frame in frames:
        picture(folder / frame, level)
    return {"label": label, "frames": [frame.replace("/", slash) for frame in frames]}


def faceforensics(folder: Path, *, images: str = "rgb", slash: str = "/") -> dict[str, Any]:
    labels: dict[str, Any] = {"FF-real": {}, "FF-DF": {}}
    for split, (a, b) in PAIRS.items():
        for label, names in (("FF-real", (a, b)), ("FF-DF", (f"{a}_{b}", f"{b}_{a}"))):
            base, level = f"FaceForensics++/{label}/c23/frames", 200 * (label == "FF-DF")
            videos = {n: entry(folder / images, label, f"{base}/{n}", level, slash) for n in names}
            labels[label][split] = {"c23": videos, "c40": {}}
    return {"FF": labels}


@pytest.mark.parametrize("slash", ["/", "\\"])
@pytest.mark.parametrize("images", ["", "rgb", "datasets/rgb"])
def test_frames_are_found_with_any_slashes_in_any_place(
    tmp_path: Path, slash: str, images: str
) -> None:
    folder = write(tmp_path, faceforensics(tmp_path, images=images, slash=slash))
    listing = list_deepfakebench(folder, Settings())
    data = read_listing(listing, 8, Settings())
    assert data.name == "FF"
    assert originals(data) == [{"000"}, {"010"}, {"020"}]
    for faces in data.splits.values():
        assert (faces.images[:, 0, 0, 0] == 200 * faces.labels).all()
        assert faces.labels.tolist() == [0] * 6 + [1] * 6
    assert {r.forgery for r in listing.records} == {"real", "ff-df"}
    assert [r.path.name for r in listing.records[:3]] == ["1.png", "9.png", "10.png"]


def test_an_entry_without_frames_is_said_to_list_none(tmp_path: Path) -> None:
    document = faceforensics(tmp_path)
    document["FF"]["FF-DF"]["test"]["c23"]["021_020"]["frames"] = []
    folder = write(tmp_path, document)
    message = r"FF-DF, test, 021_020: lists no frames"
    with pytest.raises(DataError, match=message):
        list_deepfakebench(folder, Settings())
    (missing,) = list_deepfakebench(folder, Settings(on_bad_image=OnBadImage.SKIP)).missing
    assert re.search(message, missing)


def test_a_frame_whose_name_is_a_number_of_thousands_of_digits_is_named(tmp_path: Path) -> None:
    document = faceforensics(tmp_path)
    document["FF"]["FF-DF"]["test"]["c23"]["021_020"]["frames"] = ["frames/v/" + "1" * 5000, "2"]
    message = r"FF\.json, FF-DF, test, 021_020: 'frames/v/1+' is no usable path \([^/]*\)\.$"
    with pytest.raises(DataError, match=message):
        list_deepfakebench(write(tmp_path, document), Settings())


def test_people_are_told_by_the_rules_of_the_names(tmp_path: Path) -> None:
    records = list_deepfakebench(write(tmp_path, faceforensics(tmp_path)), Settings()).records
    people = {r.path.parent.name: r.people for r in records}
    assert people["021_020"] == ("021", "020")
    assert people["021"] == ("021",)
    for name, expected in (
        ("id1_id2_0003", ("id1", "id2")),
        ("03_14__walking__X", ("actor 03", "actor 14")),
        ("03__talking", ("actor 03",)),
        ("abcdef", ()),
    ):
        videos = {name: entry(tmp_path / name, "A_real", f"a/{name}", 0)}
        document = {"A": {"A_real": {"test": videos}}}
        (record, *_) = list_deepfakebench(write(tmp_path / name, document), Settings()).records
        assert record.people == expected


def test_masks_lie_beside_frames(tmp_path: Path) -> None:
    folder = write(tmp_path, faceforensics(tmp_path))
    mask = picture(tmp_path / "rgb/FaceForensics++/FF-DF/c23/masks/000_003/9.png")
    [masked] = [r for r in list_deepfakebench(folder, Settings()).records if r.mask]
    assert masked.mask == mask
    assert masked.path.name == "9.png"


def test_few_frames_of_each_video_can_be_taken(tmp_path: Path) -> None:
    folder = write(tmp_path, faceforensics(tmp_path))
    assert len(list_deepfakebench(folder, Settings(frames_per_video=1)).records) == 12


def test_a_compression_that_is_not_listed_is_named(tmp_path: Path) -> None:
    folder = write(tmp_path, faceforensics(tmp_path))
    with pytest.raises(DataError, match=r"FF-real, train has no compression 'raw', only c23, c40"):
        list_deepfakebench(folder, Settings(compression="raw"))


def celeb(folder: Path) -> dict[str, Any]:
    """As published: everything trains, and the tested videos are val and test besides."""
    labels: dict[str, Any] = {}
    for label, names, level in (
        ("CelebDFv2_real", [f"id{n}_0000" for n in range(9)], 0),
        ("CelebDFv2_fake", [f"id{n}_id{n + 1}_0000" for n in range(9)], 200),
    ):
        videos = {n: entry(folder, label, f"Celeb/{label}/frames/{n}", level) for n in names}
        tested = {names[0]: videos[names[0]]}
        labels[label] = {"train": videos, "val": tested, "test": tested}
    return {"Celeb-DF-v2": labels}


def test_overlapping_splits_are_parted_for_the_test(tmp_path: Path) -> None:
    listing = list_deepfakebench(write(tmp_path, celeb(tmp_path)), Settings())
    train, val, test = originals(read_listing(listing, 8, Settings()))
    assert test == {"id0_0000"}
    assert len(val) == 2
    assert train | val == {f"id{n}_0000" for n in range(1, 9)}
    assert not train & val
    assert "4 entries left out" in listing.notes[0]


def test_a_data_set_that_is_the_same_in_all_splits_is_a_test_set(tmp_path: Path) -> None:
    document: dict[str, Any] = {"DFD": {}}
    for label, name in (("DFD_real", "01__hall"), ("DFD_fake", "01_02__hall__ABC")):
        videos = {name: entry(tmp_path, label, f"DFD/frames/{name}", 0)}
        document["DFD"][label] = dict.fromkeys(("train", "val", "test"), videos)
    data = read_listing(list_deepfakebench(write(tmp_path, document), Settings()), 8, Settings())
    assert set(data.splits) == {Split.TEST}
    assert set(data.splits[Split.TEST].originals) == {"actor 01"}


def test_missing_frames_are_an_error_or_counted(tmp_path: Path) -> None:
    folder = write(tmp_path, faceforensics(tmp_path))
    for number in (1, 9):
        (tmp_path / f"rgb/FaceForensics++/FF-DF/c23/frames/021_020/{number}.png").unlink()
    message = r"FF-DF, test, 021_020: 2 of 3 frames are missing, the first is .*021_020/1\.png"
    with pytest.raises(DataError, match=message):
        list_deepfakebench(folder, Settings())
    listing = list_deepfakebench(folder, Settings(on_bad_image=OnBadImage.SKIP))
    assert len(listing.missing) == 1
    assert len(listing.records) == 36 - 2


@pytest.mark.parametrize(
    "frame", ["../../secret.png", "/secret.png", "..\\..\\secret.png", "l.png"]
)
def test_a_frame_that_leaves_the_folder_is_refused(tmp_path: Path, frame: str) -> None:
    folder = tmp_path / "data"
    document = faceforensics(folder)
    document["FF"]["FF-DF"]["test"]["c23"]["020_021"]["frames"].append(frame)
    picture(tmp_path / "secret.png")
    (folder / "rgb" / "l.png").symlink_to(tmp_path / "secret.png")
    with pytest.raises(DataError, match=r"FF-DF, test, 020_021: path .* leaves the data folder"):
        list_deepfakebench(write(folder, document), Settings())


@pytest.mark.parametrize(
    ("document", "message"),
    [
        ([], "must be an object with one key"),
        ({"A": {}, "B": {}}, "must be an object with one key"),
        ({"A": {"A_real": []}}, r"A\.json, A_real: must be an object"),
        ({"A": {"A_real": {"dev": {}}}}, "A_real, dev: a split must be one of"),
        ({"A": {"A_real": {"test": {"v": {"label": "A_real"}}}}}, "v: the column 'frames' must"),
        ({"A": {"A_real": {"test": {"v": {"frames": []}}}}}, "v: the column 'label' is missing"),
        (
            {"A": {"A_real": {"test": {"v": {"label": "A_fake", "frames": []}}}}},
            "its label 'A_fake' contradicts",
        ),
        ({"A": {"A_fake": {"test": {}}}}, r"none of its labels \(A_fake\) ends in 'real'"),
    ],
)
def test_a_list_of_another_form_is_named(tmp_path: Path, document: Any, message: str) -> None:
    with pytest.raises(DataError, match=message):
        list_deepfakebench(write(tmp_path, document, "A"), Settings())


def test_one_of_several_lists_is_named_by_its_file(tmp_path: Path) -> None:
    folder = write(tmp_path, faceforensics(tmp_path))
    write(folder, celeb(tmp_path), "Celeb-DF-v2")
    with pytest.raises(DataError, match=r"has 2 lists .*\(Celeb-DF-v2\.json, FF\.json\)"):
        list_deepfakebench(folder, Settings())
    assert list_deepfakebench(folder / "dataset_json/FF.json", Settings()).name == "FF"


def test_a_split_that_is_one_video_is_left_out_and_noted(tmp_path: Path) -> None:
    document = celeb(tmp_path)
    labels = document["Celeb-DF-v2"]
    labels["CelebDFv2_fake"]["val"] = labels["CelebDFv2_fake"]["test"]["id0_id1_0000"]
    listing = list_deepfakebench(write(tmp_path, document), Settings())
    assert listing.notes[0].startswith("CelebDFv2_fake, val: left out")
