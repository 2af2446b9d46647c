"""`bonas audit` and the warning of `bonas search`."""

import json
import shutil
from pathlib import Path

import pytest

from bonas.cli import main
from bonas.commands.audit import warn_of_leaks
from bonas.config import Config, DataTable
from bonas.data.audit import pictures_of_run, pictures_on_disk
from bonas.data.faces import Split
from tests.bonas.data.audit.conftest import sound_lines, write
from tests.bonas.data.pictures import picture, video


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A sound data set of 20 pictures; in it `person0` is trained on and `person4` tested on."""
    return write(tmp_path_factory.mktemp("audit") / "data", sound_lines(10))


@pytest.fixture
def leaky(tmp_path: Path, data: Path) -> Path:
    """The same with a picture of train in test."""
    folder = tmp_path / "leaky"
    shutil.copytree(data, folder)
    shutil.copyfile(folder / "person0_a.jpg", folder / "person4_a.jpg")
    return folder


def of_captured(capsys: pytest.CaptureFixture[str]) -> tuple[str, str]:
    captured = capsys.readouterr()
    return " ".join(captured.out.split()), " ".join(captured.err.split())


def test_sound_data_end_with_0_and_a_table(capsys: pytest.CaptureFixture[str], data: Path) -> None:
    assert main(["audit", str(data)]) == 0
    out, err = of_captured(capsys)
    assert "Audit of 20 pictures" in out
    assert "file size" in out
    assert "leak " not in out
    assert "pictures: 20/20" in err, "progress where standard error is no terminal"


def test_a_leak_ends_with_1_and_names_the_files(
    capsys: pytest.CaptureFixture[str], leaky: Path
) -> None:
    assert main(["audit", str(leaky), "--fast"]) == 1
    out, _ = of_captured(capsys)
    assert "person0_a.jpg | " in out
    assert "person4_a.jpg" in out
    assert "fast part" in out
    assert "file size" not in out


def test_videos_are_audited_and_what_was_looked_at_is_said(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    """Forged videos and a real picture; a video of train lies in test byte for byte."""
    rows = ["path,label,original,split"]
    for number in range(4):
        video(tmp_path / f"v{number}.mp4", [10 * number] * 6)
        rows.append(f"v{number}.mp4,FAKE,person{number},{('train', 'test')[number % 2]}")
    picture(tmp_path / "a.png")
    rows.append("a.png,REAL,person0,train")
    shutil.copyfile(tmp_path / "v0.mp4", tmp_path / "v1.mp4")
    (tmp_path / "metadata.csv").write_text("\n".join(rows) + "\n")
    assert main(["audit", str(tmp_path)]) == 1
    out, _ = of_captured(capsys)
    assert "Audit of 1 pictures and 4 videos, 2 frames of each" in out
    assert "v0.mp4 | " in out
    assert "unreadable pictures │ ok" in out
    assert main(["audit", str(tmp_path), "--fast", "--json"]) == 1
    found = json.loads(capsys.readouterr().out)
    assert (found["pictures"], found["videos"]) == (1, 4)
    assert found["protocol"]["frames_per_video"] == 0
    (tmp_path / "a.png").unlink()
    (tmp_path / "metadata.csv").write_text("\n".join(rows[:-1]) + "\n")
    assert main(["audit", str(tmp_path)]) == 1
    assert "Audit of 4 videos, 2 frames of each" in of_captured(capsys)[0]


def test_findings_are_printed_as_json(capsys: pytest.CaptureFixture[str], leaky: Path) -> None:
    assert main(["audit", str(leaky), "--json"]) == 1
    found = json.loads(capsys.readouterr().out)
    assert (found["pictures"], found["verdict"]) == (20, "leak")
    by_name = {f["name"]: f for f in found["findings"]}
    same = by_name["same picture in two splits"]
    assert (same["verdict"], same["number"], same["interval"]) == ("leak", 1, None)
    low, high = by_name["file size"]["interval"]
    assert 0 <= low <= by_name["file size"]["number"] <= high <= 1


def test_brackets_in_file_names_are_no_markup(
    capsys: pytest.CaptureFixture[str], leaky: Path
) -> None:
    (leaky / "person0_a.jpg").rename(leaky / "[red]a.jpg")
    table = leaky / "metadata.csv"
    table.write_text(table.read_text().replace("person0_a.jpg", "[red]a.jpg"))
    assert main(["audit", str(leaky), "--fast"]) == 1
    assert "[red]a.jpg" in of_captured(capsys)[0]


def test_a_configuration_is_audited_across_its_data_sets(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, data: Path, leaky: Path
) -> None:
    """Train pictures of the main data set lie in another's test split."""
    other = tmp_path / "other"
    shutil.copytree(data, other)
    table = other / "metadata.csv"
    table.write_text(table.read_text().replace(",train,", ",test,").replace("person", "some"))
    for file in other.glob("person*"):
        file.rename(file.with_name(file.name.replace("person", "some")))
    config = tmp_path / "run.toml"
    config.write_text(f'[data]\npath = "{data}"\ntest = ["other"]\n')
    assert main(["audit", str(config), "--fast", "--json"]) == 1
    findings = {f["name"]: f for f in json.loads(capsys.readouterr().out)["findings"]}
    assert findings["same picture in two splits"]["count"] == 12, "all that are trained on"
    assert findings["same picture in two splits"]["data_set"] == "data, other"
    assert findings["original in two splits"]["verdict"] == "ok"

    config.write_text(f'[data]\npath = "{data}"\n')
    assert main(["audit", str(config), "--fast"]) == 0

    (other / "some0_a.jpg").unlink()
    config.write_text(f'[data]\npath = "{data}"\ntest = ["other"]\n')
    assert main(["audit", str(config), "--fast"]) == 2
    remedy = "--set data.on_bad_image=skip"
    assert remedy in of_captured(capsys)[1]
    for setting in (remedy.split()[1], remedy.split()[1].removeprefix("data.")):
        assert main(["audit", str(config), "--fast", "--json", "--set", setting]) == 1
        assert json.loads(capsys.readouterr().out)["pictures"] == 20 + 16 - 1


