"""`bonas detect`: what a trained detector says of images and videos, one line each."""

import csv
import json
import logging
import sys
from collections.abc import Callable, Iterable, Iterator
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import torch
import typer
from PIL import Image

import bonas
from bonas.commands.console import MESSAGES, print_warning
from bonas.config import ConfigError
from bonas.data.clips import VIDEO_SUFFIXES, is_video
from bonas.data.face_pictures import Cropping, FacePictures, face_pictures
from bonas.data.faces import DataError
from bonas.data.images import SUFFIXES, UnreadableFile
from bonas.data.preparation.detectors import Cascade, YuNet, fingerprint
from bonas.saved_detector import SavedDetector, load_detector

COLUMNS = (
    *("path", "logit", "probability", "verdict", "frames", "warning", "error"),
    *("region", "region_share"),
    *("detector", "weights", "calibration", "calibrated_frames", "image_size", "crop", "device"),
    "version",
)
NONE = "none"
_LOG = logging.getLogger(__name__)
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
        typer.Argument(help="Images, videos, or folders of them.", show_default=False),
    ],
    crop: Annotated[
        bool,
        typer.Option(
            "--crop/--whole",
            help="Cut the face out as `bonas prepare` does, or take face crops as they are.",
        ),
    ] = False,
    enlarge: Annotated[
        float,
        typer.Option(
            min=1, max=10, help="With --crop: edge of the square over that of the face's box."
        ),
    ] = 1.3,
    face_detector: Annotated[
        Path | None,
        typer.Option(help="Implies --crop: YuNet as ONNX. [default: OpenCV's cascade]"),
    ] = None,
    frames: Annotated[int, typer.Option(min=1, help="Frames of each video, evenly.")] = 32,
    regions: Annotated[
        Path | None,
        typer.Option(
            help="A new folder for pictures of where each face looks changed; needs a detector "
            "with a second head."
        ),
    ] = None,
    form: Annotated[Form, typer.Option("--format", help="Of the lines.")] = Form.JSONL,
    device: Annotated[str, typer.Option(help="auto, cpu, cuda or cuda:N.")] = "auto",
) -> None:
    """Say of each image or video whether it is real, forged or uncertain.

    A video's logit is the mean of its frames'. Exit code 1 where a file could not be read, or no
    face was found in it.
    """
    files = images_below(paths)
    cropping = None
    if face_detector is not None:
        named = f"yunet {fingerprint(face_detector)}"
        cropping = Cropping(YuNet(face_detector), named, enlarge)
    elif crop:
        cropping = Cropping(Cascade(), "cascade", enlarge)
    saved = load_detector(detector, device=device)
    if regions is not None:
        _prepare_pictures(saved, regions)
    if saved.calibration is None:
        MESSAGES.print(
            f"warning: {detector} is not calibrated: probabilities are those of training, and the "
            "threshold is 0.5. Run `bonas calibrate`.",
            soft_wrap=True,
        )
    for doubt in saved.doubts:
        print_warning("doubtful", f"{doubt}.")
    write = _writer(form)
    failed = False
    for row in verdicts(saved, files, frames=frames, cropping=cropping, regions=regions):
        failed |= "error" in row
        write(row)
    if failed:
        raise typer.Exit(1)


def images_below(paths: Iterable[Path]) -> list[Path]:
    """The named files, and every image and video in or below the named folders, sorted.

    Names that begin with a dot are no data there, such as the `._x.jpg` that macOS writes beside
    `x.jpg`. Files of other kinds, and links to what lies outside the folder, are left out and said.

    Raises:
        DataError: a path does not exist, or a folder has neither.
    """
    known = SUFFIXES | VIDEO_SUFFIXES
    files: list[Path] = []
    for path in paths:
        if path.is_dir():
            visible = (p for p in path.rglob("*") if not _hidden(p.relative_to(path)))
            every = sorted(p for p in visible if p.is_file())
            others = [p for p in every if p.suffix.lower() not in known]
            root, found, outside = path.resolve(), list[Path](), list[Path]()
            for image in (p for p in every if p.suffix.lower() in known):
                (found if image.resolve().is_relative_to(root) else outside).append(image)
            if outside:
                said = "%d links to files outside %s left out, such as %s; name those files instead"
                _LOG.warning(said, len(outside), path, outside[0])
            if not found:
                but = f"; {others[0]} is of another kind" if others else ""
                but = f"; {outside[0]} leads out of it" if outside else but
                raise DataError(
                    f"{str(path)!r} holds no image ({', '.join(sorted(known))}){but}; "
                    "name a folder that has some."
                )
            if others:
                _LOG.warning("%d files of other kinds left out, such as %s", len(others), others[0])
            files += found
        elif path.is_file():
            files.append(path)
        else:
            raise DataError(f"{str(path)!r} does not exist; name images or folders of them.")
    return files


def _hidden(path: Path) -> bool:
    return any(part.startswith(".") for part in path.parts)


