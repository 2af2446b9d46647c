"""A small sound data set to plant leaks in."""

import csv
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from bonas.data.audit import Finding, Verdict

EDGE = 64
SPLITS = ("train",) * 3 + ("val", "test")


@dataclass(frozen=True)
class Line:
    """One row of the table with the picture behind it."""

    path: str
    label: str
    original: str
    split: str
    forgery: str
    image: Image.Image


def picture(rng: np.random.Generator) -> Image.Image:
    """Smooth random colours with more or less grain, no two alike."""
    coarse = Image.fromarray(rng.integers(30, 220, (6, 6, 3), dtype=np.uint8))
    smooth = np.asarray(coarse.resize((EDGE, EDGE), Image.Resampling.BICUBIC), dtype=int)
    grain = rng.normal(0, rng.uniform(2, 16), smooth.shape)
    return Image.fromarray(np.clip(np.rint(smooth + grain), 0, 255).astype(np.uint8))


def sound_lines(originals: int = 60, *, seed: int = 0) -> list[Line]:
    """A real picture of each original and a forgery that differs in its middle; two types.

    The middle is foreign in both, so that its edges tell nothing. Below about a dozen originals
    nothing is proven or cleared.
    """
    rng = np.random.default_rng(seed)
    lines = []
    for number in range(originals):
        real = picture(rng)
        forged = real.copy()
        for image in (real, forged):
            image.paste(picture(rng).crop((16, 16, 46, 46)), (16, 16))
        split, name = SPLITS[number % len(SPLITS)], f"person{number}"
        forgery = ("swap", "synthesis")[number // len(SPLITS) % 2]
        lines.append(Line(f"{name}_a.jpg", "REAL", name, split, "", real))
        lines.append(Line(f"{name}_b.jpg", "FAKE", name, split, forgery, forged))
    return lines


def write(folder: Path, lines: Sequence[Line], quality: int = 90) -> Path:
    """The lines as a data set in the metadata.csv layout."""
    folder.mkdir(parents=True)
    with (folder / "metadata.csv").open("w", newline="") as file:
        table = csv.writer(file)
        table.writerow(["path", "label", "original", "split", "forgery"])
        for line in lines:
            table.writerow([line.path, line.label, line.original, line.split, line.forgery])
            line.image.save(folder / line.path, quality=quality)
    return folder


def forged_only(change: Callable[[Line], Line]) -> Callable[[list[Line]], list[Line]]:
    """The change made to every forged line."""
    return lambda lines: [change(x) if x.label == "FAKE" else x for x in lines]


def with_image(line: Line, change: Callable[[Image.Image], Image.Image]) -> Line:
    """The line with its picture changed."""
    return replace(line, image=change(line.image))


def verdicts(findings: Sequence[Finding]) -> dict[str, Verdict]:
    """The verdicts that are not ok, by name of the finding."""
    return {f.name: f.verdict for f in findings if f.verdict is not Verdict.OK}


@pytest.fixture(scope="session")
def lines() -> list[Line]:
    return sound_lines()
