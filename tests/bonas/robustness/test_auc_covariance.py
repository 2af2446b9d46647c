import math
from statistics import NormalDist

import numpy as np
import pytest

from bonas.robustness.auc import PairedAuc, auc, delong, interval


def delong_by_pairs(scores: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """The covariance written out over all pairs, as in the paper."""
    wins = np.stack([np.sign(s[labels == 1][:, None] - s[labels == 0]) / 2 + 0.5 for s in scores])
    return np.asarray(
        np.atleast_2d(np.cov(wins.mean(axis=2))) / wins.shape[1]
        + np.atleast_2d(np.cov(wins.mean(axis=1))) / wins.shape[2]
    )


def paired_sets(seed: int, size: int = 300) -> tuple[np.ndarray, np.ndarray]:
    """Three correlated score sets of one sample, `3 x n`, and labels."""
    rng = np.random.default_rng(seed)
    labels = np.arange(size) < size * 0.4
    shared = rng.normal(size=size)
    strength = rng.uniform(0.3, 1.5, (3, 1))
    return strength * labels + rng.uniform(0.2, 1.0, (3, 1)) * shared + rng.normal(
        size=(3, size)
    ), labels.astype(int)


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("levels", [None, 1.0])
def test_delong_equals_its_formula_over_all_pairs(seed: int, levels: float | None) -> None:
    scores, labels = paired_sets(seed)
    scores = np.round(scores * levels) if levels else scores
    paired = delong(scores, labels)
    np.testing.assert_allclose(paired.covariance, delong_by_pairs(scores, labels), rtol=1e-10)
    np.testing.assert_allclose(paired.values, [auc(s, labels) for s in scores], rtol=1e-14)


def test_clusters_of_one_image_give_delong_whatever_their_names() -> None:
    scores, labels = paired_sets(1)
    names = [f"video{index * 7919 % 1000}" for index in range(labels.size)]
    np.testing.assert_allclose(
        delong(scores, labels, names).covariance, delong_by_pairs(scores, labels), rtol=1e-10
    )


def obuchowski_by_loops(scores: np.ndarray, labels: np.ndarray, clusters: list[int]) -> np.ndarray:
    """S10 / m + S01 / n + (S11 + S11') / (m n), cluster by cluster as in the paper."""
    names, index = np.unique(clusters, return_inverse=True)
    wins = np.stack([np.sign(s[labels == 1][:, None] - s[labels == 0]) / 2 + 0.5 for s in scores])
    sets, m, n = wins.shape
    theta = wins.mean(axis=(1, 2))
    up, down = np.zeros((names.size, sets)), np.zeros((names.size, sets))
    of_positive, of_negative = index[labels == 1], index[labels == 0]
    for k in range(names.size):
        up[k] = (wins.mean(axis=2) - theta[:, None])[:, of_positive == k].sum(axis=1)
        down[k] = (wins.mean(axis=1) - theta[:, None])[:, of_negative == k].sum(axis=1)
    i10, i01, i = np.unique(of_positive).size, np.unique(of_negative).size, names.size
    s10 = i10 / ((i10 - 1) * m) * up.T @ up
    s01 = i01 / ((i01 - 1) * n) * down.T @ down
    s11 = i / (i - 1) * up.T @ down
    return np.asarray(s10 / m + s01 / n + (s11 + s11.T) / (m * n))


@pytest.mark.parametrize("seed", range(5))
def test_clustered_delong_equals_obuchowski_with_mixed_clusters(seed: int) -> None:
    scores, labels = paired_sets(seed)
    clusters = [int(c) for c in np.random.default_rng(seed).integers(0, 40, labels.size)]
    clusters[:20] = [99] * 20  # forged images only
    paired = delong(scores, labels, clusters)
    expected = obuchowski_by_loops(scores, labels, clusters)
    np.testing.assert_allclose(paired.covariance, expected, rtol=1e-10)


def test_repeating_every_image_within_its_cluster_adds_no_certainty() -> None:
    scores, labels = paired_sets(2)
    once = delong(scores, labels)
    clusters = [index for index in range(labels.size) for _ in range(3)]
    thrice = delong(np.repeat(scores, 3, axis=1), np.repeat(labels, 3), clusters)
    np.testing.assert_allclose(thrice.covariance, once.covariance, rtol=1e-10)
    forgotten = delong(np.repeat(scores, 3, axis=1), np.repeat(labels, 3))
    assert (np.diag(forgotten.covariance) < 0.4 * np.diag(once.covariance)).all()


@pytest.mark.parametrize("seed", range(10))
def test_delong_covariance_agrees_with_the_bootstrap(seed: int) -> None:
    scores, labels = paired_sets(seed, size=500)
    rng = np.random.default_rng(100 + seed)
    m, n = int(labels.sum()), int((1 - labels).sum())
    above = rng.multinomial(m, np.full(m, 1 / m), 2000) / m
    below = rng.multinomial(n, np.full(n, 1 / n), 2000) / n
    draws = [
        ((above @ (np.sign(s[labels == 1][:, None] - s[labels == 0]) / 2 + 0.5)) * below).sum(1)
        for s in scores
    ]
    expected, found = np.cov(draws), delong(scores, labels).covariance
    scale = np.sqrt(np.diag(expected))
    np.testing.assert_allclose(np.diag(found), np.diag(expected), rtol=0.1)
    np.testing.assert_allclose(found / np.outer(scale, scale), np.corrcoef(draws), atol=0.1)


def repeated_frames(rng: np.random.Generator, originals: int) -> tuple[np.ndarray, np.ndarray]:
    """Two detectors on two videos (one genuine, one forged) of each original, `2 x K x 2 x 4`."""
    original = rng.normal(0.0, 0.7, (1, originals, 1, 1))
    video = rng.normal(0.0, 0.7, (2, originals, 2, 1))
    frame = rng.normal(0.0, 0.7, (2, originals, 2, 4))
    forged = np.array([0.0, 1.0])[None, None, :, None] * np.array([1.2, 0.8])[:, None, None, None]
    labels = np.broadcast_to(np.array([0, 1])[None, :, None], (originals, 2, 4))
    return (original + video + frame + forged).reshape(2, -1), labels.reshape(-1)


def expected_auc(shift: float, originals: int) -> float:
    """Mean AUC of `repeated_frames`: pairs of one original (1 in K) share its effect."""
    apart = NormalDist().cdf(shift / math.sqrt(2 * 3 * 0.49))
    together = NormalDist().cdf(shift / math.sqrt(2 * 2 * 0.49))
    return apart + (together - apart) / originals


def coverage(clustered: bool) -> tuple[float, float]:
    """Share of 95 % intervals that contain the AUC, and the difference of two AUCs."""
    rng, originals, draws = np.random.default_rng(7), 60, 600
    clusters = [k for k in range(originals) for _ in range(8)] if clustered else None
    truth = [expected_auc(1.2, originals), expected_auc(0.8, originals)]
    single, paired = 0, 0
    for _ in range(draws):
        found = delong(*repeated_frames(rng, originals), clusters)
        for value, variance, true in zip(
            found.values, np.diag(found.covariance), truth, strict=True
        ):
            low, high = interval(value, variance)
            single += low <= true <= high
        difference, variance = found.difference(0, 1)
        paired += abs(difference - (truth[0] - truth[1])) <= 1.96 * math.sqrt(variance)
    return single / (2 * draws), paired / draws


def test_clustered_intervals_cover_repeated_frames_and_unclustered_ones_do_not() -> None:
    single, paired = coverage(clustered=True)
    assert 0.93 <= single <= 0.97
    assert 0.925 <= paired <= 0.975
    without, paired_without = coverage(clustered=False)
    assert without < 0.9
    assert paired_without < 0.9


def test_difference_of_a_score_set_and_itself_is_certain() -> None:
    scores, labels = paired_sets(0)
    difference, variance = delong(np.stack([scores[0], scores[0]]), labels).difference(0, 1)
    assert difference == 0.0
    assert variance == pytest.approx(0.0, abs=1e-15)


@pytest.mark.parametrize(
    ("labels", "clusters", "message"),
    [
        ([0, 0, 1, 1], ["a", "b"], "got 2 for 4 images"),
        ([0, 0, 1, 1], ["a", "a", "b", "c"], "got 2 and 1"),
        ([0, 0, 0, 1], None, "got 1 and 3"),
    ],
)
def test_delong_refuses_clusters_that_allow_no_variance(
    labels: list[int], clusters: list[str] | None, message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        delong([0.1, 0.2, 0.3, 0.4], labels, clusters)


def test_delong_refuses_no_score_set() -> None:
    with pytest.raises(ValueError, match="at least one score set"):
        delong(np.empty((0, 4)), [0, 0, 1, 1])


def test_paired_auc_refuses_a_covariance_of_another_size() -> None:
    with pytest.raises(ValueError, match="m x m"):
        PairedAuc(np.zeros(2), np.zeros((3, 3)))
