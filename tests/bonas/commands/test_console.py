"""Names from outside are printed as they are: brackets and colons in them are no markup."""

import ast
import io
import re
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest
from rich.table import Table
from rich.text import Text

import bonas
from bonas.cli import main
from bonas.commands.console import _PLAIN, MESSAGES, RESULTS, bars, print_table, print_warning
from bonas.device import Device
from tests.bonas.data.audit.conftest import sound_lines, write
from tests.bonas.test_cli import TINY
from tests.bonas.test_detector_evaluation import write_data
from tests.bonas.test_saved_detector import saved
from tests.conftest import striped_faces

NAMES = ("face[gan]", "nt[/raw]", "[red]", ":smile:", "[/]")


def test_the_consoles_print_whatever_a_name_is(capsys: pytest.CaptureFixture[str]) -> None:
    for name in NAMES:
        print_table(name, [name], [[name], [Text(name, "green")]])
        assert capsys.readouterr().out.count(name) == 4
        for console in (RESULTS, MESSAGES):
            with console.capture() as shown:
                console.print(name)
            assert shown.get() == f"{name}\n"
        with MESSAGES.capture() as shown:
            print_warning("left out", name)
        assert shown.get() == f"left out {name}\n"


def test_bars_are_called_whatever_they_are_called(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(MESSAGES, "_force_terminal", True)
    with MESSAGES.capture() as shown, bars() as progress:
        for name in NAMES:
            progress.start(f"{name} faces")(1, 2, f"note {name}")
    for name in NAMES:
        assert f"{name} faces" in shown.get()
        assert f"note {name}" in shown.get()


@pytest.mark.parametrize("before", [0, 4])
def test_a_log_has_a_first_line_and_the_start_of_processes_is_not_multiplied(
    monkeypatch: pytest.MonkeyPatch, before: int
) -> None:
    clock = SimpleNamespace(now=100.0)
    clock.monotonic = lambda: clock.now
    monkeypatch.setattr("bonas.commands.console.time", clock)
    with MESSAGES.capture() as shown, bars() as progress:
        advance = progress.start("videos")
        for done, clock.now in [(0, 100.0), (1, 160.0), (2, 161.0), (6, 192.0), (10, 194.0)]:
            advance(before + done, before + 10, f"{done} faces")
    total = before + 10
    assert shown.get().splitlines() == [
        f"videos: {before}/{total} after 0 s  0 faces",
        f"videos: {before + 1}/{total} after 60 s  1 faces",
        f"videos: {before + 6}/{total} after 92 s, about 26 s left  6 faces",
        f"videos: {total}/{total} after 94 s  10 faces",
    ]


def test_commands_have_no_other_console_and_no_markup() -> None:
    """A second console would read names as markup; on these markup would be read out."""
    for file in (Path(bonas.__file__).parent / "commands").glob("*.py"):
        text = file.read_text(encoding="utf-8")
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                assert not re.search(r"\[/(\w| )*\]|\[(yellow|red|green|bold)", node.value), file
            if isinstance(node, ast.Name) and node.id == "Console":
                assert file.stem == "console"


def test_data_with_such_names_are_evaluated_listed_prepared_and_audited(
    tmp_path: Path, cpu: Device, capsys: pytest.CaptureFixture[str]
) -> None:
    faces = striped_faces(24)
    kinds = {"swap": "face[gan]", "synthesis": "nt[/raw]"}
    faces = replace(faces, domains=tuple(kinds.get(name, name) for name in faces.domains))
    saved(tmp_path / "key[old]", striped_faces(20, seed=1), cpu, plain=True)
    data = write_data(tmp_path / "set[v2]", faces)
    rows = [f"person{i},{('[dim]', ':smile:')[i % 2]}" for i in range(24)]
    (data / "attributes.csv").write_text("\n".join(["original,light", *rows]) + "\n")
    assert main(["evaluate", str(tmp_path / "key[old]"), str(data), "--device", "cpu"]) == 0
    captured = capsys.readouterr()
    parts = ("clean, face[gan]", "clean, nt[/raw]", "light=[dim]", "light=:smile:")
    for part in ("set[v2], test, frames", *parts):
        assert part in captured.out
    assert "set[v2] faces" in captured.err
    for command in (["data"], ["audit", "--fast"]):
        assert main([*command, str(data)]) == 0
        assert "data set[v2] test" in capsys.readouterr().out
    dest = [str(tmp_path / "to[64]"), "--whole", "--size", "32", "--jobs", "1"]
    assert main(["prepare", str(data), *dest]) == 0
    shown = capsys.readouterr().out.replace("\n", "")
    assert "to[64]: 48 faces" in shown
    assert "nt[/raw]" in shown
    missing = write(tmp_path / "set[/v3]", sound_lines(4))
    (missing / "person0_a.jpg").unlink()
    assert main(["audit", str(missing), "--set", "on_bad_image=skip"]) == 0
    assert f"the image '{missing / 'person0_a.jpg'}' does not exist" in capsys.readouterr().out


def test_a_run_in_such_a_folder_is_named_wherever_it_is_printed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run = tmp_path / "run[old]"
    (tmp_path / "tiny.toml").write_text(TINY)
    assert main(["search", str(tmp_path / "tiny.toml"), "--out", str(run), "--trials", "1"]) == 0
    assert f"Next: bonas train {run}    bonas report {run}" in capsys.readouterr().err
    assert main(["train", str(run)]) == 0
    assert f"Detector: {run}/detectors/" in capsys.readouterr().err
    assert main(["report", str(run)]) == 0
    assert capsys.readouterr().out == f"{run / 'report.html'}\n"


def test_a_name_does_not_command_the_terminal() -> None:
    name = "a\x1b[2J\x1b]0;title\x07\x9b1m\rb\tc.png"
    table = Table("file")
    table.add_row(name)
    for printed in (name, Text.assemble(("left out", "yellow"), " ", name), table):
        console = _PLAIN(file=io.StringIO(), force_terminal=True, width=80)
        console.print(printed, soft_wrap=True)
        said = re.sub(r"\x1b\[[0-9;]*m", "", console.file.getvalue())  # colours
        assert not set(said) & {"\x1b", "\x07", "\x9b", "\r"}
        assert "a\N{REPLACEMENT CHARACTER}[2J" in said
