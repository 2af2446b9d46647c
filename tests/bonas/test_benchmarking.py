"""Benchmarks of strategies on tables."""

import hashlib
import itertools
import json
import os
import sys
from pathlib import Path

import numpy as np
import optuna
import pytest
from optuna.trial import TrialState

import bonas.benchmarking
from bonas.benchmark_results import Benchmark, number_format, summary
from bonas.benchmarking import BenchmarkRun, run_benchmark, run_sampler
from bonas.cli import main
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
    ended = sorted(two, key=lambda run: run.seed)
    assert [r.architectures for r in one] == [r.architectures for r in ended]


def test_means_and_paired_differences_have_t_intervals() -> None:
    mean, half = mean_and_half_width([[1.0, 2.0], [3.0]])
    assert mean.tolist() == [2.0, 2.5]
    assert np.allclose(half, [12.706 * 1.0, 12.706 * 0.5], rtol=1e-3)
    difference, width = paired_difference([[1.0], [2.0], [3.0]], [[0.0], [1.0], [2.0]])
    assert difference.tolist() == [1.0]
    assert width.tolist() == [0.0]
    with pytest.raises(ValueError, match="first has 1 runs and second 2"):
        paired_difference([[1.0]], [[1.0], [2.0]])


def _invoke(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str]:
    code = main(["benchmark", *arguments])
    captured = capsys.readouterr()
    return code, captured.out + captured.err


def _arguments(path: Path, **changed: str) -> list[str]:
    given = {"space": "choices", "decisions": "a,b,c", "objective": "score"}
    given |= {"strategies": "random,evolution", "seeds": "2", "trials": "12"} | changed
    return [str(path), *itertools.chain(*((f"--{k}", v) for k, v in given.items()))]


