from collections.abc import Sequence
from pathlib import Path

import pytest
import torch

from bonas.config import DataTable
from bonas.data.faces import REAL, DataError
from bonas.data.layouts.records import OnBadImage
from bonas.data.pseudo_forged import PSEUDO
from bonas.data.source import load_search_data
from bonas.robustness.conditions import Condition, Group
from tests.bonas.data.pictures import picture

BOTH = dict.fromkeys(("train", "val", "test"), "REAL,FAKE")


def folder_of(place: Path, kinds: dict[str, str], types: Sequence[str] = ("",)) -> Path:
    """Four people per split with an image of each kind, such as {"train": "REAL,FAKE"}.

    Every type of forgery has a row for each of these people.
    """
    rows = ["path,label,original,split,forgery"]
    for split, labels in kinds.items():
        for person in range(4):
            for label in labels.split(","):
                for number, kind in enumerate(types):
                    name = f"{split}{person}{label}{number}.png"
                    picture(place / name, 20 * person + 5 * (label == "FAKE") + number)
                    rows.append(f"{name},{label},{split}{person},{split},{kind}")
    (place / "metadata.csv").write_text("\n".join(rows) + "\n")
    return place


def test_training_on_real_faces_needs_no_forged_ones(tmp_path: Path) -> None:
    kinds = {"train": "REAL", "val": "REAL,FAKE", "test": "REAL,FAKE"}
    table = DataTable(path=folder_of(tmp_path / "d", kinds), size=32, real_only=True)
    data = load_search_data(table, seed=0)
    assert data.train.domains == (REAL,) * 4 + (PSEUDO,) * 4
    assert data.train.labels.tolist() == [0] * 4 + [1] * 4
    assert torch.equal(data.train.images[:4], data.train.images[4:])
    assert data.val.forgeries == (PSEUDO,), "what is called clean was trained on"
    assert data.val.labels.tolist() == [0] * 4 + [1] * 4
    assert data.unseen_val["fake"].forgeries == ("fake",)


def test_no_split_needs_forged_images_where_blends_stand_in_for_them(tmp_path: Path) -> None:
    kinds = dict.fromkeys(BOTH, "REAL")
    table = DataTable(path=folder_of(tmp_path / "d", kinds), size=32, real_only=True)
    data = load_search_data(table, seed=0)
    assert data.test is not None
    assert data.val.forgeries == data.test.forgeries == (PSEUDO,)
    assert data.unseen_val == data.unseen_test == {}
    with pytest.raises(DataError, match="Real and forged images are both needed"):
        load_search_data(table.model_copy(update={"real_only": False}), seed=0)


def test_without_real_faces_to_score_on_there_is_an_error(tmp_path: Path) -> None:
    kinds = BOTH | {"val": "FAKE"}
    table = DataTable(path=folder_of(tmp_path / "d", kinds), size=32, real_only=True)
    with pytest.raises(DataError, match="images of the split 'val' are forged"):
        load_search_data(table, seed=0)


@pytest.mark.parametrize("further", [{}, {"unseen": ("swap",)}, {"pseudo_forgeries": True}])
def test_without_forged_training_faces_every_type_is_unseen(
    tmp_path: Path, further: dict[str, object]
) -> None:
    path = folder_of(tmp_path / "d", BOTH, ("swap", "other"))
    table = DataTable(path=path, size=32, real_only=True).model_copy(update=further)
    data = load_search_data(table, seed=0)
    assert data.test is not None
    assert {data.train.forgeries, data.val.forgeries, data.test.forgeries} == {(PSEUDO,)}
    for unseen in (data.unseen_val, data.unseen_test):
        assert {name: faces.forgeries for name, faces in unseen.items()} == {
            "swap": ("swap",),
            "other": ("other",),
        }


def test_no_forged_training_face_is_used_where_there_are_some(tmp_path: Path) -> None:
    table = DataTable(path=folder_of(tmp_path / "d", BOTH), size=32, real_only=True)
    data = load_search_data(table, seed=0)
    assert len(data.train) == 8
    assert data.train.forgeries == (PSEUDO,)


def test_without_real_training_faces_there_is_nothing_to_blend(tmp_path: Path) -> None:
    kinds = {"train": "FAKE", "val": "REAL,FAKE", "test": "REAL,FAKE"}
    table = DataTable(path=folder_of(tmp_path / "d", kinds), size=32, real_only=True)
    with pytest.raises(DataError, match="has no real images in the split 'train'"):
        load_search_data(table, seed=0)


