"""bonas and its rivals against peers from outside, on the same table with the same seeds.

    python -m pip install --group peers
    OMP_NUM_THREADS=1 python benchmarks/peers.py TABLE --objective cifar10_val --json OUT \\
        [--seeds 30] [--trials 300] [--peers tpe,gp,smac,botorch] [--plot OUT]

Peers: Optuna's TPE and GPSampler; SMAC3; BoTorch's default categorical Gaussian process
(MixedSingleTaskGP) with LogEI over a pool of 2,000 random architectures. OUT is written after every
run; the runs that it holds already, also of `bonas benchmark --json`, are not run again. Prints one
table in Markdown: for each strategy and peer the mean best value after 50, 100, 150 and 300
evaluations, and the lead of the first strategy over it, paired by seed, with their 95 % intervals.
"""

import argparse
import importlib.util
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from importlib.metadata import version
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
from provenance import provenance, seeds

from bonas.benchmark_results import (
    Benchmark,
    check_output,
    check_plot,
    draw_curves,
    table_protocol,
)
from bonas.benchmarking import BenchmarkRun, run_sampler
from bonas.estimation.tabular import Objective, TabularEstimator, read_table
from bonas.paired import mean_and_half_width, paired_difference
from bonas.strategies.history import History
from bonas.strategies.named import STRATEGIES
from bonas.strategies.proposer import ArchitectureSampler
from spaces.architecture import Architecture
from spaces.graphs import canonical_key
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
    known = {d.name: {str(o): o for o in d.options} for d in table.space.decisions}
    first: dict[str, float] = {}
    best: list[float] = []
    labels: list[object] = []
    seconds = []
    while len(first) < trials:
        begun = time.perf_counter()
        info: TrialInfo = smac.ask()
        seconds.append(time.perf_counter() - begun)
        names = [d.name for d in table.space.decisions]
        choices = tuple(known[name][str(info.config[name])] for name in names)
        architecture = Architecture(table.space.name, choices)
        key = canonical_key(table.space.graph(architecture))
        if key not in first:
            first[key] = table.values[architecture]
            best.append(max(first.values()))
            labels.append(table.label(architecture))
        smac.tell(info, TrialValue(cost=-first[key]))
    return BenchmarkRun("smac", seed, best, labels, float(np.median(seconds)))


RIVALS = ("smac", "ConfigSpace")
"""Distributions of peers that a protocol does not name as it is."""
PEERS: dict[str, Callable[[SearchSpace, int], BaseSampler]] = {
    "tpe": lambda space, seed: TPESampler(seed=seed, multivariate=True),
    "gp": lambda space, seed: GPSampler(seed=seed),
    "botorch": lambda space, seed: BotorchSampler(space, seed=seed),
}


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("table", type=Path)
    parser.add_argument("--objective", default="cifar10_val")
    parser.add_argument("--seeds", type=int, default=10)
    parser.add_argument("--trials", type=int, default=150)
    parser.add_argument("--strategies", default="bayesian,random,evolution,local_search,bananas")
    parser.add_argument("--peers", default="tpe,gp,smac,botorch")
    parser.add_argument("--json", type=Path)
    parser.add_argument("--plot", type=Path)
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    names = [n for n in [*arguments.strategies.split(","), *arguments.peers.split(",")] if n]
    try:
        for option, number in (("--seeds", arguments.seeds), ("--trials", arguments.trials)):
            if number < 1:
                raise ValueError(f"{option} is {number}; it must be at least 1.")
        check_names(names)
        for option, path in (("--json", arguments.json), ("--plot", arguments.plot)):
            if path is not None:
                check_output(option, path)
        if arguments.plot is not None:
            check_plot(arguments.plot)
        table = read_table(arguments.table, "nasbench201", Objective.parse(arguments.objective))
        protocol = table_protocol(
            arguments.table, table, space="nasbench201", trials=arguments.trials
        )
        begun = Benchmark(arguments.objective, table.optimum, [], protocol)
        known = continued(begun, arguments.json)
    except (ValueError, ModuleNotFoundError) as error:
        parser.error(str(error))
    done = {(run.strategy, run.seed): run for run in known.runs}
    # Seed by seed: an interrupted comparison then has pairs, not one strategy's runs.
    for seed in range(arguments.seeds):
        for name in names:
            if (name, seed) in done and len(done[name, seed].best) >= arguments.trials:
                continue
            done[name, seed] = one_run(name, table, seed=seed, trials=arguments.trials)
            known = known.with_run(done[name, seed])
            if arguments.json is not None:
                known.write(arguments.json)
    shown = [shortened(done[n, s], arguments.trials) for n in names for s in range(arguments.seeds)]
    result = replace(known, runs=shown)
    print(markdown(result, names, arguments.trials))
    rivals = {name: version(name) for name in RIVALS if importlib.util.find_spec(name)}
    print(provenance(table=arguments.table, seeds=seeds(arguments.seeds), **rivals))
    if arguments.plot:
        draw_curves(result, arguments.plot)


