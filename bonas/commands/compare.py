"""`bonas compare`: the found architecture against a random and a hand-designed one."""

import statistics
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from bonas.assembly import Components
from bonas.commands.auc_cells import print_flags, with_interval
from bonas.commands.console import RESULTS, bars, print_json, print_table
from bonas.commands.loading import load_components
from bonas.commands.train import TrainingSettings, choose_architecture
from bonas.comparison import (
    Rival,
    contestants,
    finished_record,
    run_contestant,
    steps_for_equal_time,
)
from bonas.comparison_result import AGAIN, FOUND, ComparisonResult
from bonas.config import ConfigError
from bonas.detector_record import FLAGS, TrainedRecord
from bonas.protocol import line
from bonas.report.contestants import group_auc
from bonas.robustness.conditions import Group
from bonas.robustness.differences import Difference
from bonas.robustness.record import ConditionAuc, MeanAuc, mean_of
from bonas.run_folder import RunFolder
from bonas.training import Recipe
from bonas.whole_files import read_json, write_json

STEPS = "steps"


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
    result = run_comparison(folder, parts, seeds, tuple(against or Rival))
    if json:
        print_json(result.to_json())
    else:
        print_comparison(result)


def run_comparison(
    folder: RunFolder, parts: Components, seeds: int, rivals: Sequence[Rival] = tuple(Rival)
) -> ComparisonResult:
    """Train and score what is not there yet.

    `comparison.json` then holds these results beside those of earlier comparisons on equal terms.

    Raises:
        ConfigError: trainings were planned or done on other terms.
    """
    found, _ = choose_architecture(folder, None)
    with bars() as shown:
        recipe = parts.recipe(folder.config.training)
        entrants = contestants(parts, found, rivals, range(seeds))
        known = _read(folder)
        plan: dict[str, int] = dict(known.get(STEPS, {}))
        _check_steps(folder, plan, recipe)
        missing = [e for e in entrants if e.folder not in plan]
        if missing:
            steps = steps_for_equal_time(parts, recipe, [entrants[0], *missing])[1:]
            plan |= {e.folder: s for e, s in zip(missing, steps, strict=True)}
            plan |= {e.folder: recipe.steps for e in missing if e.name == FOUND}
            _write(folder, known | {STEPS: plan})
        evaluation = parts.test()
        place = folder.path / "comparison"
        records = {}
        for entrant in entrants:
            records[entrant.folder] = run_contestant(
                parts,
                evaluation,
                recipe,
                entrant,
                steps=plan[entrant.folder],
                folder=place / entrant.folder,
                progress=shown.training(entrant.folder, plan[entrant.folder]),
            )
    all_seeds = sorted({int(name.rpartition("-")[2]) for name in plan})
    planned = [e for e in contestants(parts, found, tuple(Rival), all_seeds) if e.folder in plan]
    for entrant in planned:
        own = place / entrant.folder
        if entrant.folder not in records and (
            earlier := finished_record(
                parts, evaluation, recipe, entrant, steps=plan[entrant.folder], folder=own
            )
        ):
            records[entrant.folder] = earlier
    everything = [records[e.folder] for e in planned if e.folder in records]
    _write(folder, {STEPS: plan, **ComparisonResult.of(everything, place).to_json()})
    return ComparisonResult.of([records[entrant.folder] for entrant in entrants], place)


def print_comparison(result: ComparisonResult) -> None:
    """A row per contestant: means over the seeds, with intervals over the test images.

    Below it a row per rival: by what the found network differs from it.
    """
    records = result.records
    rows = []
    for name in dict.fromkeys(record.name for record in records):
        mine = [r for r in records if r.name == name]
        groups = [[group_auc(r, g) for r in mine] for g in groups_of(records[0])]
        rows.append(
            [
                name,
                _mean([r.score.mean for r in mine]),
                *[_mean(group) for group in groups],
                _mean([r.score.worst[1] for r in mine]),
                f"{statistics.mean(r.parameters for r in mine) / 1e3:.0f}",
                f"{statistics.mean(r.seconds for r in mine):.0f}",
            ]
        )
    names = [g.value for g in groups_of(records[0])]
    columns = ["network", "score", *names, "worst", "kparams", "seconds"]
    seeds = len({r.seed for r in records})
    title = f"Test AUC after equal training time, {seeds} seed(s), with 95 % intervals"
    print_table(title, columns, rows)
    if result.differences:
        title = f"{FOUND} minus rival on the same images, with paired 95 % intervals over them"
        rows = [
            [name, _signed(d.score), *map(_signed, d.groups.values())]
            for name, d in result.differences.items()
        ]
        print_table(title, ["rival", "score", *names], rows)
        if seeds == 1:
            RESULTS.print(
                "Each was trained once: these intervals are over images, and another training "
                "would change the numbers too (--seeds 3).",
                soft_wrap=True,
            )
    print_flags(records[0].protocol.get(FLAGS) or {})
    RESULTS.print(line(records[0].protocol), soft_wrap=True, markup=False)


def groups_of(record: TrainedRecord) -> list[Group]:
    """Those that were tested."""
    return list(record.score.group_means)


def _mean(aucs: Sequence[ConditionAuc | MeanAuc]) -> str:
    values = [auc.value for auc in aucs]
    spread = f" ±{statistics.stdev(values):.3f}" if len(values) > 1 else ""
    return with_interval(mean_of(aucs), spread)


def _signed(difference: Difference) -> str:
    low, high = difference.interval()
    return f"{difference.value:+.4f}\n{low:+.3f} to {high:+.3f}"


def _check_steps(folder: RunFolder, plan: Mapping[str, int], recipe: Recipe) -> None:
    """The plan is of so many steps of the found network; others would be averaged with these."""
    planned = {s for name, s in plan.items() if name.startswith(f"{FOUND}-")} - {recipe.steps}
    if planned:
        raise ConfigError(
            f"{folder.comparison} is of trainings of {min(planned)} steps, and the recipe now "
            f"makes {recipe.steps}. Restore [training], or remove or rename this file and "
            f"{folder.path / 'comparison'} to compare anew."
        )


def _read(folder: RunFolder) -> dict[str, Any]:
    if not folder.comparison.is_file():
        return {}
    return read_json(folder.comparison, _with_steps, AGAIN)


def _with_steps(document: dict[str, Any]) -> dict[str, Any]:
    dict(document[STEPS])  # a file without is damaged
    return document


def _write(folder: RunFolder, document: dict[str, Any]) -> None:
    write_json(folder.comparison, document)
