import math
from collections.abc import Callable
from dataclasses import dataclass
from statistics import NormalDist
from typing import Any

import numpy as np
import pytest

from bonas.robustness.auc import auc, delong
from bonas.robustness.conditions import CLEAN, Condition, ConditionSet, Group
from bonas.robustness.differences import PairableScore
from bonas.robustness.score import (
    RobustnessScore,
    ScoreWeights,
    pairable_score,
    score_conditions,
)
from bonas.robustness.weights import condition_weights, robustness_weighted_auc

UNSEEN = Condition(Group.UNSEEN, "swap")
JPEG = Condition(Group.CORRUPTION, "jpeg", 3)
FGSM = Condition(Group.ATTACK, "fgsm")
CONDITIONS = (CLEAN, UNSEEN, JPEG, FGSM)
SET = ConditionSet.of({condition: {"data": "test"} for condition in CONDITIONS})
SHIFTS = {CLEAN: 1.6, UNSEEN: 0.9, JPEG: 1.2, FGSM: 0.4}
SPREAD = {"original": 0.7, "video": 0.7, "condition": 0.5}


@dataclass(frozen=True, slots=True)
class Sample:
    """Scores, labels and clusters of one detector under every condition."""

    predictions: dict[Condition, np.ndarray]
    labels: dict[Condition, np.ndarray]
    clusters: dict[Condition, list[str]]

    def score(self) -> RobustnessScore:
        return score_conditions(self.predictions, self.labels, self.clusters, conditions=SET)

    def pairable(self) -> PairableScore:
        return pairable_score(self.predictions, self.labels, self.clusters, conditions=SET)


