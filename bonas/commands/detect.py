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

import bonas
from bonas.data.clips import VIDEO_SUFFIXES, is_video, read_video
from bonas.data.faces import DataError
from bonas.data.images import SUFFIXES, UnreadableFile, read_image
from bonas.saved_detector import SavedDetector, load_detector

COLUMNS = (
    *("path", "logit", "probability", "verdict", "frames", "error"),
    *("detector", "weights", "version"),
)
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
    """Path, logit, probability and verdict of each file, or path and error, in their order.

    Every row names the detector, the digest of its weights and the version: rows are cut out and
    joined, and a line before them all would be no row.
    """
    chosen, named = list(files), detector.identity()
    protocol = {
        "detector": named["name"],
        "weights": named["weights"],
        "version": bonas.__version__,
    }
    for start in range(0, len(chosen), BATCH):
        batch = chosen[start : start + BATCH]
        read = [_read(file, detector.image_size, frames) for file in batch]
        good = {f: p for f, p in enumerate(read) if not isinstance(p, str)}
        logits = dict(zip(good, _logits(detector, list(good.values())), strict=True))
        for number, (file, pixels) in enumerate(zip(batch, read, strict=True)):
            if isinstance(pixels, str):
                yield {"path": str(file), "error": pixels} | protocol
                continue
            row = {"path": str(file)} | _said(detector, logits[number], videos=is_video(file))
            yield row | ({"frames": len(pixels)} if is_video(file) else {}) | protocol


def _read(file: Path, size: int, frames: int) -> list[np.ndarray] | str:
    """The pictures of a file, `size x size x 3` each, or why there are none."""
    try:
        return read_video(file, size, frames) if is_video(file) else [read_image(file, size)]
    except UnreadableFile as error:
        return str(error)


def _logits(detector: SavedDetector, pictures: list[list[np.ndarray]]) -> list[float]:
    """Of each file; a file of several pictures has the mean of theirs."""
    if not pictures:
        return []
    stacked = np.stack([pixels for file in pictures for pixels in file])
    each = detector(torch.from_numpy(stacked).permute(0, 3, 1, 2).contiguous())
    ends = np.cumsum([len(file) for file in pictures])
    return [float(part.mean()) for part in np.split(each, ends[:-1])]


def _said(detector: SavedDetector, logit: float, *, videos: bool) -> dict[str, Any]:
    """What a logit means: means over a video's frames lie closer together than frames' logits."""
    point = detector.point(videos=videos)
    (verdict,) = point.verdicts(logit)
    probability = float(point.probability(logit))
    return {"logit": logit, "probability": probability, "verdict": verdict.value}


def _writer(form: Form) -> Callable[[dict[str, Any]], object]:
    if form is Form.CSV:
        table = csv.DictWriter(sys.stdout, COLUMNS, lineterminator="\n")
        table.writeheader()
        return table.writerow
    return lambda row: sys.stdout.write(json.dumps(row) + "\n")
