"""One-feature detectors: how well a single number of a picture tells forged from real.

Every number is tried as it is, in whichever direction is better; every frequent value of what is no
number (formats, tables, dimensions) as the question whether a picture has it. Each is tried on all
forgeries and, where there are several types, on each type against the real pictures, because a
trace of one type of five hides in the mean. A finding reports the strongest of its kind.

What is missed: values that tell only together (real pictures at two sizes, forged ones at three
others), and whatever a network can see but these few numbers cannot.

Intervals are DeLong's clustered by original, on the logit scale, and hold together for all
detectors of a data set with 95 % (Bonferroni): the strongest of a hundred chance findings is none.
For some dozens of originals they reach far down, so that a separation without exception is judged
by a permutation test instead: how seldom does a feature that has nothing to do with the label
separate so many originals? From about a dozen of them on less often than one data set in twenty
shows. Fewer tell nothing, and what is neither proven nor weak is said to be too little to tell.
"""

import math
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from bonas.data.audit.features import KINDS, Kind
from bonas.data.audit.finding import SHOWN, Finding, Verdict, verdict_of
from bonas.data.audit.measures import Measures
from bonas.data.audit.pictures import Picture
from bonas.data.faces import REAL
from bonas.robustness.auc import interval
from bonas.robustness.placements import BoolArray, FloatArray, IntArray, cluster_contributions

LEVEL = 0.95
FREQUENT = 8
"""Values of a category that are tried, the most frequent ones."""


@dataclass(frozen=True, slots=True, eq=False)
class Detector:
    """A feature on the pictures where it is defined.

    Attributes:
        name: Of the feature, with the type of forgery where it is not tried on all.
        scores: `k`, turned so that higher means more likely forged.
        rows: `k`, positions of the pictures.
        auc: Of the scores, at least 1/2.
        variance: Of the AUC.
        pairs: Independent comparisons behind it.
        arrangements: Natural logarithm of the ways in which the labels could lie.
    """

    name: str
    scores: FloatArray
    rows: IntArray
    auc: float
    variance: float
    pairs: int
    arrangements: float


def one_feature_findings(
    pictures: Sequence[Picture], measures: Sequence[Measures]
) -> list[Finding]:
    """For each of `KINDS` that the pictures of one data set have, its strongest detector.

    Args:
        pictures: `n`, of one data set, all of them read.
        measures: `n`.

    Returns:
        A single warning where pictures of one class, or of fewer than two originals in a class,
        allow no AUC with an interval.
    """
    detectors = [(kind, list(_detectors(kind, pictures, measures))) for kind in KINDS]
    tried = sum(len(found) for _, found in detectors)
    if not tried:
        return [_not_measured(pictures)]
    return [_finding(kind, found, pictures, tried) for kind, found in detectors if found]


def _not_measured(pictures: Sequence[Picture]) -> Finding:
    return Finding(
        name="one-feature detectors",
        data_set=pictures[0].data_set,
        verdict=Verdict.WARNING,
        number=float(len(pictures)),
        interval=None,
        files=(),
        count=0,
        meaning="Not measured: real and forged pictures of at least two originals each are needed.",
    )


def _finding(
    kind: Kind, found: Sequence[Detector], pictures: Sequence[Picture], tried: int
) -> Finding:
    level = 1 - (1 - LEVEL) / tried
    bounds = [interval(d.auc, d.variance, level, pairs=d.pairs) for d in found]
    # Of all arrangements of the labels one is without exception, and one turned round.
    telling = [d.arrangements > math.log(2 * tried / (1 - LEVEL)) for d in found]
    verdicts = [
        verdict_of(d.auc, low, container=kind.container, telling=t)
        for d, (low, _), t in zip(found, bounds, telling, strict=True)
    ]
    if not any(telling):  # not even a separation without exception would be more than chance
        verdicts = [Verdict.TOO_FEW if v is Verdict.OK else v for v in verdicts]
    order = list(Verdict)
    best = max(
        range(len(found)), key=lambda i: (order.index(verdicts[i]), bounds[i][0], found[i].auc)
    )
    detector, verdict = found[best], verdicts[best]
    forged = [
        (pictures[detector.rows[i]].name,)
        for i in np.argsort(-detector.scores, kind="stable")
        if pictures[detector.rows[i]].label
    ]
    named = verdict in (Verdict.WARNING, Verdict.LEAK)
    return Finding(
        name=kind.name,
        data_set=pictures[0].data_set,
        verdict=verdict,
        number=detector.auc,
        interval=bounds[best],
        files=tuple(forged[:SHOWN]) if named else (),
        count=len(forged) if named else 0,
        meaning=_meaning(kind, detector, verdict, telling=telling[best]),
    )


