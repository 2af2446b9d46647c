"""What a detector is worth on one sample: seven metrics, each with a 95 % interval.

| metric | definition |
|---|---|
| AUC | `auc.auc`; interval from the clustered DeLong variance, on the logit scale |
| average precision | `auc.average_precision` |
| equal error rate | `auc.equal_error_rate`, the ROC curve taken as a polygon |
| accuracy | share of right answers at the operating point's threshold |
| TPR at 1 % FPR | highest TPR of a threshold with FPR <= 0.01, not interpolated |
| Brier score | mean of `(p - y)^2`, p the calibrated probability (Brier 1950) |
| calibration error | mean over images of `abs(mean p - share forged)` of their bin |

The calibration error is that of the probability of being forged, in ten bins of equal mass (Nguyen
and O'Connor 2015, section 3): borders are order statistics of p, and equal p share a bin.

Intervals but the AUC's come from a bootstrap of originals. Those of average precision, equal error
rate, accuracy and Brier score are symmetric on the logit scale, `logit(v) - b +- t s` with the bias
`b` and the spread `s` of the draws' logits and Student's t of the originals less one (Efron and
Tibshirani 1993, sections 10.2 and 12.3): percentiles carry the bias of small samples twice. The TPR
at 1 % FPR has an interval of its own, in which its threshold is uncertain (`tail`). The calibration
error, a sum of absolute values, is raised by sampling and again by every resampling: its percentile
from above is a bound as it stands; from below, no more is subtracted than the gaps of the bins can
be wrong by in sum (triangle inequality), so that right probabilities may have none. A value of
exactly 0 or 1 from which no draw differs is bounded as `auc.interval` bounds a perfect AUC. Of a
detector that hardly errs, the Brier score hangs on a few images: its interval then covers less,
0.85 to 0.88 in simulations of 30 and 100 originals of a class at an AUC of 0.999.

A sample is refused with fewer than ten images or fewer than two originals of a class. It is flagged
with fewer than ten originals of a class, where intervals are too narrow. The TPR at 1 % FPR is left
out below a hundred originals with genuine images: no threshold could err at one of them only.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import scipy.special

from bonas.robustness.auc import interval
from bonas.robustness.bootstrap import RankedSample, Weights, cluster_draws
from bonas.robustness.calibration import OperatingPoint
from bonas.robustness.estimate import Estimate, Metrics, Refused, Size
from bonas.robustness.placements import FloatArray, checked_sample, cluster_contributions
from bonas.robustness.scored import Scored
from bonas.robustness.tail import true_positive_interval

AUC, ECE, TPR_AT_1_FPR = "auc", "calibration_error", "tpr_at_1_fpr"
NOISE = "noise"
NAMES = (
    AUC,
    "average_precision",
    "equal_error_rate",
    "accuracy",
    TPR_AT_1_FPR,
    "brier",
    ECE,
)
DRAWS, BINS, LEVEL = 2000, 10, 0.95
FEW_IMAGES = FEW_ORIGINALS = 10
FALSE_POSITIVE_RATE = 0.01
FEW_FOR_1_FPR = 100  # originals with genuine images
SHARES = ("average_precision", "equal_error_rate", "accuracy", "brier")


def measure(
    sample: Scored, point: OperatingPoint, *, seed: int, draws: int = DRAWS
) -> Metrics | Refused:
    """The metrics of a sample, or why it has none.

    Args:
        sample: scores with their labels and originals.
        point: what turns scores into probabilities and answers.
        seed: of the bootstrap; samples of the same originals in the same order share its draws.
        draws: of the bootstrap, at least 100.

    Raises:
        ValueError: a score that is not a number, or too few draws.
    """
    if draws < 100:
        raise ValueError(f"draws must be at least 100, got {draws}; 2000 is the default")
    clusters, count = sample.clusters, len(set(sample.originals))
    size = Size(len(sample), int(sample.forged.sum()), count)
    originals = originals_by_class(sample)
    if reason := _too_few(size, originals):
        return Refused(size, reason)
    scores, forged = checked_sample(sample.scores, sample.forged.astype(np.intp))
    part = cluster_contributions(scores, forged, clusters, count)
    auc = Estimate(
        part.auc, *interval(part.auc, float(part.row @ part.row), LEVEL, pairs=part.pairs)
    )
    weighted = _Weighted.of(sample, point, clusters, count)
    whole = weighted.metrics(np.ones((1, count)))
    rng = np.random.default_rng(np.random.SeedSequence([seed, count]))
    gaps = weighted.gaps(np.ones((1, count)))
    blocks = [
        weighted.metrics(drawn) | {NOISE: np.abs(weighted.gaps(drawn) - gaps).sum(axis=1)}
        for drawn in map(
            weighted.with_both_classes, cluster_draws(count, draws, size.images, rng=rng)
        )
    ]
    drawn = {name: np.concatenate([block[name] for block in blocks]) for name in blocks[0]}
    estimates = {AUC: auc}
    for name, least in _least(size).items():
        estimates[name] = _estimate(
            float(whole[name][0]), drawn[name], least, min(originals), part.pairs
        )
    if originals[0] >= FEW_FOR_1_FPR:
        bounds = true_positive_interval(
            *(scores, forged, clusters), rate=FALSE_POSITIVE_RATE, level=LEVEL
        )
        every = weighted.ranked.counts(np.ones((1, count)))
        rate = float(every.true_positive_rate(FALSE_POSITIVE_RATE)[0])
        estimates[TPR_AT_1_FPR] = Estimate(rate, *bounds)
    estimates[ECE] = _calibration_error(float(whole[ECE][0]), drawn[ECE], drawn[NOISE])
    ordered = {name: estimates[name] for name in NAMES if name in estimates}
    return Metrics(size, ordered, _flags(originals))


@dataclass(frozen=True, slots=True, eq=False)
class _Weighted:
    """The metrics but the AUC as functions of how often each of `K` clusters counts.

    Attributes:
        ranked: the images in the order of their scores.
        sums: `K x (3 + bins)`, per cluster: images, right answers, squared errors, and for each bin
            the sum of p - y.
        sizes: `K x 2`, genuine and forged images.
    """

    ranked: RankedSample
    sums: FloatArray
    sizes: FloatArray

    @classmethod
    def of(
        cls, sample: Scored, point: OperatingPoint, clusters: np.ndarray, count: int
    ) -> "_Weighted":
        """Of a sample whose images lie in `count` clusters."""
        p = point.probability(sample.scores)
        error = p - sample.forged
        sums = np.zeros((count, 3 + BINS))
        right = point.forged(sample.scores) == sample.forged
        for column, values in enumerate((np.ones_like(p), right, error**2)):
            sums[:, column] = np.bincount(clusters, values, count)
        np.add.at(sums, (clusters, 3 + equal_mass_bins(p, BINS)), error)
        sizes = np.stack(
            [np.bincount(clusters[sample.forged == y], minlength=count) for y in (0, 1)]
        )
        ranked = RankedSample.of(sample.scores, sample.forged, clusters)
        return cls(ranked, sums, sizes.T.astype(np.float64))

    def with_both_classes(self, drawn: Weights) -> Weights:
        """The draws, `b x K`, that hold genuine and forged images."""
        kept: Weights = drawn[((drawn @ self.sizes) > 0).all(axis=1)]
        return kept

    def metrics(self, drawn: Weights) -> dict[str, FloatArray]:
        """Each metric, `b`, of draws with both classes, `b x K`."""
        counts = self.ranked.counts(drawn)
        sums = drawn @ self.sums
        images = sums[:, 0]
        return {
            "average_precision": counts.average_precision(),
            "equal_error_rate": counts.equal_error_rate(),
            "accuracy": sums[:, 1] / images,
            "brier": sums[:, 2] / images,
            ECE: np.abs(self.gaps(drawn)).sum(axis=1),
        }

    def gaps(self, drawn: Weights) -> FloatArray:
        """Mean p less share forged of each bin, times its share of the images, `b x bins`."""
        sums = drawn @ self.sums
        result: FloatArray = sums[:, 3:] / sums[:, :1]
        return result


def equal_mass_bins(p: FloatArray, bins: int) -> np.ndarray:
    """The bin of each probability, `n`, in [0, bins): equal numbers in each but for ties."""
    borders = np.sort(p)[[round(k * p.size / bins) for k in range(1, bins)]]
    return np.searchsorted(borders, p, side="right")


def _least(size: Size) -> dict[str, float]:
    """Of each metric half of the least that it can differ from a perfect one, or from the worst.

    Shares of images differ by one image. Average precision differs least where one genuine image
    has a higher score than the last forged one. The Brier score takes any value.
    """
    image = 0.5 / size.images
    swap = 0.5 / (size.forged * (size.forged + 1))
    return dict(zip(SHARES, (swap, image, image, 1e-12), strict=True))


def _estimate(
    value: float, drawn: FloatArray, least: float, originals: int, pairs: int
) -> Estimate:
    value = min(1.0, max(0.0, value))  # rounding
    if value in (0.0, 1.0) and (drawn == value).all():
        return Estimate(value, *interval(value, 0.0, LEVEL, pairs=pairs))
    # Keeps logits finite. More would pull every draw of a good detector to one value.
    here, there = (scipy.special.logit(np.clip(v, least, 1.0 - least)) for v in (value, drawn))
    spread = float(there.std()) * math.sqrt(originals / (originals - 1))
    reach = float(scipy.special.stdtrit(originals - 1, (1.0 + LEVEL) / 2.0)) * spread
    middle = 2.0 * float(here) - float(there.mean())
    low, high = (float(scipy.special.expit(middle + end)) for end in (-reach, reach))
    return Estimate(value, min(low, value), max(high, value))


def _calibration_error(value: float, drawn: FloatArray, noise: FloatArray) -> Estimate:
    quantile = (1.0 + LEVEL) / 2.0
    low, high = value - np.quantile(noise, quantile), np.quantile(drawn, quantile)
    return Estimate(value, max(0.0, float(low)), min(1.0, max(value, float(high))))


def unmeasurable(sample: Scored) -> str:
    """Why a sample has no metrics; empty where it has."""
    size = Size(len(sample), int(sample.forged.sum()), len(set(sample.originals)))
    return _too_few(size, originals_by_class(sample))


def originals_by_class(sample: Scored) -> list[int]:
    """How many originals genuine, and how many forged images have."""
    return [np.unique(sample.clusters[sample.forged == y]).size for y in (False, True)]


def _too_few(size: Size, originals: list[int]) -> str:
    for kind, images, groups in zip(
        ("real", "forged"), (size.images - size.forged, size.forged), originals, strict=True
    ):
        if images < FEW_IMAGES:
            return f"{images} {kind}, fewer than {FEW_IMAGES}"
        if groups < 2:
            return f"all {kind} ones are of one original"
    return ""


def few_originals(originals: Sequence[int]) -> list[str]:
    """Which class has so few originals, genuine and forged, that its intervals are too narrow."""
    return [
        f"{kind} ones of {groups} originals only, intervals are too narrow"
        for kind, groups in zip(("real", "forged"), originals, strict=True)
        if groups < FEW_ORIGINALS
    ]


def _flags(originals: list[int]) -> tuple[str, ...]:
    flags = few_originals(originals)
    if originals[0] < FEW_FOR_1_FPR:
        flags.append(
            f"too few real originals for 1 % FPR: {originals[0]}, it needs {FEW_FOR_1_FPR}"
        )
    return tuple(flags)
