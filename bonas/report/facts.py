"""RunFacts: everything that a report says of a run, read once and never written.

The study is read from a copy of its journal: opening a journal appends to it, and a report must
leave what it reports on as it was.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from optuna.trial import FrozenTrial, TrialState

from bonas.builders import builder_of
from bonas.comparison_result import AGAIN, RECORDS, ComparisonResult
from bonas.config import Config
from bonas.detector_record import METRICS, REGIONS, TrainedRecord, read_record
from bonas.observation import Observation
from bonas.opening import study_copy
from bonas.robustness.differences import PairedDifferences
from bonas.robustness.weights import ScoreWeights
from bonas.run_folder import RunFolder, file_digest
from bonas.strategies.named import GRADIENT_STRATEGIES
from bonas.study import Told
from bonas.ties import Ties, ties
from bonas.whole_files import read_json
from spaces.architecture import Architecture
from spaces.graphs import canonical_key
from spaces.space import SearchSpace

KINDS = ("comparison", "detectors")
"""Folders of trained networks."""


@dataclass(frozen=True, slots=True)
class TrialFacts:
    """One finished trial.

    Attributes:
        number: In the study.
        key: Canonical key of the architecture.
        architecture: What was estimated.
        observation: What was seen.
        started: When, by the clock of the machine that estimated it.
        ended: When.
    """

    number: int
    key: str
    architecture: Architecture
    observation: Observation
    started: datetime | None
    ended: datetime | None

    @property
    def value(self) -> float | None:
        """The score; `None` where the estimate failed."""
        return self.observation.value


@dataclass(frozen=True, slots=True)
class RunFacts:
    """What a run folder holds.

    Attributes:
        name: Of the folder.
        path: As it was named.
        config: As resolved.
        space: The search space.
        attributes: Of the study: version, digests, the configuration it was begun with.
        trials: Finished ones, by number.
        running: Trials that were begun and have no observation.
        detectors: Trained by `bonas train`.
        contest: Trained by `bonas compare`.
        plan: Steps of each contestant, those that are not trained yet included.
        files: Digests of the files that this was read from, by path within the folder.
        regions: Pictures of predicted regions, those of compared networks first.
        front: What no other observation beats in score and minimised costs, by score.
        differences: By the rival's name, the found network less the rival, on the same images.
    """

    name: str
    path: Path
    config: Config
    space: SearchSpace
    attributes: Mapping[str, Any]
    trials: tuple[TrialFacts, ...]
    running: int
    detectors: tuple[TrainedRecord, ...]
    contest: tuple[TrainedRecord, ...]
    plan: Mapping[str, int]
    files: Mapping[str, str]
    regions: tuple[Path, ...] = ()
    front: tuple[TrialFacts, ...] = ()
    differences: Mapping[str, PairedDifferences] = field(default_factory=dict)

    @property
    def complete(self) -> tuple[TrialFacts, ...]:
        """Trials with a score."""
        return tuple(t for t in self.trials if t.value is not None)

    @property
    def trials_wanted(self) -> int:
        """How many the search is to have: one by gradient, the architecture that it derives."""
        search = self.config.search
        return 1 if search.strategy in GRADIENT_STRATEGIES else search.trials

    @property
    def best(self) -> TrialFacts | None:
        """The incumbent: the highest score, the earliest among equals."""
        return max(self.complete, key=lambda t: (t.value, -t.number), default=None)

    @property
    def ties(self) -> Ties | None:
        """How many architectures are not told from the best; `None` where that is not known."""
        repeats: dict[str, list[Observation]] = {}
        for trial in self.complete:
            repeats.setdefault(trial.key, []).append(trial.observation)
        weights = ScoreWeights(**self.config.score.weights.model_dump())
        return ties([Observation.mean(own) for own in repeats.values()], weights)

    @property
    def selecting(self) -> frozenset[str]:
        """Keys of the conditions whose AUCs on the validation split selected."""
        return frozenset(key for t in self.complete for key in t.observation.aucs)

    def key_of(self, record: TrainedRecord) -> str | None:
        """Canonical key of a trained architecture; `None` for a hand-designed one."""
        if len(record.choices) != len(self.space.decisions):
            return None
        architecture = Architecture(self.space.name, record.choices)
        return canonical_key(self.space.graph(architecture))


def read_run(folder: RunFolder) -> RunFacts:
    """The facts of a run folder; parts that are not there yet are empty.

    Raises:
        ConfigError: a file of results that cannot be read.
    """
    space = builder_of(folder.config.space).space
    attributes, trials, running, front = _study(folder, space)
    metrics = sorted((folder.path / "detectors").glob(f"*/{METRICS}"))
    plan, compared, sources = _comparison(folder)
    read = [folder.path / "config.toml", folder.journal, *metrics, *sources]
    return RunFacts(
        name=folder.path.resolve().name,
        path=folder.path,
        config=folder.config,
        space=space,
        attributes=attributes,
        trials=trials,
        running=running,
        detectors=tuple(read_record(file) for file in metrics),
        contest=compared.records,
        plan=plan,
        files={f.relative_to(folder.path).as_posix(): file_digest(f) for f in read if f.is_file()},
        regions=tuple(f for kind in KINDS for f in sorted(folder.path.glob(f"{kind}/*/{REGIONS}"))),
        front=front,
        differences=compared.differences,
    )


def _study(
    folder: RunFolder, space: SearchSpace
) -> tuple[Mapping[str, Any], tuple[TrialFacts, ...], int, tuple[TrialFacts, ...]]:
    """Attributes, finished trials, the number of running ones, and the front."""
    if not folder.journal.is_file():
        return {}, (), 0, ()
    with study_copy(folder) as study:
        stored = {t.number: t for t in study.optuna.get_trials(deepcopy=False)}
        trials = tuple(_trial(space, told, stored[told.number]) for told in study.told())
        running = sum(t.state is TrialState.RUNNING for t in stored.values())
        front = tuple(_trial(space, told, stored[told.number]) for told in study.front())
        return dict(study.optuna.user_attrs), trials, running, front


def _trial(space: SearchSpace, told: Told, stored: FrozenTrial) -> TrialFacts:
    key = canonical_key(space.graph(told.architecture))
    started, ended = stored.datetime_start, stored.datetime_complete
    return TrialFacts(told.number, key, told.architecture, told.observation, started, ended)


def _comparison(
    folder: RunFolder,
) -> tuple[Mapping[str, int], ComparisonResult, list[Path]]:
    """The plan, what was trained of it, and the files that say so.

    While a comparison runs its file holds the plan alone; what is done lies in the folders.
    """
    if not folder.comparison.is_file():
        return {}, ComparisonResult(()), []
    plan, compared = read_json(folder.comparison, _planned_and_compared, AGAIN)
    if compared is not None:
        return plan, compared, [folder.comparison]
    done = [folder.path / "comparison" / name / METRICS for name in plan]
    done = [file for file in done if file.is_file()]
    trained = tuple(read_record(file) for file in done)
    return plan, ComparisonResult(trained), [folder.comparison, *done]


def _planned_and_compared(
    document: Mapping[str, Any],
) -> tuple[dict[str, int], ComparisonResult | None]:
    """The steps of each training, and the result once all are done."""
    compared = ComparisonResult.from_json(document) if RECORDS in document else None
    return dict(document["steps"]), compared
