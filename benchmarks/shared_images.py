"""What it is worth to know the errors of estimates: AUCs on one small set of images.

    OMP_NUM_THREADS=1 python benchmarks/shared_images.py TABLE [--objective cifar10_val]
        [--seeds 30] [--trials 60] [--pairs 200] [--spread 0.01]

The table's values become AUCs whose better half has the standard deviation `--spread`; what does
not learn has 0.5. A detector with a true AUC is drawn as logits of pairs of a real and a forged
image: some images are hard for all detectors (0.7 of a logit's variance), for those with the same
choices (0.2), or for one alone (0.1). Each architecture is observed by its AUC on the same pairs.
The Bayesian strategy runs with the loadings of the observations' errors and without them, random
search and Optuna's TPE beside. Prints the true AUCs of the highest observation, of the highest
posterior mean, and the best that was met, means over the seeds with their 95 % intervals.
"""

import argparse
from collections.abc import Callable
from pathlib import Path

import numpy as np
import optuna
import torch
from optuna.samplers import BaseSampler, TPESampler
from provenance import provenance, seeds
from scipy.special import ndtri

from bonas.estimation.tabular import Objective, TabularEstimator, read_table
from bonas.observation import Observation
from bonas.paired import mean_and_half_width
from bonas.robustness.conditions import CLEAN, ConditionSet
from bonas.robustness.loadings import error_loadings
from bonas.robustness.score import pairable_score
from bonas.search import Search
from bonas.strategies.named import STRATEGIES
from bonas.strategies.sampler import SurrogateSampler
from spaces.architecture import Architecture
from spaces.encodings.onehot import OneHotEncoding

IMAGES_STREAM, OWN_STREAM = 11, 12
ALL, ALIKE, ALONE = 0.7, 0.2, 0.1
CONDITIONS = ConditionSet.of({CLEAN: {"data": "drawn"}})


class SharedImages:
    """Detectors with the AUCs that a table's values stand for, tested on the same pairs."""

    def __init__(self, table: TabularEstimator, *, pairs: int, spread: float, seed: int) -> None:
        ordered = np.sort(list(table.values.values()))
        better = ordered[len(ordered) // 2 :]
        self._table, self._seed, self._pairs = table, seed, pairs
        self._centre, self._unit = float(better[0]), spread / float(better.std())
        self._encoding = OneHotEncoding(table.space)
        rng = np.random.default_rng([seed, IMAGES_STREAM])
        self._hard = rng.standard_normal(2 * pairs)
        self._alike = rng.standard_normal((self._encoding.dimension, 2 * pairs))
        self._labels = np.repeat([1, 0], pairs)
        self._numbers = {a: i for i, a in enumerate(table.values)}

    def true(self, architecture: Architecture) -> float:
        """The AUC on all images that there could be."""
        value = self._table.values[architecture]
        return float(np.clip(0.75 + self._unit * (value - self._centre), 0.5, 0.999))

    def observe(self, architecture: Architecture) -> Observation:
        """The AUC on the pairs, with what its error shares with those of others."""
        choices = self._encoding.encode([architecture]).numpy()[0]
        alike = choices @ self._alike / np.sqrt(choices.sum())
        own = np.random.default_rng([self._seed, OWN_STREAM, self._numbers[architecture]])
        noise = np.sqrt(ALL) * self._hard + np.sqrt(ALIKE) * alike
        noise = noise + np.sqrt(ALONE) * own.standard_normal(2 * self._pairs)
        distance = np.sqrt(2) * ndtri(self.true(architecture))
        scored = pairable_score(
            {CLEAN: noise + distance * self._labels},
            {CLEAN: self._labels},
            {CLEAN: [*range(self._pairs)] * 2},
            conditions=CONDITIONS,
        )
        return Observation(
            value=scored.score.value,
            variance=scored.score.variance,
            error_loadings=error_loadings(scored),
        )

    def own_variance(self, *, count: int = 50) -> float:
        """Mean variance of errors beyond what those of random architectures share."""
        rng = np.random.default_rng(self._seed)
        drawn = rng.choice(len(self._numbers), size=count, replace=False)
        architectures = list(self._numbers)
        rows = np.array([self.observe(architectures[i]).error_loadings for i in drawn])
        return float(np.square(rows - rows.mean(0)).sum(1).mean() * count / (count - 1))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("table", type=Path)
    parser.add_argument("--objective", default="cifar10_val")
    parser.add_argument("--seeds", type=int, default=30)
    parser.add_argument("--trials", type=int, default=60)
    parser.add_argument("--pairs", type=int, default=200)
    parser.add_argument("--spread", type=float, default=0.01)
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    table = read_table(arguments.table, "nasbench201", Objective.parse(arguments.objective))
    images = [
        SharedImages(table, pairs=arguments.pairs, spread=arguments.spread, seed=seed)
        for seed in range(arguments.seeds)
    ]
    best = max(images[0].true(a) for a in table.values)
    error = np.sqrt([i.own_variance() for i in images]).mean()
    print(f"best {best:.4f}, errors beyond the common one {error:.4f}\n")

    rivals: dict[str, tuple[Callable[[int], BaseSampler], bool]] = {
        "bayesian": (lambda seed: SurrogateSampler(table.space, seed=seed), True),
        "without loadings": (lambda seed: SurrogateSampler(table.space, seed=seed), False),
        "random": (lambda seed: STRATEGIES["random"](table.space, seed), False),
        "Optuna TPE": (lambda seed: TPESampler(seed=seed, multivariate=True), False),
    }
    print("| strategy | highest observation | highest posterior mean | best that was met |")
    print("|---|---|---|---|")
    found = {}
    for name, (sampler, loadings) in rivals.items():
        found[name] = [
            one_run(table, i, sampler(seed), seed, arguments.trials, loadings=loadings)
            for seed, i in enumerate(images)
        ]
        print(f"| {name} | {_cells(found[name])} |", flush=True)
    for name in list(found)[1:]:
        lead = np.subtract(found["bayesian"], found[name]).tolist()
        print(f"| bayesian less {name}, by seed | {_cells(lead)} |", flush=True)
    print("\n" + provenance(table=arguments.table, seeds=seeds(arguments.seeds)))


def _cells(found: list[list[float]]) -> str:
    mean, half = mean_and_half_width(found)
    return " | ".join(f"{m:.4f} ± {h:.4f}" for m, h in zip(mean, half, strict=True))


def one_run(
    table: TabularEstimator,
    images: SharedImages,
    sampler: BaseSampler,
    seed: int,
    trials: int,
    *,
    loadings: bool,
) -> list[float]:
    """True AUCs of the highest observation, of the highest mean, and the best that was met."""
    search = Search(table.space, seed=seed, sampler=sampler)
    met = []
    for _ in range(trials):
        architecture = search.ask()
        met.append(images.true(architecture))
        seen = images.observe(architecture)
        search.tell(architecture, seen if loadings else Observation(value=seen.value))
    best = search.best
    assert best is not None
    chosen = images.true(best.architecture)
    if isinstance(sampler, SurrogateSampler):
        chosen_by_mean = images.true(sampler.ranked(search.study.optuna)[0])
    else:
        chosen_by_mean = chosen
    return [chosen, chosen_by_mean, max(met)]


if __name__ == "__main__":
    main()
