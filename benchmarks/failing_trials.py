"""What failed trials teach: a table some of whose architectures fail.

    OMP_NUM_THREADS=1 python benchmarks/failing_trials.py TABLE [--objective cifar10_val]
        [--seeds 10] [--trials 100] [--rules large,first,any]

Rules say which fail: `large`, those of three or more 3 x 3 convolutions, as what runs out of memory
would; `first`, those with one in the first place; `any`, two of five, whatever they are. *Blind* is
the Bayesian strategy that is not told of failures, but does not repeat them either; *lowest* is
told that they have the lowest value so far (docs/decisions/0007-failed-trials.md). Prints, for
each rule and strategy, how many of the trials failed and the best value after the first half and
all of them, failed ones included; means over the seeds with their 95 % intervals.
"""

import argparse
import math
from collections.abc import Callable
from dataclasses import replace
from hashlib import sha256
from pathlib import Path

import numpy as np
import optuna
import torch
from optuna.distributions import BaseDistribution, CategoricalDistribution
from optuna.samplers import BaseSampler, TPESampler
from optuna.trial import TrialState
from provenance import provenance, seeds

from bonas.estimation.tabular import Objective, TabularEstimator, read_table
from bonas.paired import mean_and_half_width
from bonas.strategies.history import Estimate, History
from bonas.strategies.named import STRATEGIES
from bonas.strategies.sampler import SurrogateSampler
from spaces.architecture import Architecture, Choice
from spaces.space import SearchSpace

SHARE = 0.4


class Blind(SurrogateSampler):
    """The Bayesian strategy to which what failed is as if it had not been tried."""

    def propose(self, history: History, *, rng: np.random.Generator) -> Architecture:
        return super().propose(replace(history, failures=()), rng=rng)


class Lowest(SurrogateSampler):
    """The Bayesian strategy to which what failed is as bad as the worst."""

    def propose(self, history: History, *, rng: np.random.Generator) -> Architecture:
        if history.estimates:
            low = min(e.values[0] for e in history.estimates)
            told = [Estimate(f.number, f.architecture, (low,)) for f in history.failures]
            both = sorted([*history.estimates, *told], key=lambda e: e.number)
            history = replace(history, estimates=tuple(both), failures=())
        return super().propose(history, rng=rng)


def _any(choices: tuple[Choice, ...]) -> bool:
    digest = sha256(repr(choices).encode()).digest()
    return int.from_bytes(digest[:4]) < SHARE * 2**32


RULES: dict[str, Callable[[tuple[Choice, ...]], bool]] = {
    "large": lambda choices: choices.count("conv_3x3") >= 3,
    "first": lambda choices: choices[0] == "conv_3x3",
    "any": _any,
}
SAMPLERS: dict[str, Callable[[SearchSpace, int], BaseSampler]] = {
    "bayesian": STRATEGIES["bayesian"],
    "blind": lambda space, seed: Blind(space, seed=seed),
    "lowest": lambda space, seed: Lowest(space, seed=seed),
    "evolution": STRATEGIES["evolution"],
    "random": STRATEGIES["random"],
    "Optuna TPE": lambda space, seed: TPESampler(seed=seed, multivariate=True),
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("table", type=Path)
    parser.add_argument("--objective", default="cifar10_val")
    parser.add_argument("--seeds", type=int, default=10)
    parser.add_argument("--trials", type=int, default=100)
    parser.add_argument("--rules", default=",".join(RULES))
    arguments = parser.parse_args()
    for name in arguments.rules.split(","):
        if name not in RULES:
            parser.error(f"--rules names {name!r}; the rules are {', '.join(RULES)}.")
    if arguments.seeds < 1:
        parser.error(f"--seeds is {arguments.seeds}; it must be at least 1.")
    if arguments.trials < 2:
        parser.error(f"--trials is {arguments.trials}; it must be at least 2.")
    torch.set_num_threads(1)
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    table = read_table(arguments.table, "nasbench201", Objective.parse(arguments.objective))
    half = arguments.trials // 2
    print(
        f"| fail | strategy | of {arguments.trials} failed | best @{half} | @{arguments.trials} |"
    )
    print("|---|---|---|---|---|")
    for rule in arguments.rules.split(","):
        fails = RULES[rule]
        most = max(v for a, v in table.values.items() if not fails(a.choices))
        print(f"| {rule} | *best of the others* | | {most:.2f} | {most:.2f} |")
        for name, make in SAMPLERS.items():
            runs = [
                one_run(table, make(table.space, seed), fails, arguments.trials)
                for seed in range(arguments.seeds)
            ]
            mean, width = mean_and_half_width(runs)
            cells = [f"{m:.2f} ± {w:.2f}" for m, w in zip(mean, width, strict=True)]
            cells[0] = f"{mean[0]:.1f} ± {width[0]:.1f}"
            print(f"| {rule} | {name} | {' | '.join(cells)} |", flush=True)
    print("\n" + provenance(table=arguments.table, seeds=seeds(arguments.seeds)))


def one_run(
    table: TabularEstimator,
    sampler: BaseSampler,
    fails: Callable[[tuple[Choice, ...]], bool],
    trials: int,
) -> list[float]:
    """Failed trials, and the best value after half of the trials and after all."""
    study = optuna.create_study(direction="maximize", sampler=sampler)
    asked: dict[str, BaseDistribution] = {
        d.name: CategoricalDistribution(d.options) for d in table.space.decisions
    }
    best, so_far, failed = [], -math.inf, 0
    for _ in range(trials):
        trial = study.ask(asked)
        choices = tuple(trial.params[d.name] for d in table.space.decisions)
        if fails(choices):
            study.tell(trial, state=TrialState.FAIL)
            failed += 1
        else:
            value = table.values[Architecture(table.space.name, choices)]
            study.tell(trial, value)
            so_far = max(so_far, value)
        best.append(so_far)
    return [float(failed), best[trials // 2 - 1], best[-1]]


if __name__ == "__main__":
    main()
