"""`bonas compare`: the found architecture against a random and a hand-designed one."""

import json as json_
import statistics
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from bonas.assembly import Components
from bonas.commands.console import RESULTS, bars, print_json, print_table
from bonas.commands.search import load_components
from bonas.commands.train import TrainingSettings, choose_architecture
from bonas.comparison import Rival, contestants, run_contestant, steps_for_equal_time
from bonas.detector_record import TrainedRecord
from bonas.protocol import line
from bonas.robustness.conditions import CLEAN
from bonas.run_folder import RunFolder


def compare(
    run: Annotated[Path, typer.Argument(help="Run folder.", show_default=False)],
    seeds: Annotated[int, typer.Option(min=1, help="How many trainings of each.")] = 1,
    against: Annotated[
        list[Rival] | None, typer.Option(help="What to compare with; repeatable. [default: both]")
    ] = None,
    set_: TrainingSettings = None,
    json: Annotated[bool, typer.Option("--json", help="Print the result as JSON.")] = False,
) -> None:
    """Train the found network and others for equal time and test them."""
    folder = RunFolder.open(run, set_ or ())
    parts = load_components(folder)
    records = run_comparison(folder, parts, seeds, tuple(against or Rival))
    if json:
        print_json([record.to_json() for record in records])
    else:
        print_comparison(records)


def run_comparison(
    folder: RunFolder, parts: Components, seeds: int, rivals: Sequence[Rival] = tuple(Rival)
) -> list[TrainedRecord]:
    """Train and score what is not there yet; the results also lie in `comparison.json`."""
    found, _ = choose_architecture(folder, None)
    with bars() as shown:
        recipe = parts.recipe(folder.config.training)
        entrants = contestants(parts, found, rivals, range(seeds))
        plan = _plan(folder)
        missing = [e for e in entrants if f"{e.name}-{e.seed}" not in plan]
        if missing:
            steps = steps_for_equal_time(parts, recipe, [entrants[0], *missing])[1:]
            plan |= {f"{e.name}-{e.seed}": s for e, s in zip(missing, steps, strict=True)}
            plan |= {f"found-{e.seed}": recipe.steps for e in missing if e.name == "found"}
            _write(folder, {"steps": plan})
        evaluation = parts.test()
        records = []
        for entrant in entrants:
            name = f"{entrant.name}-{entrant.seed}"
            records.append(
                run_contestant(
                    parts,
                    evaluation,
                    recipe,
                    entrant,
                    steps=plan[name],
                    folder=folder.path / "comparison" / name,
                    progress=shown.training(name, plan[name]),
                )
            )
    _write(folder, {"steps": plan, "records": [r.to_json() for r in records]})
    return records


def print_comparison(records: list[TrainedRecord]) -> None:
    """A row per contestant: means over the seeds."""
    rows = []
    for name in dict.fromkeys(record.name for record in records):
        mine = [r for r in records if r.name == name]
        clean = [r.score.aucs[CLEAN] for r in mine]
        worst = [r.score.worst[1].value for r in mine]
        rows.append(
            [
                name,
                _mean([r.score.value for r in mine]),
                _mean(clean),
                *[_mean([r.score.group_means[g] for r in mine]) for g in _groups(mine[0])],
                _mean(worst),
                f"{statistics.mean(r.parameters for r in mine) / 1e3:.0f}",
                f"{statistics.mean(r.seconds for r in mine):.0f}",
            ]
        )
    groups = [g.value for g in _groups(records[0])]
    columns = ["network", "score", "clean", *groups, "worst", "kparams", "seconds"]
    seeds = len({r.seed for r in records})
    print_table(f"Test AUC after equal training time, {seeds} seed(s)", columns, rows)
    RESULTS.print(line(records[0].protocol), soft_wrap=True, markup=False)


def _groups(record: TrainedRecord) -> list[Any]:
    return [g for g in record.score.group_means if g.value != "clean"]


def _mean(values: list[float]) -> str:
    spread = f" ±{statistics.stdev(values):.3f}" if len(values) > 1 else ""
    return f"{statistics.mean(values):.4f}{spread}"


def _plan(folder: RunFolder) -> dict[str, int]:
    if not folder.comparison.is_file():
        return {}
    document = json_.loads(folder.comparison.read_text(encoding="utf-8"))
    return dict(document["steps"])


def _write(folder: RunFolder, document: dict[str, Any]) -> None:
    folder.comparison.write_text(json_.dumps(document, indent=2) + "\n", encoding="utf-8")
