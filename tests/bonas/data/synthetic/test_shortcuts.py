"""Real and forged portraits differ in their forgery and in nothing that a shortcut could use."""

import numpy as np
import pytest

from bonas.data.synthetic import Forgery, Portraits, draw_portraits
from bonas.data.synthetic.shortcuts import SHORTCUTS, Features, separability

LIMIT = 0.75
LIMIT_OF_ONE_TYPE = 0.85  # 50 pictures against 50: one standard error is 0.05


@pytest.fixture(scope="module")
def portraits() -> Portraits:
    return draw_portraits(range(200), 64, seed=11)


@pytest.fixture(scope="module")
def features(portraits: Portraits) -> dict[str, Features]:
    return {name: measure(portraits.images) for name, measure in SHORTCUTS.items()}


@pytest.mark.parametrize("shortcut", SHORTCUTS)
def test_no_shortcut_tells_forged_from_real(
    portraits: Portraits, features: dict[str, Features], shortcut: str
) -> None:
    auc = separability(features[shortcut], portraits.labels, list(portraits.originals))
    assert auc < LIMIT


@pytest.mark.parametrize("channel", range(3))
def test_no_channel_is_brighter_in_forgeries(
    portraits: Portraits, features: dict[str, Features], channel: int
) -> None:
    values = features["mean colour"][:, [channel]]
    assert separability(values, portraits.labels, list(portraits.originals)) < 0.65


@pytest.mark.parametrize("forgery", Forgery)
@pytest.mark.parametrize("shortcut", SHORTCUTS)
def test_no_shortcut_tells_one_type_from_real(
    portraits: Portraits, features: dict[str, Features], shortcut: str, forgery: Forgery
) -> None:
    originals = np.array(portraits.originals)
    rows = np.isin(originals, originals[np.array(portraits.domains) == forgery.value])
    auc = separability(features[shortcut][rows], portraits.labels[rows], list(originals[rows]))
    assert auc < LIMIT_OF_ONE_TYPE


@pytest.mark.parametrize("shortcut", SHORTCUTS)
def test_the_measure_finds_a_planted_shortcut(portraits: Portraits, shortcut: str) -> None:
    """Otherwise the laws above would hold for any data set."""
    images = portraits.images[:240].copy()
    noise = np.random.default_rng(0).integers(0, 40, images[1::2].shape, dtype=np.uint8)
    images[1::2] = images[1::2] // 2 + noise
    planted = SHORTCUTS[shortcut](images)
    assert separability(planted, portraits.labels[:240], list(portraits.originals[:240])) > 0.9
