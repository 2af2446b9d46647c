"""What each part of the Bayesian strategy brings, on one objective of a table.

    OMP_NUM_THREADS=1 python benchmarks/engine_ablation.py TABLE --objective cifar10_val \\
        [--seeds 10] [--trials 150] [--parts default,no-profiles,...] [--exploration 0]

Prints the mean best value with its 95 % half width; one row per variant of the settings. With
`--exploration` all variants have that share of steps into the unknown, but for the two that are
about it.
"""

import argparse
import math
from dataclasses import replace
from pathlib import Path

import optuna
import torch
from gpytorch.kernels import Kernel
from provenance import provenance, seeds

from bonas.benchmarking import run_sampler
from bonas.estimation.tabular import Objective, read_table
from bonas.paired import mean_and_half_width
from bonas.strategies.sampler import SurrogateSampler
from bonas.strategies.settings import Settings
from spaces.encodings.encoding import Encoding
from spaces.encodings.joined import JoinedEncoding
from spaces.encodings.multisets import PathMultisetEncoding
from spaces.encodings.onehot import OneHotEncoding
from spaces.encodings.paths import PathEncoding
from spaces.encodings.profiles import PathProfileEncoding
from spaces.space import SearchSpace
from surrogates.gaussian_process import GaussianProcess
from surrogates.kernels import TanimotoKernel, scaled
from surrogates.mixture import VARIANCE, mixed_kernel
from surrogates.scaling import standard_scale


def decisions_only(space: SearchSpace) -> tuple[Encoding, GaussianProcess]:
    onehot = OneHotEncoding(space)
    return onehot, GaussianProcess(mixed_kernel(onehot.sizes, paths=0, profiles=0))


def without_profiles(space: SearchSpace) -> tuple[Encoding, GaussianProcess]:
    onehot, paths = OneHotEncoding(space), PathMultisetEncoding(space)
    kernel = mixed_kernel(onehot.sizes, paths=paths.dimension, profiles=0)
    return JoinedEncoding((onehot, paths)), GaussianProcess(kernel)


def without_paths(space: SearchSpace) -> tuple[Encoding, GaussianProcess]:
    onehot, profiles = OneHotEncoding(space), PathProfileEncoding(space)
    kernel = mixed_kernel(onehot.sizes, paths=0, profiles=profiles.dimension)
    return JoinedEncoding((onehot, profiles)), GaussianProcess(kernel)


def tanimoto_alone(encoding: Encoding) -> tuple[Encoding, GaussianProcess]:
    def kernel() -> Kernel:
        return scaled(TanimotoKernel(slice(0, encoding.dimension)), VARIANCE).double()

    return encoding, GaussianProcess(kernel)


def without_compression(space: SearchSpace) -> tuple[Encoding, GaussianProcess]:
    encoding, surrogate = Settings().surrogate(space)
    return encoding, replace(surrogate, scale=standard_scale)


PARTS = {
    "default": Settings(),
    "no-local": Settings(turning=math.inf, quiet=0.0),
    "no-quiet": Settings(quiet=0.0),
    "no-exploration": Settings(exploration=0.0),
    "exploration-only": Settings(exploration=1.0),
    "all-local": Settings(turning=0.0),
    "breadth-1": Settings(breadth=1),
    "breadth-8": Settings(breadth=8),
    "five-initial": Settings(initial=5),
    "no-profiles": Settings(surrogate=without_profiles),
    "no-paths": Settings(surrogate=without_paths),
    "no-compression": Settings(surrogate=without_compression),
    "decisions-only": Settings(surrogate=decisions_only),
    "canonical-paths-only": Settings(surrogate=lambda s: tanimoto_alone(PathMultisetEncoding(s))),
    "positional-paths-only": Settings(surrogate=lambda s: tanimoto_alone(PathEncoding(s))),
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("table", type=Path)
    parser.add_argument("--objective", default="cifar10_val")
    parser.add_argument("--seeds", type=int, default=10)
    parser.add_argument("--trials", type=int, default=150)
    parser.add_argument("--parts", default=",".join(PARTS))
    parser.add_argument("--exploration", type=float)
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    parts = arguments.parts.split(",")
    for part in parts:
        if part not in PARTS:
            parser.error(f"--parts names {part!r}; the parts are {', '.join(PARTS)}.")
    if arguments.exploration is not None and not 0 <= arguments.exploration <= 1:
        parser.error(f"--exploration is {arguments.exploration}; it must lie between 0 and 1.")
    table = read_table(arguments.table, "nasbench201", Objective.parse(arguments.objective))
    at = [n for n in (25, 50, 100, 150, 300) if n <= arguments.trials]
    print(f"{arguments.objective:>22} " + " ".join(f"{'@' + str(n):>13}" for n in at))
    for part in parts:
        curves = []
        for seed in range(arguments.seeds):
            settings = PARTS[part]
            if arguments.exploration is not None and "exploration" not in part:
                settings = replace(settings, exploration=arguments.exploration)
            sampler = SurrogateSampler(table.space, seed=seed, settings=settings)
            run = run_sampler(part, sampler, table, seed=seed, trials=arguments.trials)
            curves.append(run.best)
        mean, half = mean_and_half_width(curves)
        cells = " ".join(f"{mean[n - 1]:6.2f} ± {half[n - 1]:4.2f}" for n in at)
        print(f"{part:>22} {cells}", flush=True)
    print("\n" + provenance(table=arguments.table, seeds=seeds(arguments.seeds)))


if __name__ == "__main__":
    main()
