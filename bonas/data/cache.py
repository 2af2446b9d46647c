"""Decoded images on disk, memory-mapped: the second start on a data set takes no decoding.

The cache lies in `$BONAS_CACHE`, else in `$XDG_CACHE_HOME/bonas`, else in `~/.cache/bonas`; it can
be deleted at any time. Images are kept by the content of their files, wherever these lie.
"""

import contextlib
import hashlib
import json
import logging
import os
import shutil
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import PIL

from bonas.data.clips import is_video, require_decoder
from bonas.data.digests import file_digests
from bonas.data.faces import Split
from bonas.data.layouts.records import Listing, Settings

VERSION = 3
"""Of the files' form and of how pixels are made: raise it whenever either changes."""

INDEX = "index.json"
DIGESTS = "digests"
_logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Decoded:
    """The images of a listing.

    Attributes:
        images: Of each split, uint8 RGB, `n x 3 x size x size`; perhaps mapped from a file. Masks,
            which are kept in the same form, have no channels.
        records: Of each split, which record of the listing each image comes from.
        skipped: Records whose files could not be read, with the reason.
    """

    images: Mapping[Split, np.ndarray]
    records: Mapping[Split, Sequence[int]]
    skipped: tuple[tuple[int, str], ...]


def cache_folder() -> Path:
    """Where decoded images are kept."""
    if own := os.environ.get("BONAS_CACHE"):
        return Path(own)
    home = os.environ.get("XDG_CACHE_HOME")
    return (Path(home) if home else Path.home() / ".cache") / "bonas"


def cache_key(listing: Listing, size: int, settings: Settings) -> str:
    """Of the files and of what is made of them."""
    state = hashlib.sha256()
    made_by = [VERSION, PIL.__version__, size, settings.frames_per_video, settings.on_bad_image]
    if any(is_video(record.path) for record in listing.records):
        made_by.append(require_decoder().__version__)
    state.update(json.dumps(made_by).encode())
    digests = digests_of(listing, [record.path for record in listing.records])
    for record, digest in zip(listing.records, digests, strict=True):
        state.update(f"{record.split.value} {is_video(record.path)} {digest}\n".encode())
    return state.hexdigest()[:32]


def digests_of(listing: Listing, paths: Sequence[Path]) -> list[str]:
    """Of files of a listing by their content; remembered for each data set."""
    source = hashlib.sha256(os.fsencode(listing.source.absolute())).hexdigest()[:32]
    return file_digests(paths, cache_folder() / DIGESTS / f"{source}.json")


def load(key: str) -> Decoded | None:
    """What was stored under a key; `None` where there is nothing, or something broken."""
    folder = cache_folder() / key
    try:
        index = json.loads((folder / INDEX).read_text(encoding="utf-8"))
        found = Decoded(
            {
                # Copied where it is written to: torch takes no read-only arrays.
                Split(name): np.load(folder / f"{name}.npy", mmap_mode="c")
                for name in index["records"]
            },
            {Split(name): rows for name, rows in index["records"].items()},
            tuple((int(row), str(reason)) for row, reason in index["skipped"]),
        )
        if any(len(images) != len(found.records[s]) for s, images in found.images.items()):
            raise ValueError("the number of images is not that of their records")
    except FileNotFoundError:
        return None
    except (OSError, ValueError, KeyError, TypeError) as error:
        _logger.warning("%s is not a usable cache and is made again: %s", folder, error)
        return None
    return found


def store(key: str, decoded: Decoded) -> None:
    """Keep decoded images; a cache that cannot be written is said and done without."""
    place = cache_folder()
    try:
        place.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=place, prefix=f".{key}-") as made:
            for split, images in decoded.images.items():
                np.save(Path(made) / f"{split.value}.npy", images)
            rows = {split.value: list(map(int, r)) for split, r in decoded.records.items()}
            index = {"records": rows, "skipped": decoded.skipped}
            (Path(made) / INDEX).write_text(json.dumps(index), encoding="utf-8")
            shutil.rmtree(place / key, ignore_errors=True)
            # Another process may have made the same meanwhile; either is as good.
            with contextlib.suppress(FileExistsError):
                os.replace(made, place / key)
            Path(made).mkdir(exist_ok=True)  # for TemporaryDirectory to remove
    except OSError as error:
        _logger.warning("decoded images are not cached in %s: %s", place, error)
