"""Small exact worlds that several tests share."""

import os
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import torch

from bonas.data.faces import REAL, Faces
from bonas.device import Device

torch.set_num_threads(1)


@pytest.fixture(autouse=True, scope="session")
def own_cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """No test reads or writes the user's cache of decoded images."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("BONAS_CACHE", str(tmp_path_factory.mktemp("cache")))
        yield


@pytest.fixture
def cpu() -> Device:
    """The CPU in float32."""
    return Device(torch.device("cpu"), autocast=False)


@pytest.fixture
def faces() -> Faces:
    """Twenty originals with a forgery each, told apart by a brighter square; 32 px."""
    return striped_faces(20)


def striped_faces(originals: int, *, seed: int = 0, size: int = 32) -> Faces:
    """Noise images; a forged one carries a square that is brighter by 40 levels."""
    rng = np.random.default_rng(seed)
    images = rng.integers(40, 180, (2 * originals, 3, size, size), dtype=np.uint8)
    images[1::2, :, 8:20, 8:20] += 40
    names = tuple(f"person{i // 2}" for i in range(2 * originals))
    domains = tuple((REAL, "swap" if i % 4 == 1 else "synthesis")[i % 2] for i in range(len(names)))
    return Faces(torch.from_numpy(images), torch.arange(2 * originals) % 2, names, domains)


@pytest.fixture(scope="session")
def shared() -> Path:
    """Development data beside the repository; tests that need it skip without it."""
    place = Path(os.environ.get("BONAS_SHARED", Path(__file__).parents[2] / "shared"))
    if not place.is_dir():
        pytest.skip(f"no development data at {place} (BONAS_SHARED names another place)")
    return place
