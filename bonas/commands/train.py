"""`bonas train`: trains an architecture of a run from scratch and tests it."""

import statistics
from pathlib import Path
from typing import Annotated

import typer

from bonas.assembly import Components
from bonas.commands.auc_cells import print_flags
from bonas.commands.console import (
    MESSAGES,
    RESULTS,
    bars,
    print_json,
    print_table,
    print_warning,
)
from bonas.commands.loading import load_components
from bonas.comparison import Contestant, run_contestant
from bonas.config import ConfigError
from bonas.data.pseudo_forged import PSEUDO
from bonas.detector_calibration import load_calibration
from bonas.detector_record import FLAGS, TrainedRecord
from bonas.opening import open_study
from bonas.protocol import line
from bonas.robustness.conditions import CLEAN
from bonas.run_folder import RunFolder
from spaces.architecture import Architecture
from spaces.graphs import canonical_key

TrainingSettings = Annotated[
    list[str] | None,
    typer.Option("--set", help="Override a training setting: --set training.epochs=60."),
]
"""The option of every command that trains what a search found."""


def train(
    run: Annotated[Path, typer.Argument(help="Run folder.", show_default=False)],
    architecture: Annotated[
        str | None, typer.Option(help="Canonical key of the architecture. [default: the best]")
    ] = None,
    seeds: Annotated[int, typer.Option(min=1, help="How many trainings, with seeds 0, 1, ...")] = 1,
    set_: TrainingSettings = None,
    json: Annotated[bool, typer.Option("--json", help="Print the result as JSON.")] = False,
) -> None:
    """Train the best architecture from scratch and test it; goes on where it was interrupted."""
    folder = RunFolder.open(run, set_ or ())
    chosen, key = choose_architecture(folder, architecture)
    records = train_architecture(folder, load_components(folder), chosen, key, seeds=seeds)
    if json:
        print_json([record.to_json() for record in records])
    else:
        report_training(folder, key, records)


def train_architecture(
    folder: RunFolder, parts: Components, chosen: Architecture, key: str, *, seeds: int
) -> list[TrainedRecord]:
    """Train an architecture with seeds 0, 1, ... and test each, with progress bars.

    What is trained already in the folder is not trained again.

    Args:
        folder: Of the run.
        parts: Of the run.
        chosen: What is trained.
        key: Its canonical key, which names the detectors' folders.
        seeds: How many trainings.
    """
    records = []
    with bars() as shown:
        recipe = parts.recipe(folder.config.training)
        evaluation = parts.test()
        for seed in range(seeds):
            records.append(
                run_contestant(
                    parts,
                    evaluation,
                    recipe,
                    Contestant(key, chosen, seed),
                    steps=recipe.steps,
                    folder=folder.detector(detector_name(key, seed)),
                    progress=shown.training(f"{key} seed {seed}", recipe.steps),
                )
            )
    return records


def report_training(folder: RunFolder, key: str, records: list[TrainedRecord]) -> None:
    """The trainings of one architecture: a table, what is doubtful, and where they lie."""
    print_records(f"Test of {key}", records)
    for seed in range(len(records)):
        calibration = load_calibration(folder.detector(detector_name(key, seed)))
        for doubt in calibration.doubts if calibration is not None else ():
            print_warning("doubtful", f"seed {seed}: {doubt}")
    MESSAGES.print(f"Detector: {folder.detector(key)}", soft_wrap=True)


def detector_name(key: str, seed: int) -> str:
    """The folder of one training: the key alone for the first seed."""
    return key if seed == 0 else f"{key}-seed{seed}"


def choose_architecture(folder: RunFolder, key: str | None) -> tuple[Architecture, str]:
    """The architecture of a canonical key, or the incumbent, with its key.

    Raises:
        ConfigError: nothing was searched yet, or no trial has the key.
    """
    study = open_study(folder.config, folder.journal) if folder.journal.is_file() else None
    best = study.best() if study is not None else None
    if study is None or best is None:
        raise ConfigError(
            f"{folder.path} has no estimated architecture yet; run `bonas search` first."
        )
    keyed = {canonical_key(study.space.graph(t.architecture)): t for t in study.told()}
    if key is None:
        chosen = best.architecture
        return chosen, canonical_key(study.space.graph(chosen))
    matching = [k for k in keyed if k.startswith(key)]
    if len(matching) != 1:
        raise ConfigError(
            f"--architecture {key!r} fits {len(matching)} architectures of {folder.path}; "
            "give a canonical key as `bonas search` and the report print it."
        )
    return keyed[matching[0]].architecture, matching[0]


def print_records(title: str, records: list[TrainedRecord]) -> None:
    """Every condition's AUC with its interval (first record), and the mean over the seeds."""
    first = records[0]
    rows = []
    for number, (condition, auc) in enumerate(first.score.conditions):
        low, high = auc.interval()
        values = [r.score.conditions[number][1].value for r in records]
        row = [condition.key, f"{auc.value:.4f}", f"{low:.3f} - {high:.3f}"]
        rows.append([*row, f"{statistics.mean(values):.4f}", _spread(values)])
    low, high = first.score.interval()
    scores = [r.score.value for r in records]
    whole = ["score", f"{first.score.value:.4f}", f"{low:.3f} - {high:.3f}"]
    rows.append([*whole, f"{statistics.mean(scores):.4f}", _spread(scores)])
    of = f", seed {first.seed}" if len(records) > 1 else ""
    columns = ["condition", f"AUC{of}", f"95 % interval{of}", f"mean of {len(records)}", "std"]
    print_table(title, columns, rows)
    print_flags(first.protocol.get(FLAGS) or {})
    RESULTS.print(line(first.protocol), soft_wrap=True)
    clean = statistics.mean(r.score.aucs[CLEAN] for r in records)
    trained = first.trained_on
    blends = " of blends" if trained is not None and trained.forgeries == (PSEUDO,) else ""
    MESSAGES.print(
        f"clean test AUC{blends} {clean:.4f} (mean of {len(records)}), "
        f"{first.parameters:,} parameters, {first.multiply_adds / 1e6:.1f} M multiply-adds, "
        f"{statistics.mean(r.seconds for r in records):.0f} s of training each",
        soft_wrap=True,
    )
    if first.regions is not None:
        for told in first.regions.describe():
            MESSAGES.print(told, soft_wrap=True)


def _spread(values: list[float]) -> str:
    return f"{statistics.stdev(values):.4f}" if len(values) > 1 else "-"
