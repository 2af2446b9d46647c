"""`bonas benchmark`: strategies against each other on a table of results."""

from pathlib import Path
from typing import Annotated

import typer
from rich.progress import track
from rich.table import Table

import bonas
from bonas.benchmark_results import (
    Benchmark,
    check_output,
    check_plot,
    draw_curves,
    number_format,
    summary,
    table_protocol,
)
from bonas.benchmarking import proposable, run_benchmark
from bonas.commands.console import MESSAGES, RESULTS
from bonas.config import ConfigError
from bonas.estimation.tabular import Objective, read_table

CHECKPOINTS = (10, 25, 50, 100, 150, 300, 500, 1_000)


def benchmark(
    table: Annotated[Path, typer.Argument(help="CSV file, may be compressed (.gz).")],
    objective: Annotated[
        str, typer.Option(help="A column, -column, or column=weight,column=weight.")
    ],
    space: Annotated[str, typer.Option(help="A space of bonas, or any name with --decisions.")] = (
        "nasbench201"
    ),
    decisions: Annotated[
        str, typer.Option(help="The decisions' columns, separated by commas.")
    ] = "",
    strategies: Annotated[
        str, typer.Option(help="Names of strategies, separated by commas.")
    ] = "bayesian,random,evolution,local_search",
    seeds: Annotated[int, typer.Option(min=1, help="Runs per strategy.")] = 10,
    trials: Annotated[int, typer.Option(min=1, help="Evaluations per run.")] = 150,
    jobs: Annotated[int, typer.Option(min=1, help="Runs at the same time.")] = 1,
    workers: Annotated[
        int,
        typer.Option(
            min=1, help="Pending suggestions in each run; they end in an order drawn from the seed."
        ),
    ] = 1,
    json: Annotated[
        Path | None, typer.Option(help="Keep the runs here; those that it holds are not run again.")
    ] = None,
    plot: Annotated[Path | None, typer.Option(help="Draw the curves here (.png, .svg).")] = None,
) -> None:
    """Compare strategies on a table of results, such as NAS-Bench-201."""
    names = [name.strip() for name in strategies.split(",") if name.strip()]
    try:
        columns = [column.strip() for column in decisions.split(",") if column.strip()]
        estimator = read_table(table, space, Objective.parse(objective), decisions=columns)
        protocol = table_protocol(
            table, estimator, space=space, decisions=columns, trials=trials, workers=workers
        )
        result = Benchmark(objective, estimator.optimum, [], protocol)
        if plot is not None:
            check_output("--plot", plot)
            _check_plot(plot)
        if json is not None:
            check_output("--json", json)
            result = result.begun_or_continued(json)
        # A file that another command continued may hold runs of fewer trials.
        shorter = any(len(run.best) < trials for run in result.runs)
        enough = min(trials, proposable(estimator)) if shorter else trials
        done = [(run.strategy, run.seed) for run in result.runs if len(run.best) >= enough]
        runs = run_benchmark(
            estimator,
            strategies=names,
            seeds=range(seeds),
            trials=trials,
            workers=workers,
            jobs=jobs,
            done=done,
        )
    except ValueError as error:
        raise ConfigError(str(error)) from error
    total = sum((name, seed) not in done for name in names for seed in range(seeds))
    for run in track(runs, "benchmark", total=total, console=MESSAGES):
        result = result.with_run(run)
        if json is not None:
            result.write(json)
    if json is not None:
        result.write(json)
    shown = result.of(names, range(seeds))
    if plot is not None:
        draw_curves(shown, plot)
    RESULTS.print(_table(shown, trials))
    if shown.longest < trials:
        RESULTS.print(
            f"Runs end after {shown.longest} of {trials} evaluations: there is nothing left to "
            "propose.",
            soft_wrap=True,
        )
    RESULTS.print(
        f"table {protocol['table']['sha256']}; {seeds} seeds from 0; {workers} pending; "
        f"bonas {bonas.__version__}",
        soft_wrap=True,
    )


def _check_plot(plot: Path) -> None:
    try:
        check_plot(plot)
    except ModuleNotFoundError as error:  # its message names the extra
        raise ConfigError(f"--plot is {str(plot)!r}, but {error}.") from error


def _table(result: Benchmark, trials: int) -> Table:
    last = min(trials, max(1, result.longest))
    at = [n for n in CHECKPOINTS if n < last] + [last]
    one = len({run.seed for run in result.runs}) < 2
    value = "of one seed" if one else "mean ± 95 %"
    optimum = f"{result.optimum:{number_format(result)}}"
    table = Table(title=f"best {result.objective}, {value} (optimum {optimum})")
    table.add_column("strategy")
    for number in at:
        table.add_column(f"@{number}", justify="right")
    table.add_column("ms per suggestion", justify="right")
    for strategy, cells, milliseconds in summary(result, at):
        table.add_row(strategy, *cells, *[""] * (len(at) - len(cells)), milliseconds)
    return table
