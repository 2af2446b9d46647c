"""Strategies against each other on a table: runs with seeds, and what they found when."""

import json
import statistics
import textwrap
import time
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, dataclass, field
from itertools import product
from pathlib import Path
from typing import Any

import optuna
import torch
from optuna.distributions import BaseDistribution, CategoricalDistribution
from optuna.samplers import BaseSampler
from optuna.trial import Trial, TrialState

from bonas.estimation.tabular import TabularEstimator
from bonas.paired import mean_and_half_width
from bonas.strategies.history import AUC_PREFIX
from bonas.strategies.named import STRATEGIES
from bonas.strategies.proposer import SpaceExhausted
from spaces.architecture import Architecture
from spaces.graphs import canonical_key

IDLE_PROPOSALS = 20_000
"""Proposals in a row without a new architecture after which a run ends."""


@dataclass(frozen=True, slots=True)
class BenchmarkRun:
    """One strategy with one seed.

    Attributes:
        strategy: The strategy's name.
        seed: Its seed.
        best: The best value after 1, 2, ... evaluations.
        architectures: What was evaluated, in the table's notation.
        seconds_per_suggestion: Median wall time of a suggestion; the study lies in memory.
    """

    strategy: str
    seed: int
    best: list[float]
    architectures: list[Any]
    seconds_per_suggestion: float


@dataclass(frozen=True, slots=True)
class Benchmark:
    """All runs on one objective.

    Attributes:
        objective: As it was stated.
        optimum: The table's best value.
        runs: Of every strategy with every seed.
        protocol: What they hold for: version, table, workers.
    """

    objective: str
    optimum: float
    runs: list[BenchmarkRun]
    protocol: Mapping[str, Any] = field(default_factory=dict)

    def to_json(self) -> str:
        """One object with `objective`, `optimum`, `runs` and `protocol`."""
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, text: str) -> "Benchmark":
        """What `to_json` wrote.

        Raises:
            ValueError: something else.
        """
        try:
            document = json.loads(text)
            runs = [BenchmarkRun(**run) for run in document["runs"]]
            protocol = document.get("protocol", {})
            return cls(document["objective"], document["optimum"], runs, protocol)
        except (KeyError, TypeError, json.JSONDecodeError) as error:
            raise ValueError(f"not the JSON of a benchmark: {error!r}.") from error

    def curves(self, strategy: str) -> list[list[float]]:
        """`best` of every seed."""
        return [run.best for run in self.runs if run.strategy == strategy]


def run_sampler(
    name: str,
    sampler: BaseSampler,
    table: TabularEstimator,
    *,
    seed: int,
    trials: int,
    workers: int = 1,
) -> BenchmarkRun:
    """Evaluate `trials` different architectures that a sampler proposes.

    Architectures of one canonical key are one: the first value read stays, and proposing another
    of the class costs nothing. With several workers, that many suggestions are always pending and
    the oldest is finished first.

    Args:
        name: The strategy's name, for the result.
        sampler: Any Optuna sampler.
        table: Where values come from.
        seed: For the result; the sampler has its own.
        trials: Evaluations; fewer if the space is exhausted before.
        workers: Suggestions that are pending at once.
    """
    study = optuna.create_study(direction="maximize", sampler=sampler)
    distributions: dict[str, BaseDistribution] = {
        d.name: CategoricalDistribution(d.options) for d in table.space.decisions
    }
    first: dict[str, float] = {}
    evaluated: list[tuple[Architecture, float]] = []
    running: deque[tuple[Trial, Architecture]] = deque()
    seconds: list[float] = []
    exhausted, idle = False, 0
    while len(evaluated) < trials and (running or not exhausted) and idle < IDLE_PROPOSALS:
        while len(running) < workers and not exhausted:
            begun = time.perf_counter()
            try:
                trial = study.ask(distributions)
            except SpaceExhausted:
                exhausted = True
                break
            seconds.append(time.perf_counter() - begun)
            choices = tuple(trial.params[d.name] for d in table.space.decisions)
            running.append((trial, Architecture(table.space.name, choices)))
        if running:
            known = len(first)
            _finish(study, *running.popleft(), table, first, evaluated)
            idle = 0 if len(first) > known else idle + 1
    best, so_far = [], -float("inf")
    for _, value in evaluated:
        so_far = max(so_far, value)
        best.append(so_far)
    labels = [table.label(architecture) for architecture, _ in evaluated]
    return BenchmarkRun(name, seed, best, labels, statistics.median(seconds or [0.0]))


