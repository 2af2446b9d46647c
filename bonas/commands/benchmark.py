"""`bonas benchmark`: strategies against each other on a table of results."""

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import track
from rich.table import Table

import bonas
from bonas.benchmarking import Benchmark, draw_curves, run_benchmark, summary
from bonas.estimation.tabular import Objective, read_table
from bonas.protocol import versions
from bonas.run_folder import file_digest

CHECKPOINTS = (10, 25, 50, 100, 150, 300, 500, 1_000)


def benchmark(
    table: Annotated[Path, typer.Argument(help="CSV file, may be compressed (.gz).")],
    objective: Annotated[
        str, typer.Option(help="A column, -column, or column=weight,column=weight.")
    ],
    space: Annotated[str, typer.Option(help="nasbench201, or any name with --decisions.")] = (
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
    workers: Annotated[int, typer.Option(min=1, help="Pending suggestions in each run.")] = 1,
    json: Annotated[Path | None, typer.Option(help="Write all runs here.")] = None,
    plot: Annotated[Path | None, typer.Option(help="Draw the curves here (.png, .svg).")] = None,
) -> None:
    """Compare strategies on a table of results, such as NAS-Bench-201."""
    console = Console()
    try:
        goal = Objective.parse(objective)
        names = [name.strip() for name in strategies.split(",") if name.strip()]
        columns = [column.strip() for column in decisions.split(",") if column.strip()]
        estimator = read_table(table, space, goal, decisions=columns)
        runs = run_benchmark(
            estimator,
            strategies=names,
            seeds=range(seeds),
            trials=trials,
            workers=workers,
            jobs=jobs,
        )
        progress = track(runs, "benchmark", total=len(names) * seeds, console=Console(stderr=True))
        digest = file_digest(table)
        protocol = {
            "version": bonas.__version__,
            "versions": versions(),
            "table": {"name": table.name, "sha256": digest},
            "space": space,
            "seeds": seeds,
            "trials": trials,
            "workers": workers,
        }
        result = Benchmark(objective, estimator.optimum, list(progress), protocol)
        if json is not None:
            json.write_text(result.to_json())
        if plot is not None:
            draw_curves(result, plot)
    except (ValueError, OSError, ModuleNotFoundError) as error:
        Console(stderr=True, highlight=False).print(f"bonas benchmark: {error}", soft_wrap=True)
        raise typer.Exit(2) from error
    console.print(_table(result, trials))
    console.print(
        f"table {digest}; {seeds} seeds from 0; {workers} pending; bonas {bonas.__version__}",
        soft_wrap=True,
        markup=False,
    )


def _table(result: Benchmark, trials: int) -> Table:
    at = [n for n in CHECKPOINTS if n < trials] + [trials]
    table = Table(title=f"best {result.objective}, mean ± 95 % (optimum {result.optimum:.2f})")
    table.add_column("strategy")
    for number in at:
        table.add_column(f"@{number}", justify="right")
    table.add_column("ms per suggestion", justify="right")
    for strategy, cells, milliseconds in summary(result, at):
        table.add_row(strategy, *cells, *[""] * (len(at) - len(cells)), milliseconds)
    return table
