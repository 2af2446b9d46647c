"""`bonas calibrate`: what a detector's scores mean, chosen anew on data or by other rules."""

from pathlib import Path
from typing import Annotated

import typer

from bonas.commands.console import RESULTS, bars, print_json, print_warning
from bonas.commands.folder import FolderSettings, folder_table
from bonas.config import ConfigError
from bonas.data.faces import Split
from bonas.data.source import read_folder
from bonas.detector_calibration import CALIBRATION, save_calibration, scored
from bonas.detector_calibration import calibrate as calibration_of
from bonas.protocol import read_copies
from bonas.robustness.calibration import Rules, ThresholdRule
from bonas.robustness.metrics import unmeasurable
from bonas.saved_detector import load_detector
from bonas.trained_on import MOST_SEEN, Use, count_used, save_used


def calibrate(
    detector: Annotated[
        Path, typer.Argument(help="Folder of a trained detector.", show_default=False)
    ],
    data: Annotated[Path, typer.Argument(help="Data folder.", show_default=False)],
    split: Annotated[Split, typer.Option(help="Which images.")] = Split.VAL,
    threshold: Annotated[
        ThresholdRule, typer.Option(help="Equal errors, or false alarms at most --fpr.")
    ] = ThresholdRule.EER,
    fpr: Annotated[float, typer.Option(help="Share of real images called forged.")] = 0.05,
    error: Annotated[
        float, typer.Option(help="Share of either class that is called the other, not uncertain.")
    ] = 0.1,
    set_: FolderSettings = None,
    device: Annotated[str, typer.Option(help="auto, cpu, cuda or cuda:N.")] = "auto",
    json: Annotated[bool, typer.Option("--json", help="Print the result as JSON.")] = False,
) -> None:
    """Choose probability, threshold and band of doubt on data that were not trained on."""
    try:
        rules = Rules(threshold=threshold, false_positive_rate=fpr, error=error)
    except ValueError as wrong:
        raise ConfigError(f"{wrong}.") from wrong
    saved = load_detector(detector, device=device)
    table = folder_table(data, set_ or (), size=saved.image_size)
    with bars() as shown:
        found = read_folder(table, shown.counting(f"{data.name} faces"))
    faces = found.require(split, "the calibration")
    seen = count_used(detector, faces)
    if seen is None and faces.digest() == saved.record.protocol["training_data"]:
        seen = len(faces)
    if (seen or 0) > MOST_SEEN * len(faces):
        raise ConfigError(
            f"{data} {split.value!r} holds {seen} of {len(faces)} images that {detector} was "
            "trained on, where it errs too rarely; calibrate on other images, such as --split val."
        )
    if reason := unmeasurable(scored(faces.labels.numpy(), faces)):
        raise ConfigError(
            f"{data} {split.value!r} holds {reason}: no threshold can be told from so few. "
            "Calibrate on more images, of more originals."
        )
    calibration = calibration_of(
        saved(faces.images),
        faces,
        split=split,
        device=saved.device.describe(),
        reading=() if found.reading is None else [found.reading],
        rules=rules,
    ).of_detector(**saved.identity(), seed=saved.record.seed)
    save_calibration(detector, calibration)
    save_used(detector, Use.CALIBRATED, [faces])
    for doubt in calibration.doubts:
        print_warning("doubtful", doubt)
    if json:
        print_json(calibration.to_json())
        return
    for unit, point in (("frames", calibration.frames), ("videos", calibration.videos)):
        if point is not None:
            RESULTS.print(
                f"{unit}: p = 1 / (1 + exp(-({point.scale:.4g} s {point.bias:+.4g}))), "
                f"threshold {point.threshold:.4g}, uncertain from {point.low:.4g} to "
                f"{point.high:.4g}",
                soft_wrap=True,
            )
    chosen = calibration.data
    parts = [f"data {chosen['split']} {chosen['digest']}, {chosen['images']} images"]
    if span := chosen["frames_per_video"]:
        parts.append(f"{span[0]} - {span[1]} frames per video")
    parts += read_copies(chosen.get("reading", ()))
    parts += [rules.describe(), f"weights {saved.digest}", f"bonas {chosen['version']}"]
    parts += [chosen["device"], str(detector / CALIBRATION)]
    RESULTS.print("; ".join(parts), soft_wrap=True)
