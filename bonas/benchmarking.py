"""Strategies against each other on a table: runs with seeds, and what they found when."""

import heapq
import statistics
import time
from collections.abc import Collection, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass
from itertools import product
from typing import Any

import numpy as np
import optuna
import torch
from optuna.distributions import BaseDistribution, CategoricalDistribution
from optuna.samplers import BaseSampler
from optuna.trial import Trial, TrialState

from bonas.estimation.tabular import TabularEstimator
from bonas.strategies.history import AUC_PREFIX
from bonas.strategies.named import STRATEGIES
from bonas.strategies.proposer import SpaceExhausted
from spaces.architecture import Architecture
from spaces.space import canonical_key_of, connects

IDLE_PROPOSALS = 20_000
"""Proposals in a row without a new architecture after which a run ends."""
SPREAD = 0.5
"""Standard deviation of the logarithm of an evaluation's pretended duration: two thirds of them lie
between 0.6 and 1.65 times the median, about as much as trainings of different networks differ."""
DURATION_STREAM = 3  # keeps durations apart from a sampler's draws with the same seed


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
    of the class costs nothing. With several workers, that many suggestions are always pending.
    Evaluations take log-normal pretended times, drawn from the seed in the order of suggestions, so
    that they end in another order than they began, the same order for every strategy.

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
    running: list[tuple[float, int, Trial, Architecture]] = []  # by the time of their end
    durations = np.random.default_rng(np.random.SeedSequence([seed, DURATION_STREAM]))
    seconds: list[float] = []
    exhausted, idle, now = False, 0, 0.0
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
            end = now + durations.lognormal(sigma=SPREAD)
            architecture = Architecture(table.space.name, choices)
            heapq.heappush(running, (end, trial.number, trial, architecture))
        if running:
            known = len(first)
            now, _, trial, architecture = heapq.heappop(running)
            _finish(study, trial, architecture, table, first, evaluated)
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
    key = canonical_key_of(table.space, architecture)
    if key not in first:
        first[key] = table.values[architecture]
        evaluated.append((architecture, first[key]))
    if len(table.parts[architecture]) > 1:
        for part, value in table.parts[architecture].items():
            trial.set_user_attr(AUC_PREFIX + part, value)
    study.tell(trial, first[key])


def proposable(table: TabularEstimator) -> int:
    """How many classes of connected architectures a table has: all that a strategy may propose."""
    connected = (a for a in table.values if connects(table.space, a))
    return len({canonical_key_of(table.space, a) for a in connected})


def run_benchmark(
    table: TabularEstimator,
    *,
    strategies: Sequence[str],
    seeds: Sequence[int],
    trials: int,
    workers: int = 1,
    jobs: int = 1,
    done: Collection[tuple[str, int]] = (),
) -> Iterator[BenchmarkRun]:
    """Runs of every strategy with every seed, as they finish; `jobs` of them at once.

    Args:
        table: Where values come from.
        strategies: Names, each once.
        seeds: Of every strategy's runs.
        trials: As in `run_sampler`.
        workers: As in `run_sampler`.
        jobs: Processes; with several, runs come in the order in which they end.
        done: Strategies and seeds whose runs are not wanted again.

    Raises:
        ValueError: an unknown strategy, one that is named twice, none, or a number below 1; at
            once, before the first run.
    """
    if not strategies:
        raise ValueError(f"strategies is empty; name some of {', '.join(STRATEGIES)}.")
    for name in strategies:
        if name not in STRATEGIES:
            raise ValueError(
                f"strategy {name!r} is unknown; the strategies are {', '.join(STRATEGIES)}."
            )
        if strategies.count(name) > 1:
            raise ValueError(f"strategies names {name!r} twice; name each once.")
    for argument, number in {"trials": trials, "workers": workers, "jobs": jobs}.items():
        if number < 1:
            raise ValueError(f"{argument} is {number}; it must be at least 1.")
    tasks = [task for task in product(strategies, seeds) if task not in done]
    return _runs(table, tasks, trials, workers, jobs)


def _runs(
    table: TabularEstimator,
    tasks: Sequence[tuple[str, int]],
    trials: int,
    workers: int,
    jobs: int,
) -> Iterator[BenchmarkRun]:
    if jobs == 1:
        for strategy, seed in tasks:
            yield _run_named(strategy, seed, table, trials, workers)
        return
    with ProcessPoolExecutor(jobs, initializer=torch.set_num_threads, initargs=(1,)) as pool:
        runs = [pool.submit(_run_named, s, seed, table, trials, workers) for s, seed in tasks]
        try:
            for run in as_completed(runs):
                yield run.result()
        finally:
            pool.shutdown(cancel_futures=True)


def _run_named(
    strategy: str, seed: int, table: TabularEstimator, trials: int, workers: int
) -> BenchmarkRun:
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    sampler = STRATEGIES[strategy](table.space, seed)
    return run_sampler(strategy, sampler, table, seed=seed, trials=trials, workers=workers)