def test_two_data_sets_of_one_name_are_two_conditions(tmp_path: Path) -> None:
    path = folder_of(tmp_path / "main", BOTH)
    seen = [folder_of(tmp_path / name / "faces", BOTH) for name in ("a", "b")]
    tested = [folder_of(tmp_path / name / "faces", BOTH) for name in ("c", "d")]
    table = DataTable(path=path, size=32, unseen_data=tuple(seen), test=tuple(tested))
    data = load_search_data(table, seed=0)
    assert list(data.unseen_val) == ["a-faces", "b-faces"]
    assert list(data.unseen_test) == ["a-faces", "b-faces", "c-faces", "d-faces"]
    turned = table.model_copy(update={"unseen_data": tuple(reversed(seen))})
    assert set(load_search_data(turned, seed=0).unseen_val) == {"a-faces", "b-faces"}


@pytest.mark.parametrize(
    "further", [{"unseen_data": 2}, {"test": 2}, {"unseen_data": 1, "test": 1}]
)
def test_a_data_set_is_named_once(tmp_path: Path, further: dict[str, int]) -> None:
    other = folder_of(tmp_path / "other", BOTH)
    table = DataTable(path=folder_of(tmp_path / "main", BOTH), size=32)
    named = table.model_copy(update={key: (other,) * times for key, times in further.items()})
    with pytest.raises(DataError, match=r"other', which is named already; .*Name it once"):
        load_search_data(named, seed=0)


@pytest.mark.parametrize("name", ["main", "link"])
def test_the_data_that_are_trained_on_are_no_unseen_data(tmp_path: Path, name: str) -> None:
    path = folder_of(tmp_path / "main", BOTH)
    (tmp_path / "link").symlink_to(path)
    table = DataTable(path=path, size=32, unseen_data=(tmp_path / name,))
    with pytest.raises(
        DataError, match=rf"{name}', which is named already; what is trained on is not"
    ):
        load_search_data(table, seed=0)
    tested = DataTable(path=path, size=32, test=(tmp_path / name,))
    assert load_search_data(tested, seed=0).unseen_test.keys() == {"main"}, "reported as seen"


def test_names_of_any_characters_become_names_of_conditions(tmp_path: Path) -> None:
    path = folder_of(tmp_path / "main", BOTH, ("face swap", "nerf/2"))
    mine = folder_of(tmp_path / "my (own) data", BOTH)
    table = DataTable(path=path, size=32, unseen=("face swap",), test=(mine,))
    data = load_search_data(table, seed=0)
    assert list(data.unseen_val) == ["face-swap"]
    assert list(data.unseen_test) == ["face-swap", "my-own-data"]
    assert data.unseen_test["face-swap"].forgeries == ("face swap",)
    assert data.train.forgeries == ("nerf/2",)
    for name in data.unseen_test:
        assert Condition(Group.UNSEEN, name).key == f"unseen/{name}"


@pytest.mark.parametrize(
    ("types", "message"),
    [
        (("face swap", "face-swap", "other"), "'face swap' and 'face-swap' would both be"),
        (("換臉", "other"), "forgery type '換臉' cannot name a condition"),
        (("clean", "other"), "forgery type 'clean' cannot name a condition"),
    ],
)
def test_types_without_a_name_of_their_own_are_told_before_anything_is_trained(
    tmp_path: Path, types: tuple[str, ...], message: str
) -> None:
    path = folder_of(tmp_path / "main", BOTH, types)
    for unseen in ({"unseen": types[:-1]}, {"rotate": True}):
        table = DataTable(path=path, size=32).model_copy(update=unseen)
        with pytest.raises(DataError, match=message):
            load_search_data(table, seed=0)
    load_search_data(DataTable(path=path, size=32), seed=0)


def test_a_data_set_is_not_called_as_a_held_back_type_is(tmp_path: Path) -> None:
    path = folder_of(tmp_path / "main", BOTH, ("swap", "other"))
    further = folder_of(tmp_path / "more" / "swap", BOTH)
    table = DataTable(path=path, size=32, unseen=("swap",), unseen_data=(further,))
    assert list(load_search_data(table, seed=0).unseen_val) == ["swap", "more-swap"]


def test_data_sets_that_no_parent_tells_apart_are_both_named(tmp_path: Path) -> None:
    twins = [folder_of(tmp_path / name, BOTH) for name in ("my data", "my-data")]
    table = DataTable(path=folder_of(tmp_path / "main", BOTH), size=32, test=tuple(twins))
    with pytest.raises(DataError, match=r"my data and .*my-data are both called"):
        load_search_data(table, seed=0)


def test_what_was_left_out_of_every_data_set_is_said_once(tmp_path: Path) -> None:
    places = [folder_of(tmp_path / name, BOTH) for name in ("main", "unseen", "test")]
    for place in places:
        (place / "val0REAL0.png").unlink()
        (place / "test0REAL0.png").write_bytes(b"no image")
    main, unseen, test = places
    skip = OnBadImage.SKIP
    table = DataTable(path=main, size=32, unseen_data=(unseen,), test=(test,), on_bad_image=skip)
    skipped = load_search_data(table, seed=0).skipped
    assert len(skipped) == 6
    for place in places:
        assert sum(str(place) in problem for problem in skipped) == 2