def verdicts(
    detector: SavedDetector,
    files: Iterable[Path],
    *,
    frames: int = 32,
    cropping: Cropping | None = None,
    regions: Path | None = None,
) -> Iterator[dict[str, Any]]:
    """Path, logit, probability and verdict of each file, or path and error, in their order.

    With `regions`, a folder, the picture with the highest logit of each file is drawn there, beside
    where it looks manipulated, and a row names the picture and the share of its pixels that are
    more likely manipulated than not.

    Every row names all that decided it, from the digest of the weights to that of the calibration:
    rows are cut out and joined, and a line before them all would be no row.
    """
    chosen, protocol = list(files), _protocol(detector, cropping)
    for start in range(0, len(chosen), BATCH):
        batch = chosen[start : start + BATCH]
        read = [_read(file, detector.image_size, frames, cropping) for file in batch]
        good = {f: p for f, p in enumerate(read) if not isinstance(p, str)}
        logits = dict(zip(good, _logits(detector, list(good.values())), strict=True))
        worst = {n: found.pictures[int(logits[n].argmax())] for n, found in good.items()}
        pictures = [] if regions is None else list(_drawn(detector, list(worst.values())))
        drawn = dict(zip(worst, pictures, strict=False))
        for number, (file, found) in enumerate(zip(batch, read, strict=True)):
            if isinstance(found, str):
                yield {"path": str(file), "error": found} | protocol
                continue
            logit = float(logits[number].mean())
            row = {"path": str(file)} | _said(detector, logit, videos=is_video(file))
            if regions is not None:
                place = regions / f"{start + number:06}-{file.stem}.png"
                picture, share = drawn[number]
                picture.save(place)
                row |= {"region": str(place), "region_share": share}
            row |= {"frames": len(found.pictures)} if is_video(file) else {}
            warnings = list(_warnings(detector, found, cropping, videos=is_video(file)))
            yield row | ({"warning": "; ".join(warnings)} if warnings else {}) | protocol


def _protocol(detector: SavedDetector, cropping: Cropping | None) -> dict[str, Any]:
    named, calibration = detector.identity(), detector.calibration
    return {
        "detector": named["name"],
        "weights": named["weights"],
        "calibration": NONE if calibration is None else calibration.digest,
        "calibrated_frames": None if calibration is None else calibration.frames_per_video,
        "image_size": detector.image_size,
        "crop": NONE if cropping is None else cropping.described,
        "device": detector.device.describe(),
        "version": bonas.__version__,
    }


def _warnings(
    detector: SavedDetector, found: FacePictures, cropping: Cropping | None, *, videos: bool
) -> Iterator[str]:
    """Why to trust a row less."""
    if cropping is None and found.far_from_square:
        width, height = found.shape
        yield (
            f"{width} x {height} pixels were squeezed to a square and no face was looked for; say "
            "--crop unless this is a face crop"
        )
    if found.lost:
        yield f"the face was not found in {found.lost} further frames"
    if not videos or detector.calibration is None:
        return
    span, frames = detector.calibration.frames_per_video, len(found.pictures)
    if detector.calibration.videos is None or span is None:
        yield f"the mean of {frames} frames is judged as one frame: no videos were calibrated on"
    elif not span[0] <= frames <= span[1]:
        used = f"{span[0]}" if span[0] == span[1] else f"{span[0]} to {span[1]}"
        yield f"calibrated on means of {used} frames, this is one of {frames}"


def _read(file: Path, size: int, frames: int, cropping: Cropping | None) -> FacePictures | str:
    """The pictures of a file, or why there are none."""
    try:
        return face_pictures(file, size, frames, cropping)
    except UnreadableFile as error:
        return str(error)


def _logits(detector: SavedDetector, read: list[FacePictures]) -> list[np.ndarray]:
    """Of each file those of its pictures; the mean is what counts."""
    if not read:
        return []
    stacked = np.stack([pixels for found in read for pixels in found.pictures])
    each = detector(torch.from_numpy(stacked).permute(0, 3, 1, 2).contiguous())
    ends = np.cumsum([len(found.pictures) for found in read])
    return np.split(each, ends[:-1])


def _prepare_pictures(detector: SavedDetector, regions: Path) -> None:
    if not detector.localises:
        raise ConfigError(
            f"{detector.folder} has no head for regions; train a detector with space.localisation, "
            "or remove --regions."
        )
    if regions.exists() and (not regions.is_dir() or any(regions.iterdir())):
        raise ConfigError(f"{str(regions)!r} exists; name a new folder for --regions.")
    regions.mkdir(parents=True, exist_ok=True)


def _drawn(
    detector: SavedDetector, pictures: list[np.ndarray]
) -> Iterator[tuple[Image.Image, float]]:
    """Each face with its region, white where it is surely manipulated, and the region's share."""
    if not pictures:
        return
    images = torch.from_numpy(np.stack(pictures)).permute(0, 3, 1, 2).contiguous()
    for face, region in zip(pictures, detector.regions(images), strict=True):
        grey = (region * 255).round().astype(np.uint8)
        beside = np.concatenate([face, np.repeat(grey[:, :, None], 3, axis=2)], axis=1)
        yield Image.fromarray(beside), round(float((region > 0.5).mean()), 4)


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
