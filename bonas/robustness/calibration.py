"""From scores to decisions: a calibrated probability, a threshold, and a band of doubt around it.

All three are chosen on validation images, once for frames and once for videos, whose scores are
means of frames' and lie closer together.

Probability: `p = 1 / (1 + exp(-(scale * score + bias)))` by maximum likelihood, with the targets
of Platt (1999, section 2.2), `(N1 + 1) / (N1 + 2)` for forged and `1 / (N0 + 2)` for genuine ones,
which keep it finite where the classes are separate. `1 / scale` is the temperature of Guo et al.
(2017, section 4.2). The scale is not negative: where higher scores were no more likely forged, it
is 0 and every image gets the same probability. It holds for the share of forged images in the
validation data.

Threshold: see `ThresholdRule`.

Band: the scores at which both answers are plausible, by conformal prediction per class (Sadinle,
Lei and Wasserman 2019, Journal of the American Statistical Association 114). Of new images like the
validation ones, at most `error` of the genuine are called forged and at most `error` of the forged
genuine. The statement is about exchangeable images; frames of one original are alike, which makes
it an approximation. The band is widened to hold the threshold, and is empty where already the
threshold errs less.
"""

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any, Self

import numpy as np
import numpy.typing as npt
import scipy.optimize
import scipy.special

from bonas.robustness.placements import BoolArray, FloatArray, checked_sample


class Verdict(StrEnum):
    """What is said of an image or video."""

    REAL = "real"
    FORGED = "forged"
    UNCERTAIN = "uncertain"


class ThresholdRule(StrEnum):
    """How the threshold is chosen among the middles between validation scores."""

    EER = "eer"  # where missed forgeries and false alarms are as equally frequent as possible
    FPR = "fpr"  # the lowest at which false alarms are at most a given share of genuine images


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """What threshold and band are chosen by.

    Attributes:
        threshold: which rule.
        false_positive_rate: of the rule `fpr`, in [0, 1).
        error: share of either class that may be called the other outside of the band, in (0, 1).
    """

    threshold: ThresholdRule = ThresholdRule.EER
    false_positive_rate: float = 0.05
    error: float = 0.1

    def __post_init__(self) -> None:
        if not 0.0 <= self.false_positive_rate < 1.0:
            raise ValueError(
                f"false_positive_rate must lie in [0, 1), got {self.false_positive_rate}; "
                f"0.05 means that one genuine image in twenty is called forged"
            )
        if not 0.0 < self.error < 1.0:
            raise ValueError(f"error must lie in (0, 1), got {self.error}; 0.1 is the default")

    def describe(self) -> str:
        """In words, for a line."""
        chosen = "equal errors"
        if self.threshold is ThresholdRule.FPR:
            chosen = f"false alarms of {self.false_positive_rate:g} at most"
        return f"{chosen}, errors of {self.error:g} outside of the band"


@dataclass(frozen=True, slots=True, kw_only=True)
class OperatingPoint:
    """Probability and verdict of a score.

    Attributes:
        scale: of the score in the log odds, not negative.
        bias: of the log odds.
        threshold: scores from here on count as forged where an answer is forced.
        low: scores below are `real`.
        high: scores from here on are `forged`; between `low` and it `uncertain`.
    """

    scale: float
    bias: float
    threshold: float
    low: float
    high: float

    def __post_init__(self) -> None:
        if not (0.0 <= self.scale < math.inf and math.isfinite(self.bias)):
            raise ValueError(
                f"scale and bias must be finite and scale not negative, got {self.scale} and "
                f"{self.bias}; calibrate again"
            )
        if not self.low <= self.threshold <= self.high or not math.isfinite(self.threshold):
            raise ValueError(
                f"low, threshold and high must rise and the threshold be finite, got {self.low}, "
                f"{self.threshold} and {self.high}; calibrate again"
            )

    def probability(self, scores: npt.ArrayLike) -> FloatArray:
        """Calibrated probability of being forged, `n`."""
        odds = self.scale * np.asarray(scores, dtype=np.float64) + self.bias
        p: FloatArray = scipy.special.expit(odds)
        return p

    def forged(self, scores: npt.ArrayLike) -> BoolArray:
        """The forced answer, `n`: whether the score reaches the threshold."""
        answer: BoolArray = np.asarray(scores, dtype=np.float64) >= self.threshold
        return answer

    def verdicts(self, scores: npt.ArrayLike) -> list[Verdict]:
        """What is said of each score, `n`."""
        values = np.atleast_1d(np.asarray(scores, dtype=np.float64)).tolist()
        return [
            Verdict.FORGED
            if s >= self.high
            else Verdict.REAL
            if s < self.low
            else Verdict.UNCERTAIN
            for s in values
        ]

    def to_json(self) -> dict[str, float | None]:
        """All numbers; null where the validation data were too few for a bound."""
        return {name: v if math.isfinite(v) else None for name, v in asdict(self).items()}

    @classmethod
    def from_json(cls, document: Mapping[str, Any]) -> Self:
        """The point that `to_json` wrote."""
        bounds = {"low": -math.inf, "high": math.inf}
        return cls(**{k: bounds[k] if v is None else float(v) for k, v in document.items()})


