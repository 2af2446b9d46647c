import json
from pathlib import Path
from types import SimpleNamespace

import pytest

from bonas.cli import main
from bonas.commands import compare, search, train
from bonas.commands.console import MESSAGES
from bonas.commands.folder import KEYS, SHOWN, folder_table, print_left_out
from bonas.config import Config, ConfigError, DataTable
from bonas.data.layouts.records import OnBadImage
from bonas.run_folder import RunFolder
from tests.bonas.data.audit.conftest import sound_lines, write
from tests.bonas.data.layouts import test_faceforensics as faceforensics
from tests.bonas.data.pictures import picture


@pytest.mark.parametrize("prefix", ["", "data."])
def test_settings_are_those_of_a_configuration(prefix: str) -> None:
    settings = [f"{prefix}on_bad_image=skip", f"{prefix}split_seed = 3", f"{prefix}layout=dfdc"]
    table = folder_table(Path("d"), settings, layout="folders", size=64)
    assert table == DataTable(
        path=Path("d"), layout="dfdc", on_bad_image=OnBadImage.SKIP, split_seed=3, size=64
    )
    assert folder_table(Path("d"), layout="folders").layout == "folders"
    assert folder_table(Path("d")).layout == "auto"


def test_the_keys_are_fields_of_the_table() -> None:
    assert set(KEYS) <= set(DataTable.model_fields)


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        ("split_seed", "--set 'split_seed' is not of the form key=value"),
        ("=3", "is not of the form key=value"),
        ("unseen=swap", "--set unseen is no setting of how a folder is read; those are layout"),
        ("compression=c41", "data.compression is 'c41'"),
    ],
)
def test_a_wrong_setting_is_named(setting: str, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        folder_table(Path("d"), [setting])


@pytest.mark.parametrize("command", ["data", "audit"])
def test_the_remedy_that_an_error_names_can_be_followed(
    command: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = faceforensics.written(tmp_path / "d", "c40")
    arguments = [command, str(folder), *(["--fast"] if command == "audit" else [])]
    assert main(arguments) == 2
    remedy = "--set data.compression=c40"
    assert remedy in capsys.readouterr().err
    # The audit finds its few flat pictures alike; that they are read is what matters here.
    assert main([*arguments, *remedy.split()]) == {"data": 0, "audit": 1}[command]


def test_a_listing_is_named_by_the_same_digests_everywhere(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = write(tmp_path / "d", sound_lines(10))
    lines = []
    for command in (["data"], ["audit", "--fast"], ["prepare"]):
        dest = [str(tmp_path / "made"), "--whole", "--size", "32"] if "prepare" in command else []
        assert main([*command, str(folder), *dest]) == 0
        printed = capsys.readouterr().out
        lines.append([line for line in printed.splitlines() if line.startswith("data d train ")])
        assert len(lines[-1]) == 1
    assert lines[0] == lines[1] == lines[2]
    assert main(["data", str(folder), "--json"]) == 0
    splits = json.loads(capsys.readouterr().out)["protocol"]["data"]["d"]
    assert all(f"data d {split} {used['digest']}" in lines[0][0] for split, used in splits.items())


def test_files_left_out_are_named_up_to_a_number_and_counted() -> None:
    with MESSAGES.capture() as shown:
        print_left_out([f"[red]{i}.png" for i in range(SHOWN + 2)])
    lines = shown.get().splitlines()
    assert lines[0] == "left out [red]0.png"
    assert lines[-1] == f"left out {SHOWN + 2} files in all"
    assert len(lines) == SHOWN + 1
    with MESSAGES.capture() as shown:
        print_left_out([])
    assert not shown.get()


def test_every_command_that_loads_data_says_what_was_left_out(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Of search, train and compare, which load their data in one place."""
    parts = SimpleNamespace(data=SimpleNamespace(skipped=("a.png: torn",)))
    monkeypatch.setattr(search.Components, "of", lambda folder, counting, tested: parts)
    for command in (search, train, compare):
        assert command.load_components(RunFolder(Path("run"), Config())) is parts
        assert "left out a.png: torn" in capsys.readouterr().err


def test_a_folder_shows_what_its_originals_are_called(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for number in range(30):
        for kind in ("real", "fake"):
            picture(tmp_path / "d" / kind / f"Anna{number}_1.png")
    assert main(["data", str(tmp_path / "d"), "--json"]) == 0
    shown = json.loads(capsys.readouterr().out)
    assert shown["first_originals"] == [f"anna{number}" for number in range(20)], "but not all"
    assert (shown["originals"], shown["identities"]) == (30, None)
    assert main(["data", str(tmp_path / "d")]) == 0
    assert "originals: anna0, anna1, anna2, ..." in capsys.readouterr().out
