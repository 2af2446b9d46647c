"""Drawn people, and the same prepared: what several files of tests begin with."""

from pathlib import Path

import pytest
from PIL import Image

from bonas.cli import main
from bonas.data.synthetic import draw_portraits

PEOPLE = 10


@pytest.fixture(scope="package")
def portraits(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Ten drawn people, a real and a forged picture of each, in the layout `folders`."""
    folder = tmp_path_factory.mktemp("source") / "people"
    drawn = draw_portraits(range(PEOPLE), 192, seed=0)
    for image, label, original in zip(drawn.images, drawn.labels, drawn.originals, strict=True):
        file = folder / ("fake" if label else "real") / f"{original}_{label}.png"
        file.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(image).save(file)
    return folder


@pytest.fixture(scope="package")
def whole(portraits: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same prepared at one go."""
    dest = tmp_path_factory.mktemp("prepared") / "d"
    assert main(["prepare", str(portraits), str(dest), "--size", "64", "--jobs", "1"]) == 0
    return dest
