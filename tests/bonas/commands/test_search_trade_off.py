"""`bonas search` with several objectives and with an earlier run, on tiny built-in faces."""

import json
from pathlib import Path

import pytest

from bonas.cli import main
from bonas.commands.train import choose_architecture
from bonas.run_folder import RunFolder
from tests.bonas.test_cli import TINY, failure


@pytest.fixture(scope="module")
def searched(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run of three trials that minimises multiply-adds, beside its configuration."""
    place = tmp_path_factory.mktemp("searched")
    (place / "tiny.toml").write_text(TINY)
    assert main([*_command(place, "run"), *_minimise("multiply_adds"), "--trials", "3"]) == 0
    return place


def _command(place: Path, run: str) -> list[str]:
    return ["search", str(place / "tiny.toml"), "--out", str(place / run), "--json"]


def _minimise(*costs: str) -> list[str]:
    return ["--set", f"search.minimise={json.dumps(costs)}"]


def test_the_front_is_printed_as_json_and_as_a_table_and_its_keys_can_be_trained(
    searched: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    command = [*_command(searched, "run"), *_minimise("multiply_adds"), "--trials", "4"]
    assert main(command) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["trials"] == 4, "the run is continued"
    assert found["minimise"] == ["multiply_adds"]
    front = [(t["value"], t["cost"]["multiply_adds"], t["key"]) for t in found["front"]]
    points = [(t["value"], t["cost"]["multiply_adds"]) for t in found["best"]]
    for score, cost, _ in front:
        assert not any(s >= score and c <= cost and (s, c) != (score, cost) for s, c in points)
    assert front[0][2] == found["best"][0]["key"]
    assert [f[0] for f in front] == sorted((f[0] for f in front), reverse=True)

    command.remove("--json")
    assert main(command) == 0
    shown = capsys.readouterr().out
    assert "trade-offs of score and multiply_adds" in " ".join(shown.split())
    assert all(key in shown for _, _, key in front)
    folder = RunFolder.open(searched / "run")
    for _, _, key in front:
        assert choose_architecture(folder, key)[1] == key
    assert main(["report", str(searched / "run"), "--json"]) == 0
    (reported,) = json.loads(capsys.readouterr().out)["runs"]
    assert [t["architecture"] for t in reported["front"]] == [key for _, _, key in front]


def test_an_earlier_run_is_not_repeated(searched: Path, capsys: pytest.CaptureFixture[str]) -> None:
    capsys.readouterr()
    earlier = ["--warm-start", str(searched / "run")]
    assert main([*_command(searched, "warm"), *earlier, "--trials", "2"]) == 0
    found = json.loads(capsys.readouterr().out)
    kept = json.loads((searched / "warm" / "warm_start.json").read_text())["observations"]
    assert len(kept) >= 3
    known = {tuple(row["choices"]) for row in kept}
    assert not known & {tuple(t["choices"]) for t in found["best"]}
    assert len(found["front"]) == 1, "of one objective the front is the best"
    config = (searched / "warm" / "config.toml").read_text()
    assert str(searched / "run") in config


def test_scores_under_other_conditions_are_refused_before_anything_is_trained(
    searched: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    command = [*_command(searched, "other"), "--warm-start", str(searched / "run")]
    error = failure(capsys, *command, "--set", "score.severities=[5]")
    attributes = RunFolder.open(searched / "run").journal.read_text()
    assert "are of the conditions" in error
    assert error.split("are of the conditions ")[1].split(",")[0] in attributes
    assert not (searched / "other" / "supernet.safetensors").exists()
    assert not (searched / "other" / "supernet.checkpoint").exists()


def test_a_cost_that_no_estimate_has_is_named_before_a_folder_is_made(
    searched: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    error = failure(capsys, *_command(searched, "flops"), *_minimise("flops"))
    assert "minimise names 'flops'; the costs of an estimate are parameters" in error
    assert not (searched / "flops").exists()
