"""A run's files are whole or as they were, and one that is torn is named with its remedy."""

import ast
import json
import os
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest
import torch

import bonas
from bonas.benchmark_results import Benchmark
from bonas.checkpoint import read_tensors, write_tensors
from bonas.commands import compare
from bonas.config import ConfigError
from bonas.detector_record import METRICS, load_record
from bonas.earlier_runs import earlier_observations
from bonas.gradient_plan import note_seconds, seconds_before, steps_are_planned
from bonas.report.facts import read_run
from bonas.run_folder import RunFolder
from bonas.whole_files import read_json, write_json, write_whole
from spaces.forgery import FORGERY
from tests.bonas.report.conftest import World
from tests.bonas.test_earlier_runs import DIGEST, _filled, _run

TORN = (lambda text: text[: len(text) // 2], lambda text: text[:-3], lambda _: "", lambda _: "[]")
"""What a file may be after a crash, and a document of another kind."""


def stopped(*_: Any) -> None:
    raise KeyboardInterrupt


@pytest.mark.parametrize("where", ["fsync", "replace"])
def test_who_stops_while_writing_leaves_the_old_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, where: str
) -> None:
    file = tmp_path / "metrics.json"
    write_json(file, {"a": [1, None]})
    monkeypatch.setattr(os, where, stopped)
    with pytest.raises(KeyboardInterrupt):
        write_json(file, {"b": 2})
    with pytest.raises(UnicodeEncodeError):
        write_whole(file, "name \udcfc")
    with pytest.raises(TypeError):
        write_json(file, {"b": {1, 2}})
    assert read_json(file, lambda document: document, "") == {"a": [1, None]}
    assert list(tmp_path.iterdir()) == [file], "nor anything beside it"


@pytest.mark.parametrize("where", ["fsync", "replace"])
def test_who_stops_while_writing_tensors_leaves_the_old_ones(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, where: str
) -> None:
    file = tmp_path / "weights.safetensors"
    write_tensors(file, {"a": torch.ones(3)}, {"seed": "1"})
    monkeypatch.setattr(os, where, stopped)
    with pytest.raises(KeyboardInterrupt):
        write_tensors(file, {"a": torch.zeros(3)}, {})
    tensors, metadata = read_tensors(file)
    assert (tensors["a"].tolist(), metadata) == ([1.0] * 3, {"seed": "1"})
    assert list(tmp_path.iterdir()) == [file], "nor anything beside it"


def test_nothing_in_a_run_is_written_otherwise() -> None:
    package = Path(bonas.__file__).parent
    # The cache writes into a folder that is moved when it is whole. A page is made of the run at
    # any time, and may go where nothing can be replaced, such as /dev/stdout.
    # What a journal was torn to is kept under a new name, before the journal is cut.
    others = ("data/cache.py", "report/page.py", "journal.py")
    for file in package.rglob("*.py"):
        called = [
            ast.unparse(node.func).rpartition(".")[2]
            for node in ast.walk(ast.parse(file.read_text(encoding="utf-8")))
            if isinstance(node, ast.Call)
        ]
        if file.relative_to(package).as_posix() not in others:
            assert not {"write_text", "write_bytes", "save_file"} & set(called), file


@pytest.fixture
def run(tmp_path: Path) -> RunFolder:
    """A run that was searched, trained and compared."""
    world = World(tmp_path)
    folder = world.run(trials=4)
    world.train(folder, 1)
    world.compare(folder, 1)
    return folder


def compared_again(folder: RunFolder, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(compare, "contestants", lambda *_: [])
    compare.run_comparison(folder, cast(Any, SimpleNamespace(recipe=lambda _: None)), 1)


@pytest.mark.parametrize("torn", TORN)
def test_a_torn_comparison_is_named(
    run: RunFolder, monkeypatch: pytest.MonkeyPatch, torn: Callable[[str], str]
) -> None:
    run.comparison.write_text(torn(run.comparison.read_text()))
    wanted = r"comparison.json is torn or of another version .* and the folder comparison/ away"
    with pytest.raises(ConfigError, match=wanted):
        read_run(run)
    with pytest.raises(ConfigError, match=wanted):
        compared_again(run, monkeypatch)


@pytest.mark.parametrize("torn", TORN)
def test_a_torn_record_of_a_detector_is_named(run: RunFolder, torn: Callable[[str], str]) -> None:
    (file,) = run.path.glob(f"detectors/*/{METRICS}")
    assert load_record(file.parent) is not None
    file.write_text(torn(file.read_text()))
    wanted = r"metrics.json is torn or of another version .* remove it and run again what trained"
    with pytest.raises(ConfigError, match=wanted):
        load_record(file.parent)
    with pytest.raises(ConfigError, match=wanted):
        read_run(run)


@pytest.mark.parametrize("torn", TORN)
def test_a_torn_plan_of_a_search_by_gradient_is_named(
    run: RunFolder, torn: Callable[[str], str]
) -> None:
    note_seconds(run, 12.5)
    assert seconds_before(run) == 12.5
    file = run.path / "gradient.json"
    file.write_text(torn(file.read_text()))
    with pytest.raises(ConfigError, match=r"gradient.json is torn .* begin the search anew"):
        steps_are_planned(run)


@pytest.mark.parametrize("torn", TORN)
def test_torn_observations_of_earlier_runs_are_named(
    tmp_path: Path, torn: Callable[[str], str]
) -> None:
    folder = _run(tmp_path / "run", warm_start=[str(_filled(tmp_path / "earlier").path)])
    whole = earlier_observations(folder, FORGERY, DIGEST)
    folder.warm_start.write_text(torn(folder.warm_start.read_text()))
    with pytest.raises(ConfigError, match=r"warm_start.json is torn .* remove it"):
        earlier_observations(folder, FORGERY, DIGEST)
    folder.warm_start.unlink()
    assert earlier_observations(folder, FORGERY, DIGEST) == whole


@pytest.mark.parametrize("torn", TORN)
def test_a_torn_benchmark_is_named(tmp_path: Path, torn: Callable[[str], str]) -> None:
    begun = Benchmark("accuracy", 1.0, [], {})
    file = tmp_path / "runs.json"
    begun.write(file)
    assert begun.begun_or_continued(file) == begun
    file.write_text(torn(json.dumps(json.loads(file.read_text()))))
    with pytest.raises(ValueError, match=r"runs.json is not the JSON of a benchmark.* Restore it"):
        begun.begun_or_continued(file)