def _meaning(kind: Kind, detector: Detector, verdict: Verdict, *, telling: bool) -> str:
    strongest = (
        f"Strongest is {detector.name}: alone it ranks forged above real with an AUC of "
        f"{detector.auc:.3f}"
    )
    if verdict is Verdict.OK:
        return f"{strongest}."
    if verdict is Verdict.TOO_FEW:
        return f"{strongest}, which so few originals neither prove nor clear. Audit more of them."
    if detector.auc == 1.0 and telling:
        strongest += (
            ". What has nothing to do with forgeries separates these originals so in one of "
            f"10^{detector.arrangements / math.log(10):.0f} cases"
        )
    return f"{strongest}. {kind.meaning}"


def _detectors(
    kind: Kind, pictures: Sequence[Picture], measures: Sequence[Measures]
) -> Iterator[Detector]:
    columns = _columns(kind, measures)
    if not columns:
        return
    positive = np.array([p.label == 1 for p in pictures], dtype=bool)
    first = {p.original: number for number, p in reversed(list(enumerate(pictures)))}
    clusters = np.array([first[p.original] for p in pictures], dtype=np.intp)
    domains = np.array([p.domain for p in pictures])
    types = sorted(set(domains.tolist()) - {REAL})
    subsets = {"": np.ones(len(pictures), dtype=bool)}
    if len(types) > 1:
        subsets |= {f" (of {name})": (domains == name) | ~positive for name in types}
    for name, column in columns.items():
        for suffix, subset in subsets.items():
            rows = np.flatnonzero(np.isfinite(column) & subset)
            if _enough(positive[rows], clusters[rows]):
                yield _detector(name + suffix, column[rows], rows, positive[rows], clusters[rows])


def _columns(kind: Kind, measures: Sequence[Measures]) -> dict[str, FloatArray]:
    """The features of a kind by name, `n` each; NaN where a picture has none."""
    columns = {name: np.array([f(m) for m in measures]) for name, f in kind.numbers.items()}
    for name, category in kind.categories.items():
        values = [category(m) for m in measures]
        for value, _ in Counter(v for v in values if v).most_common(FREQUENT):
            columns[f"{name} {value}"] = np.array(
                [float(v == value) if v else np.nan for v in values]
            )
    return columns


def _enough(positive: BoolArray, clusters: IntArray) -> bool:
    """Whether both classes have pictures of two originals, without which no error is known."""
    return all(len(np.unique(clusters[c])) >= 2 for c in (positive, ~positive))


def _detector(
    name: str, column: FloatArray, rows: IntArray, positive: BoolArray, clusters: IntArray
) -> Detector:
    contributions = cluster_contributions(column, positive, clusters, int(clusters.max()) + 1)
    variance = float(contributions.row @ contributions.row)
    # Turned round, every placement becomes 1 minus itself, so the error stays what it was.
    turned = contributions.auc < 0.5
    return Detector(
        name,
        -column if turned else column,
        rows,
        1 - contributions.auc if turned else contributions.auc,
        variance,
        contributions.pairs,
        log_arrangements(positive, clusters),
    )


def log_arrangements(positive: BoolArray, clusters: IntArray) -> float:
    """Natural logarithm of the ways in which labels could lie on the originals.

    Within an original of both classes they could be exchanged, all pictures of a class together,
    and among the other originals they could be dealt anew: `2^b (r + f)! / (r! f!)`.

    Args:
        positive: `n`, whether a picture is forged.
        clusters: `n`, its original.
    """
    forged, real = set(clusters[positive].tolist()), set(clusters[~positive].tolist())
    f, r, both = len(forged - real), len(real - forged), len(forged & real)
    dealt = math.lgamma(f + r + 1) - math.lgamma(f + 1) - math.lgamma(r + 1)
    return both * math.log(2) + dealt
