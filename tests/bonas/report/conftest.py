"""A run folder with everything in it, written in a moment: no network is trained."""

import json
import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pytest

from bonas.comparison_result import ComparisonResult
from bonas.config import Config
from bonas.config_file import parse_config
from bonas.detector_record import METRICS, TrainedRecord
from bonas.observation import Observation
from bonas.opening import open_study
from bonas.robustness.conditions import Condition
from bonas.robustness.differences import Difference, PairedDifferences
from bonas.robustness.record import ConditionAuc, RobustnessScore
from bonas.robustness.weights import ScoreWeights, robustness_weighted_auc
from bonas.run_folder import RunFolder
from bonas.study import Study
from spaces.architecture import Architecture
from spaces.forgery import FORGERY
from spaces.graphs import canonical_key
from spaces.space import sample

CONDITIONS = tuple(
    map(Condition.from_key, ("attack/fgsm", "clean", "corruption/jpeg-2", "unseen/swap"))
)
SIZES = {"found": 100_000, "random": 120_000, "plain": 90_000}


@dataclass(frozen=True)
class World:
    """Makes run folders below a temporary place."""

    place: Path

    def run(
        self,
        name: str = "run",
        *,
        trials: int = 0,
        failed: Sequence[int] = (),
        settings: dict[str, object] | None = None,
    ) -> RunFolder:
        """A run with so many trials, some of them failed."""
        folder = RunFolder.create(self.place / name, _config(settings or {}))
        if trials:
            study = open_study(folder.config, folder.journal)
            _fill(study, trials, failed)
        return folder

    def train(self, folder: RunFolder, seeds: int, *, digest: str = "d" * 64) -> None:
        """Detectors of the best architecture."""
        architecture, key = best(folder)
        for seed in range(seeds):
            record = record_of(key, seed, architecture.choices, digest=digest)
            place = folder.detector(f"{key}-{seed}")
            place.mkdir(parents=True)
            (place / METRICS).write_text(json.dumps(record.to_json()))

    def compare(self, folder: RunFolder, seeds: int) -> None:
        """A finished comparison."""
        architecture, _ = best(folder)
        records = [
            record_of(name, seed, architecture.choices if name == "found" else ())
            for seed in range(seeds)
            for name in SIZES
        ]
        difference = Difference(0.02, 1e-4)
        paired = PairedDifferences(difference, {c.group: difference for c in CONDITIONS})
        result = ComparisonResult(tuple(records), {n: paired for n in SIZES if n != "found"})
        document = {"steps": {f"{r.name}-{r.seed}": r.steps for r in records}, **result.to_json()}
        folder.comparison.write_text(json.dumps(document))


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


@pytest.fixture(scope="session")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run that was searched, trained and compared, to be copied."""
    world = World(tmp_path_factory.mktemp("template"))
    folder = world.run(trials=24, failed=(3,))
    world.train(folder, seeds=2)
    world.compare(folder, seeds=3)
    return folder.path


@pytest.fixture
def full(template: Path, tmp_path: Path) -> RunFolder:
    """A run folder with everything in it."""
    return RunFolder.open(Path(shutil.copytree(template, tmp_path / "run")))


def best(folder: RunFolder) -> tuple[Architecture, str]:
    told = open_study(folder.config, folder.journal).best()
    assert told is not None
    return told.architecture, canonical_key(FORGERY.graph(told.architecture))


def record_of(
    name: str,
    seed: int,
    choices: Sequence[object] = (),
    *,
    digest: str = "d" * 64,
    weights: ScoreWeights | None = None,
) -> TrainedRecord:
    rng = np.random.default_rng([seed, len(name)])
    measured = tuple(
        (c, ConditionAuc(float(v), 0.002, 12))
        for c, v in zip(CONDITIONS, rng.uniform(0.6, 0.9, len(CONDITIONS)), strict=True)
    )
    return TrainedRecord(
        name=name,
        seed=seed,
        choices=tuple(choices),
        steps=100,
        seconds=12.5,
        parameters=SIZES.get(name, 100_000),
        multiply_adds=10_000_000,
        score=RobustnessScore(digest, measured, weights or ScoreWeights(), 0.001),
        protocol={
            "version": "0.1.0",
            "device": "cpu, 1 threads, float32",
            "image_size": 64,
            "training_data": "abc",
            "images": {c.key: 40 for c in CONDITIONS},
            "originals": {c.key: 20 for c in CONDITIONS},
        },
    )


def with_score(record: TrainedRecord, change: Callable[[float], float]) -> TrainedRecord:
    """The record with other AUCs."""
    measured = tuple(
        (c, replace(auc, value=change(auc.value))) for c, auc in record.score.conditions
    )
    return replace(record, score=replace(record.score, conditions=measured))


def _config(settings: dict[str, object]) -> Config:
    document = {"data": {"layout": "synthetic", "unseen": ["swap"]}, "search": {"trials": 24}}
    return parse_config(document | settings, "test")


def _fill(study: Study, trials: int, failed: Sequence[int]) -> None:
    rng = np.random.default_rng(0)
    for number in range(trials):
        architecture = sample(FORGERY, rng=rng)
        if number in failed:
            study.add(architecture, Observation.failed("<no memory> & no luck"))
            continue
        aucs = dict(zip(CONDITIONS, rng.uniform(0.5, 0.9, len(CONDITIONS)).tolist(), strict=True))
        aucs[CONDITIONS[0]] = 0.2  # the attack tells nothing apart
        observation = Observation(
            value=robustness_weighted_auc(aucs, ScoreWeights()),
            variance=0.001,
            aucs={c.key: v for c, v in aucs.items()},
            auc_variances={c.key: 0.002 for c in aucs},
            cost={"parameters": float(rng.integers(50_000, 200_000)), "seconds": 0.5},
            fidelity=0.1,
        )
        study.add(architecture, observation)
    study.optuna.set_user_attr("bonas.conditions", "c" * 64)
    study.optuna.set_user_attr("bonas.data.train", "abc")
