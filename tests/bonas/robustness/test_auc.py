import math
from collections.abc import Callable

import numpy as np
import pytest
from sklearn.metrics import average_precision_score, roc_auc_score, roc_curve

from bonas.robustness.auc import (
    auc,
    average_precision,
    delong,
    equal_error_rate,
    interval,
)

Metric = Callable[..., float]


def sample(seed: int, size: int = 200, levels: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Scores of overlapping classes; with `levels`, rounded so that ties are many."""
    rng = np.random.default_rng(seed)
    labels = (rng.random(size) < 0.3 + 0.04 * (seed % 10)).astype(int)
    scores = rng.normal(labels * rng.uniform(-0.5, 2.0), 1.0)
    return (np.round(scores * levels) if levels else scores), labels


@pytest.mark.parametrize("levels", [0, 1, 3])
@pytest.mark.parametrize("seed", range(10))
def test_auc_and_average_precision_equal_scikit_learn(seed: int, levels: int) -> None:
    scores, labels = sample(seed, levels=levels)
    assert auc(scores, labels) == pytest.approx(roc_auc_score(labels, scores), abs=1e-12)
    expected = average_precision_score(labels, scores)
    assert average_precision(scores, labels) == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize("levels", [0, 1, 3])
@pytest.mark.parametrize("seed", range(10))
def test_equal_error_rate_is_where_the_roc_polygon_crosses_the_diagonal(
    seed: int, levels: int
) -> None:
    scores, labels = sample(seed, levels=levels)
    rate = equal_error_rate(scores, labels)
    false_positive, true_positive, _ = roc_curve(labels, scores, drop_intermediate=False)
    # A vertical stretch of the curve has no height of its own: the rate lies between its ends.
    below = false_positive < rate - 1e-12
    above = false_positive > rate + 1e-12
    low = true_positive[below].max(initial=0.0)
    high = true_positive[above].min(initial=1.0)
    assert low - 1e-12 <= 1.0 - rate <= high + 1e-12
    if not np.isclose(false_positive, rate, atol=1e-12).any():
        expected = np.interp(rate, false_positive, true_positive)
        assert 1.0 - rate == pytest.approx(expected, abs=1e-12)


def test_equal_error_rate_between_two_thresholds_is_interpolated() -> None:
    # (FPR, FNR) runs (0, 1), (0, 1/2), (1, 0): the line from the second to the third meets at 1/3.
    assert equal_error_rate([2, 1, 1, 1], [1, 1, 0, 0]) == pytest.approx(1 / 3)


@pytest.mark.parametrize(
    ("scores", "expected"), [([0, 1, 2, 3], 0.0), ([1, 1, 1, 1], 0.5), ([3, 2, 1, 0], 1.0)]
)
def test_equal_error_rate_and_auc_agree_on_perfect_constant_and_inverted_scores(
    scores: list[int], expected: float
) -> None:
    assert equal_error_rate(scores, [0, 0, 1, 1]) == expected
    assert auc(scores, [0, 0, 1, 1]) == 1.0 - expected


@pytest.mark.parametrize("levels", [0, 2])
@pytest.mark.parametrize("seed", range(5))
def test_swapping_the_classes_mirrors_the_metrics(seed: int, levels: int) -> None:
    scores, labels = sample(seed, levels=levels)
    assert auc(-scores, labels) == pytest.approx(1.0 - auc(scores, labels), abs=1e-13)
    assert equal_error_rate(-scores, 1 - labels) == pytest.approx(
        equal_error_rate(scores, labels), abs=1e-13
    )


@pytest.mark.parametrize("metric", [auc, average_precision, equal_error_rate])
def test_only_the_order_of_scores_matters(metric: Metric) -> None:
    scores, labels = sample(3, levels=4)
    order = np.random.default_rng(0).permutation(labels.size)
    assert metric(np.arctan(scores)[order], labels[order]) == metric(scores, labels)


def test_infinite_scores_are_ranked() -> None:
    assert auc([-math.inf, 0.0, 0.0, math.inf], [0, 0, 1, 1]) == 0.875


@pytest.mark.parametrize("metric", [auc, average_precision, equal_error_rate, delong])
@pytest.mark.parametrize(
    ("scores", "labels", "message"),
    [
        ([0.1, 0.2], [1, 1], "both classes"),
        ([0.1, 0.2], [0, 0], "both classes"),
        ([], [], "both classes"),
        ([0.1, math.nan, 0.3], [0, 1, 1], "NaN at 1 of 3 places, first at index 1"),
        ([0.1, 0.2, 0.3], [0, 1], "one length"),
        ([0.1, 0.2, 0.3], [0, 1, 2], r"labels must be 0 .* or 1 .*, got 2"),
        ([0.1, 0.2, 0.3], [0, 1, -1], "got -1"),
    ],
)
def test_metrics_refuse_what_they_cannot_measure(
    metric: Metric, scores: list[float], labels: list[int], message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        metric(scores, labels)


@pytest.mark.parametrize("value", [0.001, 0.3, 0.5, 0.97, 0.9999])
@pytest.mark.parametrize("variance", [1e-12, 1e-4, 0.05, 1e6])
def test_an_interval_contains_its_value_within_zero_and_one(value: float, variance: float) -> None:
    low, high = interval(value, variance)
    assert 0.0 <= low <= value <= high <= 1.0
    wider = interval(value, variance, 0.99)
    assert wider[0] <= low
    assert high <= wider[1]
    mirrored = interval(1.0 - value, variance)
    assert mirrored == pytest.approx((1.0 - high, 1.0 - low), abs=1e-9)


def test_a_narrow_interval_is_the_normal_one() -> None:
    assert interval(0.8, 1e-6) == pytest.approx((0.8 - 1.96e-3, 0.8 + 1.96e-3), abs=1e-5)


def test_an_interval_without_variance_is_its_value() -> None:
    assert interval(0.7, 0.0, pairs=9) == (0.7, 0.7)
    assert interval(1.0, 0.0) == (1.0, 1.0)
    assert interval(0.0, 0.0) == (0.0, 0.0)


def test_a_perfect_auc_is_bounded_by_the_chance_of_winning_every_pair() -> None:
    low, high = interval(1.0, 0.0, pairs=20)
    assert high == 1.0
    assert low**20 == pytest.approx(0.025)
    assert interval(0.0, 0.0, pairs=20) == pytest.approx((0.0, 1.0 - low))
    assert interval(1.0, 0.0, pairs=200)[0] > low


def test_an_extreme_value_with_variance_keeps_a_clipped_normal_interval() -> None:
    assert interval(1.0, 0.01) == pytest.approx((1.0 - 0.196, 1.0), abs=1e-4)
    assert interval(0.0, 0.01) == pytest.approx((0.0, 0.196), abs=1e-4)


@pytest.mark.parametrize(
    ("value", "variance", "level", "pairs", "message"),
    [
        (1.1, 0.1, 0.95, 0, "value must"),
        (math.nan, 0.1, 0.95, 0, "value must"),
        (0.5, -1e-9, 0.95, 0, "variance must"),
        (0.5, math.inf, 0.95, 0, "variance must"),
        (0.5, 0.1, 95.0, 0, "level must"),
        (0.5, 0.1, 0.95, -1, "pairs must"),
    ],
)
def test_interval_refuses_values_outside_their_range(
    value: float, variance: float, level: float, pairs: int, message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        interval(value, variance, level, pairs=pairs)
