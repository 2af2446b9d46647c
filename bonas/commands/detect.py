"""`bonas detect`: what a trained detector says of images, one line each."""

import csv
import json
import sys
from collections.abc import Callable, Iterable, Iterator
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import torch
import typer

from bonas.data.faces import DataError
from bonas.data.layouts.metadata_csv import read_image
from bonas.saved_detector import SavedDetector, load_detector

SUFFIXES = frozenset({".png", ".jpg", ".jpeg", ".webp", ".bmp"})
COLUMNS = ("path", "logit", "probability", "verdict", "error")
BATCH = 64


class Form(StrEnum):
    """How results are written."""

    JSONL = "jsonl"
    CSV = "csv"


def detect(
    detector: Annotated[
        Path, typer.Argument(help="Folder of a trained detector.", show_default=False)
    ],
    paths: Annotated[
        list[Path], typer.Argument(help="Face crops, or folders of them.", show_default=False)
    ],
    form: Annotated[Form, typer.Option("--format", help="Of the lines.")] = Form.JSONL,
    device: Annotated[str, typer.Option(help="auto, cpu, cuda or cuda:N.")] = "auto",
) -> None:
    """Say of each image whether it is real, forged or uncertain; exit code 1 if one is no image."""
    files = images_below(paths)
    saved = load_detector(detector, device=device)
    write = _writer(form)
    failed = False
    for row in verdicts(saved, files):
        failed |= "error" in row
        write(row)
    if failed:
        raise typer.Exit(1)


def images_below(paths: Iterable[Path]) -> list[Path]:
    """The named files, and every image in or below the named folders, sorted.

    Raises:
        DataError: a path does not exist, or a folder has no image.
    """
    files: list[Path] = []
    for path in paths:
        if path.is_dir():
            found = sorted(p for p in path.rglob("*") if p.suffix.lower() in SUFFIXES)
            if not found:
                raise DataError(
                    f"{str(path)!r} holds no image ({', '.join(sorted(SUFFIXES))}); "
                    "name a folder of face crops."
                )
            files += found
        elif path.is_file():
            files.append(path)
        else:
            raise DataError(f"{str(path)!r} does not exist; name images or folders of them.")
    return files


def verdicts(detector: SavedDetector, files: Iterable[Path]) -> Iterator[dict[str, Any]]:
    """Path, logit, probability and verdict of each file, or path and error, in their order."""
    chosen = list(files)
    for start in range(0, len(chosen), BATCH):
        batch = chosen[start : start + BATCH]
        read = [read_image(file, detector.image_size) for file in batch]
        good = [pixels for pixels in read if not isinstance(pixels, str)]
        said = iter(_said(detector, good))
        for file, pixels in zip(batch, read, strict=True):
            row = {"error": pixels} if isinstance(pixels, str) else next(said)
            yield {"path": str(file)} | row


def _said(detector: SavedDetector, pixels: list[np.ndarray]) -> list[dict[str, Any]]:
    if not pixels:
        return []
    images = torch.from_numpy(np.stack(pixels)).permute(0, 3, 1, 2).contiguous()
    logits, point = detector(images), detector.point()
    columns = (logits.tolist(), point.probability(logits).tolist(), point.verdicts(logits))
    return [
        {"logit": logit, "probability": probability, "verdict": verdict.value}
        for logit, probability, verdict in zip(*columns, strict=True)
    ]


def _writer(form: Form) -> Callable[[dict[str, Any]], object]:
    if form is Form.CSV:
        table = csv.DictWriter(sys.stdout, COLUMNS, lineterminator="\n")
        table.writeheader()
        return table.writerow
    return lambda row: sys.stdout.write(json.dumps(row) + "\n")
