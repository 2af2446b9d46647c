import json
import math
from statistics import NormalDist

import numpy as np
import pytest
from scipy.stats import norm
from sklearn.metrics import average_precision_score, brier_score_loss, roc_auc_score

from bonas.robustness.auc import delong, equal_error_rate
from bonas.robustness.calibration import UNCALIBRATED, OperatingPoint
from bonas.robustness.estimate import Estimate, Metrics, Refused
from bonas.robustness.metrics import NAMES, equal_mass_bins, measure
from bonas.robustness.scored import Scored

POINT = OperatingPoint(scale=0.7, bias=-0.3, threshold=0.4, low=0.4, high=0.4)


def sample(
    seed: int, originals: int = 150, frames: int = 1, levels: int = 0, noise: float = 0.7
) -> Scored:
    """Of each original a real and a forged video of some frames, correlated but for the noise."""
    rng = np.random.default_rng(seed)
    base = rng.normal(0.0, 0.7, (originals, 1, 1))
    video = rng.normal(0.0, 0.7, (originals, 2, 1))
    frame = rng.normal(0.0, noise, (originals, 2, frames))
    scores = (base + video + frame + np.array([0.0, 1.2])[:, None]).reshape(-1)
    forged = np.tile(np.repeat([False, True], frames), originals)
    names = [f"o{k}" for k in range(originals) for _ in range(2 * frames)]
    return Scored(
        np.round(scores * levels) if levels else scores,
        forged,
        tuple(names),
        tuple("swap" if f else "real" for f in forged),
        tuple(names),
    )


def measured(scored: Scored, point: OperatingPoint = POINT, *, draws: int = 200) -> Metrics:
    found = measure(scored, point, seed=0, draws=draws)
    assert isinstance(found, Metrics)
    return found


@pytest.mark.parametrize("levels", [0, 1, 3])
@pytest.mark.parametrize("seed", range(5))
def test_values_equal_scikit_learn_and_their_definitions(seed: int, levels: int) -> None:
    scored = sample(seed, levels=levels)
    found = {n: e.value for n, e in measured(scored, draws=100).estimates.items()}
    y, s, p = scored.forged.astype(int), scored.scores, POINT.probability(scored.scores)
    assert found["auc"] == pytest.approx(roc_auc_score(y, s), abs=1e-12)
    assert found["average_precision"] == pytest.approx(average_precision_score(y, s), abs=1e-12)
    assert found["equal_error_rate"] == pytest.approx(equal_error_rate(s, y), abs=1e-12)
    assert found["brier"] == pytest.approx(brier_score_loss(y, p), abs=1e-12)
    assert found["accuracy"] == pytest.approx(((s >= 0.4) == y).mean(), abs=1e-12)
    bins = equal_mass_bins(p, 10)
    gaps = [(bins == b).mean() * abs(np.mean((p - y)[bins == b])) for b in set(bins.tolist())]
    assert found["calibration_error"] == pytest.approx(sum(gaps), abs=1e-12)


def test_the_auc_has_the_clustered_delong_interval() -> None:
    scored = sample(0, frames=3)
    paired = delong(scored.scores, scored.forged.astype(int), scored.originals)
    auc = measured(scored).estimates["auc"]
    logit = [math.log(v / (1 - v)) for v in (auc.low, auc.value, auc.high)]
    reach = 1.96 * math.sqrt(paired.covariance[0, 0]) / (auc.value * (1 - auc.value))
    assert logit[2] - logit[1] == pytest.approx(reach, rel=1e-4)
    assert logit[1] - logit[0] == pytest.approx(reach, rel=1e-4)


def test_repeating_every_image_within_its_original_changes_nothing() -> None:
    once = sample(1)
    twice = Scored(
        np.repeat(once.scores, 2),
        np.repeat(once.forged, 2),
        tuple(np.repeat(once.originals, 2).tolist()),
        tuple(np.repeat(once.domains, 2).tolist()),
        tuple(np.repeat(once.videos, 2).tolist()),
    )
    first, second = measured(once).estimates, measured(twice).estimates
    for name in NAMES:
        for bound in ("value", "low", "high"):
            expected = getattr(first[name], bound)
            assert getattr(second[name], bound) == pytest.approx(expected, abs=1e-6), name


def test_intervals_depend_on_the_seed_alone() -> None:
    scored = sample(2)
    first, again = (measure(scored, POINT, seed=3, draws=200) for _ in range(2))
    assert first == again
    other = measure(scored, POINT, seed=4, draws=200)
    assert isinstance(first, Metrics)
    assert isinstance(other, Metrics)
    assert first.estimates["auc"] == other.estimates["auc"], "its interval draws nothing"
    assert first.estimates["brier"].value == other.estimates["brier"].value
    assert first.estimates["brier"] != other.estimates["brier"]


