"""Real and forged portraits differ in their forgery and in nothing that a shortcut could use."""

import numpy as np
import pytest

from bonas.data.synthetic import Forgery, Portraits, draw_portraits
from bonas.data.synthetic.shortcuts import SHORTCUTS, mean_colour, separability

LIMIT = 0.75
LIMIT_OF_ONE_TYPE = 0.8  # 60 pictures against 60: one standard error is 0.05


@pytest.fixture(scope="module")
def portraits() -> Portraits:
    return draw_portraits(range(240), 64, seed=11)


@pytest.mark.parametrize("shortcut", SHORTCUTS)
def test_no_shortcut_tells_forged_from_real(portraits: Portraits, shortcut: str) -> None:
    features = SHORTCUTS[shortcut](portraits.images)
    auc = separability(features, portraits.labels, list(portraits.originals))
    assert auc < LIMIT


@pytest.mark.parametrize("channel", range(3))
def test_no_channel_is_brighter_in_forgeries(portraits: Portraits, channel: int) -> None:
    features = mean_colour(portraits.images)[:, [channel]]
    assert separability(features, portraits.labels, list(portraits.originals)) < 0.65


@pytest.mark.parametrize("forgery", Forgery)
@pytest.mark.parametrize("shortcut", SHORTCUTS)
def test_no_shortcut_tells_one_type_from_real(
    portraits: Portraits, shortcut: str, forgery: Forgery
) -> None:
    originals = np.array(portraits.originals)
    rows = np.isin(originals, originals[np.array(portraits.domains) == forgery.value])
    features = SHORTCUTS[shortcut](portraits.images[rows])
    auc = separability(features, portraits.labels[rows], list(originals[rows]))
    assert auc < LIMIT_OF_ONE_TYPE


@pytest.mark.parametrize("shortcut", SHORTCUTS)
def test_the_measure_finds_a_planted_shortcut(portraits: Portraits, shortcut: str) -> None:
    """Otherwise the laws above would hold for any data set."""
    images = portraits.images.copy()
    noise = np.random.default_rng(0).integers(0, 40, images[1::2].shape, dtype=np.uint8)
    images[1::2] = images[1::2] // 2 + noise
    features = SHORTCUTS[shortcut](images)
    assert separability(features, portraits.labels, list(portraits.originals)) > 0.9