def members(condition: Condition, originals: int) -> range:
    """Originals of a condition: all, the later two thirds, or the first half."""
    if condition is UNSEEN:
        return range(originals // 3, originals)
    return range(originals // 2 if condition is FGSM else originals)


def overlapping(rng: np.random.Generator, originals: int, frames: int = 3) -> Sample:
    """Conditions that share images (clean, JPEG, a half in FGSM) or only originals (unseen)."""
    original = rng.normal(0.0, SPREAD["original"], (originals, 1, 1))
    seen = rng.normal(0.0, SPREAD["video"], (originals, 2, frames))
    predictions, labels, clusters = {}, {}, {}
    for condition in CONDITIONS:
        videos = rng.normal(0.0, SPREAD["video"], seen.shape) if condition is UNSEEN else seen
        own = rng.normal(0.0, SPREAD["condition"], seen.shape)
        chosen = list(members(condition, originals))
        forged = np.array([0, 1])[None, :, None]
        scores = original + videos + own + SHIFTS[condition] * forged
        predictions[condition] = scores[chosen].reshape(-1)
        labels[condition] = np.broadcast_to(forged, seen.shape)[chosen].reshape(-1)
        clusters[condition] = [f"original{k}" for k in chosen for _ in range(2 * frames)]
    return Sample(predictions, labels, clusters)


def expected_score(originals: int) -> float:
    """Mean score of `overlapping`: pairs of one original (1 in K) share its effect."""
    aucs = {}
    own = SPREAD["video"] ** 2 + SPREAD["condition"] ** 2
    for condition, shift in SHIFTS.items():
        apart = NormalDist().cdf(shift / math.sqrt(2 * (own + SPREAD["original"] ** 2)))
        together = NormalDist().cdf(shift / math.sqrt(2 * own))
        aucs[condition] = apart + (together - apart) / len(members(condition, originals))
    return robustness_weighted_auc(aucs, ScoreWeights())


def paired(seed: int, size: int = 240) -> Sample:
    """Every condition on the same images."""
    rng = np.random.default_rng(seed)
    labels = np.arange(size) % 3 % 2
    shared = rng.normal(size=size)
    clusters = [f"video{c}" for c in rng.integers(0, 50, size)]
    scores = {c: shared + rng.normal(size=size) + SHIFTS[c] * labels for c in CONDITIONS}
    return Sample(scores, dict.fromkeys(scores, labels), dict.fromkeys(scores, clusters))


@pytest.mark.parametrize("seed", range(5))
def test_on_the_same_images_the_variance_is_that_of_obuchowski(seed: int) -> None:
    sample = paired(seed)
    joint = delong(
        np.stack([sample.predictions[c] for c in SET.conditions]),
        sample.labels[CLEAN],
        sample.clusters[CLEAN],
    )
    shares = condition_weights(SET.conditions, ScoreWeights())
    weights = np.array([shares[c] for c in SET.conditions])
    score = sample.score()
    assert score.value == pytest.approx(weights @ joint.values, abs=1e-14)
    assert score.variance == pytest.approx(weights @ joint.covariance @ weights, rel=1e-10)
    variances = [part.variance for _, part in score.conditions]
    np.testing.assert_allclose(variances, np.diag(joint.covariance), rtol=1e-10)


def test_conditions_on_unrelated_images_add_their_variances() -> None:
    sample = paired(0)
    apart = {c: [c.key + name for name in names] for c, names in sample.clusters.items()}
    score = Sample(sample.predictions, sample.labels, apart).score()
    shares = condition_weights(SET.conditions, ScoreWeights())
    expected = sum(shares[c] ** 2 * part.variance for c, part in score.conditions)
    assert score.variance == pytest.approx(expected, rel=1e-10)
    assert score.variance < 0.8 * sample.score().variance


def test_equal_conditions_are_one_condition() -> None:
    sample = paired(0)
    same = Sample(
        dict.fromkeys(CONDITIONS, sample.predictions[CLEAN]), sample.labels, sample.clusters
    )
    score = same.score()
    assert score.variance == pytest.approx(dict(score.conditions)[CLEAN].variance, rel=1e-10)
    assert score.value == pytest.approx(auc(sample.predictions[CLEAN], sample.labels[CLEAN]))


def weighted_aucs(
    sample: Sample, condition: Condition, counts: np.ndarray, originals: int
) -> np.ndarray:
    """AUC of each resample, its clusters counted as often as drawn, `draws`."""
    scores, positive = sample.predictions[condition], sample.labels[condition] == 1
    wins = np.sign(scores[positive][:, None] - scores[~positive]) / 2 + 0.5
    index = np.array([int(name.removeprefix("original")) for name in sample.clusters[condition]])
    above, below = counts[:, index[positive]], counts[:, index[~positive]]
    return np.asarray(
        ((above @ wins) * below).sum(axis=1) / (above.sum(axis=1) * below.sum(axis=1))
    )


@pytest.mark.parametrize("seed", range(3))
def test_with_partly_shared_images_the_variance_is_that_of_the_cluster_bootstrap(
    seed: int,
) -> None:
    rng, originals = np.random.default_rng(seed), 150
    sample = overlapping(rng, originals, frames=2)
    counts = rng.multinomial(originals, np.full(originals, 1 / originals), 2000).astype(float)
    shares = condition_weights(CONDITIONS, ScoreWeights())
    draws = sum(shares[c] * weighted_aucs(sample, c, counts, originals) for c in CONDITIONS)
    assert sample.score().variance == pytest.approx(np.var(draws), rel=0.12)


def test_intervals_of_overlapping_conditions_cover_and_independent_ones_do_not() -> None:
    rng, originals, draws = np.random.default_rng(11), 60, 500
    truth, covered, covered_independent = expected_score(originals), 0, 0
    shares = condition_weights(CONDITIONS, ScoreWeights())
    for _ in range(draws):
        score = overlapping(rng, originals).score()
        low, high = score.interval()
        covered += low <= truth <= high
        alone = sum(shares[c] ** 2 * part.variance for c, part in score.conditions)
        covered_independent += abs(score.value - truth) <= 1.96 * math.sqrt(alone)
    assert 0.92 <= covered / draws <= 0.975
    assert covered_independent / draws < 0.9


def test_the_order_of_images_and_conditions_does_not_matter() -> None:
    sample, rng = paired(2), np.random.default_rng(0)
    shuffled = Sample({}, {}, {})
    for condition in reversed(CONDITIONS):
        order = rng.permutation(len(sample.labels[condition]))
        shuffled.predictions[condition] = sample.predictions[condition][order]
        shuffled.labels[condition] = sample.labels[condition][order]
        shuffled.clusters[condition] = [sample.clusters[condition][k] for k in order]
    first, second = sample.score(), shuffled.score()
    assert second.aucs == first.aucs
    assert second.value == first.value
    assert second.variance == pytest.approx(first.variance, rel=1e-10)


def test_the_score_names_its_set_and_reads_back() -> None:
    score = paired(0).score()
    assert score.digest == SET.digest
    assert RobustnessScore.from_json(score.to_json()) == score
    assert [condition for condition, _ in score.conditions] == list(SET.conditions)


def test_a_perfect_detector_scores_one_without_certainty() -> None:
    sample = paired(0)
    perfect = Sample(dict(sample.labels), sample.labels, sample.clusters).score()
    assert perfect.value == 1.0
    assert 0.8 < perfect.interval()[0] < 0.9  # 25 pairs of videos
    assert perfect.interval()[1] == 1.0


Change = Callable[[Sample], dict[str, Any]]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda s: {"predictions": {CLEAN: s.predictions[CLEAN]}}, "got attack/fgsm, corruption"),
        (lambda s: {"labels": {CLEAN: s.labels[CLEAN]}}, "labels must cover every condition"),
        (lambda s: {"clusters": {CLEAN: s.clusters[CLEAN]}}, "clusters must cover every"),
        (lambda s: {"labels": s.labels | {JPEG: s.labels[JPEG] * 0}}, "^corruption/jpeg-3: .*both"),
        (
            lambda s: {"labels": s.labels | {JPEG: s.labels[JPEG][1:]}},
            "^corruption/jpeg-3: .*one l",
        ),
        (lambda s: {"clusters": s.clusters | {FGSM: ["a"]}}, "^attack/fgsm: .*got 1 for 240"),
        (lambda s: {"clusters": s.clusters | {FGSM: ["a"] * 240}}, "^attack/fgsm: .*got 1 and 1"),
        (
            lambda s: {"predictions": s.predictions | {UNSEEN: s.predictions[UNSEEN] * np.nan}},
            "^unseen/swap: .*NaN",
        ),
    ],
)
def test_samples_that_cannot_be_scored_are_refused_by_name(change: Change, message: str) -> None:
    sample = paired(0)
    whole: dict[str, Any] = {
        "predictions": sample.predictions,
        "labels": sample.labels,
        "clusters": sample.clusters,
    }
    with pytest.raises(ValueError, match=message):
        score_conditions(**(whole | change(sample)), conditions=SET)
