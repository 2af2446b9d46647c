"""`bonas search`: trains the supernet and searches; continues a run that is there."""

import math
import time
from collections.abc import Callable
from json import dumps
from pathlib import Path
from typing import Annotated

import typer

from bonas.assembly import Components
from bonas.checkpoint import seconds_of
from bonas.commands.audit import warn_of_leaks
from bonas.commands.console import MESSAGES, Bars, bars, print_json
from bonas.commands.loading import load_components
from bonas.commands.search_result import report_search, search_document
from bonas.commands.train import report_training, train_architecture
from bonas.config_file import load_config
from bonas.earlier_runs import earlier_observations
from bonas.estimation.rotation import RotatedEstimator
from bonas.estimation.supernet import SupernetEstimator
from bonas.gradient_plan import steps_are_planned
from bonas.gradient_search import gradient_search
from bonas.opening import open_search, zero_cost_filter
from bonas.rotation import conditions_digest, rotated_estimator
from bonas.run_folder import RunFolder
from bonas.search import Search
from bonas.search_cost import (
    GRADIENT,
    MULTIPLY_ADDS,
    SECONDS,
    TIME_LIMIT,
    SearchCost,
    images_of,
    sampling_cost,
)
from bonas.strategies.named import GRADIENT_STRATEGIES, STRATEGIES
from bonas.study import Told
from bonas.supernet_training import supernet_estimator


def search(
    config: Annotated[Path, typer.Argument(help="Configuration in TOML.", show_default=False)],
    set_: Annotated[
        list[str] | None, typer.Option("--set", help="Override a setting: --set search.trials=80.")
    ] = None,
    out: Annotated[
        Path | None, typer.Option(help="Run folder. [default: runs/<name of CONFIG>]")
    ] = None,
    strategy: Annotated[
        str | None,
        typer.Option(help=f"{', '.join((*STRATEGIES, *GRADIENT_STRATEGIES))}."),
    ] = None,
    trials: Annotated[int | None, typer.Option(help="Architectures to estimate in all.")] = None,
    time_limit: Annotated[
        float,
        typer.Option(
            min=0,
            help="Seconds from now after which no estimate begins; darts and pdarts make as many "
            "steps as fit.",
        ),
    ] = math.inf,
    warm_start: Annotated[
        list[Path] | None,
        typer.Option(help="Run folder whose observations are believed first; may be repeated."),
    ] = None,
    train: Annotated[
        int,
        typer.Option(
            min=0, help="Then train the best one from scratch with so many seeds and test it."
        ),
    ] = 0,
    json: Annotated[bool, typer.Option("--json", help="Print the result as JSON.")] = False,
) -> None:
    """Search for the most robust architecture; continues the run in its folder if there is one."""
    started = time.monotonic()
    settings = list(set_ or [])
    if trials is not None:
        settings.append(f"search.trials={trials}")
    if strategy is not None:
        settings.append(f"search.strategy={strategy}")
    if warm_start:
        listed = dumps([str(run) for run in warm_start], ensure_ascii=False)
        settings.append(f"search.warm_start={listed}")
    resolved = load_config(config, settings)
    folder = RunFolder.create(out or Path("runs") / config.stem, resolved)
    parts = load_components(folder)
    warn_of_leaks(resolved)
    found = run_search(folder, parts, time_limit=time_limit, started=started)
    best = found.best if train else None
    if best is None:
        report_search(found, folder, as_json=json)
        if train:  # asked for, and there is nothing to train
            raise typer.Exit(1)
        return
    if not json:
        report_search(found, folder, as_json=False)
    key = found.key(best.architecture)
    records = train_architecture(folder, parts, best.architecture, key, seeds=train)
    if json:
        trained = {"detectors": [record.to_json() for record in records]}
        print_json(search_document(found, folder) | trained)
    else:
        report_training(folder, key, records)


