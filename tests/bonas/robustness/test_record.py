import json
import math
from statistics import NormalDist

import numpy as np
import pytest

from bonas.robustness.conditions import CLEAN, Condition, ConditionSet, Group
from bonas.robustness.record import (
    ConditionAuc,
    RobustnessScore,
    average,
    flat_groups,
    mean_of,
)
from bonas.robustness.score import score_conditions
from bonas.robustness.weights import ScoreWeights

FGSM = Condition(Group.ATTACK, "fgsm")
JPEG = [Condition(Group.CORRUPTION, "jpeg", severity) for severity in (1, 5)]


def record(
    clean: float = 0.9,
    jpeg: tuple[float, float] = (0.8, 0.6),
    fgsm: float = 0.3,
    digest: str = "a" * 64,
    weights: ScoreWeights | None = None,
) -> RobustnessScore:
    aucs = ((FGSM, fgsm), (CLEAN, clean), (JPEG[0], jpeg[0]), (JPEG[1], jpeg[1]))
    measured = tuple((condition, ConditionAuc(value, 1e-4, 50)) for condition, value in aucs)
    return RobustnessScore(digest, measured, weights or ScoreWeights(), 2e-4)


def test_a_record_tells_its_value_group_means_and_worst_condition() -> None:
    score = record()
    assert score.value == pytest.approx((0.4 * 0.9 + 0.2 * 0.7 + 0.1 * 0.3) / 0.7)
    assert score.group_means == pytest.approx(
        {Group.CLEAN: 0.9, Group.CORRUPTION: 0.7, Group.ATTACK: 0.3}
    )
    condition, worst = score.worst
    assert condition is FGSM
    assert worst.interval()[0] < 0.3 < worst.interval()[1]
    low, high = score.interval()
    assert low < score.value < high
    assert score.interval(0.5)[0] > low


def test_a_perfect_record_has_an_interval_that_admits_doubt() -> None:
    perfect = ConditionAuc(1.0, 0.0, 30)
    score = RobustnessScore("a", ((CLEAN, perfect), (JPEG[0], perfect)), ScoreWeights(), 0.0)
    assert score.value == 1.0
    low, high = score.interval()
    assert high == 1.0
    assert low**30 == pytest.approx(0.025)


@pytest.mark.parametrize("level", [0.5, 0.95])
def test_a_mean_of_separated_conditions_is_as_uncertain_as_they_are(level: float) -> None:
    clean, attacked = ConditionAuc(1.0, 0.0, 20), ConditionAuc(0.0, 0.0, 20)
    score = RobustnessScore("a", ((FGSM, attacked), (CLEAN, clean)), ScoreWeights(), 0.0)
    low, high = score.interval(level)
    assert score.value == pytest.approx(0.8)
    assert low == pytest.approx(0.8 * clean.interval(level)[0])
    assert high == pytest.approx(0.8 + 0.2 * attacked.interval(level)[1])
    told = ConditionAuc(1.0, clean.sampling_variance, 0)
    assert told.interval() == pytest.approx(clean.interval()), "where pairs are not kept"


def test_the_interval_of_a_mean_is_no_point_while_one_of_a_part_is_none() -> None:
    rng = np.random.default_rng(0)
    for _ in range(200):
        values = rng.choice([0.0, 0.3, 0.9999, 1.0], 3)
        parts = [
            ConditionAuc(v, 0.1 * (v * (1.0 - v)) ** 2, int(rng.integers(10, 100))) for v in values
        ]
        conditions = tuple(zip((FGSM, CLEAN, JPEG[0]), parts, strict=True))
        score = RobustnessScore(
            "a", conditions, ScoreWeights(), 1e-2 * sum(p.variance for p in parts)
        )
        for mean in (score, mean_of(parts), mean_of([mean_of(parts), mean_of(parts)])):
            low, high = mean.interval()
            assert 0.0 <= low <= mean.value <= high <= 1.0
            assert low < high
            assert low > 0.5 or mean.value < 0.9, "doubt is no ignorance"


