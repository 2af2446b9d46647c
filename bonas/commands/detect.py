"""`bonas detect`: what a trained detector says of images and videos, one line each."""

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

from bonas.data.clips import VIDEO_SUFFIXES, is_video, read_video
from bonas.data.faces import DataError
from bonas.data.images import SUFFIXES, UnreadableFile, read_image
from bonas.saved_detector import SavedDetector, load_detector

COLUMNS = ("path", "logit", "probability", "verdict", "frames", "error")
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
        list[Path],
        typer.Argument(help="Face crops, videos of them, or folders.", show_default=False),
    ],
    frames: Annotated[int, typer.Option(min=1, help="Frames of each video, evenly.")] = 32,
    form: Annotated[Form, typer.Option("--format", help="Of the lines.")] = Form.JSONL,
    device: Annotated[str, typer.Option(help="auto, cpu, cuda or cuda:N.")] = "auto",
) -> None:
    """Say of each image or video whether it is real, forged or uncertain.

    A video's logit is the mean of its frames'. Exit code 1 where a file could not be read.
    """
    files = images_below(paths)
    saved = load_detector(detector, device=device)
    write = _writer(form)
    failed = False
    for row in verdicts(saved, files, frames=frames):
        failed |= "error" in row
        write(row)
    if failed:
        raise typer.Exit(1)


def images_below(paths: Iterable[Path]) -> list[Path]:
    """The named files, and every image and video in or below the named folders, sorted.

    Raises:
        DataError: a path does not exist, or a folder has neither.
    """
    known = SUFFIXES | VIDEO_SUFFIXES
    files: list[Path] = []
    for path in paths:
        if path.is_dir():
            found = sorted(p for p in path.rglob("*") if p.suffix.lower() in known and p.is_file())
            if not found:
                raise DataError(
                    f"{str(path)!r} holds no image ({', '.join(sorted(known))}); "
                    "name a folder of face crops."
                )
            files += found
        elif path.is_file():
            files.append(path)
        else:
            raise DataError(f"{str(path)!r} does not exist; name images or folders of them.")
    return files


def verdicts(
    detector: SavedDetector, files: Iterable[Path], *, frames: int = 32
) -> Iterator[dict[str, Any]]:
    """Path, logit, probability and verdict of each file, or path and error, in their order."""
    chosen = list(files)
    for start in range(0, len(chosen), BATCH):
        batch = chosen[start : start + BATCH]
        read = [_read(file, detector.image_size, frames) for file in batch]
        good = [pixels for pixels in read if not isinstance(pixels, str)]
        said = iter(_said(detector, good))
        for file, pixels in zip(batch, read, strict=True):
            row: dict[str, Any] = {"error": pixels} if isinstance(pixels, str) else next(said)
            if is_video(file) and not isinstance(pixels, str):
                row["frames"] = len(pixels)
            yield {"path": str(file)} | row


def _read(file: Path, size: int, frames: int) -> list[np.ndarray] | str:
    """The pictures of a file, `size x size x 3` each, or why there are none."""
    try:
        return read_video(file, size, frames) if is_video(file) else [read_image(file, size)]
    except UnreadableFile as error:
        return str(error)


def _said(detector: SavedDetector, pictures: list[list[np.ndarray]]) -> list[dict[str, Any]]:
    """Of each file; a file of several pictures has the mean of their logits."""
    if not pictures:
        return []
    stacked = np.stack([pixels for file in pictures for pixels in file])
    each = detector(torch.from_numpy(stacked).permute(0, 3, 1, 2).contiguous())
    ends = np.cumsum([len(file) for file in pictures])
    logits, point = np.array([part.mean() for part in np.split(each, ends[:-1])]), detector.point()
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