def test_of_further_data_sets_only_what_is_scored_counts(data: Path, tmp_path: Path) -> None:
    shutil.copytree(data, tmp_path / "more" / "data")
    unseen, test = tmp_path / "more" / "data", tmp_path / "test"
    shutil.copytree(data, test)
    pictures = pictures_on_disk(DataTable(path=data, unseen_data=(unseen,), test=(test,)))
    used: dict[str, set[Split]] = {}
    for one in pictures:
        used.setdefault(one.data_set, set()).add(one.split)
    assert used == {
        "data": set(Split),
        str(unseen): {Split.VAL, Split.TEST},  # two folders of one name are two data sets
        "test": {Split.TEST},
    }


def test_a_run_on_built_in_faces_is_audited_without_files() -> None:
    table = DataTable(layout="synthetic", identities=20, size=32)
    assert not pictures_on_disk(table)
    pictures = pictures_of_run(table, seed=0)
    assert {p.split for p in pictures} == set(Split)
    assert len({p.name for p in pictures}) == len(pictures)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "PATH is missing"),
        (["nowhere"], "data folder 'nowhere' does not exist"),
        (["nowhere.toml"], "does not exist"),
        (["nowhere.toml", "--layout", "metadata.csv"], "leave --layout out"),
        (["nowhere", "--layout", "synthetic"], "leave out PATH or --layout synthetic"),
        (
            ["--layout", "synthetic", "--set", "split_seed=1"],
            "are drawn, not read; leave out --set",
        ),
        (["nowhere.toml", "--set", "split_seed"], "is not of the form key=value"),
        (["nowhere", "--set", "test=a"], "--set test is no setting of how a folder is read"),
        (["nowhere", "--layout", "foldrs"], "--layout is 'foldrs'; it must be one of"),
    ],
)
def test_wrong_use_ends_with_2_and_the_remedy(
    capsys: pytest.CaptureFixture[str], arguments: list[str], message: str
) -> None:
    assert main(["audit", *arguments]) == 2
    assert message in of_captured(capsys)[1]


def test_a_table_without_rows_is_wrong_use(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    (tmp_path / "metadata.csv").write_text("path,label,original,split\n")
    assert main(["audit", str(tmp_path)]) == 2
    assert "has no rows" in of_captured(capsys)[1]


@pytest.mark.parametrize("fast", [["--fast"], []])
def test_nothing_to_look_at_is_no_clean_bill(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, data: Path, fast: list[str]
) -> None:
    shutil.copy(data / "metadata.csv", tmp_path)
    command = ["audit", str(tmp_path), "--set", "on_bad_image=skip", *fast]
    assert main(command) == 2
    out, err = of_captured(capsys)
    assert "has no picture of the split train or val or test to audit. 20 files are missing" in err
    assert not out
    for name in ("person0_a.jpg", "person0_b.jpg", "person1_a.jpg"):
        shutil.copy(data / name, tmp_path)
    assert main(command) == 0
    out, _ = of_captured(capsys)
    assert "missing files │ warning │ 17" in out
    assert "row 5: the image" in out
    assert main([*command, "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    (missing,) = (f for f in found["findings"] if f["name"] == "missing files")
    assert (missing["verdict"], missing["number"], len(missing["files"])) == ("warning", 17, 5)
    assert found["verdict"] == "warning"


def test_a_search_is_warned_of_leaks_and_of_nothing_else(
    capsys: pytest.CaptureFixture[str], data: Path, leaky: Path
) -> None:
    warn_of_leaks(Config(data=DataTable(path=data)))
    warn_of_leaks(Config(data=DataTable(layout="synthetic")))
    assert of_captured(capsys) == ("", "")
    warn_of_leaks(Config(data=DataTable(path=leaky)))
    out, err = of_captured(capsys)
    assert out == "", "the results of the search stay machine-readable"
    assert "audit leak same picture in two splits (leaky)" in err
