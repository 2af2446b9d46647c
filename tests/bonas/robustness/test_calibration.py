import json
import math

import numpy as np
import pytest
import scipy.special

from bonas.robustness.calibration import (
    UNCALIBRATED,
    OperatingPoint,
    Rules,
    ThresholdRule,
    Verdict,
    operating_point,
)


def sample(seed: int, size: int = 400, levels: int = 0) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    labels = (rng.random(size) < 0.4).astype(int)
    scores = rng.normal(3.0 * labels + 5.0, 2.0)
    return (np.round(scores * levels) if levels else scores), labels


@pytest.mark.parametrize("seed", range(5))
def test_the_probability_is_the_most_likely_one(seed: int) -> None:
    scores, labels = sample(seed)
    point = operating_point(scores, labels)
    positives, negatives = labels.sum(), (1 - labels).sum()
    target = np.where(labels == 1, (positives + 1) / (positives + 2), 1 / (negatives + 2))
    error = point.probability(scores) - target
    # Both derivatives of the log likelihood vanish.
    assert np.mean(error) == pytest.approx(0.0, abs=1e-6)
    assert np.mean(error * scores) == pytest.approx(0.0, abs=1e-5)


def test_probabilities_that_produced_the_labels_are_recovered() -> None:
    rng = np.random.default_rng(0)
    logits = rng.normal(0.0, 2.0, 20_000)
    labels = (rng.random(logits.size) < scipy.special.expit(0.5 * logits - 1.0)).astype(int)
    point = operating_point(logits, labels)
    assert point.scale == pytest.approx(0.5, abs=0.03)
    assert point.bias == pytest.approx(-1.0, abs=0.05)


def test_only_the_units_of_scores_change_with_their_units() -> None:
    scores, labels = sample(1)
    first, second = operating_point(scores, labels), operating_point(1000 * scores - 7, labels)
    np.testing.assert_allclose(
        first.probability(scores), second.probability(1000 * scores - 7), atol=1e-6
    )
    assert first.verdicts(scores) == second.verdicts(1000 * scores - 7)


def test_separate_classes_give_a_finite_scale() -> None:
    point = operating_point(np.arange(40.0), np.arange(40) >= 20)
    assert 0.0 < point.scale < 100.0
    assert point.low == point.threshold == point.high == 19.5


@pytest.mark.parametrize("sign", [-1.0, 0.0])
def test_scores_that_say_nothing_give_the_share_of_forged_images(sign: float) -> None:
    scores, labels = sample(2)
    point = operating_point(sign * scores, labels)
    assert point.scale == 0.0
    np.testing.assert_allclose(point.probability([-1e9, 0.0, 1e9]), labels.mean(), atol=0.01)


@pytest.mark.parametrize("levels", [0, 1])
@pytest.mark.parametrize("seed", range(5))
def test_no_threshold_balances_the_errors_better_than_the_eer_rule(seed: int, levels: int) -> None:
    scores, labels = sample(seed, levels=levels)

    def gap(threshold: float) -> float:
        missed = (scores[labels == 1] < threshold).mean()
        return float(abs(missed - (scores[labels == 0] >= threshold).mean()))

    chosen = operating_point(scores, labels).threshold
    assert gap(chosen) <= min(gap(t) for t in [*scores, math.inf]) + 1e-12
    assert chosen not in scores


@pytest.mark.parametrize("rate", [0.0, 0.05, 0.3])
@pytest.mark.parametrize("levels", [0, 1])
def test_the_fpr_rule_keeps_the_rate_and_misses_as_few_as_can_be(rate: float, levels: int) -> None:
    scores, labels = sample(4, levels=levels)
    rules = Rules(threshold=ThresholdRule.FPR, false_positive_rate=rate)
    chosen = operating_point(scores, labels, rules).threshold
    genuine = scores[labels == 0]
    assert (genuine >= chosen).mean() <= rate
    lower = scores[scores < chosen].max()
    assert (genuine >= lower).mean() > rate


@pytest.mark.parametrize("error", [0.05, 0.2])
def test_outside_of_the_band_new_images_err_as_rarely_as_promised(error: float) -> None:
    wrong = np.zeros(2)
    worlds = 150
    for seed in range(worlds):
        scores, labels = sample(seed, size=100)
        point = operating_point(scores, labels, Rules(error=error))
        new, truth = sample(10_000 + seed, size=400)
        wrong[0] += (new[truth == 0] >= point.high).mean()
        wrong[1] += (new[truth == 1] < point.low).mean()
    wrong /= worlds
    assert (wrong <= error + 0.015).all()
    assert (wrong >= error - 0.04).all(), "no wider than it need be"


def test_ties_do_not_break_the_promise() -> None:
    scores = np.repeat([0.0, 1.0, 2.0], 20)
    labels = np.tile([0, 1], 30)
    point = operating_point(scores, labels, Rules(error=0.2))
    assert (scores[labels == 0] >= point.high).mean() <= 0.2
    assert (scores[labels == 1] < point.low).mean() <= 0.2


def test_too_few_images_are_never_certain() -> None:
    point = operating_point([0.0, 1.0, 10.0, 11.0], [0, 0, 1, 1])
    assert (point.low, point.high) == (-math.inf, math.inf)
    assert point.verdicts([-100.0, 100.0]) == [Verdict.UNCERTAIN] * 2
    assert point.forged([-100.0, 100.0]).tolist() == [False, True]


def test_verdicts_divide_the_scores_in_three() -> None:
    point = OperatingPoint(scale=1.0, bias=0.0, threshold=0.0, low=-1.0, high=1.0)
    words = [verdict.value for verdict in point.verdicts([-1.1, -1.0, 0.0, 0.9, 1.0])]
    assert words == ["real", "uncertain", "uncertain", "uncertain", "forged"]
    assert UNCALIBRATED.verdicts([-0.1, 0.0]) == [Verdict.REAL, Verdict.FORGED]


def test_a_point_survives_strict_json() -> None:
    for point in (
        operating_point(*sample(0)),
        operating_point([0.0, 1.0, 10.0, 11.0], [0, 0, 1, 1]),
    ):
        text = json.dumps(point.to_json(), allow_nan=False)
        assert OperatingPoint.from_json(json.loads(text)) == point


@pytest.mark.parametrize(
    ("scores", "labels", "message"),
    [
        ([0.1, 0.2], [1, 1], "both classes"),
        ([0.1, math.inf], [0, 1], "scores must be finite, got 1 infinite"),
        ([0.1, math.nan], [0, 1], "NaN at 1 of 2"),
    ],
)
def test_samples_that_allow_no_point_are_refused(
    scores: list[float], labels: list[int], message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        operating_point(scores, labels)


def test_rules_and_points_out_of_range_are_refused() -> None:
    with pytest.raises(ValueError, match=r"false_positive_rate must lie in \[0, 1\), got 1.0"):
        Rules(false_positive_rate=1.0)
    with pytest.raises(ValueError, match=r"error must lie in \(0, 1\), got 0.0"):
        Rules(error=0.0)
    with pytest.raises(ValueError, match=r"scale not negative, got -1\.0"):
        OperatingPoint(scale=-1.0, bias=0.0, threshold=0.0, low=0.0, high=0.0)
    with pytest.raises(ValueError, match="must rise"):
        OperatingPoint(scale=1.0, bias=0.0, threshold=0.0, low=0.5, high=1.0)
