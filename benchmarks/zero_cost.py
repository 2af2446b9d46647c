"""What zero-cost scores bring: the default strategy with and without their prior mean.

    OMP_NUM_THREADS=1 python benchmarks/zero_cost.py TABLE --scores zc_synflow,zc_jacov \\
        [--objective cifar10_val] [--seeds 10] [--trials 100]

Prints the mean best value with its 95 % half width.
"""

import argparse
from pathlib import Path

import optuna
import torch

from bonas.benchmarking import run_sampler
from bonas.estimation.tabular import Objective, read_table
from bonas.paired import mean_and_half_width
from bonas.strategies.sampler import SurrogateSampler
from bonas.strategies.settings import Settings, surrogate_with
from spaces.encodings.statistics import ranked


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
    columns = ",".join(f"{name}=1" for name in arguments.scores.split(","))
    scores = read_table(arguments.table, "nasbench201", Objective.parse(columns)).parts
    statistics = ranked(table.space, {a: list(values.values()) for a, values in scores.items()})
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


if __name__ == "__main__":
    main()
