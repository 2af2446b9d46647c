"""From records to regions: mask files are decoded once, resized as their images are, and kept."""

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import groupby
from pathlib import Path

import numpy as np
import torch

from bonas.data.cache import Decoded, cache_key, digests_of, load, store
from bonas.data.clips import is_video, require_decoder, stored_as, video_frames
from bonas.data.faces import Split
from bonas.data.images import UnreadableFile, read_mask, resized
from bonas.data.layouts.records import Listing, Record, Settings
from bonas.data.orientation import AS_STORED, turned
from bonas.data.regions import Regions

WORKERS = 2
VERSION = 2
"""Of how masks are made: raise it whenever that changes."""

Rows = Mapping[Split, Sequence[int]]
"""Of each split, which record of the listing each image comes from; frames follow one another."""


def read_regions(
    listing: Listing, rows: Rows, size: int, settings: Settings
) -> tuple[dict[Split, Regions], tuple[str, ...]]:
    """The regions of decoded images by split, and the masks that could not be read.

    The region of a real image is no pixel. That of a forged one is known where its record names a
    mask of the same kind, an image for an image or a video for a video; a video of masks does not
    say which of its frames belongs to an image.

    Args:
        listing: What was decoded.
        rows: Of its images.
        size: Edge of the images and masks in pixels.
        settings: Whether a mask that cannot be read is an error, or leaves its region unknown.

    Raises:
        DataError: a mask is missing, unreadable or of another shape than its image; names both.
    """
    key = _key(listing, rows, size, settings)
    decoded = load(key)
    if decoded is None:
        decoded = _decode(listing, rows, size, settings)
        store(key, decoded)
    problems = tuple(_problem(listing, listing.records[row], why) for row, why in decoded.skipped)
    return {s: _regions(listing, s, rows[s], size, decoded) for s in rows}, problems


def _problem(listing: Listing, record: Record, reason: str) -> str:
    return f"{listing.place(record)}: its mask {record.mask} {reason}"


def _regions(
    listing: Listing, split: Split, rows: Sequence[int], size: int, decoded: Decoded
) -> Regions:
    masks = np.zeros((len(rows), size, size), np.uint8)
    known = np.array([not listing.records[row].label for row in rows], dtype=bool)
    if split in decoded.images:
        positions = np.asarray(decoded.records[split])
        masks[positions], known[positions] = decoded.images[split], True
    return Regions(torch.from_numpy(masks), torch.from_numpy(known))


def _decode(listing: Listing, rows: Rows, size: int, settings: Settings) -> Decoded:
    """Of each split the masks that are known, and the positions of their images."""
    found: list[tuple[Split, list[int], int]] = []
    for split, numbers in rows.items():
        for row, images in groupby(enumerate(numbers), key=lambda pair: pair[1]):
            record = listing.records[row]
            if record.label and _matches(record):
                found.append((split, [position for position, _ in images], row))
    if any(is_video(listing.records[row].path) for _, _, row in found):
        require_decoder()
    masks: dict[Split, list[np.ndarray]] = {split: [] for split in rows}
    positions: dict[Split, list[int]] = {split: [] for split in rows}
    skipped: list[tuple[int, str]] = []
    pool = ThreadPoolExecutor(max_workers=WORKERS)
    try:
        results = pool.map(lambda f: _read(listing.records[f[2]], len(f[1]), size, settings), found)
        for (split, frames, row), result in zip(found, results, strict=True):
            if isinstance(result, UnreadableFile):
                settings.tolerated(_problem(listing, listing.records[row], str(result)))
                skipped.append((row, str(result)))
            else:
                masks[split] += result
                positions[split] += frames
    finally:
        pool.shutdown(cancel_futures=True)  # after an error nothing more is read
    kept = {split: np.stack(read) for split, read in masks.items() if read}
    return Decoded(kept, {split: positions[split] for split in kept}, tuple(skipped))


def _matches(record: Record) -> bool:
    return record.mask is not None and is_video(record.mask) == is_video(record.path)


def _read(
    record: Record, count: int, size: int, settings: Settings
) -> list[np.ndarray] | UnreadableFile:
    assert record.mask is not None
    try:
        if not record.mask.is_file():
            raise UnreadableFile("does not exist")
        if not is_video(record.mask):
            return [read_mask(record.mask, size, like=record.path)]
        masks = list(_frames(record.mask, size, settings.frames_per_video, like=record.path))
        if len(masks) != count:
            raise UnreadableFile(f"has {len(masks)} frames of which {count} are wanted")
        return masks
    except UnreadableFile as error:
        return error


def _frames(path: Path, size: int, count: int, *, like: Path) -> Iterator[np.ndarray]:
    """Masks of a video's frames, turned with it as those of pictures are: see `read_mask`."""
    stored, number = stored_as(like)
    for frame in video_frames(path, count):
        with_video = frame.orientation == AS_STORED and frame.picture.size == stored
        drawn = turned(frame.picture, number) if with_video else frame.picture
        yield resized(drawn, size).mean(axis=2).round().astype(np.uint8)


def _key(listing: Listing, rows: Rows, size: int, settings: Settings) -> str:
    """Of the images, the masks and what is made of them."""
    state = hashlib.sha256(cache_key(listing, size, settings).encode())
    state.update(
        json.dumps([VERSION, {s.value: list(map(int, r)) for s, r in rows.items()}]).encode()
    )
    masked = [(row, r.forgery, r.mask) for row, r in enumerate(listing.records) if r.mask]
    digests = digests_of(listing, [mask for _, _, mask in masked])
    for (row, forgery, mask), digest in zip(masked, digests, strict=True):
        state.update(f"{row} {forgery} {is_video(mask)} {digest}\n".encode())
    return state.hexdigest()[:32]
