import json
from pathlib import Path

import pytest

from bonas.cli import main
from bonas.config import DataTable
from bonas.config_file import load_config
from bonas.data.faces import DataError
from bonas.data.layouts.contents import Contents
from bonas.data.layouts.named import LAYOUTS, layout_of, list_data
from bonas.data.layouts.records import Settings
from bonas.data.source import load_search_data
from tests.bonas.data.layouts import test_celeb_df as celeb_df
from tests.bonas.data.layouts import test_deepfakebench as deepfakebench
from tests.bonas.data.layouts import test_dfdc as dfdc
from tests.bonas.data.layouts import test_faceforensics as faceforensics
from tests.bonas.data.layouts import test_folders as folders
from tests.bonas.data.layouts import test_metadata_csv as metadata_csv


def written(folder: Path, layout: str) -> Path:
    """A small data set of a layout."""
    folder.mkdir()
    if layout == "metadata.csv":
        metadata_csv.write(folder, metadata_csv.GOOD)
    elif layout == "folders":
        folders.written(folder)
    elif layout == "faceforensics":
        faceforensics.written(folder)
    elif layout == "dfdc":
        dfdc.part(folder / "dfdc_train_part_3", 0, 10)
    elif layout == "dfdc-preview":
        dfdc.preview(folder, [("real", "test", "1", None), ("fake", "test", "1", "2")])
    elif layout == "celeb-df":
        celeb_df.written(folder)
    else:
        deepfakebench.write(folder, deepfakebench.faceforensics(folder))
    return folder


@pytest.mark.parametrize("layout", LAYOUTS)
def test_every_layout_is_recognised_and_read_as_if_it_were_named(
    tmp_path: Path, layout: str
) -> None:
    folder = written(tmp_path / "d", layout)
    assert layout_of(folder) == layout
    found = list_data(folder, "auto", Settings())
    assert found == list_data(folder, layout, Settings())
    assert found.layout == layout


@pytest.mark.parametrize("layout", LAYOUTS)
def test_a_relative_folder_lists_the_files_of_the_absolute_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, layout: str
) -> None:
    folder = written(tmp_path / "d", layout)
    monkeypatch.chdir(tmp_path)
    for here in (Path("d"), Path("d", "..", "d")):
        found = list_data(here, layout, Settings()).records
        assert [r.path.resolve() for r in found] == [
            r.path for r in list_data(folder, layout, Settings()).records
        ]
        assert all(r.path.is_file() and (r.mask is None or r.mask.is_file()) for r in found)


def test_a_list_file_is_recognised(tmp_path: Path) -> None:
    folder = written(tmp_path / "d", "deepfakebench")
    assert layout_of(folder / "dataset_json" / "FF.json") == "deepfakebench"
    with pytest.raises(DataError, match=r"data file .*no\.json' does not exist"):
        layout_of(folder / "dataset_json" / "no.json")


def test_an_unknown_folder_gets_all_that_was_looked_for(tmp_path: Path) -> None:
    (tmp_path / "pictures").mkdir()
    with pytest.raises(DataError, match=r"found: pictures\)") as error:
        layout_of(tmp_path)
    for name, layout in LAYOUTS.items():
        assert f"{layout.sign} ({name})" in str(error.value)
    with pytest.raises(DataError, match="does not exist"):
        layout_of(tmp_path / "nowhere")


def test_a_folder_of_two_layouts_is_refused(tmp_path: Path) -> None:
    folder = written(tmp_path / "d", "folders")
    dfdc.part(folder, 0, 4)
    with pytest.raises(DataError, match=r"signs of 2 layouts \(folders by .*; dfdc by .*\)"):
        layout_of(folder)


def test_a_table_decides_over_the_folders_it_names(tmp_path: Path) -> None:
    folder = written(tmp_path / "d", "folders")
    rows = ["real/anna_1.png,REAL,a,train", "fake/anna/deep/x.png,FAKE,a,train"]
    (folder / "metadata.csv").write_text(metadata_csv.HEADER + "\n".join(rows) + "\n")
    assert layout_of(folder) == "metadata.csv"


