"""One-feature detectors: how well a single number of a picture tells forged from real.

Every number is tried as it is, in whichever direction is better; every frequent value of what is no
number (formats, tables, dimensions) as the question whether a picture has it. Each is tried on all
forgeries and, where there are several types, on each type against the real pictures, because a
trace of one type of five hides in the mean. A finding reports the strongest of its kind.

What is missed: values that tell only together (real pictures at two sizes, forged ones at three
others), and whatever a network can see but these few numbers cannot.

Intervals are DeLong's clustered by original, on the logit scale, and hold together for all
detectors of a data set with 95 % (Bonferroni): the strongest of a hundred chance findings is none.
The price is that fewer than about sixty originals prove no leak, however well they are separated.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from bonas.data.audit.finding import SHOWN, Finding, Verdict, verdict_of
from bonas.data.audit.measures import BANDS, Measures
from bonas.data.audit.pictures import Picture
from bonas.data.faces import REAL
from bonas.robustness.auc import interval
from bonas.robustness.placements import BoolArray, FloatArray, IntArray, cluster_contributions

LEVEL = 0.95
FREQUENT = 8
"""Values of a category that are tried, the most frequent ones."""

Number = Callable[[Measures], float]
Category = Callable[[Measures], str]


@dataclass(frozen=True, slots=True)
class Kind:
    """Features that one finding reports together.

    Attributes:
        name: Of the finding.
        container: Whether they belong to the file rather than to the picture.
        numbers: Of a picture by name; NaN where it has none.
        categories: Of a picture by name; empty where it has none.
        meaning: What a detector of this kind means and what to do about it.
    """

    name: str
    container: bool
    numbers: dict[str, Number]
    categories: dict[str, Category]
    meaning: str


_BAND_NAMES = ("lowest", "low", "middle", "high", "highest")
assert len(_BAND_NAMES) == len(BANDS) + 1


def _share(band: int) -> Number:
    return lambda m: m.bands[band]


_ENCODE_ALIKE = "Save real and forged pictures again with one encoder and one setting."
_RESIZE_ALIKE = "Cut and resize real and forged pictures by one procedure."
_PICTURE = (
    "Look where it comes from: if from cameras or processing, not from the forgery, repair it."
)

KINDS = (
    Kind("file size", True, {"bytes": lambda m: m.file_bytes}, {}, _ENCODE_ALIKE),
    Kind(
        "bytes per pixel",
        True,
        {"bytes per pixel": lambda m: m.file_bytes / (m.width * m.height)},
        {},
        _ENCODE_ALIKE,
    ),
    Kind(
        "JPEG tables",
        True,
        {"estimated quality": lambda m: m.quality},
        {"tables": lambda m: m.tables},
        f"{_ENCODE_ALIKE} Traces of an earlier compression remain, so compress all of them.",
    ),
    Kind(
        "file format",
        True,
        {},
        {"format": lambda m: m.kind, "extension": lambda m: m.suffix},
        _ENCODE_ALIKE,
    ),
    Kind(
        "dimensions",
        True,
        {
            "width": lambda m: m.width,
            "height": lambda m: m.height,
            "aspect ratio": lambda m: m.width / m.height,
        },
        {"dimensions": lambda m: f"{m.width} x {m.height}"},
        _RESIZE_ALIKE,
    ),
    Kind(
        "mean colour",
        False,
        {
            "mean red": lambda m: m.colour[0],
            "mean green": lambda m: m.colour[1],
            "mean blue": lambda m: m.colour[2],
        },
        {},
        _PICTURE,
    ),
    Kind("brightness", False, {"mean luma": lambda m: m.brightness}, {}, _PICTURE),
    Kind("contrast", False, {"deviation of luma": lambda m: m.contrast}, {}, _PICTURE),
    Kind(
        "power spectrum",
        False,
        {f"share of the {name} frequencies": _share(i) for i, name in enumerate(_BAND_NAMES)},
        {},
        "Forgeries do leave traces in the spectrum, so this may be honest; but blur, noise and "
        "compression leave them too. Check that real and forged pictures were processed alike.",
    ),
)


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
    """

    name: str
    scores: FloatArray
    rows: IntArray
    auc: float
    variance: float
    pairs: int


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
    level = 1 - (1 - LEVEL) / tried
    return [_finding(kind, found, pictures, level) for kind, found in detectors if found]


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
    kind: Kind, found: Sequence[Detector], pictures: Sequence[Picture], level: float
) -> Finding:
    bounds = [interval(d.auc, d.variance, level, pairs=d.pairs) for d in found]
    best = max(range(len(found)), key=lambda i: (bounds[i][0], found[i].auc))
    detector, (low, high) = found[best], bounds[best]
    verdict = verdict_of(low, container=kind.container)
    telling = f"{detector.name}: alone it ranks forged above real with an AUC of {detector.auc:.3f}"
    forged = [
        (pictures[detector.rows[i]].name,)
        for i in np.argsort(-detector.scores, kind="stable")
        if pictures[detector.rows[i]].label
    ]
    found_any = verdict is not Verdict.OK
    return Finding(
        name=kind.name,
        data_set=pictures[0].data_set,
        verdict=verdict,
        number=detector.auc,
        interval=(low, high),
        files=tuple(forged[:SHOWN]) if found_any else (),
        count=len(forged) if found_any else 0,
        meaning=f"Strongest is {telling}." + (f" {kind.meaning}" if found_any else ""),
    )


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
    if contributions.auc >= 0.5:
        return Detector(name, column, rows, contributions.auc, variance, contributions.pairs)
    # Turned round, every placement becomes 1 minus itself, so the error stays what it was.
    return Detector(name, -column, rows, 1 - contributions.auc, variance, contributions.pairs)