def _finish(
    study: optuna.Study,
    trial: Trial,
    architecture: Architecture,
    table: TabularEstimator,
    first: dict[str, float],
    evaluated: list[tuple[Architecture, float]],
) -> None:
    if architecture not in table.values:
        study.tell(trial, state=TrialState.FAIL)
        return
    key = canonical_key(table.space.graph(architecture))
    if key not in first:
        first[key] = table.values[architecture]
        evaluated.append((architecture, first[key]))
    if len(table.parts[architecture]) > 1:
        for part, value in table.parts[architecture].items():
            trial.set_user_attr(AUC_PREFIX + part, value)
    study.tell(trial, first[key])


def run_benchmark(
    table: TabularEstimator,
    *,
    strategies: Sequence[str],
    seeds: Sequence[int],
    trials: int,
    workers: int = 1,
    jobs: int = 1,
) -> Iterator[BenchmarkRun]:
    """Runs of every strategy with every seed, as they finish; `jobs` of them at once.

    Raises:
        ValueError: an unknown strategy, or a number below 1.
    """
    for name in strategies:
        if name not in STRATEGIES:
            raise ValueError(
                f"strategy {name!r} is unknown; the strategies are {', '.join(STRATEGIES)}."
            )
    for argument, number in {"trials": trials, "workers": workers, "jobs": jobs}.items():
        if number < 1:
            raise ValueError(f"{argument} is {number}; it must be at least 1.")
    tasks = list(product(strategies, seeds))
    if jobs == 1:
        for strategy, seed in tasks:
            yield _run_named(strategy, seed, table, trials, workers)
        return
    with ProcessPoolExecutor(jobs, initializer=torch.set_num_threads, initargs=(1,)) as pool:
        runs = [pool.submit(_run_named, s, seed, table, trials, workers) for s, seed in tasks]
        for run in runs:
            yield run.result()


def _run_named(
    strategy: str, seed: int, table: TabularEstimator, trials: int, workers: int
) -> BenchmarkRun:
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    sampler = STRATEGIES[strategy](table.space, seed)
    return run_sampler(strategy, sampler, table, seed=seed, trials=trials, workers=workers)


def draw_curves(benchmark: Benchmark, path: Path) -> None:
    """Draw mean and 95 % confidence band of every strategy's best value.

    Raises:
        ModuleNotFoundError: matplotlib is missing; the message names the extra.
    """
    try:
        from matplotlib.figure import Figure
    except ModuleNotFoundError as error:
        raise ModuleNotFoundError(
            "drawing needs matplotlib; install it with: pip install 'bonas[dashboard]'"
        ) from error
    figure = Figure(figsize=(7, 4.5), layout="constrained")
    axes = figure.add_subplot()
    for strategy in dict.fromkeys(run.strategy for run in benchmark.runs):
        mean, half = mean_and_half_width(benchmark.curves(strategy))
        steps = range(1, len(mean) + 1)
        (line,) = axes.plot(steps, mean, label=strategy)
        axes.fill_between(steps, mean - half, mean + half, alpha=0.2, color=line.get_color())
    axes.axhline(benchmark.optimum, linestyle=":", color="black", label="optimum")
    axes.set(xlabel="evaluations", ylabel="best value, mean with its 95 % interval")
    parts = textwrap.wrap(benchmark.objective.replace(",", ", "), 90)
    axes.set_title("\n".join(parts), fontsize="small")
    # From the tenth evaluation on: before it the worst draws would set the axis.
    starts = [run.best[min(9, len(run.best) - 1)] for run in benchmark.runs]
    low = statistics.quantiles([*starts, *starts], n=20)[0]
    axes.set_ylim(low, benchmark.optimum + 0.03 * (benchmark.optimum - low) + 1e-12)
    axes.legend()
    figure.savefig(path, dpi=150)


def summary(benchmark: Benchmark, at: Sequence[int]) -> list[tuple[str, list[str], str]]:
    """Per strategy: mean best value with its 95 % half width at each number, and milliseconds."""
    rows = []
    seconds: Mapping[str, list[float]] = {r.strategy: [] for r in benchmark.runs}
    for run in benchmark.runs:
        seconds[run.strategy].append(run.seconds_per_suggestion)
    for strategy, times in seconds.items():
        mean, half = mean_and_half_width(benchmark.curves(strategy))
        cells = [f"{mean[n - 1]:.2f} ± {half[n - 1]:.2f}" for n in at if n <= len(mean)]
        rows.append((strategy, cells, f"{1000 * statistics.median(times):.1f}"))
    return rows
