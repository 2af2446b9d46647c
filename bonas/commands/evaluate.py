"""`bonas evaluate`: what a trained detector is worth on data, per condition."""

from collections.abc import Mapping
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from bonas.commands.console import RESULTS, bars, print_json, print_table
from bonas.data.attributes import read_attributes
from bonas.data.source import read_data
from bonas.detector_evaluation import (
    Breakdown,
    Conditions,
    DetectorEvaluation,
    evaluate_detector,
    faces_of,
)
from bonas.robustness.conditions import CLEAN
from bonas.robustness.estimate import Estimate, Metrics, Refused
from bonas.robustness.metrics import NAMES
from bonas.saved_detector import load_detector

HEADINGS = ("AUC", "AP", "EER", "accuracy", "TPR at 1 %", "Brier", "ECE")


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
        Conditions, typer.Option(help="Clean images only, or corrupted and attacked ones as well.")
    ] = Conditions.CLEAN,
    seed: Annotated[int, typer.Option(min=0, help="Of noise and bootstrap.")] = 0,
    device: Annotated[str, typer.Option(help="auto, cpu, cuda or cuda:N.")] = "auto",
    json: Annotated[bool, typer.Option("--json", help="Print the result as JSON.")] = False,
) -> None:
    """Measure a detector on data: seven metrics with intervals, for frames and for videos."""
    saved = load_detector(detector, device=device)
    results = []
    with bars() as shown:
        for folder in data:
            found = read_data(folder, saved.image_size, shown.counting(f"{folder.name} faces"))
            results.append(
                evaluate_detector(
                    saved,
                    faces_of(found, split.value),
                    found.name,
                    split.value,
                    conditions=conditions,
                    attributes=read_attributes(folder),
                    seed=seed,
                    progress=shown.counting(f"{folder.name} conditions"),
                )
            )
    if json:
        print_json([result.to_json() for result in results])
        return
    for result in results:
        _print(result)


def _print(result: DetectorEvaluation) -> None:
    protocol = result.protocol
    data = protocol["data"]
    for unit, breakdowns in (("frames", result.frames), ("videos", result.videos)):
        if breakdowns:
            title = f"{data['name']}, {data['split']}, {unit}: {protocol['detector']['name']}"
            _print_unit(title, {c.key: b for c, b in breakdowns.items()})
    if result.score is not None and len(result.frames) > 1:
        low, high = result.score.interval()
        RESULTS.print(f"robustness-weighted AUC {result.score.value:.4f} ({low:.3f} - {high:.3f})")
    frames = data["frames_per_video"]
    calibration = protocol["calibration"]
    meant = "not calibrated: probabilities and threshold are those of training"
    if calibration is not None:
        rules, meant_on = calibration["rules"], calibration["data"]
        meant = (
            f"threshold by {rules['threshold']}, calibrated on {meant_on['split']} "
            f"{meant_on['digest']}"
        )
    RESULTS.print(
        f"data {data['digest']}, {data['images']} images, {data['originals']} originals, "
        f"{'no videos' if frames is None else f'{frames[0]} - {frames[1]} frames per video'}; "
        f"conditions {protocol['conditions']['digest'][:16]}; seed {protocol['seed']}; "
        f"bonas {protocol['version']}; weights {protocol['detector']['weights']}; {meant}",
        soft_wrap=True,
        markup=False,
    )


def _print_unit(title: str, breakdowns: Mapping[str, Breakdown]) -> None:
    rows = {key: breakdown.whole for key, breakdown in breakdowns.items()}
    clean = breakdowns[CLEAN.key]
    rows |= {f"clean, {name}": m for name, m in (*clean.domains.items(), *clean.subgroups.items())}
    cells = [[name, *_cells(measured)] for name, measured in rows.items()]
    print_table(title, ["condition", "images", *HEADINGS], cells)
    for name, measured in rows.items():
        for remark in [measured.reason] if isinstance(measured, Refused) else measured.flags:
            RESULTS.print(f"{name}: {remark}", soft_wrap=True, markup=False)


def _cells(measured: Metrics | Refused) -> list[str]:
    size = str(measured.size.images)
    if isinstance(measured, Refused):
        return [size, *["-"] * len(NAMES)]
    return [size, *(_cell(measured.estimates.get(name)) for name in NAMES)]


def _cell(estimate: Estimate | None) -> str:
    if estimate is None:
        return "-"
    return f"{estimate.value:.3f}\n{estimate.low:.3f}-{estimate.high:.3f}"
