"""Laws of differences of detectors on the same images."""

import json
from dataclasses import replace

import numpy as np
import pytest

from bonas.robustness.auc import delong
from bonas.robustness.conditions import CLEAN, Group
from bonas.robustness.differences import PairableScore, PairedDifferences, paired_differences
from tests.bonas.robustness.test_score import CONDITIONS, FGSM, JPEG, Sample, overlapping, paired


def with_noise(sample: Sample, rng: np.random.Generator) -> PairableScore:
    """What another detector of the same worth makes of the images."""
    noisy = {c: s + rng.normal(0.0, 0.5, s.size) for c, s in sample.predictions.items()}
    return replace(sample, predictions=noisy).pairable()


def test_an_interval_covers_no_difference_and_is_narrower_than_that_of_a_score() -> None:
    rng, draws = np.random.default_rng(5), 300
    covered = dict.fromkeys(Group, 0)
    whole = 0
    for _ in range(draws):
        sample = overlapping(rng, 60)
        own, other = with_noise(sample, rng), with_noise(sample, rng)
        found = paired_differences([own], [other])
        low, high = found.score.interval()
        whole += low <= 0.0 <= high
        assert found.score.variance < own.score.variance
        for group, difference in found.groups.items():
            low, high = difference.interval()
            covered[group] += low <= 0.0 <= high
    assert 0.92 <= whole / draws <= 0.98
    assert all(0.91 <= count / draws <= 0.985 for count in covered.values())


def test_of_one_condition_it_is_delongs() -> None:
    first, second = paired(0), paired(1).predictions
    found = paired_differences([first.pairable()], [replace(first, predictions=second).pairable()])
    both = np.stack([first.predictions[CLEAN], second[CLEAN]])
    value, variance = delong(both, first.labels[CLEAN], first.clusters[CLEAN]).difference(0, 1)
    assert found.groups[Group.CLEAN].value == pytest.approx(value, abs=1e-15)
    assert found.groups[Group.CLEAN].variance == pytest.approx(variance, rel=1e-10)


def test_it_is_that_of_scores_and_turns_with_the_order() -> None:
    first = paired(0)
    second = replace(first, predictions=paired(1).predictions)
    there = paired_differences([first.pairable()], [second.pairable()])
    back = paired_differences([second.pairable()], [first.pairable()])
    assert there.score.value == pytest.approx(first.score().value - second.score().value, abs=1e-15)
    for one, other in (
        (there.score, back.score),
        *((there.groups[g], back.groups[g]) for g in there.groups),
    ):
        assert one.value == pytest.approx(-other.value, abs=1e-15)
        assert one.interval() == pytest.approx(tuple(-b for b in reversed(other.interval())))


def test_a_detector_differs_from_itself_by_nothing_in_whatever_order_conditions_come() -> None:
    sample = overlapping(np.random.default_rng(0), 40)
    turned = replace(sample, predictions=dict(reversed(list(sample.predictions.items()))))
    score = paired_differences([sample.pairable()], [turned.pairable()]).score
    assert (score.value, score.variance, score.interval()) == (0.0, 0.0, (0.0, 0.0))


def test_of_several_trainings_it_is_the_mean_with_the_error_of_the_mean() -> None:
    rng = np.random.default_rng(3)
    sample = overlapping(rng, 60)
    first = [with_noise(sample, rng) for _ in range(3)]
    second = [with_noise(sample, rng) for _ in range(2)]
    found = paired_differences(first, second).score
    pairs = [paired_differences([a], [b]).score for a in first for b in second]
    assert found.value == pytest.approx(np.mean([p.value for p in pairs]), abs=1e-15)
    # Whatever the pairs share, the error of their mean is at most their mean error.
    assert found.variance <= np.mean([p.variance**0.5 for p in pairs]) ** 2
    assert paired_differences(first * 2, second).score.variance == pytest.approx(found.variance)


def test_detectors_without_an_error_need_not_be_equal() -> None:
    sample = paired(0)
    perfect = replace(sample, predictions=dict(sample.labels)).pairable()
    score = paired_differences([perfect], [perfect]).score
    assert score.value == 0.0
    low, high = score.interval()
    assert low == pytest.approx(-high)
    assert 0.1 < high < 0.2, "25 pairs of videos, all won by both"
    wrong = replace(sample, predictions={c: -y for c, y in sample.labels.items()}).pairable()
    low, high = paired_differences([perfect], [wrong]).score.interval()
    assert 0.7 < low < 0.8, "either may be worse or better than it looks"
    assert high == 1.0


def test_one_separated_condition_widens_the_interval_by_its_own() -> None:
    sample = paired(0)
    clean = replace(sample, predictions=sample.predictions | {CLEAN: sample.labels[CLEAN]})
    found = paired_differences([clean.pairable()], [sample.pairable()])
    reach = dict(clean.score().conditions)[CLEAN].beyond()[0]
    assert found.groups[Group.CLEAN].below == pytest.approx(reach)
    assert found.groups[Group.CLEAN].above == 0.0
    assert found.groups[Group.ATTACK].below == 0.0
    assert found.score.below == pytest.approx(0.4 * reach)


def test_differences_read_back() -> None:
    found = paired_differences([paired(0).pairable()], [paired(0).pairable()])
    assert PairedDifferences.from_json(json.loads(json.dumps(found.to_json()))) == found


def test_what_was_not_tested_on_the_same_images_has_no_difference() -> None:
    tested = paired(0).pairable()
    with pytest.raises(ValueError, match="got 1 and 0; evaluate both"):
        paired_differences([tested], [])
    other = replace(tested, score=replace(tested.score, digest="e" * 64))
    with pytest.raises(ValueError, match="must be of one condition set"):
        paired_differences([tested], [other])
    fewer = replace(tested, rows={c: row[3:] for c, row in tested.rows.items()})
    with pytest.raises(ValueError, match="must be over the same clusters"):
        paired_differences([tested], [fewer])


def test_contributions_are_of_the_scores_conditions_and_of_the_same_clusters() -> None:
    tested = paired(0).pairable()
    with pytest.raises(ValueError, match="got attack/fgsm in one of them only"):
        replace(tested, rows={c: tested.rows[c] for c in CONDITIONS if c is not FGSM})
    with pytest.raises(ValueError, match="must be over the same clusters"):
        replace(tested, rows={**tested.rows, JPEG: tested.rows[JPEG][3:]})