def run_search(
    folder: RunFolder,
    parts: Components,
    *,
    time_limit: float = math.inf,
    started: float | None = None,
) -> Search:
    """Supernet, then trials until their number or the seconds are reached, with progress bars.

    Args:
        folder: Of the run.
        parts: Of the run.
        time_limit: Seconds from `started`.
        started: By `time.monotonic`; now unless given.
    """
    config = folder.config
    started = time.monotonic() if started is None else started
    if config.search.strategy in GRADIENT_STRATEGIES:
        return _run_gradient_search(folder, parts, time_limit, started)
    # Before the supernet's training: earlier scores under other conditions are an error, and so is
    # a proxy that says nothing.
    with bars() as shown:
        promising = zero_cost_filter(parts, shown.counting)
    earlier = []
    if config.search.warm_start:
        earlier = earlier_observations(folder, parts.builder.space, conditions_digest(parts))
    # Of a supernet whose training was interrupted before there was a study to keep them.
    kept = folder.path.rglob(folder.supernet_checkpoint.name)  # of a rotation, one for each fold
    trained = sum(map(seconds_of, kept))
    with bars() as shown:
        estimator = _estimator(folder, parts, shown)
        search = open_search(parts, folder, estimator, promising, earlier)
        if MULTIPLY_ADDS not in search.study.optuna.user_attrs:
            _note_cost(search, sampling_cost(parts, estimator))
        search.study.optuna.set_user_attr(TIME_LIMIT, _finite(time_limit))
        advance = shown.start("search")
        trials = config.search.trials
        counted = SECONDS in search.study.optuna.user_attrs
        note_seconds = _clock(search, started if counted else started - trained)

        def tell(told: Told | None = None) -> None:
            advance(search.study.finished, trials, _note(search))
            note_seconds()

        tell()
        search.run(
            estimator,
            trials,
            time_limit=time_limit - (time.monotonic() - started),
            progress=tell,
        )
    return search


def _estimator(
    folder: RunFolder, parts: Components, shown: Bars
) -> SupernetEstimator | RotatedEstimator:
    if parts.config.data.rotate:
        return rotated_estimator(parts, folder, shown.training)
    steps = parts.recipe(parts.config.supernet).steps
    return supernet_estimator(parts, folder, shown.training("supernet", steps))


def _finite(time_limit: float) -> float | None:
    return time_limit if math.isfinite(time_limit) else None


def _run_gradient_search(
    folder: RunFolder, parts: Components, time_limit: float, started: float
) -> Search:
    if math.isfinite(time_limit) and steps_are_planned(folder):
        MESSAGES.print("The steps are those that the search was begun with, whatever the limit.")
    with bars() as shown:
        derived, estimator = gradient_search(
            parts,
            folder,
            time_limit=time_limit - (time.monotonic() - started),
            progress=lambda steps: shown.training("relaxed network", steps),
        )
        search = open_search(parts, folder, estimator)
        if TIME_LIMIT not in search.study.optuna.user_attrs:
            search.study.optuna.set_user_attr(TIME_LIMIT, _finite(time_limit))
        search.study.optuna.set_user_attr(GRADIENT, derived.to_attribute())
        _note_cost(search, SearchCost(derived.multiply_adds, images_of(estimator)))
        if not search.study.finished:
            search.tell(derived.architecture, estimator.estimate(derived.architecture, seed=0))
            _clock(search, started - derived.earlier)()
    MESSAGES.print(derived.describe(), soft_wrap=True)
    return search


def _note_cost(search: Search, cost: SearchCost) -> None:
    search.study.optuna.set_user_attr(MULTIPLY_ADDS, cost.to_attribute())


def _clock(search: Search, started: float) -> Callable[[], None]:
    """Stores the seconds since `started` on top of those of earlier starts, at each call."""
    before = float(search.study.optuna.user_attrs.get(SECONDS, 0.0))
    attribute = search.study.optuna.set_user_attr
    return lambda: attribute(SECONDS, before + time.monotonic() - started)


def _note(search: Search) -> str:
    best = search.best
    if best is None or best.observation.value is None:
        return ""
    return f"best {best.observation.value:.4f} (trial {best.number})"
