"""Wall time of a suggestion, one thread, the study in memory.

    OMP_NUM_THREADS=1 python benchmarks/suggestion_time.py TABLE [--trials 500] [--optuna]

Prints the median over the twenty suggestions around 150, 300 and 500 observations on all 15,625
architectures of NAS-Bench-201, and with `--optuna` the same for Optuna's GPSampler up to 300.
`--forgery N` prints the median and the peak memory after N observations on the forgery space.
"""

import argparse
import resource
import statistics
import time
from pathlib import Path

import numpy as np
import optuna
import torch
from optuna.distributions import CategoricalDistribution
from optuna.samplers import BaseSampler, GPSampler
from provenance import machine, provenance

from bonas.estimation.tabular import Objective, read_table
from bonas.strategies.sampler import SurrogateSampler
from spaces.architecture import Architecture
from spaces.forgery import FORGERY
from spaces.space import SearchSpace, sample


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("table", type=Path)
    parser.add_argument("--trials", type=int, default=520)
    parser.add_argument("--optuna", action="store_true")
    parser.add_argument("--forgery", type=int, default=0)
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    table = read_table(arguments.table, "nasbench201", Objective.parse("cifar10_val"))
    ours = seconds(SurrogateSampler(table.space), table.space, table.values, arguments.trials)
    report("bonas", ours)
    if arguments.optuna:
        theirs = seconds(GPSampler(seed=0), table.space, table.values, min(arguments.trials, 310))
        report("optuna GPSampler", theirs)
    if arguments.forgery:
        forgery(arguments.forgery)
    print(provenance(table=arguments.table, threads=1, seed=0, machine=machine()))


def seconds(
    sampler: BaseSampler, space: SearchSpace, values: dict[Architecture, float], trials: int
) -> list[float]:
    study = optuna.create_study(direction="maximize", sampler=sampler)
    decisions = {d.name: CategoricalDistribution(d.options) for d in space.decisions}
    times = []
    for _ in range(trials):
        begun = time.perf_counter()
        trial = study.ask(decisions)
        times.append(time.perf_counter() - begun)
        choices = tuple(trial.params[d.name] for d in space.decisions)
        study.tell(trial, values[Architecture(space.name, choices)])
    return times


def report(name: str, times: list[float]) -> None:
    for count in (150, 300, 500):
        around = times[count - 10 : count + 10]
        if len(around) == 20:
            print(f"{name:>18} @{count}: {1000 * statistics.median(around):7.1f} ms median")


def forgery(observations: int) -> None:
    rng = np.random.default_rng(0)
    study = optuna.create_study(direction="maximize", sampler=SurrogateSampler(FORGERY))
    decisions = {d.name: CategoricalDistribution(d.options) for d in FORGERY.decisions}
    for _ in range(observations):
        choices = sample(FORGERY, rng=rng).choices
        params = {d.name: c for d, c in zip(FORGERY.decisions, choices, strict=True)}
        value = sum(str(c).startswith("c") for c in choices) + rng.normal()
        study.add_trial(
            optuna.create_trial(params=params, distributions=decisions, value=float(value))
        )
    times = []
    for _ in range(12):
        begun = time.perf_counter()
        trial = study.ask(decisions)
        times.append(time.perf_counter() - begun)
        study.tell(trial, float(rng.normal()))
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6
    median = statistics.median(times[1:])
    print(f"forgery @{observations}: first {times[0]:.2f} s, then median {median:.2f} s")
    print(f"peak memory {peak:.2f} GB")


if __name__ == "__main__":
    main()
