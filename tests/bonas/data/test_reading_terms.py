"""What is said of a data set says how it was read."""

import json
from pathlib import Path

import pytest

from bonas.config import DataTable
from bonas.data.faces import DataError
from bonas.data.layouts.named import list_data
from bonas.data.layouts.reading import read_listing
from bonas.data.layouts.records import OnBadImage, Settings
from bonas.data.reading_terms import ReadingTerms
from bonas.data.source import load_search_data
from tests.bonas.data.layouts import test_deepfakebench as deepfakebench
from tests.bonas.data.layouts import test_faceforensics as faceforensics
from tests.bonas.data.test_source import BOTH, folder_of

SETTINGS = Settings(
    on_bad_image=OnBadImage.SKIP, frames_per_video=2, compression="c40", split_seed=3
)


def terms_of(folder: Path, settings: Settings = SETTINGS) -> ReadingTerms:
    found = read_listing(list_data(folder, "auto", settings), 8, settings).reading
    assert found is not None
    return found


def test_settings_that_the_layout_has_are_named_and_no_others(tmp_path: Path) -> None:
    published = terms_of(faceforensics.written(tmp_path / "ff", "c40"))
    assert published == ReadingTerms(
        name="ff",
        layout="faceforensics",
        compression="c40",
        split_seed=3,
        frames_per_video=2,
        on_bad_image="skip",
    )
    table = terms_of(folder_of(tmp_path / "table", BOTH))
    assert (table.layout, table.compression, table.split_seed) == ("metadata.csv", None, None)


def test_a_list_names_a_compression_where_it_has_several(tmp_path: Path) -> None:
    document = deepfakebench.faceforensics(tmp_path)
    settings = Settings()
    assert terms_of(deepfakebench.write(tmp_path, document), settings).compression == "c23"
    for splits in document["FF"].values():
        splits.update({split: found["c23"] for split, found in splits.items()})
    assert terms_of(deepfakebench.write(tmp_path, document), settings).compression is None


def test_files_that_are_left_out_are_counted(tmp_path: Path) -> None:
    folder = folder_of(tmp_path, BOTH)
    (folder / "train0REAL0.png").unlink()
    (folder / "train1REAL0.png").write_bytes(b"torn")
    assert terms_of(folder).skipped == 2


def test_prepared_data_name_what_they_were_prepared_with(tmp_path: Path) -> None:
    folder = folder_of(tmp_path / "d", BOTH)
    assert terms_of(folder).prepared is None
    made = {"layout": "faceforensics", "compression": "c40"}
    (folder / "prepare.json").write_text(json.dumps(made))
    assert terms_of(folder).prepared == made
    for damaged in ("[]", "{", ""):
        (folder / "prepare.json").write_text(damaged)
        assert terms_of(folder).prepared is None
    (folder / "prepare.json").unlink()
    (tmp_path / "secret.json").write_text(json.dumps(made))
    (folder / "prepare.json").symlink_to(tmp_path / "secret.json")
    with pytest.raises(DataError, match="leaves the data folder"):
        terms_of(folder)


def test_every_data_set_of_a_run_has_its_own(tmp_path: Path) -> None:
    main, further = (folder_of(tmp_path / name, BOTH) for name in ("main", "further"))
    table = DataTable(path=main, size=32, test=(further,), frames_per_video=5)
    read = load_search_data(table, seed=0).readings
    assert [(terms.name, terms.frames_per_video) for terms in read] == [("main", 5), ("further", 5)]
    [drawn] = load_search_data(
        DataTable(layout="synthetic", size=32, identities=40), seed=3
    ).readings
    by = {"seed": 3, "identities": 40, "size": 32}
    assert drawn == ReadingTerms(name="synthetic", layout="synthetic", drawn=by)
