"""Hypervolume of the front of score against cost on a table, against random search.

    OMP_NUM_THREADS=1 python benchmarks/trade_off.py TABLE [--trials 100] [--seeds 5]

The hypervolume is the area that a front dominates, from the worst score and the highest cost of the
table on, as a share of the whole table's; printed are mean and standard deviation over the seeds.
"""

import argparse
import statistics
import time
from collections.abc import Callable, Iterable
from pathlib import Path

import optuna
import torch
from optuna.samplers import BaseSampler
from provenance import provenance, seeds

from bonas import Observation, Search
from bonas.estimation.tabular import Objective, TabularEstimator, read_table
from bonas.strategies.random import RandomSampler
from bonas.strategies.sampler import SurrogateSampler

STRATEGIES: dict[str, Callable[..., BaseSampler]] = {
    "bayesian": SurrogateSampler,
    "random": RandomSampler,
}
COUNTS = (25, 50, 100, 200)
"""Trials after which the front is measured."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("table", type=Path)
    parser.add_argument("--score", default="cifar10_val")
    parser.add_argument("--cost", default="latency_edgegpu_ms")
    parser.add_argument("--trials", type=int, default=100)
    parser.add_argument("--seeds", type=int, default=5)
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    score, cost = (
        read_table(arguments.table, "nasbench201", Objective.parse(column))
        for column in (arguments.score, arguments.cost)
    )
    whole = [(score.values[a], cost.values[a]) for a in score.values]
    corner = min(s for s, _ in whole), max(c for _, c in whole)
    for name, make in STRATEGIES.items():
        begun = time.process_time()
        runs = [
            observed(make(score.space, seed=seed), score, cost, arguments.trials)
            for seed in range(arguments.seeds)
        ]
        taken = (time.process_time() - begun) / arguments.seeds
        for count in [c for c in COUNTS if c <= arguments.trials]:
            shares = [area(run[:count], corner) / area(whole, corner) for run in runs]
            spread = statistics.stdev(shares) if len(shares) > 1 else 0.0
            print(f"{name:>9} @{count}: {statistics.fmean(shares):.4f} +- {spread:.4f}", end="  ")
            print(f"(seeds {', '.join(f'{share:.4f}' for share in shares)})")
        print(f"{name:>9}: {taken:.1f} s of CPU a search")
    print("\n" + provenance(table=arguments.table, seeds=seeds(arguments.seeds)))


def observed(
    sampler: BaseSampler, score: TabularEstimator, cost: TabularEstimator, trials: int
) -> list[tuple[float, float]]:
    """Score and cost of each trial."""
    search = Search(score.space, sampler=sampler, minimise=("cost",))
    found = []
    for _ in range(trials):
        architecture = search.ask()
        values = score.values[architecture], cost.values[architecture]
        search.tell(architecture, Observation(value=values[0], cost={"cost": values[1]}))
        found.append(values)
    return found


def area(points: Iterable[tuple[float, float]], corner: tuple[float, float]) -> float:
    """What points of (score, cost) dominate above the corner's score, below its cost."""
    total, reached = 0.0, corner[0]
    for score, cost in sorted(points, key=lambda point: (point[1], -point[0])):
        if score > reached:
            total += (score - reached) * (corner[1] - cost)
            reached = score
    return total


if __name__ == "__main__":
    main()
