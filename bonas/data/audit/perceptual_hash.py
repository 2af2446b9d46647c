"""Perceptual hash: 64 bits that survive re-encoding, resizing and changes of light.

The picture in grey at 32 x 32, its two-dimensional cosine transform (DCT-II), of it the 8 x 8
coefficients of lowest frequency without the first row and column; a bit is set where a coefficient
lies above their median (Zauner 2010, Implementation and Benchmarking of Perceptual Image Hash
Functions, section 3.2.1). The first row and column are left out because they carry vignettes and
gradients of light. Exactly 32 bits are set unless coefficients tie, so distances are even.

Two pictures are close when few bits differ. `close_pairs` finds all pairs within `RADIUS` without
comparing everything with everything: hashes are cut into four bands of 16 bits, and two that differ
in at most 7 bits differ in at most one bit of at least one band (the pigeonhole principle), so
looking up each band and its 16 neighbours finds them all (Norouzi, Punjani and Fleet 2012, Fast
Search in Hamming Space with Multi-Index Hashing). For n queries in an index of m hashes these are
68 n look-ups and, with evenly spread bits, n m / 1000 comparisons in vectorised blocks; memory is
O(n + m) and a block. Faces fill some bands twenty to thirty times as densely. The worst case, all
hashes in one bucket, is 68 n m comparisons, still in blocks.
"""

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt
from PIL import Image

EDGE = 32  # of the picture that is transformed, as in the source
RADIUS = 7
"""Bits that may differ between close hashes: the most that four bands find with one bit each."""

Hashes = npt.NDArray[np.uint64]  # n
Positions = npt.NDArray[np.intp]
Thumbnail = npt.NDArray[np.uint8]  # EDGE x EDGE

_KEPT = 8
_BAND_BITS, _BANDS = 16, 4
_BLOCK = 1 << 21  # candidate pairs compared at a time: some tens of megabytes
_FREQUENCIES, _PLACES = np.arange(1, _KEPT + 1)[:, None], np.arange(EDGE)[None, :]
_COSINES = np.cos(np.pi * _FREQUENCIES * (2 * _PLACES + 1) / (2 * EDGE))  # DCT-II, 8 x EDGE
_BITS_OF = np.array([n.bit_count() for n in range(1 << _BAND_BITS)], dtype=np.uint8)


def thumbnail(image: Image.Image) -> Thumbnail:
    """The picture in grey at 32 x 32, what `perceptual_hash` is computed from."""
    small = image.convert("L").resize((EDGE, EDGE), Image.Resampling.LANCZOS)
    return np.asarray(small)


def perceptual_hash(grey: Thumbnail) -> int:
    """The 64 bits of a thumbnail as an integer."""
    coefficients = (_COSINES @ grey.astype(np.float64) @ _COSINES.T).ravel()
    above = coefficients > np.median(coefficients)
    return int.from_bytes(np.packbits(above).tobytes(), "big")


def distances(first: Hashes, second: Hashes) -> npt.NDArray[np.int64]:
    """Number of bits in which hashes differ, pair by pair, `n`."""
    # numpy counts bits itself only from version 2 on.
    differing: npt.NDArray[np.int64] = _BITS_OF[_bands(first ^ second)].sum(axis=1, dtype=np.int64)
    return differing


def close_pairs(queries: Hashes, index: Hashes) -> Iterator[tuple[Positions, Positions]]:
    """All pairs within `RADIUS` bits, in blocks; a pair that is close in two bands comes twice.

    Args:
        queries: `n`.
        index: `m`.

    Yields:
        Positions in `queries` and in `index`, pair by pair.
    """
    wanted, there = _bands(queries), _bands(index)
    neighbours = [0, *(1 << bit for bit in range(_BAND_BITS))]
    for band in range(_BANDS):
        order = np.argsort(there[:, band], kind="stable")
        starts = np.searchsorted(there[order, band], np.arange((1 << _BAND_BITS) + 1))
        for flipped in neighbours:
            value = (wanted[:, band] ^ np.uint16(flipped)).astype(np.intp)
            for query, place in _expanded(starts[value], starts[value + 1]):
                found = order[place]
                close = distances(queries[query], index[found]) <= RADIUS
                if close.any():
                    yield query[close], found[close]


def _expanded(low: Positions, high: Positions) -> Iterator[tuple[Positions, Positions]]:
    """Every place in the ranges `low[i]:high[i]` with its i, about `_BLOCK` of them at a time."""
    filled = np.flatnonzero(high > low)
    counts = (high - low)[filled]
    ends = np.cumsum(counts)
    if not len(filled):
        return
    cuts = np.searchsorted(ends, np.arange(_BLOCK, int(ends[-1]), _BLOCK), side="left") + 1
    for part in np.split(np.arange(len(filled)), np.unique(cuts)):
        size = counts[part]
        offset = np.repeat(low[filled[part]] - (np.cumsum(size) - size), size)
        yield np.repeat(filled[part], size), offset + np.arange(int(size.sum()))


def _bands(hashes: Hashes) -> npt.NDArray[np.uint16]:
    """`n x 4`; which end comes first does not matter as long as it is always the same."""
    return np.ascontiguousarray(hashes).view(np.uint16).reshape(-1, _BANDS)
