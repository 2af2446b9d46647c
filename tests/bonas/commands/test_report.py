import json
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from bonas.commands.report import report
from bonas.config import ConfigError
from bonas.config_file import parse_config
from bonas.run_folder import RunFolder


@pytest.fixture
def app() -> typer.Typer:
    app = typer.Typer(pretty_exceptions_enable=False)
    app.command()(report)
    return app


@pytest.fixture
def run(tmp_path: Path) -> Path:
    folder = tmp_path / "[run]"
    RunFolder.create(folder, parse_config({}, "test"))
    return folder


def test_the_page_is_written_and_its_path_printed(app: typer.Typer, run: Path) -> None:
    result = CliRunner().invoke(app, [str(run)])
    assert result.exit_code == 0
    assert result.stdout.strip() == str(run / "report.html")
    assert (run / "report.html").read_text(encoding="utf-8").startswith("<!DOCTYPE html>")


def test_json_names_the_page_and_every_run(app: typer.Typer, run: Path, tmp_path: Path) -> None:
    page = tmp_path / "both.html"
    result = CliRunner().invoke(app, [str(run), str(run), "--out", str(page), "--json"])
    document = json.loads(result.stdout)
    assert document["report"] == str(page)
    assert [r["trials"] for r in document["runs"]] == [0, 0]
    assert document["runs"][0]["test"] is None
    assert page.is_file()


def test_a_page_that_is_to_lie_in_a_folder_does(
    app: typer.Typer, run: Path, tmp_path: Path
) -> None:
    (tmp_path / "pages").mkdir()
    result = CliRunner().invoke(app, [str(run), "--out", str(tmp_path / "pages")])
    assert result.stdout.strip() == str(tmp_path / "pages" / "report.html")
    assert (tmp_path / "pages" / "report.html").is_file()


def test_a_folder_that_is_no_run_is_refused(app: typer.Typer, tmp_path: Path) -> None:
    result = CliRunner().invoke(app, [str(tmp_path)])
    assert isinstance(result.exception, ConfigError)
    assert "is no run folder" in str(result.exception)
