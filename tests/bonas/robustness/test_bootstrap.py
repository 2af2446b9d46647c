from collections.abc import Iterator

import numpy as np
import pytest

from bonas.robustness.auc import average_precision, equal_error_rate
from bonas.robustness.bootstrap import Counts, RankedSample, cluster_draws


def sample(seed: int, levels: int = 0) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Scores, labels and clusters; with `levels`, rounded so that ties are many."""
    rng = np.random.default_rng(seed)
    forged = rng.random(150) < 0.4
    scores = rng.normal(forged * 1.0, 1.0)
    scores = np.round(scores * levels) if levels else scores
    return scores, forged, rng.integers(0, 40, 150)


def drawn_samples(seed: int, levels: int) -> Iterator[tuple[Counts, int, np.ndarray, np.ndarray]]:
    """Counts of draws, and each draw written out image by image."""
    scores, forged, clusters = sample(seed, levels)
    ranked = RankedSample.of(scores, forged, clusters)
    (drawn,) = cluster_draws(40, 5, 150, rng=np.random.default_rng(seed))
    counts = ranked.counts(drawn)
    for b, row in enumerate(drawn):
        times = row[clusters].astype(int)
        yield counts, b, np.repeat(scores, times), np.repeat(forged, times)


@pytest.mark.parametrize("levels", [0, 1, 3])
@pytest.mark.parametrize("seed", range(5))
def test_a_weighted_metric_is_that_of_the_images_repeated(seed: int, levels: int) -> None:
    for counts, b, scores, forged in drawn_samples(seed, levels):
        labels = forged.astype(int)
        assert counts.equal_error_rate()[b] == pytest.approx(
            equal_error_rate(scores, labels), abs=1e-12
        )
        # Precision is kept in the weights' float32.
        assert counts.average_precision()[b] == pytest.approx(
            average_precision(scores, labels), abs=1e-6
        )


@pytest.mark.parametrize("rate", [0.0, 0.01, 0.1, 0.5])
@pytest.mark.parametrize("levels", [0, 2])
def test_the_tpr_at_an_fpr_is_the_best_of_all_thresholds_that_keep_it(
    rate: float, levels: int
) -> None:
    for counts, b, scores, forged in drawn_samples(3, levels):
        best = 0.0
        for threshold in [np.inf, *scores]:
            if (scores[~forged] >= threshold).mean() <= rate:
                best = max(best, (scores[forged] >= threshold).mean())
        assert counts.true_positive_rate(rate)[b] == pytest.approx(best, abs=1e-12)


def test_an_fpr_that_is_exactly_met_is_kept() -> None:
    scores, forged = np.arange(101.0)[::-1], np.arange(101) % 100 == 50
    scores[forged] = 98.5
    counts = RankedSample.of(scores, forged, np.arange(101)).counts(np.ones((1, 101)))
    assert forged.sum() == 1
    # Two of a hundred genuine images lie above the forged one.
    assert counts.true_positive_rate(0.02)[0] == 1.0
    assert counts.true_positive_rate(0.0199)[0] == 0.0


def test_draws_are_with_replacement_of_as_many_clusters_and_even_on_average() -> None:
    drawn = np.concatenate(list(cluster_draws(30, 4000, 100, rng=np.random.default_rng(0))))
    assert drawn.shape == (4000, 30)
    assert (drawn.sum(axis=1) == 30).all()
    np.testing.assert_allclose(drawn.mean(axis=0), 1.0, atol=0.08)
    np.testing.assert_allclose(drawn.var(axis=0), 29 / 30, rtol=0.12)


def test_draws_depend_on_the_seed_and_not_on_the_blocks() -> None:
    def draws(images: int, seed: int) -> np.ndarray:
        blocks = list(cluster_draws(7, 30, images, rng=np.random.default_rng(seed)))
        assert len(blocks) == (1 if images == 10 else 15)
        return np.concatenate(blocks)

    assert (draws(10, 1) == draws(500_000, 1)).all()
    assert (draws(10, 1) != draws(10, 2)).any()
