"""What known noise is worth: a table whose values are observed with noise.

    OMP_NUM_THREADS=1 python benchmarks/noisy_table.py TABLE [--objective cifar10_val] [--seeds 8]
        [--trials 60] [--share 1.0]

Normal noise is added to every observation, of a standard deviation that is a share of the better
half's. The Bayesian strategy runs once as it is and once with `Settings(noise_variance=...)`; both
end with the highest observation, and with the highest posterior mean (`SurrogateSampler.ranked`).
Prints the true values of what was chosen, and the best that was met, means over the seeds with
their 95 % intervals.
"""

import argparse
from pathlib import Path

import numpy as np
import optuna
import torch
from provenance import provenance, seeds

from bonas.estimation.tabular import Objective, TabularEstimator, read_table
from bonas.paired import mean_and_half_width
from bonas.search import Search
from bonas.strategies.sampler import SurrogateSampler
from bonas.strategies.settings import Settings

NOISE_STREAM = 7


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("table", type=Path)
    parser.add_argument("--objective", default="cifar10_val")
    parser.add_argument("--seeds", type=int, default=8)
    parser.add_argument("--trials", type=int, default=60)
    parser.add_argument("--share", type=float, default=1.0)
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    table = read_table(arguments.table, "nasbench201", Objective.parse(arguments.objective))
    ordered = np.sort(list(table.values.values()))
    deviation = arguments.share * float(ordered[len(ordered) // 2 :].std())
    print(f"noise of standard deviation {deviation:.3f}, {arguments.trials} evaluations\n")
    print("| noise | highest observation | highest posterior mean | best that was met |")
    print("|---|---|---|---|")
    for name, known in {"not told": 0.0, "told": deviation**2}.items():
        settings = Settings(noise_variance=known)
        found = [
            one_run(table, settings, deviation, arguments.trials, seed)
            for seed in range(arguments.seeds)
        ]
        mean, half = mean_and_half_width(found)
        cells = " | ".join(f"{m:.2f} ± {h:.2f}" for m, h in zip(mean, half, strict=True))
        print(f"| {name} | {cells} |", flush=True)
    print("\n" + provenance(table=arguments.table, seeds=seeds(arguments.seeds)))


def one_run(
    table: TabularEstimator, settings: Settings, deviation: float, trials: int, seed: int
) -> list[float]:
    """True values of the highest observation, of the highest mean, and the best that was met."""
    sampler = SurrogateSampler(table.space, seed=seed, settings=settings)
    search = Search(table.space, seed=seed, sampler=sampler)
    rng = np.random.default_rng([seed, NOISE_STREAM])
    met = []
    for _ in range(trials):
        architecture = search.ask()
        met.append(table.values[architecture])
        search.tell(architecture, met[-1] + deviation * float(rng.standard_normal()))
    best = search.best
    assert best is not None
    ranked = sampler.ranked(search.study.optuna)
    return [table.values[best.architecture], table.values[ranked[0]], max(met)]


if __name__ == "__main__":
    main()
