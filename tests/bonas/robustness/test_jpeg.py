import io

import numpy as np
import pytest
import torch
from PIL import Image

from bonas.robustness import jpeg
from bonas.robustness.jpeg import codec_fingerprint, recompress


def test_recompressing_is_pillows_round_trip_of_each_image() -> None:
    rng = np.random.default_rng(0)
    pixels = rng.integers(0, 256, (3, 40, 33, 3), dtype=np.uint8)
    images = torch.from_numpy(pixels).permute(0, 3, 1, 2)
    changed = recompress(images, 60)
    for image, found in zip(pixels, changed, strict=True):
        buffer = io.BytesIO()
        Image.fromarray(image).save(buffer, format="JPEG", quality=60, subsampling=2)
        expected = np.asarray(Image.open(buffer))
        np.testing.assert_array_equal(found.permute(1, 2, 0).numpy(), expected)


def test_the_fingerprint_changes_with_a_single_pixel(monkeypatch: pytest.MonkeyPatch) -> None:
    reloaded = jpeg._reloaded

    def other_codec(pixels: jpeg.Pixels, quality: int) -> jpeg.Pixels:
        decoded = reloaded(pixels, quality).copy()
        decoded[0, 0, 0] ^= 1
        return decoded

    fingerprint = codec_fingerprint()
    assert codec_fingerprint.__wrapped__() == fingerprint
    monkeypatch.setattr(jpeg, "_reloaded", other_codec)
    assert codec_fingerprint.__wrapped__() != fingerprint
