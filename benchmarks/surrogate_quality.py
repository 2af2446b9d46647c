"""Quality of prediction: every surrogate and encoding on unseen architectures.

    OMP_NUM_THREADS=1 python benchmarks/surrogate_quality.py TABLE [--objectives a,b] [--repeats 5]

For 25, 50, 100 and 200 random observations, Kendall's tau and the coverage of the 95 % interval
on 1,000 unseen architectures, mean over repeats, as a Markdown table.
"""

import argparse
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from gpytorch.kernels import Kernel

from bonas.estimation.tabular import Objective, TabularEstimator, read_table
from bonas.strategies.settings import default_surrogate
from spaces.encodings.encoding import Encoding
from spaces.encodings.joined import JoinedEncoding
from spaces.encodings.multisets import PathMultisetEncoding
from spaces.encodings.onehot import OneHotEncoding
from spaces.encodings.paths import PathEncoding
from spaces.encodings.profiles import PathProfileEncoding
from spaces.encodings.wl import WeisfeilerLehmanEncoding
from spaces.graphs import is_connected
from spaces.space import SearchSpace
from surrogates.calibration import calibration
from surrogates.ensemble import DeepEnsemble
from surrogates.forest import RandomForest
from surrogates.gaussian_process import GaussianProcess
from surrogates.kernels import CountsKernel, SquaredExponentialKernel, TanimotoKernel, scaled
from surrogates.mixture import PROFILE_WEIGHT, VARIANCE, mixed_kernel
from surrogates.surrogate import Surrogate

UNSEEN = 1_000
OBSERVED = (25, 50, 100, 200)
Made = tuple[Encoding, Surrogate]


def hamming(space: SearchSpace) -> Made:
    onehot = OneHotEncoding(space)
    return onehot, GaussianProcess(mixed_kernel(onehot.sizes, paths=0, profiles=0))


def without_profiles(space: SearchSpace) -> Made:
    onehot, paths = OneHotEncoding(space), PathMultisetEncoding(space)
    kernel = mixed_kernel(onehot.sizes, paths=paths.dimension, profiles=0)
    return JoinedEncoding((onehot, paths)), GaussianProcess(kernel)


def profiles_only(space: SearchSpace) -> Made:
    profiles = PathProfileEncoding(space)

    def make() -> Kernel:
        columns = slice(0, profiles.dimension)
        by_profile = SquaredExponentialKernel(columns, profiles.dimension, PROFILE_WEIGHT)
        return scaled(by_profile, VARIANCE).double()

    return profiles, GaussianProcess(make)


def alone(encoding: Encoding, kernel: type[TanimotoKernel] | type[CountsKernel]) -> Made:
    def make() -> Kernel:
        return scaled(kernel(slice(0, encoding.dimension)), VARIANCE).double()

    return encoding, GaussianProcess(make)


SURROGATES: dict[str, Callable[[SearchSpace], Made]] = {
    "GP, default": default_surrogate,
    "GP, default without path profiles": without_profiles,
    "GP, squared exponential on path profiles": profiles_only,
    "GP, Hamming on one-hot": hamming,
    "GP, Tanimoto on canonical paths": lambda s: alone(PathMultisetEncoding(s), TanimotoKernel),
    "GP, Tanimoto on positional paths": lambda s: alone(PathEncoding(s), TanimotoKernel),
    "GP, cosine of WL counts": lambda s: alone(WeisfeilerLehmanEncoding(s), CountsKernel),
    "deep ensemble on paths": lambda s: (PathEncoding(s), DeepEnsemble()),
    "random forest on one-hot": lambda s: (OneHotEncoding(s), RandomForest()),
    "random forest on canonical paths": lambda s: (PathMultisetEncoding(s), RandomForest()),
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("table", type=Path)
    parser.add_argument("--objectives", default="cifar10_val;cifar100_val")
    parser.add_argument("--repeats", type=int, default=5)
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    for objective in arguments.objectives.split(";"):
        table = read_table(arguments.table, "nasbench201", Objective.parse(objective))
        print(f"\n{objective}: Kendall's tau / coverage\n")
        print("| surrogate | " + " | ".join(f"{n}" for n in OBSERVED) + " |")
        print("|---" * (len(OBSERVED) + 1) + "|")
        for name, make in SURROGATES.items():
            cells = [quality(table, *make(table.space), n, arguments.repeats) for n in OBSERVED]
            print(f"| {name} | " + " | ".join(cells) + " |", flush=True)


def quality(
    table: TabularEstimator, encoding: Encoding, surrogate: Surrogate, count: int, repeats: int
) -> str:
    known = [a for a in table.values if is_connected(table.space.graph(a))]
    found = []
    for repeat in range(repeats):
        order = np.random.default_rng(repeat).permutation(len(known))[: count + UNSEEN]
        drawn = [known[i] for i in order]
        features = encoding.encode(drawn)
        values = torch.tensor([table.values[a] for a in drawn]).double()
        generator = torch.Generator().manual_seed(repeat)
        predictor = surrogate.fit(features[:count], values[:count], generator=generator)
        found.append(calibration(predictor, features[count:], values[count:]))
    tau = np.mean([c.tau for c in found])
    return f"{tau:.2f} / {np.mean([c.coverage for c in found]):.2f}"


if __name__ == "__main__":
    main()
