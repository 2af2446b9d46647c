"""The interval of the true positive rate at a small false positive rate."""

import math

import numpy as np
import pytest
from scipy.stats import norm

from bonas.robustness.tail import true_positive_interval

SPREAD = 1.0


def drawn(
    seed: int, originals: int, frames: int, apart: float
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Scores, labels and originals of pairs of clips; frames of a clip are alike."""
    rng = np.random.default_rng([seed, originals])
    base = rng.normal(0.0, 0.6, (originals, 1, 1))
    clip = rng.normal(0.0, 0.6, (originals, 2, 1))
    frame = rng.normal(0.0, math.sqrt(SPREAD - 0.72), (originals, 2, frames))
    scores = (base + clip + frame + np.array([0.0, apart])[:, None]).reshape(-1)
    forged = np.tile(np.repeat([False, True], frames), originals)
    return scores, forged, np.repeat(np.arange(originals), 2 * frames)


@pytest.mark.parametrize("apart", [1.2, 2.5])
@pytest.mark.parametrize(("originals", "frames"), [(100, 1), (150, 4), (400, 1)])
def test_intervals_cover_where_a_bootstraps_do_not(
    originals: int, frames: int, apart: float
) -> None:
    truth, worlds, hits = float(norm.sf(norm.isf(0.01) - apart)), 200, 0
    for seed in range(worlds):
        sample = drawn(seed, originals, frames, apart)
        low, high = true_positive_interval(*sample, rate=0.01, level=0.95)
        hits += low <= truth <= high
    # The standard error of a share of 0.95 is 0.015; they are allowed to be too wide.
    assert hits / worlds >= 0.92


def test_more_images_tell_more_and_a_higher_level_asks_for_more() -> None:
    def width(originals: int, level: float = 0.95) -> float:
        low, high = true_positive_interval(*drawn(1, originals, 1, 2.5), rate=0.01, level=level)
        assert 0.0 <= low < high <= 1.0
        return high - low

    assert width(100) > width(400) > width(2000)
    assert width(400, 0.99) > width(400) > width(400, 0.5)


def test_perfect_scores_are_not_known_to_be_perfect() -> None:
    scores, forged, originals = drawn(0, 150, 1, 40.0)
    low, high = true_positive_interval(scores, forged, originals, rate=0.01, level=0.95)
    assert 0.95 < low < 1.0
    assert high == 1.0


def test_scores_that_are_all_the_same_have_an_interval() -> None:
    _, forged, originals = drawn(0, 120, 1, 0.0)
    low, high = true_positive_interval(np.zeros(240), forged, originals, rate=0.01, level=0.95)
    assert low == 0.0
    assert high < 0.1
