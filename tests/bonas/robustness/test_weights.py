import itertools
import math

import numpy as np
import pytest

from bonas.robustness.conditions import CLEAN, Condition, Group
from bonas.robustness.weights import (
    ScoreWeights,
    condition_weights,
    group_means,
    robustness_weighted_auc,
)

UNSEEN = Condition(Group.UNSEEN, "swap")
BLUR = [Condition(Group.CORRUPTION, "blur", severity) for severity in range(1, 6)]
FGSM = Condition(Group.ATTACK, "fgsm")
ALL = [CLEAN, UNSEEN, *BLUR, FGSM]
SUBSETS = [s for size in range(1, 5) for s in itertools.combinations(Group, size)]


@pytest.mark.parametrize("groups", SUBSETS)
def test_renormalised_weights_sum_to_one_and_keep_their_ratios(groups: tuple[Group, ...]) -> None:
    weights = ScoreWeights()
    shares = weights.renormalised(groups)
    assert math.fsum(shares.to_json().values()) == pytest.approx(1.0, abs=1e-15)
    for group in Group:
        if group in groups:
            ratio = shares.of(group) / shares.of(groups[0])
            assert ratio == pytest.approx(weights.of(group) / weights.of(groups[0]))
        else:
            assert shares.of(group) == 0.0


def test_the_score_is_the_weighted_mean_of_the_means_of_groups() -> None:
    aucs = {CLEAN: 0.9, UNSEEN: 0.7, BLUR[0]: 0.8, BLUR[1]: 0.6, FGSM: 0.5}
    expected = 0.4 * 0.9 + 0.3 * 0.7 + 0.2 * 0.7 + 0.1 * 0.5
    assert robustness_weighted_auc(aucs, ScoreWeights()) == pytest.approx(expected, abs=1e-15)
    del aucs[UNSEEN]
    without = (expected - 0.3 * 0.7) / 0.7
    assert robustness_weighted_auc(aucs, ScoreWeights()) == pytest.approx(without, abs=1e-15)
    assert group_means(aucs) == pytest.approx(
        {Group.CLEAN: 0.9, Group.CORRUPTION: 0.7, Group.ATTACK: 0.5}
    )


@pytest.mark.parametrize("seed", range(5))
def test_condition_weights_are_the_slopes_of_the_score(seed: int) -> None:
    rng = np.random.default_rng(seed)
    weights = ScoreWeights(*rng.random(4))
    aucs = {condition: float(value) for condition, value in zip(ALL, rng.random(8), strict=True)}
    shares = condition_weights(ALL, weights)
    assert math.fsum(shares.values()) == pytest.approx(1.0, abs=1e-15)
    total = math.fsum(shares[condition] * aucs[condition] for condition in ALL)
    assert robustness_weighted_auc(aucs, weights) == pytest.approx(total, abs=1e-14)


@pytest.mark.parametrize("seed", range(20))
@pytest.mark.parametrize("value", [0.0, 0.1, 0.7, 1.0])
def test_equal_aucs_are_the_score(seed: int, value: float) -> None:
    weights = ScoreWeights(*np.random.default_rng(seed).random(4))
    score = robustness_weighted_auc(dict.fromkeys(ALL, value), weights)
    assert score == pytest.approx(value, abs=1e-15)
    assert score <= 1.0


def test_more_conditions_in_a_group_do_not_give_it_more_weight() -> None:
    few = {CLEAN: 0.9, BLUR[0]: 0.6}
    many = {CLEAN: 0.9} | dict.fromkeys(BLUR, 0.6)
    weights = ScoreWeights()
    assert robustness_weighted_auc(few, weights) == robustness_weighted_auc(many, weights)


@pytest.mark.parametrize("wrong", [-0.1, math.nan, math.inf])
def test_weights_that_are_no_weights_are_refused(wrong: float) -> None:
    with pytest.raises(ValueError, match=r"unseen must be a finite weight, not negative, got"):
        ScoreWeights(unseen=wrong)


def test_weights_that_weigh_nothing_are_refused() -> None:
    with pytest.raises(ValueError, match="positive sum"):
        ScoreWeights(0.0, 0.0, 0.0, 0.0)
    with pytest.raises(ValueError, match="got attack with"):
        ScoreWeights(attack=0.0).renormalised([Group.ATTACK])
    with pytest.raises(ValueError, match="got none with"):
        robustness_weighted_auc({}, ScoreWeights())


@pytest.mark.parametrize("wrong", [-0.1, 1.1, 90.0, math.nan])
def test_an_auc_outside_zero_and_one_is_refused(wrong: float) -> None:
    with pytest.raises(ValueError, match=r"AUC of corruption/blur-1 must lie in \[0, 1\]"):
        robustness_weighted_auc({CLEAN: 0.9, BLUR[0]: wrong}, ScoreWeights())
