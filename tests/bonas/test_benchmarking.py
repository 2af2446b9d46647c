"""Benchmarks of strategies on tables."""

import hashlib
import itertools
import json
import os
from pathlib import Path

import numpy as np
import optuna
import pytest
import typer
from typer.testing import CliRunner

from bonas.benchmarking import run_benchmark, run_sampler
from bonas.commands.benchmark import benchmark
from bonas.estimation.tabular import Objective, TabularEstimator, read_table
from bonas.paired import mean_and_half_width, paired_difference

SHARED = Path(os.environ.get("BONAS_SHARED", Path(__file__).parents[2].parent / "shared"))
TABLE = SHARED / "benchmarks" / "nasbench201.csv.gz"
needs_table = pytest.mark.skipif(not TABLE.exists(), reason=f"{TABLE} is not there")


@pytest.fixture
def choices(tmp_path: Path) -> Path:
    """A complete table of 3 x 3 x 4 choices with a known optimum of 9."""
    rows = [
        f"{a},{b},{c},{a + 2 * b + c if c != 'x' else 0}"
        for a, b, c in itertools.product(range(3), range(3), [0, 1, 2, 3])
    ]
    path = tmp_path / "choices.csv"
    path.write_text("a,b,c,score\n" + "\n".join(rows) + "\n")
    return path


def _read(path: Path) -> TabularEstimator:
    return read_table(path, "choices", Objective.parse("score"), decisions=("a", "b", "c"))


@pytest.mark.parametrize("workers", [1, 4])
def test_runs_hold_different_architectures_and_their_running_best(
    choices: Path, workers: int
) -> None:
    table = _read(choices)
    strategies = ["bayesian", "random", "evolution"]
    runs = list(
        run_benchmark(table, strategies=strategies, seeds=[0, 1], trials=20, workers=workers)
    )
    assert [(r.strategy, r.seed) for r in runs] == list(itertools.product(strategies, [0, 1]))
    for run in runs:
        assert len(run.best) == len({tuple(a) for a in run.architectures}) == 20
        assert run.best == sorted(run.best)
        assert run.seconds_per_suggestion > 0


def test_a_run_ends_when_the_space_is_exhausted(choices: Path) -> None:
    (run,) = run_benchmark(_read(choices), strategies=["bayesian"], seeds=[0], trials=99, workers=3)
    assert len(run.best) == 36
    assert run.best[-1] == 9


def test_other_samplers_may_repeat_themselves_at_no_cost(choices: Path) -> None:
    sampler = optuna.samplers.TPESampler(seed=0)
    run = run_sampler("tpe", sampler, _read(choices), seed=0, trials=30)
    assert len({tuple(a) for a in run.architectures}) == len(run.best) == 30


def test_processes_give_the_same_runs_as_one(choices: Path) -> None:
    one, two = (
        list(
            run_benchmark(_read(choices), strategies=["evolution"], seeds=[0, 1], trials=12, jobs=j)
        )
        for j in (1, 2)
    )
    assert [r.architectures for r in one] == [r.architectures for r in two]


def test_means_and_paired_differences_have_t_intervals() -> None:
    mean, half = mean_and_half_width([[1.0, 2.0], [3.0]])
    assert mean.tolist() == [2.0, 2.5]
    assert np.allclose(half, [12.706 * 1.0, 12.706 * 0.5], rtol=1e-3)
    difference, width = paired_difference([[1.0], [2.0], [3.0]], [[0.0], [1.0], [2.0]])
    assert difference.tolist() == [1.0]
    assert width.tolist() == [0.0]
    with pytest.raises(ValueError, match="first has 1 runs and second 2"):
        paired_difference([[1.0]], [[1.0], [2.0]])


def _invoke(*arguments: str) -> tuple[int, str]:
    application = typer.Typer()
    application.command()(benchmark)
    result = CliRunner().invoke(application, list(arguments))
    return result.exit_code, result.output


def test_the_command_prints_a_table_and_writes_json(choices: Path, tmp_path: Path) -> None:
    out, objective = tmp_path / "out.json", "score"
    code, output = _invoke(
        *(str(choices), "--space", "choices", "--decisions", "a,b,c", "--objective", objective),
        *("--strategies", "random,bayesian", "--seeds", "2", "--trials", "12"),
        *("--workers", "2", "--json", str(out)),
    )
    assert code == 0
    assert "bayesian" in output
    document = json.loads(out.read_text())
    assert set(document) == {"objective", "optimum", "runs", "protocol"}
    digest = hashlib.sha256(choices.read_bytes()).hexdigest()[:16]
    assert document["protocol"]["table"] == {"name": choices.name, "sha256": digest}
    assert document["protocol"]["workers"] == 2
    assert digest in output
    assert document["optimum"] == 9
    keys = {"strategy", "seed", "best", "architectures", "seconds_per_suggestion"}
    assert [set(run) for run in document["runs"]] == [keys] * 4


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--strategies", "best"), "'best' is unknown"),
        (("--objective", "speed"), "no column 'speed'"),
        (("--decisions", "a,d"), "no column 'd'"),
    ],
)
def test_wrong_use_ends_with_code_2(
    choices: Path, arguments: tuple[str, str], message: str
) -> None:
    defaults = {"--space": "choices", "--decisions": "a,b,c", "--objective": "score"}
    given = defaults | {arguments[0]: arguments[1]}
    code, output = _invoke(str(choices), *itertools.chain(*given.items()))
    assert code == 2
    assert message in output


@needs_table
def test_the_default_strategy_beats_random_search_on_nasbench201() -> None:
    table = read_table(TABLE, "nasbench201", Objective.parse("cifar10_val"))
    assert table.optimum == pytest.approx(91.57, abs=0.005)
    names = ["bayesian", "random"]
    runs = list(run_benchmark(table, strategies=names, seeds=range(4), trials=50))
    found = {name: [run.best[-1] for run in runs if run.strategy == name] for name in names}
    assert sum(found["bayesian"]) / 4 > sum(found["random"]) / 4 + 0.3
