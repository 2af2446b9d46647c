"""From records to faces: every image and video is decoded once, resized, and kept."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import numpy as np
import torch

from bonas.data.cache import Decoded, cache_key, load, store
from bonas.data.clips import is_video, read_video, require_decoder
from bonas.data.faces import DataSet, Faces, Split
from bonas.data.images import UnreadableFile, read_image
from bonas.data.layouts.landmarks import read_hulls
from bonas.data.layouts.masks import read_regions
from bonas.data.layouts.records import Listing, Record, Settings

WORKERS = 2


def read_listing(
    listing: Listing,
    size: int,
    settings: Settings,
    *,
    progress: Callable[[int, int], None] | None = None,
    regions: bool = False,
) -> DataSet:
    """The faces of a listing, resized to `size x size`, in the order of its records.

    Args:
        listing: What is read.
        size: Edge of the images in pixels.
        settings: How.
        progress: Called with (files read, files in all).
        regions: Whether to read the masks, too.

    Raises:
        DataError: a file that cannot be read or leaves the data folder; names it.
    """
    key = cache_key(listing, size, settings)
    decoded = load(key)
    if decoded is None:
        decoded = _decode(listing, size, settings, progress)
        store(key, decoded)
    elif progress is not None:
        progress(len(listing.records), len(listing.records))
    splits = {
        split: _faces(images, [listing.records[row] for row in decoded.records[split]])
        for split, images in decoded.images.items()
    }
    unread = (f"{listing.place(listing.records[row])}: {why}" for row, why in decoded.skipped)
    hulls, unmarked = read_hulls(listing, decoded.records, settings)
    splits = {s: replace(faces, hulls=hulls[s]) for s, faces in splits.items()}
    skipped = (*listing.missing, *unread, *unmarked)
    if regions:
        found, problems = read_regions(listing, decoded.records, size, settings)
        splits = {s: replace(faces, regions=found[s]) for s, faces in splits.items()}
        skipped += problems
    return DataSet(listing.name, splits, skipped, listing.terms(settings, skipped=len(skipped)))


def _decode(
    listing: Listing,
    size: int,
    settings: Settings,
    progress: Callable[[int, int], None] | None,
) -> Decoded:
    if any(is_video(record.path) for record in listing.records):
        require_decoder()
    read: dict[Split, list[np.ndarray]] = {split: [] for split in Split}
    rows: dict[Split, list[int]] = {split: [] for split in Split}
    skipped: list[tuple[int, str]] = []
    pool = ThreadPoolExecutor(max_workers=WORKERS)
    try:
        results = pool.map(lambda r: _read(r, size, settings.frames_per_video), listing.records)
        for row, (record, result) in enumerate(zip(listing.records, results, strict=True)):
            if isinstance(result, UnreadableFile):
                settings.tolerated(f"{listing.place(record)}: {result}")
                skipped.append((row, str(result)))
            else:
                read[record.split] += result
                rows[record.split] += [row] * len(result)
            if progress is not None:
                progress(row + 1, len(listing.records))
    finally:
        pool.shutdown(cancel_futures=True)  # after an error nothing more is read
    images = {split: _stacked(read.pop(split), size) for split in Split if read[split]}
    return Decoded(images, {split: rows[split] for split in images}, tuple(skipped))


def _read(record: Record, size: int, frames: int) -> list[np.ndarray] | UnreadableFile:
    try:
        if is_video(record.path):
            return read_video(record.path, size, frames)
        return [read_image(record.path, size)]
    except UnreadableFile as error:
        return error


def _stacked(images: list[np.ndarray], size: int) -> np.ndarray:
    """Images, `size x size x 3` each, as `n x 3 x size x size`."""
    pixels = np.empty((len(images), 3, size, size), dtype=np.uint8)
    for i, image in enumerate(images):
        pixels[i] = image.transpose(2, 0, 1)
    return pixels


def _faces(images: np.ndarray, records: list[Record]) -> Faces:
    return Faces(
        images=torch.from_numpy(images),
        labels=torch.tensor([record.label for record in records], dtype=torch.int64),
        originals=tuple(record.original for record in records),
        domains=tuple(record.forgery for record in records),
        videos=tuple(r.video for r in records) if any(r.video for r in records) else (),
    )
