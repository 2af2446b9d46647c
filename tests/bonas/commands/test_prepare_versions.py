"""`bonas prepare` names what crops were made with, and mixes no crops of two versions."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

import bonas
from bonas.cli import main
from bonas.versions import versions
from tests.bonas.commands.test_prepare import content

pytest.importorskip("cv2", reason="OpenCV, of the extra [prepare], is not installed")


def begun_with(folder: Path, **versions: str | None) -> None:
    """Let a folder say that it was begun with other versions; `None` takes one away."""
    file = folder / "prepare.json"
    said = json.loads(file.read_text())
    changed = {n: v for n, v in (said["versions"] | versions).items() if v is not None}
    file.write_text(json.dumps(said | {"versions": changed}))


@pytest.fixture
def unfinished(whole: Path, tmp_path: Path) -> Path:
    """A prepared folder that lacks one crop."""
    dest = tmp_path / "d"
    shutil.copytree(whole, dest)
    next(iter(dest.rglob("faces/**/*.png"))).unlink()
    return dest


@pytest.mark.parametrize("name", ["opencv", "pillow"])
def test_crops_of_two_versions_are_not_mixed(
    portraits: Path, unfinished: Path, capsys: pytest.CaptureFixture[str], name: str
) -> None:
    begun_with(unfinished, **{name: "1.2.3"})
    before = content(unfinished)
    assert main(["prepare", str(portraits), str(unfinished), "--size", "64", "--jobs", "1"]) == 2
    assert f"was begun with {name} 1.2.3, here it is" in " ".join(capsys.readouterr().err.split())
    assert content(unfinished) == before


def test_a_folder_goes_on_where_no_crops_of_two_versions_meet(
    portraits: Path, whole: Path, unfinished: Path, caplog: pytest.LogCaptureFixture
) -> None:
    arguments = ["prepare", str(portraits), str(unfinished), "--size", "64", "--jobs", "1"]
    begun_with(unfinished, bonas="0.0.0", av="1.2.3")
    assert main(arguments) == 0
    assert "was begun with bonas 0.0.0" in caplog.text
    begun_with(unfinished, opencv="1.2.3")
    assert main(arguments) == 0, "nothing was left to do"
    (unfinished / "prepare.jsonl").unlink()
    assert main(arguments) == 0, "nothing of the other version is kept"
    assert content(unfinished) == content(whole)


def test_a_folder_of_an_earlier_version_goes_on_and_that_is_told(
    portraits: Path, unfinished: Path, caplog: pytest.LogCaptureFixture
) -> None:
    file = unfinished / "prepare.json"
    said = json.loads(file.read_text())
    del said["versions"]
    file.write_text(json.dumps(said))
    assert main(["prepare", str(portraits), str(unfinished), "--size", "64", "--jobs", "1"]) == 0
    assert "does not name the versions" in caplog.text


def test_results_name_what_was_read_and_with_what(
    portraits: Path, whole: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def told(*arguments: str) -> dict[str, Any]:
        assert main([*arguments, "--json"]) in (0, 1)
        found: dict[str, Any] = json.loads(capsys.readouterr().out)["protocol"]
        assert found["version"] == bonas.__version__
        return found

    prepared = told("prepare", str(portraits), str(whole), "--size", "64")
    said = json.loads((whole / "prepare.json").read_text())
    assert prepared["versions"] == versions() | said["versions"]
    assert prepared["settings"].items() <= said.items()
    [reading] = prepared["reading"]
    assert (reading["layout"], reading["frames_per_video"]) == ("folders", 32)
    shown = told("data", str(portraits), "--set", "on_bad_image=skip")
    assert shown["reading"] == prepared["reading"]
    audited = told("audit", str(portraits), "--fast")
    assert shown["data"] == prepared["data"] == audited["data"]
    [of_crops] = told("data", str(whole))["reading"]
    assert of_crops["prepared"] == said
