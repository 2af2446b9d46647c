import io

import numpy as np
import pytest
from PIL import Image

from bonas.data.audit import perceptual_hash as module
from bonas.data.audit.perceptual_hash import (
    RADIUS,
    Hashes,
    close_pairs,
    distances,
    perceptual_hash,
    thumbnail,
)
from tests.bonas.data.audit.conftest import picture


def hash_of(image: Image.Image) -> int:
    return perceptual_hash(thumbnail(image))


def encoded(image: Image.Image, quality: int) -> Image.Image:
    file = io.BytesIO()
    image.save(file, "JPEG", quality=quality)
    return Image.open(file)


def hashes_with_neighbours(count: int, seed: int) -> Hashes:
    """Random hashes, half of them up to ten bits from one of the others."""
    rng = np.random.default_rng(seed)
    result = rng.integers(0, 1 << 63, count, dtype=np.uint64) * np.uint64(2)
    for i in range(count // 2):
        flips = rng.choice(64, rng.integers(0, 11), replace=False)
        result[i] = result[i + count // 2]
        for bit in flips:
            result[i] ^= np.uint64(1 << int(bit))
    return result


def found(queries: Hashes, index: Hashes) -> set[tuple[int, int]]:
    pairs: set[tuple[int, int]] = set()
    for a, b in close_pairs(queries, index):
        pairs |= set(zip(a.tolist(), b.tolist(), strict=True))
    return pairs


def compared_one_by_one(queries: Hashes, index: Hashes) -> set[tuple[int, int]]:
    return {
        (i, j)
        for i, a in enumerate(queries.tolist())
        for j, b in enumerate(index.tolist())
        if (a ^ b).bit_count() <= RADIUS
    }


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("block", [1, 7, 1 << 21])
def test_looking_up_bands_finds_what_comparing_everything_finds(
    monkeypatch: pytest.MonkeyPatch, seed: int, block: int
) -> None:
    monkeypatch.setattr(module, "_BLOCK", block)
    hashes = hashes_with_neighbours(120, seed)
    expected = compared_one_by_one(hashes[:70], hashes[30:])
    assert len(expected) > 20
    assert found(hashes[:70], hashes[30:]) == expected


@pytest.mark.parametrize("band_width", [1, 2, 4])
def test_hashes_that_share_bands_are_found_too(band_width: int) -> None:
    """The worst case of the look-up: all in a few buckets."""
    rng = np.random.default_rng(0)
    hashes = rng.integers(0, 1 << band_width, (60, 4), dtype=np.uint16).view(np.uint64).ravel()
    assert found(hashes, hashes) == compared_one_by_one(hashes, hashes)


def test_nothing_is_close_to_nothing() -> None:
    none = np.empty(0, dtype=np.uint64)
    some = np.arange(3, dtype=np.uint64)
    assert found(none, some) == found(some, none) == set()


def test_distances_count_the_bits_that_differ() -> None:
    a, b = hashes_with_neighbours(50, 0), hashes_with_neighbours(50, 1)
    expected = [(x ^ y).bit_count() for x, y in zip(a.tolist(), b.tolist(), strict=True)]
    assert distances(a, b).tolist() == expected


@pytest.mark.parametrize("seed", range(4))
def test_a_hash_survives_encoding_resizing_and_light(seed: int) -> None:
    image = picture(np.random.default_rng(seed))
    copies = [
        encoded(image, 40),
        image.resize((40, 40), Image.Resampling.BILINEAR),
        image.resize((200, 200), Image.Resampling.BICUBIC),
        image.point(lambda v: int(0.8 * v) + 10),
    ]
    for copy in copies:
        assert (hash_of(image) ^ hash_of(copy)).bit_count() <= RADIUS


def test_hashes_of_different_pictures_differ_in_half_their_bits_or_so() -> None:
    rng = np.random.default_rng(0)
    hashes = [hash_of(picture(rng)) for _ in range(30)]
    apart = [(a ^ b).bit_count() for i, a in enumerate(hashes) for b in hashes[:i]]
    assert min(apart) > RADIUS
    assert 28 < np.mean(apart) < 36
    assert all(h.bit_count() == 32 for h in hashes)