SEPARATION, NOISE, WORLDS = 1.2, 0.2, 250


def truths(point: OperatingPoint) -> dict[str, float]:
    """Of the population that `sample` with this noise draws from, as many forged as real."""
    spread = math.sqrt(2 * 0.49 + NOISE**2)
    x = np.linspace(-10.0, 10.0 + SEPARATION, 40_001)
    real, forged = (norm(loc=m, scale=spread) for m in (0.0, SEPARATION))
    precision = forged.sf(x) / (forged.sf(x) + real.sf(x))
    p = point.probability(x)
    error = NormalDist().cdf(-SEPARATION / 2 / spread)
    return {
        "accuracy": 1 - error,
        "equal_error_rate": error,
        "auc": NormalDist().cdf(SEPARATION / (spread * math.sqrt(2))),
        "average_precision": float(np.trapezoid(forged.pdf(x) * precision, x)),
        "tpr_at_1_fpr": float(forged.sf(real.isf(0.01))),
        "brier": float(np.trapezoid((forged.pdf(x) * (1 - p) ** 2 + real.pdf(x) * p**2) / 2, x)),
    }


def coverage(originals: int, *, frames: int = 2, clustered: bool = True) -> dict[str, float]:
    """Share of 95 % intervals of paired and repeated frames that contain the truth."""
    threshold = SEPARATION / 2
    point = OperatingPoint(scale=1.0, bias=0.0, threshold=threshold, low=threshold, high=threshold)
    truth = truths(point)
    hits = dict.fromkeys(truth, 0)
    for seed in range(WORLDS):
        scored = sample(seed, originals=originals, frames=frames, noise=NOISE)
        if not clustered:
            names = tuple(map(str, range(len(scored))))
            scored = Scored(scored.scores, scored.forged, names, scored.domains, scored.videos)
        for name, found in measured(scored, point).estimates.items():
            if name in truth:
                hits[name] += found.low <= truth[name] <= found.high
    return {name: count / WORLDS for name, count in hits.items()}


def test_clustered_intervals_of_every_metric_cover_repeated_frames() -> None:
    # The standard error of a share of 0.95 of 250 worlds is 0.014.
    found = coverage(120)
    assert all(0.92 <= share <= 0.99 for share in found.values()), found
    few = coverage(50)
    assert few.pop("tpr_at_1_fpr") == 0.0, "no interval rather than a false one"
    assert all(0.92 <= share <= 0.985 for share in few.values()), few


@pytest.mark.parametrize("apart", [3.6, 4.5])
def test_intervals_of_detectors_that_hardly_err_cover(apart: float) -> None:
    x = np.linspace(-10.0, 10.0, 40_001)
    real, forged = (norm(loc=m) for m in (-apart / 2, apart / 2))
    point = OperatingPoint(scale=apart, bias=0.0, threshold=0.0, low=0.0, high=0.0)
    p = point.probability(x)
    precision = forged.sf(x) / (forged.sf(x) + real.sf(x))
    truth = {
        "average_precision": float(np.trapezoid(forged.pdf(x) * precision, x)),
        "brier": float(np.trapezoid((forged.pdf(x) * (1 - p) ** 2 + real.pdf(x) * p**2) / 2, x)),
    }
    labels = np.repeat([False, True], 100)
    names = tuple(map(str, range(200)))
    hits, worlds = dict.fromkeys(truth, 0), 100
    for seed in range(worlds):
        rng = np.random.default_rng(seed)
        scores = rng.normal(apart * (labels - 0.5))
        found = measured(Scored(scores, labels, names, names, names), point).estimates
        for name, value in truth.items():
            hits[name] += found[name].low <= value <= found[name].high
    # It was 0.66 and 0.71 while logits were cut at half an image; of the Brier score 0.82.
    assert hits["average_precision"] >= 0.88 * worlds
    assert hits["brier"] >= 0.82 * worlds


def test_unclustered_intervals_do_not_cover_repeated_frames() -> None:
    without = coverage(50, frames=4, clustered=False)
    # The AUC is hurt less: it compares the faces of an original with each other.
    assert max(without["accuracy"], without["equal_error_rate"]) < 0.9, without