UNCALIBRATED = OperatingPoint(scale=1.0, bias=0.0, threshold=0.0, low=0.0, high=0.0)
"""Takes scores for the log odds that training meant them to be."""


def operating_point(
    scores: npt.ArrayLike, labels: npt.ArrayLike, rules: Rules | None = None
) -> OperatingPoint:
    """The operating point of these validation scores.

    Args:
        scores: `n`, higher means more likely forged.
        labels: `n`, 1 forged and 0 genuine.
        rules: of threshold and band.

    Raises:
        ValueError: as `auc.auc`, or a score that is infinite.
    """
    chosen = rules or Rules()
    x, forged = checked_sample(scores, labels)
    if not np.isfinite(x).all():
        raise ValueError(
            f"scores must be finite, got {int(np.isinf(x).sum())} infinite ones of {x.size}; "
            f"look for overflow in the network"
        )
    scale, bias = _platt(x, forged)
    threshold = _threshold(x, forged, chosen)
    low, high = _band(x, forged, chosen.error)
    return OperatingPoint(
        scale=scale,
        bias=bias,
        threshold=threshold,
        low=min(low, threshold),
        high=max(high, threshold),
    )


def _platt(x: FloatArray, forged: BoolArray) -> tuple[float, float]:
    """Scale and bias of the greatest likelihood, the scale not negative."""
    positives, negatives = int(forged.sum()), int((~forged).sum())
    target = np.where(forged, (positives + 1) / (positives + 2), 1 / (negatives + 2))
    centre, spread = float(x.mean()), float(x.std())
    z = (x - centre) / spread if spread > 0.0 else np.zeros_like(x)

    def loss(parameters: FloatArray) -> tuple[float, FloatArray]:
        odds = parameters[0] * z + parameters[1]
        # -t log p - (1 - t) log(1 - p), without overflow.
        value = np.mean(np.logaddexp(0.0, odds) - target * odds)
        error = scipy.special.expit(odds) - target
        return float(value), np.array([np.mean(error * z), np.mean(error)])

    start = np.array([0.0, scipy.special.logit(target.mean())])
    found = scipy.optimize.minimize(
        loss,
        start,
        jac=True,
        method="L-BFGS-B",
        bounds=[(0.0, None), (None, None)],
        options={"ftol": 1e-15, "gtol": 1e-9, "maxiter": 500},
    )
    steepness, offset = (float(v) for v in found.x)
    scale = steepness / spread if spread > 0.0 else 0.0
    return scale, offset - scale * centre


def _threshold(x: FloatArray, forged: BoolArray, rules: Rules) -> float:
    values = np.unique(x)
    middles = values[:-1] + (values[1:] - values[:-1]) / 2
    # Between neighbouring numbers there is no middle; the upper one separates them as well.
    middles = np.where(middles > values[:-1], middles, values[1:])
    candidates = np.concatenate([values[:1], middles, [np.nextafter(values[-1], math.inf)]])
    missed = np.searchsorted(np.sort(x[forged]), candidates) / forged.sum()
    alarms = 1.0 - np.searchsorted(np.sort(x[~forged]), candidates) / (~forged).sum()
    if rules.threshold is ThresholdRule.FPR:
        kept = alarms <= rules.false_positive_rate + 1e-12
        return float(candidates[np.argmax(kept)])
    order = np.lexsort((candidates, missed + alarms, np.round(np.abs(missed - alarms), 12)))
    return float(candidates[order[0]])


def _band(x: FloatArray, forged: BoolArray, error: float) -> tuple[float, float]:
    """Below the first, forged images are rare; from the second on, genuine ones are."""
    fake, real = np.sort(x[forged]), np.sort(x[~forged])
    few, many = (int(error * (part.size + 1) + 1e-9) for part in (fake, real))
    low = float(fake[few - 1]) if few else -math.inf
    # Above the k-th largest: reaching it may tie with it, and k ties are k errors already.
    high = float(np.nextafter(real[real.size - many], math.inf)) if many else math.inf
    return low, high
