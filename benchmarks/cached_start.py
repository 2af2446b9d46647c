"""The first and the later starts on a data set: images decoded, and images from the cache.

    OMP_NUM_THREADS=1 python benchmarks/cached_start.py DATA [--size 96] [--rounds 5]

Prints seconds of reading DATA with an empty cache and with a full one, three times, medians of
interleaved rounds, and their ratio.
"""

import argparse
import gc
import os
import statistics
import tempfile
import time
from pathlib import Path

from provenance import machine, provenance

from bonas.data.faces import DataSet
from bonas.data.layouts.named import AUTO, list_data
from bonas.data.layouts.reading import read_listing
from bonas.data.layouts.records import Settings

LATER = 3  # starts after the first, each round


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=Path)
    parser.add_argument("--size", type=int, default=96)
    parser.add_argument("--rounds", type=int, default=5)
    arguments = parser.parse_args()
    # Also reads the files once, so that the first start does not wait for the disk alone.
    images, protocol = _subject(arguments)
    first, later = [], []
    for _ in range(arguments.rounds):
        with tempfile.TemporaryDirectory() as cache:
            os.environ["BONAS_CACHE"] = cache
            for seconds in (first, *[later] * LATER):
                seconds.append(_start(arguments.data, arguments.size))
    before, after = statistics.median(first), statistics.median(later)
    print(
        f"{images} images of {arguments.size} px: first start {before:.2f} s, later {after:.3f} s"
    )
    print(f"ratio {before / after:.1f}")
    print(protocol)


def _subject(arguments: argparse.Namespace) -> tuple[int, str]:
    """The number of images, and what the figures hold for."""
    with tempfile.TemporaryDirectory() as cache:
        os.environ["BONAS_CACHE"] = cache
        data = _read(arguments.data, arguments.size)
    faces = {split.value: images for split, images in data.splits.items()}
    said = {"size": arguments.size, "rounds": arguments.rounds, "machine": machine()}
    return sum(map(len, faces.values())), provenance(faces=faces, **said)


def _start(data: Path, size: int) -> float:
    """Seconds of a start, which leaves nothing behind: a process of its own would find nothing."""
    gc.collect()
    begun = time.perf_counter()
    read = _read(data, size)
    taken = time.perf_counter() - begun
    del read
    return taken


def _read(data: Path, size: int) -> DataSet:
    return read_listing(list_data(data, AUTO, Settings()), size, Settings())


if __name__ == "__main__":
    main()