def check_names(names: Sequence[str]) -> None:
    known = [*STRATEGIES, *PEERS, "smac"]
    for name in names:
        if name not in known or names.count(name) > 1:
            raise ValueError(f"{name!r} must be named once and be one of {', '.join(known)}.")
    if "smac" in names and importlib.util.find_spec("smac") is None:
        raise ModuleNotFoundError(
            "the peer 'smac' needs SMAC3 and ConfigSpace; install the dependency group with "
            "`python -m pip install --group peers`, or leave it out of --peers."
        )


def continued(begun: Benchmark, path: Path | None) -> Benchmark:
    """The benchmark with the runs that a file holds, however long, if they are comparable."""
    if path is None or not path.is_file():
        return begun
    found = Benchmark.from_json(path.read_text())
    if (found.objective, found.optimum) != (begun.objective, begun.optimum):
        raise ValueError(f"{path} holds runs on {found.objective} with optimum {found.optimum}.")
    for name, own in begun.protocol.items():
        if name != "trials" and found.protocol.get(name) != own:
            raise ValueError(
                f"{path} holds runs of another benchmark: {name} is {found.protocol.get(name)!r} "
                f"there and {own!r} here. Name another file."
            )
    return replace(begun, runs=found.runs)


def shortened(run: BenchmarkRun, trials: int) -> BenchmarkRun:
    """The run's beginning, as all runs of a table must be equally long."""
    return replace(run, best=run.best[:trials], architectures=run.architectures[:trials])


def one_run(name: str, table: TabularEstimator, *, seed: int, trials: int) -> BenchmarkRun:
    if name == "smac":
        with tempfile.TemporaryDirectory(prefix="smac-") as output:
            return smac_run(table, Path(output), seed=seed, trials=trials)
    sampler = (STRATEGIES | PEERS)[name](table.space, seed)
    return run_sampler(name, sampler, table, seed=seed, trials=trials)


def markdown(result: Benchmark, names: Sequence[str], trials: int) -> str:
    at = [n for n in CHECKPOINTS if n <= trials] or [trials]
    columns = ["strategy", *(f"@{n}" for n in at), *(f"lead @{n}" for n in at), "ms"]
    lines = ["| " + " | ".join(columns) + " |", "|" + "---|" * len(columns)]
    reference = result.curves(names[0])
    for name in names:
        own = result.curves(name)
        mean, half = mean_and_half_width(own)
        lead, width = paired_difference(reference, own)
        several = len(own) > 1
        means = [f"{mean[n - 1]:.2f}" + f" ± {half[n - 1]:.2f}" * several for n in at]
        leads = [f"{lead[n - 1]:+.2f}" + f" ± {width[n - 1]:.2f}" * several for n in at]
        leads = ["" for _ in at] if name == names[0] else leads
        seconds = [run.seconds_per_suggestion for run in result.runs if run.strategy == name]
        cells = [name, *means, *leads, f"{1000 * float(np.median(seconds)):.0f}"]
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines)


if __name__ == "__main__":
    main()
