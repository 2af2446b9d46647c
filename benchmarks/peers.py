"""bonas and its rivals against peers from outside, on the same table with the same seeds.

    OMP_NUM_THREADS=1 python benchmarks/peers.py TABLE --objective cifar10_val \\
        [--seeds 10] [--trials 150] [--peers tpe,gp,smac,botorch] [--json OUT] [--plot OUT]

Peers: Optuna's TPE and GPSampler; SMAC3 where it is installed; BoTorch's default categorical
Gaussian process (MixedSingleTaskGP) with LogEI over a pool of 2,000 random architectures. The runs
that OUT holds already, also of `bonas benchmark --json`, are not run again.
"""

import argparse
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import optuna
import torch
from botorch.acquisition.analytic import LogExpectedImprovement
from botorch.fit import fit_gpytorch_mll
from botorch.models import MixedSingleTaskGP
from botorch.models.transforms import Standardize
from gpytorch.mlls import ExactMarginalLogLikelihood
from optuna.samplers import BaseSampler, GPSampler, TPESampler

from bonas.benchmarking import Benchmark, BenchmarkRun, draw_curves, run_sampler
from bonas.estimation.tabular import Objective, TabularEstimator, read_table
from bonas.paired import mean_and_half_width, paired_difference
from bonas.strategies.history import History
from bonas.strategies.named import STRATEGIES
from bonas.strategies.proposer import ArchitectureSampler
from spaces.architecture import Architecture
from spaces.space import SearchSpace, indices, sample

POOL = 2_000
CHECKPOINTS = (50, 100, 150, 300)


class BotorchSampler(ArchitectureSampler):
    """BoTorch's default for categorical inputs, which it has no optimiser of whole spaces for."""

    def propose(self, history: History, *, rng: np.random.Generator) -> Architecture:
        if len(history.estimates) < 10:
            return self.draw(history, rng=rng)
        observed = indices(self.space, [e.architecture for e in history.estimates])
        values = torch.tensor([[e.values[0]] for e in history.estimates]).double()
        model = MixedSingleTaskGP(
            torch.from_numpy(observed).double(),
            values,
            cat_dims=list(range(observed.shape[1])),
            outcome_transform=Standardize(1),
        )
        fit_gpytorch_mll(ExactMarginalLogLikelihood(model.likelihood, model))
        drawn = [sample(self.space, rng=rng) for _ in range(POOL)]
        pool = [a for a in dict.fromkeys(drawn) if self.is_open(a, history)]
        features = torch.from_numpy(indices(self.space, pool)).double()
        with torch.no_grad():
            scores = LogExpectedImprovement(model, values.max())(features.unsqueeze(1))
        return pool[int(scores.argmax())]


def smac_run(table: TabularEstimator, output: Path, *, seed: int, trials: int) -> BenchmarkRun:
    """SMAC3's facade for expensive functions, repeated classes at no cost as everywhere."""
    from ConfigSpace import Categorical, ConfigurationSpace
    from smac import HyperparameterOptimizationFacade, Scenario
    from smac.runhistory import TrialInfo, TrialValue

    from spaces.graphs import canonical_key

    space = ConfigurationSpace(seed=seed)
    for decision in table.space.decisions:
        space.add(Categorical(decision.name, list(decision.options)))
    scenario = Scenario(
        space,
        n_trials=20 * trials,
        seed=seed,
        deterministic=True,
        output_directory=output,
    )
    smac = HyperparameterOptimizationFacade(
        scenario, lambda configuration, seed=0: 0.0, overwrite=True, logging_level=40
    )
    first: dict[str, float] = {}
    best: list[float] = []
    labels: list[object] = []
    seconds = []
    while len(first) < trials:
        begun = time.perf_counter()
        info: TrialInfo = smac.ask()
        seconds.append(time.perf_counter() - begun)
        choices = tuple(str(info.config[d.name]) for d in table.space.decisions)
        architecture = Architecture(table.space.name, choices)
        key = canonical_key(table.space.graph(architecture))
        if key not in first:
            first[key] = table.values[architecture]
            best.append(max(first.values()))
            labels.append(table.label(architecture))
        smac.tell(info, TrialValue(cost=-first[key]))
    return BenchmarkRun("smac", seed, best, labels, float(np.median(seconds)))


PEERS: dict[str, Callable[[SearchSpace, int], BaseSampler]] = {
    "tpe": lambda space, seed: TPESampler(seed=seed, multivariate=True),
    "gp": lambda space, seed: GPSampler(seed=seed),
    "botorch": lambda space, seed: BotorchSampler(space, seed=seed),
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("table", type=Path)
    parser.add_argument("--objective", default="cifar10_val")
    parser.add_argument("--seeds", type=int, default=10)
    parser.add_argument("--trials", type=int, default=150)
    parser.add_argument("--strategies", default="bayesian,random,evolution,local_search")
    parser.add_argument("--peers", default="tpe,gp,smac,botorch")
    parser.add_argument("--json", type=Path)
    parser.add_argument("--plot", type=Path)
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    table = read_table(arguments.table, "nasbench201", Objective.parse(arguments.objective))
    names = [n for n in [*arguments.strategies.split(","), *arguments.peers.split(",")] if n]
    out: Path | None = arguments.json
    known = Benchmark(arguments.objective, table.optimum, [])
    if out is not None and out.is_file():
        known = Benchmark.from_json(out.read_text())
        if known.objective != arguments.objective:
            parser.error(f"{out} holds runs on {known.objective}.")
    done = {(run.strategy, run.seed): run for run in known.runs}
    for name in names:
        for seed in range(arguments.seeds):
            if (name, seed) not in done or len(done[name, seed].best) < arguments.trials:
                done[name, seed] = one_run(name, table, seed=seed, trials=arguments.trials)
                if out is not None:
                    whole = Benchmark(known.objective, known.optimum, list(done.values()))
                    out.write_text(whole.to_json())
    shown = [shortened(done[n, s], arguments.trials) for n in names for s in range(arguments.seeds)]
    result = Benchmark(known.objective, known.optimum, shown)
    for name in names:
        print_row(result, name, arguments.trials)
    if arguments.plot:
        draw_curves(result, arguments.plot)


def shortened(run: BenchmarkRun, trials: int) -> BenchmarkRun:
    """The run's beginning, as all runs of a table must be equally long."""
    return replace(run, best=run.best[:trials], architectures=run.architectures[:trials])


def one_run(name: str, table: TabularEstimator, *, seed: int, trials: int) -> BenchmarkRun:
    if name == "smac":
        with tempfile.TemporaryDirectory(prefix="smac-") as output:
            return smac_run(table, Path(output), seed=seed, trials=trials)
    sampler = (STRATEGIES | PEERS)[name](table.space, seed)
    return run_sampler(name, sampler, table, seed=seed, trials=trials)


def print_row(result: Benchmark, name: str, trials: int) -> None:
    own, reference = result.curves(name), result.curves(result.runs[0].strategy)
    mean, half = mean_and_half_width(own)
    lead, width = paired_difference(reference, own)
    cells = [
        f"@{n} {mean[n - 1]:.2f} ± {half[n - 1]:.2f} (lead {lead[n - 1]:+.2f} ± {width[n - 1]:.2f})"
        for n in CHECKPOINTS
        if n <= trials
    ]
    seconds = [run.seconds_per_suggestion for run in result.runs if run.strategy == name]
    print(f"{name:>12} {'  '.join(cells)}  {1000 * float(np.median(seconds)):.0f} ms", flush=True)


if __name__ == "__main__":
    main()
