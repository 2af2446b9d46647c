"""The first command of the README: the demo's own configuration, and the whole way in small."""

import json
import tomllib
from pathlib import Path

import numpy as np
import pytest

from bonas.builders import builder_of
from bonas.cli import main
from bonas.commands import demo
from bonas.networks.cost import architecture_cost
from bonas.strategies.design import pure_architectures
from spaces.space import connects, sample
from tests.bonas.test_cli import TINY


def test_its_limits_leave_architectures_and_refuse_some() -> None:
    config = demo.demo_config(3)
    assert config.seed == 3
    builder = builder_of(config.space)
    rng = np.random.default_rng(0)
    drawn = [sample(builder.space, rng=rng) for _ in range(30)]
    drawn += pure_architectures(builder.space, rng=rng)

    def kept(costs: dict[str, float]) -> bool:
        return all(costs[name] <= most for name, most in config.search.limits.items())

    costs = [
        architecture_cost(builder, a, config.data.size) for a in drawn if connects(builder.space, a)
    ]
    assert {kept(cost) for cost in costs} == {True, False}


def test_it_ends_with_a_comparison_and_a_page(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    tiny = {table: value for table, value in tomllib.loads(TINY).items() if table != "seed"}
    assert demo.SETTINGS.keys() <= tiny.keys()
    monkeypatch.setattr(demo, "SETTINGS", tiny)
    run = tmp_path / "run"
    assert main(["demo", "--out", str(run), "--seed", "2", "--json"]) == 0
    compared = json.loads(capsys.readouterr().out)
    assert {record["name"] for record in compared["records"]} == {"found", "random", "plain"}
    assert "<svg" in (run / "report.html").read_text()
