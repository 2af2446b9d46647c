"""Trained networks as series of seeds, and the intervals of their means.

Seeds share the test images, and so do the conditions of a group: their errors rise and fall
together. What they share is not kept in a record, but whatever the correlation, the standard error
of a mean is at most the mean of the standard errors (Cauchy and Schwarz). Intervals of means here
use that bound (`record.mean_of`): they are as wide as if all errors were one, never too narrow.
Differences are paired: `bonas compare` works them out from what each image contributed.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from bonas.comparison_result import FOUND
from bonas.detector_record import TrainedRecord
from bonas.paired import paired_difference
from bonas.report.facts import RunFacts
from bonas.robustness.conditions import Condition, Group
from bonas.robustness.differences import PairedDifferences
from bonas.robustness.record import ConditionAuc, MeanAuc, mean_of
from bonas.robustness.weights import ScoreWeights


@dataclass(frozen=True, slots=True)
class Series:
    """One network, trained with several seeds and tested on one condition set.

    Attributes:
        label: What it is called on the page.
        records: By seed.
    """

    label: str
    records: tuple[TrainedRecord, ...]

    @property
    def scores(self) -> tuple[float, ...]:
        """The robustness-weighted AUC of each seed."""
        return tuple(r.score.value for r in self.records)

    @property
    def tested_on(self) -> tuple[str, ScoreWeights]:
        """The digest of the condition set, and the weights: what the scores are scores of."""
        return self.records[0].score.digest, self.records[0].score.weights

    @property
    def score(self) -> MeanAuc:
        """The mean score over the seeds."""
        return mean_of([r.score.mean for r in self.records])

    @property
    def conditions(self) -> tuple[Condition, ...]:
        """Those that it was tested under, by key."""
        return tuple(self.records[0].score.aucs)

    def under(self, condition: Condition) -> tuple[ConditionAuc, ...]:
        """The AUC of each seed under a condition."""
        return tuple(dict(r.score.conditions)[condition] for r in self.records)

    @property
    def worst(self) -> tuple[Condition, MeanAuc]:
        """The condition of the lowest mean over the seeds."""
        means = [(c, mean_of(self.under(c))) for c in self.conditions]
        return min(means, key=lambda pair: pair[1].value)


def group_auc(record: TrainedRecord, group: Group) -> MeanAuc:
    """The mean AUC of a group's conditions."""
    return mean_of([auc for c, auc in record.score.conditions if c.group is group])


def series_of(facts: RunFacts) -> tuple[Series, ...]:
    """The contestants, then the detectors, but those whose trainings are all among the former.

    A series of detectors stays whole where one of its seeds is a contestant too: its mean is over
    all of them.
    """
    known = {_training(r) for r in facts.contest}
    trained = _by_name(facts.detectors, "trained ")
    others = (s for s in trained if not all(_training(r) in known for r in s.records))
    return (*contest_of(facts), *others)


def contest_of(facts: RunFacts) -> tuple[Series, ...]:
    """The contestants of `bonas compare`, the found one first."""
    return _by_name(facts.contest, "")


def headline_of(facts: RunFacts) -> Series | None:
    """The trainings of the best architecture: the longer series of `compare` and `train`."""
    if facts.best is None:
        return None
    key = facts.best.key
    found = [r for r in facts.contest if r.name == FOUND and facts.key_of(r) == key]
    trained = [r for r in facts.detectors if r.name == key]
    series = [*_by_name(found, ""), *_by_name(trained, "")]
    return max(series, key=lambda s: len(s.records), default=None)


def comparable(series: Sequence[Series]) -> bool:
    """Whether all scores are of one condition set with one choice of weights."""
    return len({s.tested_on for s in series}) <= 1


def difference(first: Series, second: Series) -> tuple[float, float, int] | None:
    """Mean of first minus second over common seeds, half width of its 95 % t interval, seeds.

    The interval is of the training's seeds on these test images. `None` without a common seed or
    where the scores are of different condition sets.
    """
    if not comparable((first, second)):
        return None
    a = {r.seed: r.score.value for r in first.records}
    b = {r.seed: r.score.value for r in second.records}
    seeds = sorted(a.keys() & b.keys())
    if not seeds:
        return None
    mean, half = paired_difference([[a[s]] for s in seeds], [[b[s]] for s in seeds])
    return float(mean[0]), float(half[0]), len(seeds)


def paired_to(facts: RunFacts, series: Series) -> PairedDifferences | None:
    """What the found network differs by from a rival on the same images; `None` if not known."""
    found = next((s for s in contest_of(facts) if s.label == FOUND), None)
    if found is None or difference(found, series) is None:
        return None
    return facts.differences.get(series.label)


def _training(record: TrainedRecord) -> tuple[object, ...]:
    return record.choices, record.seed, record.steps, record.score.value, record.score.digest


def _by_name(records: Sequence[TrainedRecord], prefix: str) -> tuple[Series, ...]:
    """A series for each name; several where its seeds were tested on different conditions."""
    kinds: dict[tuple[str, str, ScoreWeights], list[TrainedRecord]] = {}
    for record in records:
        kind = (record.name, record.score.digest, record.score.weights)
        kinds.setdefault(kind, []).append(record)
    names = [name for name, _, _ in kinds]
    result = []
    for (name, digest, _), members in kinds.items():
        suffix = f" on {digest[:8]}" if names.count(name) > 1 else ""
        ordered = tuple(sorted(members, key=lambda r: r.seed))
        result.append(Series(f"{prefix}{name}{suffix}", ordered))
    return tuple(result)
