"""From records to faces: every image and video is decoded once, resized, and kept in memory."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import torch

from bonas.data.clips import is_video, read_video, require_decoder
from bonas.data.faces import DataSet, Faces, Split
from bonas.data.images import UnreadableFile, read_image
from bonas.data.layouts.records import Listing, Record, Settings

WORKERS = 2


def read_listing(
    listing: Listing,
    size: int,
    settings: Settings,
    *,
    progress: Callable[[int, int], None] | None = None,
) -> DataSet:
    """The faces of a listing, resized to `size x size`, in the order of its records.

    Args:
        listing: What is read.
        size: Edge of the images in pixels.
        settings: How.
        progress: Called with (files read, files in all).

    Raises:
        DataError: a file that cannot be read; names it.
    """
    if any(is_video(record.path) for record in listing.records):
        require_decoder()
    read: dict[Split, list[tuple[Record, np.ndarray]]] = {split: [] for split in Split}
    skipped = list(listing.missing)
    pool = ThreadPoolExecutor(max_workers=WORKERS)
    try:
        results = pool.map(lambda r: _read(r, size, settings.frames_per_video), listing.records)
        for done, (record, result) in enumerate(zip(listing.records, results, strict=True), 1):
            if isinstance(result, UnreadableFile):
                skipped.append(settings.tolerated(f"{listing.place(record)}: {result}"))
            else:
                read[record.split].extend((record, image) for image in result)
            if progress is not None:
                progress(done, len(listing.records))
    finally:
        pool.shutdown(cancel_futures=True)  # after an error nothing more is read
    splits = {split: _faces(read.pop(split), size) for split in Split}
    present = {split: faces for split, faces in splits.items() if len(faces)}
    return DataSet(listing.name, present, tuple(skipped))


def _read(record: Record, size: int, frames: int) -> list[np.ndarray] | UnreadableFile:
    try:
        if is_video(record.path):
            return read_video(record.path, size, frames)
        return [read_image(record.path, size)]
    except UnreadableFile as error:
        return error


def _faces(read: list[tuple[Record, np.ndarray]], size: int) -> Faces:
    pixels = np.empty((len(read), size, size, 3), dtype=np.uint8)
    for i, (_, image) in enumerate(read):
        pixels[i] = image
    return Faces(
        images=torch.from_numpy(pixels).permute(0, 3, 1, 2).contiguous(),
        labels=torch.tensor([record.label for record, _ in read], dtype=torch.int64),
        originals=tuple(record.original for record, _ in read),
        domains=tuple(record.forgery for record, _ in read),
    )
