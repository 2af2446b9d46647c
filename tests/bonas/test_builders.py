"""A builder by its name: the project's, and one of a space of one's own."""

import shutil
import sys
from pathlib import Path

import pytest

import bonas
from bonas.assembly import Components
from bonas.builders import BUILDERS, builder_of
from bonas.cli import main
from bonas.config import SPACES, ConfigError, SpaceTable
from bonas.config_file import dump_config, load_config, parse_config
from bonas.networks.builder import NetworkBuilder
from bonas.run_folder import RunFolder
from tests.bonas.networks.test_every_builder import EXAMPLE
from tests.bonas.test_cli import TINY, failure

OWN = TINY.replace("width = 4\nlevel_width = 8\n", 'name = "own/chain.py:ChainBuilder"\n')


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """A configuration beside a space of one's own."""
    (tmp_path / "own").mkdir()
    shutil.copy(EXAMPLE, tmp_path / "own" / "chain.py")
    (tmp_path / "tiny.toml").write_text(OWN)
    return tmp_path / "tiny.toml"


def named(name: str) -> NetworkBuilder:
    return builder_of(SpaceTable(name=name))


@pytest.mark.parametrize("name", SPACES)
def test_the_projects_spaces_have_builders(name: str) -> None:
    assert BUILDERS.keys() == set(SPACES)
    assert named(name).space.name == name


def test_a_file_is_relative_to_its_configuration_and_kept_as_resolved(file: Path) -> None:
    config = load_config(file)
    assert config.space.name == f"{file.parent / 'own' / 'chain.py'}:ChainBuilder"
    (file.parent / "run.toml").write_text(dump_config(config))
    assert load_config(file.parent / "run.toml") == config
    assert builder_of(config.space).space.name == "chain"


def test_a_module_of_the_path_and_an_object_in_it_are_found(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = file.parent / "own"
    (place / "other_chain.py").write_text("import chain\nBUILDER = chain.ChainBuilder()\n")
    monkeypatch.syspath_prepend(str(place))
    try:
        assert named("other_chain:BUILDER").space.name == "chain"
    finally:
        for name in ("chain", "other_chain"):
            sys.modules.pop(name, None)


def test_a_file_that_changed_is_read_again(tmp_path: Path) -> None:
    script = tmp_path / "own.py"
    for name in ("first", "second"):
        script.write_text(EXAMPLE.read_text().replace('"chain"', f'"{name}"'))
        assert named(f"{script}:ChainBuilder").space.name == name
    assert named(f"{script}:ChainBuilder").space is named(f"{script}:ChainBuilder").space


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("none.py:B", r"none\.py:B', which cannot be imported \(FileNotFoundError"),
        ("no_such_module:B", "cannot be imported .ModuleNotFoundError: No module named"),
        ("own/broken.py:B", "cannot be imported .ZeroDivisionError: division by zero"),
        ("own/wrong.py:B", "cannot be imported .SyntaxError"),
        ("own/chain.py:Builder", "has no 'Builder'; it has .*ChainBuilder"),
        (
            "own/chain.py:Chain",
            "'Chain' is <.*Chain object.*; it must be a bonas.networks",
        ),
        ("own/argument.py:B", "cannot be imported .TypeError: .*an object or a class without"),
        ("own/spaceless.py:B", "'B' is <.*a space with name, decisions and graph"),
        ("own/chain.py", "it must be one of forgery, .* as module:attribute or file.py:attribute"),
        ("own/chain.py:", "it must be one of"),
        ("forgery_cascad", "did you mean 'forgery_cascade'"),
    ],
)
def test_what_is_no_builder_is_named(file: Path, name: str, message: str) -> None:
    own = file.parent / "own"
    (own / "broken.py").write_text("B = 1 / 0\n")
    (own / "wrong.py").write_text("B = (\n")
    spaceless = "class B:\n    space = 3\n    def build(self, options): ...\n"
    (own / "spaceless.py").write_text(spaceless)
    init = "    def __init__(self, depth): ...\n"
    (own / "argument.py").write_text(spaceless + init)
    file.write_text(OWN.replace("own/chain.py:ChainBuilder", name))
    with pytest.raises(ConfigError, match=message):
        builder_of(load_config(file).space)


def test_the_builder_decides_about_its_networks() -> None:
    table = {"name": "own:B", "cells": 3}
    with pytest.raises(ConfigError, match="cells is no setting of 'own:B', whose builder decides"):
        parse_config({"space": table}, "here")


def test_an_own_space_goes_the_whole_way(
    file: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(file.parent)
    run = ["--out", "run"]
    strategy = ["--strategy", "evolution", "--trials", "2"]
    assert main(["search", str(file), *run, *strategy]) == 0
    for command in ("train", "compare", "report"):
        assert main([command, "run"]) == 0
    other = file.parent / "other.py"
    shutil.copy(EXAMPLE, other)
    capsys.readouterr()
    error = failure(
        capsys, "search", str(file), *run, *strategy, "--set", "space.name=other.py:ChainBuilder"
    )
    assert "holds a run of another configuration" in error
    assert "other.py:ChainBuilder" in error

    folder = next((file.parent / "run" / "detectors").iterdir())
    with pytest.raises(ConfigError, match="whose code is not run unasked; give its builder"):
        bonas.load_detector(folder, device="cpu")
    builder = Components.of(RunFolder.open(file.parent / "run")).builder
    assert bonas.load_detector(folder, device="cpu", builder=builder).detector.training is False
