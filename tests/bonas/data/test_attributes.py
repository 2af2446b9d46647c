"""Attributes find the originals that they are of, or it is said that they do not."""

import logging
from dataclasses import replace
from pathlib import Path

import pytest

from bonas.data.attributes import attributes_of, read_attributes, table_of
from bonas.data.faces import DataError, DataSet, Split
from bonas.data.layouts.deepfakebench import list_deepfakebench
from bonas.data.layouts.records import Settings
from bonas.data.source import read_data
from tests.bonas.data.layouts import test_deepfakebench as deepfakebench
from tests.bonas.data.pictures import picture
from tests.conftest import striped_faces


def data_of(*names: str) -> DataSet:
    """A data set of a real and a forged image of each original."""
    owners = tuple(name for name in names for _ in range(2))
    return DataSet("d", {Split.TEST: replace(striped_faces(len(names)), originals=owners)})


def write(folder: Path, *rows: str) -> None:
    (folder / "attributes.csv").write_text("\n".join(["original,skin", *rows]) + "\n")


def test_originals_of_the_layout_folders_are_found_as_their_files_are_called(
    tmp_path: Path,
) -> None:
    for number in range(6):
        for kind in ("real", "fake"):
            picture(tmp_path / kind / f"Anna{number}_1.png", number)
    data = read_data(tmp_path, 32)
    write(tmp_path, *(f"Anna{number},{number % 2}" for number in range(6)))
    assert attributes_of(tmp_path, data) == {f"anna{n}": {"skin": f"{n % 2}"} for n in range(6)}


def test_a_name_is_found_in_any_case_where_that_leaves_one(tmp_path: Path) -> None:
    write(tmp_path, "Anna,I", "BEN,II", "ben,III", "Carl,IV", "dora,V", "DORA,VI")
    found = attributes_of(tmp_path, data_of("anna", "ben", "carl", "CARL", "Dora"))
    assert found == {"anna": {"skin": "I"}, "ben": {"skin": "III"}}


def test_rows_of_no_original_are_named_and_all_of_them_are_an_error(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    write(tmp_path, "anna,I", "bert,II")
    with caplog.at_level(logging.WARNING):
        assert attributes_of(tmp_path, data_of("anna", "carl")) == {"anna": {"skin": "I"}}
    (told,) = caplog.messages
    assert "1 of its 2 originals are none of the data's 2, such as 'bert'" in told
    assert "the data call theirs 'anna', 'carl'" in told
    with pytest.raises(DataError, match=r"2 of its 2 originals .* Write the names as the data"):
        attributes_of(tmp_path, data_of("id0_0001", "id0_0002"))
    write(tmp_path)
    with pytest.raises(DataError, match="has no rows"):
        attributes_of(tmp_path, data_of("anna"))


def test_what_is_not_known_is_no_value(tmp_path: Path) -> None:
    """Twenty values make groups; who has none is in none of them."""
    write(tmp_path, *(f"o{n},{n % 20}" for n in range(40)), "x,", "y, ")
    known = read_attributes(tmp_path)
    assert len(known) == 42
    assert known["x"] == {"skin": ""}


@pytest.mark.parametrize("below", ["", "preprocessing"])
def test_the_table_of_a_list_lies_in_its_data_folder(tmp_path: Path, below: str) -> None:
    listed = deepfakebench.write(tmp_path / below, deepfakebench.faceforensics(tmp_path))
    file = listed / "dataset_json" / "FF.json"
    write(tmp_path, "000,I")
    assert read_attributes(file) == {"000": {"skin": "I"}}
    table = table_of(file)
    assert table is not None
    assert table.parent == list_deepfakebench(file, Settings()).folder


def test_a_table_outside_the_data_folder_is_refused(tmp_path: Path) -> None:
    write(tmp_path, "anna,I")
    folder = tmp_path / "d"
    folder.mkdir()
    assert table_of(folder) is None
    (folder / "attributes.csv").symlink_to(tmp_path / "attributes.csv")
    with pytest.raises(DataError, match="leaves the data folder"):
        read_attributes(folder)
