import itertools
import sys

import numpy as np
import pytest
import torch

from bonas.robustness import video
from bonas.robustness.conditions import Condition, Group
from bonas.robustness.corruptions import Corruption, corrupt, corruption_definition
from bonas.robustness.standard import standard_conditions
from bonas.robustness.video import reencode, video_fingerprint


@pytest.fixture
def av() -> None:
    pytest.importorskip("av", reason="needs PyAV, of the extra video")


def ramps(height: int, width: int) -> torch.Tensor:
    """A smooth image per direction, `2 x 3 x h x w`."""
    y, x = torch.meshgrid(torch.arange(height), torch.arange(width), indexing="ij")
    grey = torch.stack([40 + 160 * y / height, 40 + 160 * x / width])
    return grey.to(torch.uint8)[:, None].repeat(1, 3, 1, 1)


@pytest.mark.usefixtures("av")
@pytest.mark.parametrize("size", [(32, 32), (33, 47), (64, 40)])
def test_a_fine_rate_keeps_a_smooth_image_in_its_place(size: tuple[int, int]) -> None:
    images = ramps(*size)
    found = reencode(images, 10)
    assert found.shape == images.shape
    # Another frame of the clip would be off by a pixel, which is 2.5 to 5 levels here.
    assert (found.float() - images.float()).abs().mean().item() < 1.5


def test_the_image_moves_by_a_pixel_per_frame_to_its_place() -> None:
    frames = video._moving(np.arange(4 * 6 * 3, dtype=np.uint8).reshape(4, 6, 3))
    assert len(frames) == 3
    for earlier, later in itertools.pairwise(frames):
        np.testing.assert_array_equal(earlier[:, :-1], later[:, 1:])
    np.testing.assert_array_equal(frames[-1].ravel(), np.arange(72))


@pytest.mark.usefixtures("av")
def test_images_are_encoded_alone() -> None:
    rng = np.random.default_rng(0)
    images = torch.from_numpy(rng.integers(0, 256, (3, 3, 32, 32), dtype=np.uint8))
    whole = reencode(images, 28)
    for index in range(3):
        assert torch.equal(reencode(images[index : index + 1], 28)[0], whole[index])


@pytest.mark.usefixtures("av")
def test_a_definition_names_rate_factor_and_codec(monkeypatch: pytest.MonkeyPatch) -> None:
    condition = Condition(Group.CORRUPTION, "video", 2)
    expected = {"corruption": "video", "level": 23.0, "version": 1, "codec": video_fingerprint()}
    assert corruption_definition(condition) == expected
    decoded = video._last_frame

    def other_codec(pixels: video.Pixels, rate_factor: int) -> video.Pixels:
        changed = decoded(pixels, rate_factor).copy()
        changed[0, 0, 0] ^= 1
        return changed

    monkeypatch.setattr(video, "_last_frame", other_codec)
    assert video_fingerprint.__wrapped__() != expected["codec"]


def test_without_pyav_the_error_names_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "av", None)
    with pytest.raises(ModuleNotFoundError, match=r"pip install 'bonas\[video\]'"):
        corrupt(ramps(32, 32), Corruption.VIDEO, 1, generator=torch.Generator())
    keys = {c.key for c in standard_conditions("faces", {}, image_size=64, seed=0).conditions}
    assert not any("video" in key for key in keys)
