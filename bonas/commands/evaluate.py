"""`bonas evaluate`: what a trained detector is worth on data, per condition."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from bonas.commands.condition_options import Conditions, chosen_protocol, configuration_of
from bonas.commands.console import bars, print_json, print_warning
from bonas.commands.evaluation_table import print_evaluation
from bonas.commands.folder import FolderSettings, folder_table, print_left_out
from bonas.data.attributes import attributes_of
from bonas.data.source import read_folder
from bonas.detector_evaluation import evaluate_detector
from bonas.saved_detector import load_detector
from bonas.tested import DataPart, faces_of, trained_types


class Part(StrEnum):
    """Which images of the data are tested."""

    TEST = "test"
    VAL = "val"
    ALL = "all"


def evaluate(
    detector: Annotated[
        Path, typer.Argument(help="Folder of a trained detector.", show_default=False)
    ],
    data: Annotated[list[Path], typer.Argument(help="Data folders.", show_default=False)],
    split: Annotated[Part, typer.Option(help="Which images.")] = Part.TEST,
    conditions: Annotated[
        Conditions,
        typer.Option(
            help="Clean images only; those of the configuration's score; or every corruption at "
            "every severity and every attack."
        ),
    ] = Conditions.CLEAN,
    corruptions: Annotated[
        str | None, typer.Option(help="Instead: names, separated by commas, all or none.")
    ] = None,
    severities: Annotated[
        str | None, typer.Option(help="Of corruptions: 1 to 5, separated by commas, or all.")
    ] = None,
    attacks: Annotated[
        str | None,
        typer.Option(help="Instead: fgsm, pgd=2, ... with budgets in 1/255; all or none."),
    ] = None,
    check_gradients: Annotated[
        bool,
        typer.Option(
            "--check-gradients",
            help="Tell whether it hides its gradients; done anyway under apgd and square.",
        ),
    ] = False,
    config: Annotated[
        Path | None,
        typer.Option(
            help="Configuration or run folder with conditions and weights. "
            "[default: the detector's run]"
        ),
    ] = None,
    set_: FolderSettings = None,
    seed: Annotated[
        int | None,
        typer.Option(min=0, help="Of noise and bootstrap. [default: the configuration's]"),
    ] = None,
    device: Annotated[str, typer.Option(help="auto, cpu, cuda or cuda:N.")] = "auto",
    json: Annotated[bool, typer.Option("--json", help="Print the result as JSON.")] = False,
) -> None:
    """Measure a detector on data: seven metrics with intervals, for frames and for videos."""
    saved = load_detector(detector, device=device)
    for doubt in saved.doubts:
        print_warning("doubtful", doubt)
    protocol = chosen_protocol(
        configuration_of(detector, config),
        conditions,
        corruptions=corruptions,
        severities=severities,
        attacks=attacks,
        seed=seed,
    )
    tables = [folder_table(folder, set_ or (), size=saved.image_size) for folder in data]
    results = []
    with bars() as shown:
        for folder, table in zip(data, tables, strict=True):
            found = read_folder(table, shown.counting(f"{folder.name} faces"))
            print_left_out(found.skipped)
            results.append(
                evaluate_detector(
                    saved,
                    DataPart(
                        faces_of(found, split.value),
                        found.name,
                        split.value,
                        trained_types(saved, found, folder),
                        found.reading,
                    ),
                    protocol,
                    attributes=attributes_of(folder, found),
                    check_gradients=check_gradients,
                    progress=shown.counting(f"{folder.name} conditions"),
                )
            )
    if json:
        print_json([result.to_json() for result in results])
        return
    for result in results:
        print_evaluation(result)