def test_intervals_of_means_cover_where_conditions_are_mostly_separated() -> None:
    """Two conditions of ten pairs each on the same images, forgeries 3.3 deviations above."""
    rng = np.random.default_rng(1)
    truth = NormalDist().cdf(3.3 / math.sqrt(2))
    covered = separated = 0
    for _ in range(400):
        scores = rng.normal(size=20) + np.tile([0.0, 3.3], 10)
        moved = np.where(rng.random() < 0.5, scores, rng.normal(size=20) + np.tile([0.0, 3.3], 10))
        rows = {CLEAN: scores, JPEG[0]: moved}
        labels = dict.fromkeys(rows, np.tile([0, 1], 10))
        clusters = {condition: list(range(20)) for condition in rows}
        conditions = ConditionSet.of({condition: {"data": "any"} for condition in rows})
        score = score_conditions(rows, labels, clusters, conditions=conditions)
        low, high = score.interval()
        covered += low <= truth <= high
        separated += score.value == 1.0 or 1.0 in score.aucs.values()
    assert separated > 100, "few conditions were separated"
    assert covered / 400 > 0.93


def test_a_record_survives_json_to_the_last_bit() -> None:
    score = record(clean=1 / 3, weights=ScoreWeights(1.0, 0.0, 0.7, 0.1))
    text = json.dumps(score.to_json())
    assert RobustnessScore.from_json(json.loads(text)) == score
    assert json.loads(text)["value"] == score.value


def test_a_record_whose_value_was_altered_is_refused() -> None:
    data = record().to_json() | {"value": 0.99}
    with pytest.raises(ValueError, match="value must be the weighted mean"):
        RobustnessScore.from_json(data)


@pytest.mark.parametrize(
    ("value", "variance", "pairs"), [(1.2, 0.1, 3), (0.5, -0.1, 3), (0.5, 0.1, -3)]
)
def test_an_auc_that_is_none_is_refused(value: float, variance: float, pairs: int) -> None:
    with pytest.raises(ValueError, match="must"):
        ConditionAuc(value, variance, pairs)


def test_conditions_that_repeat_or_are_unsorted_are_refused() -> None:
    part = ConditionAuc(0.9, 0.0)
    for conditions in (((CLEAN, part), (CLEAN, part)), ((CLEAN, part), (FGSM, part))):
        with pytest.raises(ValueError, match="different and sorted"):
            RobustnessScore("a", conditions, ScoreWeights(), 0.0)


def test_a_negative_variance_is_refused() -> None:
    with pytest.raises(ValueError, match="variance must"):
        RobustnessScore("a", ((CLEAN, ConditionAuc(0.9, 0.0)),), ScoreWeights(), -1.0)


def test_records_of_one_set_are_ordered_by_value_and_averaged() -> None:
    scores = [record(clean=clean) for clean in (0.8, 0.95, 0.7)]
    assert max(scores) is scores[1]
    assert sorted(scores) == [scores[2], scores[0], scores[1]]
    assert scores[0] > scores[2]
    assert average(scores) == pytest.approx(sum(score.value for score in scores) / 3)


@pytest.mark.parametrize(
    ("other", "message"),
    [
        (record(digest="b" * 64), "2 digests aaaaaaaaaaaa, bbbbbbbbbbbb"),
        (record(weights=ScoreWeights(attack=0.2)), "same weights"),
    ],
)
def test_records_of_different_sets_or_weights_are_never_compared(
    other: RobustnessScore, message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        _ = record() < other
    with pytest.raises(ValueError, match=message):
        max(record(), other)
    with pytest.raises(ValueError, match=message):
        average([record(), other])
    with pytest.raises(ValueError, match=message):
        flat_groups([record(), other], 0.1)


def test_groups_in_which_detectors_do_not_differ_are_flat() -> None:
    scores = [record(0.9, (0.8, 0.6), 0.02), record(0.7, (0.6, 0.8), 0.0), record(fgsm=0.01)]
    assert flat_groups(scores, 0.0) == (Group.CORRUPTION,)
    assert flat_groups(scores, 0.02) == (Group.CORRUPTION, Group.ATTACK)
    assert flat_groups(scores, 1.0) == (Group.CLEAN, Group.CORRUPTION, Group.ATTACK)


def test_flatness_needs_several_records_and_a_tolerance() -> None:
    with pytest.raises(ValueError, match=r"at least 2 scores .* got 1"):
        flat_groups([record()], 0.1)
    with pytest.raises(ValueError, match=r"got 2 and -0\.1"):
        flat_groups([record(), record()], -0.1)
    with pytest.raises(ValueError, match="got 0 digests"):
        average([])