def test_right_probabilities_may_have_no_calibration_error_and_wrong_ones_do_not() -> None:
    reached, worlds = 0, 60
    for seed in range(worlds):
        rng = np.random.default_rng(seed)
        logits = rng.normal(0.0, 1.5, 300)
        forged = rng.random(300) < UNCALIBRATED.probability(logits)
        names = tuple(map(str, range(300)))
        scored = Scored(logits, forged, names, names, names)
        error = measured(scored, UNCALIBRATED).estimates["calibration_error"]
        assert error.low <= error.value <= error.high
        reached += error.low == 0.0
    assert reached >= 0.9 * worlds
    shifted = OperatingPoint(scale=1.0, bias=1.5, threshold=0.0, low=0.0, high=0.0)
    assert measured(scored, shifted).estimates["calibration_error"].low > 0.1


def test_scores_without_any_error_are_not_known_to_be_perfect() -> None:
    scored = sample(0)
    perfect = Scored(
        scored.forged * 2.0 - 1.0, scored.forged, scored.originals, scored.domains, scored.videos
    )
    point = OperatingPoint(scale=1.0, bias=0.0, threshold=0.0, low=0.0, high=0.0)
    found = measured(perfect, point).estimates
    assert found["accuracy"] == found["auc"]
    assert found["auc"].value == 1.0
    assert 0.9 < found["auc"].low < 1.0
    assert found["equal_error_rate"].value == 0.0
    assert found["equal_error_rate"].high == pytest.approx(1.0 - found["auc"].low)


def test_equal_mass_bins_are_equal_but_for_ties() -> None:
    p = np.random.default_rng(0).random(1003)
    sizes = np.bincount(equal_mass_bins(p, 10))
    assert sizes.min() >= 100
    assert sizes.max() <= 101
    tied = np.round(p, 1)
    bins = equal_mass_bins(tied, 10)
    assert all(len(set(bins[tied == v].tolist())) == 1 for v in set(tied.tolist()))
    assert set(equal_mass_bins(np.full(50, 0.5), 10).tolist()) == {9}


@pytest.mark.parametrize(
    ("real", "forged", "originals", "reason"),
    [
        (0, 30, 30, "0 real, fewer than 10"),
        (30, 9, 30, "9 forged, fewer than 10"),
        (0, 0, 1, "0 real, fewer than 10"),
        (20, 20, 1, "all real ones are of one original"),
    ],
)
def test_tiny_samples_are_refused(real: int, forged: int, originals: int, reason: str) -> None:
    size = real + forged
    names = tuple(f"o{i % originals}" for i in range(size))
    scored = Scored(np.arange(float(size)), np.arange(size) >= real, names, names, names)
    found = measure(scored, POINT, seed=0)
    assert isinstance(found, Refused)
    assert found.reason == reason
    assert found.to_json()["images"] == size
    assert "auc" not in found.to_json()


def test_few_originals_are_flagged_and_few_real_images_have_no_tpr_at_one_percent() -> None:
    few = measured(sample(0, originals=5, frames=10))
    assert any("of 5 originals only" in flag for flag in few.flags)
    assert "tpr_at_1_fpr" not in few.estimates
    assert any("too few real originals for 1 % FPR: 5, it needs 100" in f for f in few.flags)
    frames = measured(sample(0, originals=99, frames=4))
    assert "tpr_at_1_fpr" not in frames.estimates, "99 originals, if 396 images"
    many = measured(sample(0, originals=100))
    assert many.flags == ()
    assert tuple(many.estimates) == NAMES


def test_draws_without_a_class_are_left_out() -> None:
    scored = sample(0, originals=3, frames=20)
    lonely = Scored(
        scored.scores,
        np.array([f and o != "o0" for f, o in zip(scored.forged, scored.originals, strict=True)]),
        scored.originals, scored.domains, scored.videos,
    )  # fmt: skip
    # One draw in 27 holds o0 alone, which has no forged image.
    assert all(math.isfinite(e.high) for e in measured(lonely).estimates.values())


def test_metrics_survive_strict_json() -> None:
    text = json.dumps(measured(sample(0)).to_json(), allow_nan=False)
    assert json.loads(text)["auc"]["interval"][0] > 0.5


def test_what_cannot_be_measured_is_refused() -> None:
    scored = sample(0)
    scores = scored.scores.copy()
    scores[7] = math.nan
    broken = Scored(scores, scored.forged, scored.originals, scored.domains, scored.videos)
    with pytest.raises(ValueError, match="NaN at 1 of 300 places, first at index 7"):
        measure(broken, POINT, seed=0)
    with pytest.raises(ValueError, match="draws must be at least 100, got 99"):
        measure(scored, POINT, seed=0, draws=99)
    with pytest.raises(ValueError, match="value and interval"):
        Estimate(0.5, 0.6, 0.4)
