"""Quality of prediction: every surrogate and encoding on unseen architectures.

    OMP_NUM_THREADS=1 python benchmarks/surrogate_quality.py TABLE [--objectives "a;b=0.5,c=0.5"]
        [--repeats 5] [--surrogates "part of a name;..."]

For 25, 50, 100 and 200 random observations, Kendall's tau and the coverage of the 95 % interval
on 1,000 unseen architectures, mean over repeats, as a Markdown table. Of an objective that is a
weighted sum of columns, also a Gaussian process for each column, their means summed.
"""

import argparse
import itertools
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path

import numpy as np
import torch
from gpytorch.kernels import Kernel
from provenance import provenance, seeds

from bonas.estimation.tabular import Objective, TabularEstimator, read_table
from bonas.networks.builder import NASBench201Builder
from bonas.networks.cost import architecture_cost
from bonas.strategies.settings import default_surrogate, surrogate_with
from spaces.architecture import Architecture
from spaces.encodings.encoding import Encoding
from spaces.encodings.joined import JoinedEncoding
from spaces.encodings.multisets import PathMultisetEncoding
from spaces.encodings.onehot import OneHotEncoding
from spaces.encodings.paths import PathEncoding
from spaces.encodings.profiles import PathProfileEncoding
from spaces.encodings.statistics import StatisticsEncoding, operation_statistics, ranked_among
from spaces.encodings.wl import WeisfeilerLehmanEncoding
from spaces.graphs import is_connected
from spaces.space import SearchSpace, connects, sample
from surrogates.calibration import calibration
from surrogates.components import Components
from surrogates.ensemble import DeepEnsemble
from surrogates.forest import RandomForest
from surrogates.gaussian_process import GaussianProcess
from surrogates.kernels import CountsKernel, SquaredExponentialKernel, TanimotoKernel, scaled
from surrogates.mixture import PROFILE_WEIGHT, VARIANCE, mixed_kernel
from surrogates.surrogate import Predictor, Surrogate

UNSEEN = 1_000
OBSERVED = (25, 50, 100, 200)
Made = tuple[Encoding, Surrogate]
PARTS = "GP, default, one for each column"
REFERENCE = 200  # architectures whose statistics give the ranges or ranks


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


def with_wl(space: SearchSpace) -> Made:
    """The default sum with a term for the cosine of Weisfeiler-Lehman counts."""
    encoding, surrogate = default_surrogate(space)
    counts = WeisfeilerLehmanEncoding(space)
    columns = slice(encoding.dimension, encoding.dimension + counts.dimension)

    def make() -> Kernel:
        return (surrogate.kernel() + scaled(CountsKernel(columns), VARIANCE)).double()

    return JoinedEncoding((encoding, counts)), GaussianProcess(make)


def alone(encoding: Encoding, kernel: type[TanimotoKernel] | type[CountsKernel]) -> Made:
    def make() -> Kernel:
        return scaled(kernel(slice(0, encoding.dimension)), VARIANCE).double()

    return encoding, GaussianProcess(make)


def some(space: SearchSpace) -> list[Architecture]:
    rng = np.random.default_rng(0)
    drawn = (sample(space, rng=rng) for _ in range(10 * REFERENCE))
    return list(itertools.islice((a for a in drawn if connects(space, a)), REFERENCE))


def on_statistics(space: SearchSpace) -> Made:
    function = partial(operation_statistics, space)
    found = np.array([function(a) for a in some(space)])
    ranges = tuple(zip(found.min(0).tolist(), found.max(0).tolist(), strict=True))
    encoding = StatisticsEncoding(space, function, ranges)

    def make() -> Kernel:
        columns = slice(0, encoding.dimension)
        kernel = SquaredExponentialKernel(columns, encoding.dimension, PROFILE_WEIGHT)
        return scaled(kernel, VARIANCE).double()

    return encoding, GaussianProcess(make)


