"""The examples run as they stand, and stay short."""

import csv
import itertools
import json
import runpy
import sys
from pathlib import Path

import pytest

from bonas.builders import builder_of
from bonas.config_file import load_config
from bonas.networks.cost import OptionCosts
from bonas.step_time import read_step_times

EXAMPLES = Path(__file__).parents[1] / "examples"
ARGUMENTS = {"trade_off.py": ("table.csv", "accuracy", "milliseconds")}
"""What an example is given, the table being that of `table`."""


def test_the_step_times_of_the_search_on_dfdc_are_of_its_images_networks_and_batches() -> None:
    config = load_config(EXAMPLES / "dfdc.toml")
    builder = builder_of(config.space)
    costs = OptionCosts.count(builder, config.data.size)
    assert config.search.step_times is not None
    times = read_step_times(config.search.step_times, costs, config.training.batch_size)
    document = json.loads(config.search.step_times.read_text())
    assert document["measured_on"]["parameters"] == costs.skeleton["parameters"]
    assert 0 < times.skeleton["step_time"] < config.search.limits["step_time"]


@pytest.fixture
def table(tmp_path: Path) -> Path:
    """A table of some architectures of NAS-Bench-201: convolutions are good and slow."""
    operations = {"skip_connect": (0.0, 1.0), "nor_conv_1x1": (2.0, 3.0), "nor_conv_3x3": (3.0, 9)}
    with (tmp_path / "table.csv").open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["arch_str", "accuracy", "milliseconds"])
        for a, b, c in itertools.product(operations, repeat=3):
            text = f"|{a}~0|+|{b}~0|none~1|+|none~0|{c}~1|none~2|"
            both = [operations[name] for name in (a, b, c)]
            writer.writerow([text, sum(v for v, _ in both), sum(t for _, t in both)])
    return tmp_path


@pytest.mark.parametrize("script", sorted(EXAMPLES.glob("*.py")), ids=lambda path: path.name)
def test_an_example_ends_with_its_best_trial(
    script: Path,
    table: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(table)
    monkeypatch.setattr(sys, "argv", [script.name, *ARGUMENTS.get(script.name, ())])
    runpy.run_path(str(script), run_name="__main__")
    assert capsys.readouterr().out.startswith("trial ")


@pytest.mark.parametrize("name", ["own_space.py", "trade_off.py"])
def test_a_space_of_ones_own_and_trade_offs_take_less_than_sixty_lines(name: str) -> None:
    text = (EXAMPLES / name).read_text(encoding="utf-8")
    assert len(text.splitlines()) < 60
