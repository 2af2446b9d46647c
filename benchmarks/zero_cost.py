"""What zero-cost scores bring: the default strategy with and without their prior mean.

    OMP_NUM_THREADS=1 python benchmarks/zero_cost.py TABLE --scores zc_synflow,zc_jacov \\
        [--objective cifar10_val] [--seeds 10] [--trials 100]

Prints the mean best value with its 95 % half width.
"""

import argparse
import csv
import gzip
from pathlib import Path

import optuna
import torch
from provenance import provenance, seeds

from bonas.benchmarking import run_sampler
from bonas.estimation.tabular import Objective, TabularEstimator, read_table
from bonas.paired import mean_and_half_width
from bonas.strategies.sampler import SurrogateSampler
from bonas.strategies.settings import Settings, surrogate_with
from spaces.architecture import Architecture
from spaces.encodings.statistics import ranked
from spaces.graphs import canonical_key
from spaces.nasbench201 import from_arch_str


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("table", type=Path)
    parser.add_argument("--scores", default="zc_synflow,zc_jacov,zc_nwot")
    parser.add_argument("--objective", default="cifar10_val")
    parser.add_argument("--seeds", type=int, default=10)
    parser.add_argument("--trials", type=int, default=100)
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    table = read_table(arguments.table, "nasbench201", Objective.parse(arguments.objective))
    statistics = ranked(table.space, scores(arguments.table, table, arguments.scores.split(",")))
    at = [n for n in (10, 25, 50, 100, 150) if n <= arguments.trials]
    print(f"{arguments.objective:>22} " + " ".join(f"{'@' + str(n):>13}" for n in at))
    for name, settings in {
        "default": Settings(),
        f"with {arguments.scores}": Settings(surrogate=surrogate_with(statistics)),
    }.items():
        curves = []
        for seed in range(arguments.seeds):
            sampler = SurrogateSampler(table.space, seed=seed, settings=settings)
            run = run_sampler(name, sampler, table, seed=seed, trials=arguments.trials)
            curves.append(run.best)
        mean, half = mean_and_half_width(curves)
        cells = " ".join(f"{mean[n - 1]:6.2f} ± {half[n - 1]:4.2f}" for n in at)
        print(f"{name:>22} {cells}", flush=True)
    print("\n" + provenance(table=arguments.table, seeds=seeds(arguments.seeds)))


def scores(
    path: Path, table: TabularEstimator, columns: list[str]
) -> dict[Architecture, list[float]]:
    """Of every architecture its class's, which stand in one row of each; where no row has them,
    as of cells that compute nothing, the lowest of each."""
    with gzip.open(path, "rt") if path.suffix == ".gz" else path.open() as lines:
        rows = [row for row in csv.DictReader(lines) if all(row.get(c) for c in columns)]
    if not rows:
        raise SystemExit(f"--scores {','.join(columns)}: no row of {path} has all of them.")
    space = table.space
    own = {from_arch_str(row["arch_str"]): [float(row[c]) for c in columns] for row in rows}
    known = {canonical_key(space.graph(a)): values for a, values in own.items()}
    lowest = [min(values) for values in zip(*known.values(), strict=True)]
    shared = {a: known.get(canonical_key(space.graph(a)), lowest) for a in table.values}
    return shared | own


if __name__ == "__main__":
    main()