def with_zero_cost(space: SearchSpace) -> Made:
    """A prior mean in the rank by parameters: the zero-cost score that needs no images."""
    builder = NASBench201Builder(4, 1)

    def parameters(architecture: Architecture) -> list[float]:
        return [architecture_cost(builder, architecture, 32)["parameters"]]

    return surrogate_with(ranked_among(space, parameters, some(space)))(space)


SURROGATES: dict[str, Callable[[SearchSpace], Made]] = {
    "GP, default": default_surrogate,
    "GP, default without path profiles": without_profiles,
    "GP, squared exponential on path profiles": profiles_only,
    "GP, Hamming on one-hot": hamming,
    "GP, Tanimoto on canonical paths": lambda s: alone(PathMultisetEncoding(s), TanimotoKernel),
    "GP, Tanimoto on positional paths": lambda s: alone(PathEncoding(s), TanimotoKernel),
    "GP, Tanimoto on 40 positional paths": lambda s: alone(PathEncoding(s, 40), TanimotoKernel),
    "GP, cosine of WL counts": lambda s: alone(WeisfeilerLehmanEncoding(s), CountsKernel),
    "GP, default with cosine of WL counts": with_wl,
    "GP, squared exponential on operation statistics": on_statistics,
    "GP, default with the rank by parameters": with_zero_cost,
    "deep ensemble on paths": lambda s: (PathEncoding(s), DeepEnsemble()),
    "random forest on one-hot": lambda s: (OneHotEncoding(s), RandomForest()),
    "random forest on canonical paths": lambda s: (PathMultisetEncoding(s), RandomForest()),
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("table", type=Path)
    parser.add_argument("--objectives", default="cifar10_val;cifar100_val")
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--surrogates", default="", help="only those with these in their names")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    for objective in arguments.objectives.split(";"):
        table = read_table(arguments.table, "nasbench201", Objective.parse(objective))
        print(f"\n{objective}: Kendall's tau / coverage\n")
        print("| surrogate | " + " | ".join(f"{n}" for n in OBSERVED) + " |")
        print("|---" * (len(OBSERVED) + 1) + "|")
        weights = Objective.parse(objective).weights
        names = [*SURROGATES, *([PARTS] if len(weights) > 1 else [])]
        wanted = arguments.surrogates.split(";")
        for name in (n for n in names if any(part in n for part in wanted)):
            made = SURROGATES.get(name, default_surrogate)(table.space)
            own = weights if name == PARTS else None
            cells = [quality(table, *made, n, arguments.repeats, own) for n in OBSERVED]
            print(f"| {name} | " + " | ".join(cells) + " |", flush=True)
    print("\n" + provenance(table=arguments.table, draws=seeds(arguments.repeats)))


def quality(
    table: TabularEstimator,
    encoding: Encoding,
    surrogate: Surrogate,
    count: int,
    repeats: int,
    weights: Mapping[str, float] | None = None,
) -> str:
    """Tau and coverage; with weights of columns, of a Gaussian process for each of them."""
    known = [a for a in table.values if is_connected(table.space.graph(a))]
    found = []
    for repeat in range(repeats):
        order = np.random.default_rng(repeat).permutation(len(known))[: count + UNSEEN]
        drawn = [known[i] for i in order]
        features = encoding.encode(drawn)
        values = torch.tensor([table.values[a] for a in drawn]).double()
        generator = torch.Generator().manual_seed(repeat)
        predictor: Predictor
        if weights is None:
            predictor = surrogate.fit(features[:count], values[:count], generator=generator)
        else:
            assert isinstance(surrogate, GaussianProcess)
            rows = [[table.parts[a][column] for column in weights] for a in drawn[:count]]
            together = Components(surrogate, tuple(weights.values()))
            predictor = together.fit(features[:count], torch.tensor(rows).double())
        found.append(calibration(predictor, features[count:], values[count:]))
    tau = np.mean([c.tau for c in found])
    return f"{tau:.2f} / {np.mean([c.coverage for c in found]):.2f}"


if __name__ == "__main__":
    main()