def test_the_command_prints_a_table_and_writes_json(
    choices: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out.json"
    given = _arguments(choices, strategies="random,bayesian", workers="2", json=str(out))
    code, output = _invoke(capsys, *given)
    assert code == 0
    assert "bayesian" in output
    document = json.loads(out.read_text())
    assert set(document) == {"objective", "optimum", "runs", "protocol"}
    digest = hashlib.sha256(choices.read_bytes()).hexdigest()[:16]
    assert document["protocol"]["table"] == {"name": choices.name, "sha256": digest}
    assert document["protocol"]["workers"] == 2
    assert document["protocol"]["decisions"] == ["a", "b", "c"], "in another order, other choices"
    assert digest in output
    assert document["optimum"] == 9
    keys = {"strategy", "seed", "best", "architectures", "seconds_per_suggestion"}
    assert [set(run) for run in document["runs"]] == [keys] * 4


def test_an_interrupted_benchmark_keeps_its_runs_and_is_continued(
    choices: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    out, whole = tmp_path / "out.json", tmp_path / "whole.json"
    assert _invoke(capsys, *_arguments(choices, json=str(whole)))[0] == 0
    asked: list[tuple[str, int]] = []
    run_named = bonas.benchmarking._run_named

    def interrupted(
        strategy: str, seed: int, table: TabularEstimator, trials: int, workers: int
    ) -> BenchmarkRun:
        asked.append((strategy, seed))
        if len(asked) == 3:
            raise KeyboardInterrupt
        return run_named(strategy, seed, table, trials, workers)

    monkeypatch.setattr(bonas.benchmarking, "_run_named", interrupted)
    assert _invoke(capsys, *_arguments(choices, json=str(out)))[0] == 130
    assert len(Benchmark.from_json(out.read_text()).runs) == 2
    assert _invoke(capsys, *_arguments(choices, json=str(out)))[0] == 0
    assert asked[2:] == [("evolution", 0), ("evolution", 0), ("evolution", 1)]
    continued, uncut = (Benchmark.from_json(p.read_text()).runs for p in (out, whole))
    assert [r.architectures for r in continued] == [r.architectures for r in uncut]
    code, output = _invoke(capsys, *_arguments(choices, json=str(out), trials="13"))
    assert code == 2
    assert "holds runs of another benchmark: protocol" in output.replace("\n", " ")


def test_one_seed_has_no_spread(choices: Path, capsys: pytest.CaptureFixture[str]) -> None:
    _, output = _invoke(capsys, *_arguments(choices, seeds="1"))
    assert "±" not in output
    _, output = _invoke(capsys, *_arguments(choices, seeds="2"))
    assert "±" in output


def test_more_trials_than_architectures_show_the_last_value_and_say_so(
    choices: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out.json"
    _, output = _invoke(capsys, *_arguments(choices, trials="60", seeds="1", json=str(out)))
    assert "@36" in output
    assert "@50" not in output
    rows = [line for line in output.splitlines() if "random" in line or "evolution" in line]
    assert ["9.000" in row for row in rows] == [True, True]
    assert "Runs end after 36 of 60 evaluations: there is nothing left to propose." in output
    before = out.read_bytes()
    _invoke(capsys, *_arguments(choices, trials="60", seeds="1", json=str(out)))
    assert out.read_bytes() == before, "what is exhausted is not run again"


def test_runs_that_are_too_short_are_run_again(
    choices: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out.json"
    _invoke(capsys, *_arguments(choices, json=str(out)))
    whole = json.loads(out.read_text())
    mixed = json.loads(out.read_text())
    for values in ("best", "architectures"):
        del mixed["runs"][3][values][5:]
    out.write_text(json.dumps(mixed))
    _invoke(capsys, *_arguments(choices, json=str(out)))
    for ours, theirs in zip(json.loads(out.read_text())["runs"], whole["runs"], strict=True):
        assert ours["architectures"] == theirs["architectures"]


@pytest.mark.parametrize(
    ("optimum", "shown"),
    [(91.567, "91.57"), (0.9512, "0.9512"), (1e-6, "1.000e-06"), (2e7, "2.000e+07"), (0, "0.00"),
     (-3.25, "-3.250"), (123.44, "123.4")],
)  # fmt: skip
def test_values_are_shown_with_four_digits_of_the_optimum(optimum: float, shown: str) -> None:
    benchmark = Benchmark("score", optimum, [BenchmarkRun("random", 0, [optimum], [""], 0.0)])
    assert f"{optimum:{number_format(benchmark)}}" == shown
    assert summary(benchmark, [1])[0][1] == [shown]


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"strategies": "best"}, "'best' is unknown"),
        ({"strategies": ""}, "strategies is empty"),
        ({"strategies": "random,random"}, "strategies names 'random' twice"),
        ({"objective": "speed"}, "no column 'speed'"),
        ({"decisions": "a,d"}, "no column 'd'"),
        ({"decisions": "a,a"}, "the column 'a' twice"),
        ({"json": "nowhere/out.json"}, "--json is 'nowhere/out.json'"),
        ({"plot": "nowhere/out.png"}, "--plot is 'nowhere/out.png'"),
        ({"plot": "curves.doc"}, "the plot is 'curves.doc'"),
    ],
)
def test_wrong_use_ends_with_code_2_before_anything_runs(
    choices: Path,
    changed: dict[str, str],
    message: str,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(bonas.benchmarking, "_run_named", pytest.fail)
    code, output = _invoke(capsys, *_arguments(choices, **changed))
    assert code == 2
    assert message in output


def test_a_plot_without_matplotlib_names_the_extra(
    choices: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(bonas.benchmarking, "_run_named", pytest.fail)
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    code, output = _invoke(capsys, *_arguments(choices, plot=str(tmp_path / "curves.png")))
    assert code == 2
    assert "but drawing needs matplotlib; install it with: pip install 'bonas[dashboard]'" in output


def test_debug_shows_where_an_error_was(
    choices: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*arguments: object) -> BenchmarkRun:
        raise ValueError("a defect")

    monkeypatch.setattr(bonas.benchmarking, "_run_named", broken)
    code, output = _invoke(capsys, *_arguments(choices))
    assert code == 1
    assert "ValueError: a defect" in output
    with pytest.raises(ValueError, match="a defect"):
        main(["--debug", "benchmark", *_arguments(choices)])


def test_several_workers_finish_in_an_order_of_their_own_that_the_seed_decides(
    choices: Path,
) -> None:
    class Told(optuna.samplers.RandomSampler):
        finished: list[int]

        def after_trial(
            self,
            study: optuna.Study,
            trial: optuna.trial.FrozenTrial,
            state: TrialState,
            values: object,
        ) -> None:
            self.finished.append(trial.number)

    def order(seed: int, workers: int) -> list[int]:
        sampler = Told(seed=0)
        sampler.finished = []
        run_sampler("r", sampler, _read(choices), seed=seed, trials=20, workers=workers)
        return sampler.finished

    first = order(0, 4)
    assert order(0, 4) == first
    assert order(1, 4) != first
    assert first != sorted(first)
    # Whoever is pending was asked before: at most three younger ones overtake at a time.
    assert all(n < position + 4 for position, n in enumerate(first))
    alone = order(0, 1)
    assert alone == sorted(alone)


@needs_table
def test_the_default_strategy_beats_random_search_on_nasbench201() -> None:
    table = read_table(TABLE, "nasbench201", Objective.parse("cifar10_val"))
    assert table.optimum == pytest.approx(91.57, abs=0.005)
    names = ["bayesian", "random"]
    runs = list(run_benchmark(table, strategies=names, seeds=range(4), trials=50))
    found = {name: [run.best[-1] for run in runs if run.strategy == name] for name in names}
    assert sum(found["bayesian"]) / 4 > sum(found["random"]) / 4 + 0.3
