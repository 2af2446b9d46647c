"""One network trained under several settings, for equal time, seed by seed, and what each scores.

What the scripts share that ask what a setting of the training does; not a script itself. The arms
take turns, so that what else the machine does meets all of them, and a folder that was begun is
continued: seeds can be added later.
"""

import argparse
import json
import statistics
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from bonas.assembly import Components
from bonas.comparison import Contestant, run_contestant
from bonas.config_file import parse_config
from bonas.detector_record import TrainedRecord
from bonas.protocol import line
from bonas.run_folder import RunFolder
from bonas.step_time import PLAIN, Stopwatch
from spaces.architecture import Architecture

ROUNDS, STEPS, WARM_STEPS = 3, 4, 1  # turns of each arm when steps are timed, and of a turn

Settings = Mapping[str, Mapping[str, Any]]


def add_arguments(parser: argparse.ArgumentParser, arms: Sequence[str], out: str) -> None:
    """Those that every script has."""
    parser.add_argument("--architecture", help="choices of the space forgery, as a JSON list")
    parser.add_argument("--arms", default=",".join(arms))
    parser.add_argument("--seconds", type=float, default=300.0, help="of each training")
    parser.add_argument("--steps", type=int, help="of the first arm, in the place of the seconds")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--out", type=Path, default=Path(out))


def trained(
    arms: Mapping[str, Settings], arguments: argparse.Namespace
) -> dict[str, list[TrainedRecord]]:
    """Of each arm that was asked for, the records of all seeds."""
    chosen = arguments.architecture
    architecture = Architecture("forgery", tuple(json.loads(chosen))) if chosen else PLAIN
    names = arguments.arms.split(",")
    folders = {name: _folder(arms[name], name, arguments) for name in names}
    parts = {name: Components.of(folder) for name, folder in folders.items()}
    steps = _steps(parts, architecture, arguments)
    records: dict[str, list[TrainedRecord]] = {name: [] for name in names}
    for seed in range(arguments.seeds):
        for name in names:
            record = run_contestant(
                parts[name],
                parts[name].test(),
                parts[name].recipe(parts[name].config.training),
                Contestant("network", architecture, seed),
                steps=steps[name],
                folder=folders[name].detector(f"network-seed{seed}"),
            )
            records[name].append(record)
            print(name, seed, {k: round(v[0], 4) for k, v in aucs(record).items()}, flush=True)
    return records


def aucs(record: TrainedRecord) -> dict[str, tuple[float, float, float]]:
    """By condition, the AUC and the ends of its 95 % interval (DeLong, clustered by original)."""
    return {c.key: (auc.value, *auc.interval()) for c, auc in record.score.conditions}


def table(heading: str, records: Mapping[str, Sequence[TrainedRecord]]) -> str:
    """Every training's AUCs with their intervals, each arm's mean and deviation over seeds, and
    below what they hold for."""
    conditions = list(aucs(next(iter(records.values()))[0]))
    columns = [heading, "seed", *conditions, "steps", "seconds"]
    lines = ["| " + " | ".join(columns) + " |", "|" + "---|" * len(columns)]
    for name, runs in records.items():
        for run in runs:
            cells = [f"{v:.3f} ({low:.3f} - {high:.3f})" for v, low, high in aucs(run).values()]
            row = [name, str(run.seed), *cells, f"{run.steps:,}", f"{run.seconds:.0f}"]
            lines.append("| " + " | ".join(row) + " |")
        if len(runs) > 1:
            means = [spread([aucs(run)[c][0] for run in runs]) for c in conditions]
            lines.append("| " + " | ".join([name, "mean", *means, "", ""]) + " |")
    lines.append("")
    for name, runs in records.items():
        told = dict.fromkeys(line(run.protocol) for run in runs)  # of all seeds one, as a rule
        lines += [f"{name}: {protocol}" for protocol in told]
    return "\n".join(lines)


def spread(values: Sequence[float]) -> str:
    """Mean and standard deviation over the seeds."""
    return f"**{statistics.mean(values):.3f}** ± {statistics.stdev(values):.3f}"


def _folder(settings: Settings, name: str, arguments: argparse.Namespace) -> RunFolder:
    document = {**settings, "device": {"threads": arguments.threads}}
    return RunFolder.create(arguments.out / name, parse_config(document, name))


def _steps(
    arms: Mapping[str, Components], architecture: Architecture, arguments: argparse.Namespace
) -> dict[str, int]:
    """Of each arm, equally long by the medians of their steps; once, then those of the file."""
    file: Path = arguments.out / "steps.json"
    if file.is_file():
        known: dict[str, int] = json.loads(file.read_text())
        if set(arms) <= set(known):
            return known
        raise SystemExit(f"{file} has no steps of {set(arms) - set(known)}; take another --out.")
    times: dict[str, list[float]] = {name: [] for name in arms}
    entrant = Contestant("network", architecture, 0)
    for _ in range(ROUNDS):
        for name, parts in arms.items():
            recipe = parts.recipe(parts.config.training)
            watch = Stopwatch(
                parts.train, recipe, parts.device, rounds=1, steps=STEPS, warm=WARM_STEPS
            )
            times[name] += watch.seconds([(entrant.build(parts), architecture)])
    medians = {name: statistics.median(taken) for name, taken in times.items()}
    first = next(iter(medians.values()))
    seconds = arguments.steps * first if arguments.steps else arguments.seconds
    steps = {name: max(1, round(seconds / median)) for name, median in medians.items()}
    file.write_text(json.dumps(steps))
    return steps
