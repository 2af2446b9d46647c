import numpy as np
import pytest

from bonas.robustness.placements import cluster_contributions, placements


def tied_sample(seed: int) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    positive = np.arange(37) < 15
    return rng.integers(0, 8, 37).astype(float) + positive, positive


@pytest.mark.parametrize("seed", range(5))
def test_placements_are_the_shares_of_the_other_class_beaten_with_ties_half(seed: int) -> None:
    x, positive = tied_sample(seed)
    wins = np.sign(x[positive][:, None] - x[~positive][None, :]) / 2 + 0.5
    placed = placements(x, positive)
    np.testing.assert_allclose(placed.positives, wins.mean(axis=1), atol=1e-14)
    np.testing.assert_allclose(placed.negatives, wins.mean(axis=0), atol=1e-14)


def test_contributions_do_not_depend_on_clusters_that_a_sample_lacks() -> None:
    x, positive = tied_sample(0)
    clusters = np.arange(37) % 9
    few = cluster_contributions(x, positive, clusters, 9)
    many = cluster_contributions(x, positive, clusters + 4, 20)
    assert few.row @ few.row == pytest.approx(many.row @ many.row, rel=1e-12)
    assert few.pairs == many.pairs == 4  # nine mixed clusters hold four disjoint pairs


def test_pairs_count_the_smaller_class_when_clusters_hold_one_class_each() -> None:
    x, positive = tied_sample(0)
    assert cluster_contributions(x, positive, np.arange(37), 37).pairs == 15
