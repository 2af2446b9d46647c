"""The search of a run folder: its study, what proposes, and the facts that the study stands on."""

import contextlib
import hashlib
import json
import shutil
import tempfile
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import bonas
from bonas.assembly import Components, Counting
from bonas.builders import builder_of
from bonas.config import Config, ConfigError
from bonas.data.pseudo_forged import pseudo_forged
from bonas.estimation.rotation import RotatedEstimator
from bonas.estimation.supernet import SupernetEstimator, calibration_faces, uniform_paths
from bonas.estimation.zero_cost import ZeroCostEstimator
from bonas.estimation.zero_cost_filter import ZeroCostFilter
from bonas.protocol import images_of
from bonas.run_folder import RunFolder, file_digest
from bonas.search import Search
from bonas.strategies.named import STRATEGIES
from bonas.strategies.proposer import ArchitectureSampler
from bonas.strategies.sampler import SurrogateSampler
from bonas.strategies.settings import Earlier, Settings
from bonas.study import Study, journal_storage
from bonas.versions import versions
from spaces.architecture import Architecture

FLAGGED = "bonas.conditions.flags"
"""The attribute of a study that says which conditions have too few originals."""
ZERO_COST_IMAGES = 32
"""Of the mini-batch that zero-cost proxies see."""


def zero_cost_filter(parts: Components, counting: Counting | None = None) -> ZeroCostFilter | None:
    """The filter of candidates on one mini-batch of training faces, where one is configured.

    Args:
        parts: Of the run.
        counting: As of `Components.of`.

    Raises:
        ConfigError: the proxy has no finite score for any architecture.
    """
    table, seed = parts.config.search, parts.config.seed
    if table.zero_cost is None:
        return None
    few = calibration_faces(parts.train, ZERO_COST_IMAGES, seed=seed)
    if parts.config.data.real_only:
        # A pair is the same image twice here; networks learn to tell it from its blended copy.
        few = pseudo_forged(few.of_domains([]), seed=seed)
    estimator = ZeroCostEstimator(
        parts.builder,
        table.zero_cost,
        few.images.float() / 255,
        few.labels.to(parts.device.device),
    )
    draw = uniform_paths(parts.builder.space, parts.allowed)
    progress = counting(f"{table.zero_cost} of networks") if counting else None
    try:
        return ZeroCostFilter(
            estimator, share=table.zero_cost_share, seed=seed, draw=draw, progress=progress
        )
    except ValueError as error:
        raise ConfigError(f"search.zero_cost: {error}") from error


def open_study(
    config: Config,
    journal: Path,
    allowed: Callable[[Architecture], bool] | None = None,
    promising: Callable[[Architecture], bool] | None = None,
    earlier: Sequence[Earlier] = (),
) -> Study:
    """The study of a run, with the configured strategy and objectives.

    Args:
        config: Of the run.
        journal: Where its trials are.
        allowed: Holds for what may be proposed.
        promising: Holds for what is worth an estimate.
        earlier: Observations that are believed before the study's own (`bonas.earlier_runs`).
    """
    builder = builder_of(config.space)
    # A search by gradient proposes nothing; what it derives is told to the study.
    name = config.search.strategy if config.search.strategy in STRATEGIES else "random"
    sampler = STRATEGIES[name](builder.space, config.seed)
    if config.search.cost is not None or earlier:
        settings = Settings(cost=config.search.cost, warm_start=earlier)
        sampler = SurrogateSampler(builder.space, seed=config.seed, settings=settings)
    if isinstance(sampler, ArchitectureSampler):
        sampler.allowed, sampler.promising = allowed, promising
    storage = journal_storage(journal)
    return Study(builder.space, sampler, storage=storage, minimise=config.search.minimise)


@contextlib.contextmanager
def study_copy(folder: RunFolder) -> Iterator[Study]:
    """The study of a run, read from a copy: opening a journal appends to it."""
    with tempfile.TemporaryDirectory(prefix="bonas-study-") as place:
        copy = Path(shutil.copyfile(folder.journal, Path(place) / folder.journal.name))
        yield open_study(folder.config, copy)


def _weights(folder: RunFolder) -> dict[str, str]:
    """The file of the shared weights with its digest; of a rotation, all folds' as one."""
    files = sorted(folder.path.glob(f"folds/*/{folder.supernet.name}"))
    if not files:
        return {"file": folder.supernet.name, "sha256": file_digest(folder.supernet)}
    listed = "\n".join(f"{file.parent.name} {file_digest(file)}" for file in files)
    return {
        "file": f"folds/*/{folder.supernet.name}",
        "sha256": hashlib.sha256(listed.encode()).hexdigest()[:16],
    }


def open_search(
    parts: Components,
    folder: RunFolder,
    estimator: SupernetEstimator | RotatedEstimator,
    promising: Callable[[Architecture], bool] | None = None,
    earlier: Sequence[Earlier] = (),
) -> Search:
    """The run's search, continued where there is one; its study says what it stands on.

    Args:
        parts: Of the run.
        folder: Of the run.
        estimator: Gives its observations.
        promising: As of `open_study`, as `earlier`.
        earlier: Observations.

    Raises:
        ConfigError: the study was made with another supernet or on other data.
    """
    study = open_study(parts.config, folder.journal, parts.allowed, promising, earlier)
    facts: dict[str, Any] = {
        "bonas.version": bonas.__version__,
        "bonas.environment": {
            **versions(),
            "device": parts.device.describe(),
        },
        "bonas.config": json.loads(parts.config.model_dump_json()),
        "bonas.data.train": parts.train.digest(),
        "bonas.data.images": images_of(parts.data),
        "bonas.data.reading": [terms.to_json() for terms in parts.data.readings],
        "bonas.conditions": estimator.digest,
        "bonas.conditions.definitions": estimator.definitions,
        FLAGGED: estimator.flags,
        "bonas.supernet": _weights(folder),
    }
    known = study.optuna.user_attrs
    for name in ("bonas.data.train", "bonas.conditions", "bonas.supernet"):
        if name in known and known[name] != facts[name]:
            raise ConfigError(
                f"{folder.path}: {name} is {facts[name]}, but the run was begun with "
                f"{known[name]}; its scores cannot be compared. Restore it, or search in another "
                "folder with --out."
            )
    for name, value in facts.items():
        if known.get(name) != value:
            study.optuna.set_user_attr(name, value)
    return Search(parts.builder.space, seed=parts.config.seed, study=study)