def test_contents_count_every_record_once(tmp_path: Path) -> None:
    listing = list_data(written(tmp_path / "d", "faceforensics"), "auto", Settings())
    contents = Contents.of(listing)
    counts = [c for of_split in contents.counts.values() for c in of_split.values()]
    assert sum(c.images for c in counts) == len(listing.records)
    assert sum(c.videos for c in counts) == len({r.video for r in listing.records})
    assert sum(c.masks for c in counts) == sum(r.mask is not None for r in listing.records)
    assert (contents.originals, contents.identities) == (4, 8)
    assert next(iter(contents.counts)) == "real"
    text = contents.text().splitlines()
    assert text[0] == "d: layout faceforensics, 4 originals, 8 identities"
    assert len(text) <= 40
    assert max(map(len, text)) <= 80


def test_the_command_prints_what_a_folder_holds(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = written(tmp_path / "d", "celeb-df")
    assert main(["data", str(folder), "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["layout"] == "celeb-df"
    assert found["counts"]["real"]["test"]["images"] == 2
    assert main(["data", str(folder), "--layout", "folders"]) == 2
    assert "has no folder 'real'" in capsys.readouterr().err
    assert main(["data", str(folder), "--layout", "magic"]) == 2
    assert "data.layout is 'magic'" in capsys.readouterr().err
    assert main(["data", str(folder), "--set", "compression=c41"]) == 2
    assert "data.compression is 'c41'" in capsys.readouterr().err


def test_a_search_reads_any_layout_and_further_sets_of_others(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    main_set = written(tmp_path / "main", "dfdc")
    lines = [*celeb_df.TESTED, "0 Celeb-synthesis/id3_id4_0001.mp4"]
    further = celeb_df.written(tmp_path / "further", lines)
    (tmp_path / "c.toml").write_text(
        '[data]\nlayout = "dfdc"\npath = "main"\nsize = 32\ntest = ["further"]\n'
    )
    table = load_config(tmp_path / "c.toml").data
    assert (table.path, table.test) == (main_set, (further,))
    data = load_search_data(table, seed=0)
    assert data.test is not None
    assert not set(data.train.originals) & set(data.test.originals)
    assert set(data.unseen_test) == {"further"}
    assert "main: layout dfdc, 10 originals" in caplog.text
    assert "further: layout celeb-df" in caplog.text
    assert "training videos left out: the test has videos of the same take" in caplog.text


def test_the_runs_seed_moves_nothing_into_the_test(tmp_path: Path) -> None:
    table = DataTable(layout="folders", path=written(tmp_path / "d", "folders"), size=32)
    tested = [load_search_data(table, seed=seed).test for seed in (0, 1)]
    assert tested[0] is not None
    assert tested[1] is not None
    assert tested[0].originals == tested[1].originals
    moved = table.model_copy(update={"split_seed": 3})
    other = load_search_data(moved, seed=0).test
    assert other is not None
    assert set(other.originals) != set(tested[0].originals)


def test_every_layout_of_the_configuration_has_a_reader() -> None:
    named = DataTable.model_fields["layout"].annotation
    assert set(named.__args__) == {"auto", "synthetic", *LAYOUTS}  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("layout", "table"),
    [
        ("metadata.csv", "metadata.csv"),
        ("faceforensics", "train.json"),
        ("dfdc-preview", "dataset.json"),
        ("celeb-df", "List_of_testing_videos.txt"),
        ("deepfakebench", "dataset_json/FF.json"),
    ],
)
def test_a_table_that_is_a_link_out_of_the_folder_is_refused(
    tmp_path: Path, layout: str, table: str
) -> None:
    folder = written(tmp_path / "d", layout)
    secret = tmp_path / "secret"
    (folder / table).replace(secret)
    (folder / table).symlink_to(secret)
    with pytest.raises(DataError, match="leaves the data folder"):
        list_data(folder, layout, Settings())
