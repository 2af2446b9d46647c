"""Warm starts: observations of earlier runs, which a search believes before its own.

They are copied into the run folder before the search begins, so that a continued search believes
the same, however far the earlier runs have gone since. Only runs of one condition set are joined:
the scores of different ones are never compared.
"""

from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from bonas.agreement import check_space
from bonas.config import ConfigError
from bonas.observation import Observation
from bonas.opening import study_copy
from bonas.run_folder import RunFolder
from bonas.strategies.settings import Earlier
from bonas.whole_files import read_json, write_json
from spaces.architecture import Architecture
from spaces.graphs import canonical_key
from spaces.space import SearchSpace

AGAIN = "Restore it, or remove it, and the same command reads the earlier runs again."


def earlier_observations(folder: RunFolder, space: SearchSpace, digest: str) -> list[Earlier]:
    """What the runs in `search.warm_start` observed; of what several have, the mean.

    Args:
        folder: Of the run that begins or goes on.
        space: What it searches.
        digest: Of the conditions that it scores under.

    Raises:
        ConfigError: a folder that holds no run, nothing observed, another space, other conditions,
            or an observation that lacks a cost that is minimised.
    """
    table = folder.config.search
    if not table.warm_start:
        return []
    if not folder.warm_start.is_file():
        found = [row for path in table.warm_start for row in _read(path, space, digest)]
        kept = {"conditions": digest, "observations": found}
        write_json(folder.warm_start, kept, indent=1)
    conditions, observed = read_json(folder.warm_start, partial(_kept, space=space), AGAIN)
    _check_conditions(folder.warm_start, conditions, digest)
    classes: dict[str, list[tuple[Architecture, Observation]]] = {}
    for architecture, observation in observed:
        key = canonical_key(space.graph(architecture))
        classes.setdefault(key, []).append((architecture, observation))
    believed = []
    for pairs in classes.values():
        mean = Observation.mean([observation for _, observation in pairs])
        values = _objectives(mean, table.minimise)
        believed.append(Earlier(pairs[0][0], values, tuple(mean.error_loadings)))
    return believed


def _kept(
    document: Mapping[str, Any], space: SearchSpace
) -> tuple[str, list[tuple[Architecture, Observation]]]:
    """The digest of the conditions, and what was observed under them."""
    return document["conditions"], [
        (
            Architecture(space.name, tuple(row["choices"])),
            Observation(
                value=row["value"],
                cost=row["cost"],
                error_loadings=row.get("error_loadings", ()),  # not of earlier versions
            ),
        )
        for row in document["observations"]
    ]


def _read(path: Path, space: SearchSpace, digest: str) -> list[dict[str, Any]]:
    """The observations of an earlier run, as they are kept."""
    earlier = RunFolder.open(path)
    if not earlier.journal.is_file():
        raise ConfigError(f"search.warm_start: {path} has no study yet; run `bonas search` there.")
    with study_copy(earlier) as study:
        try:
            check_space(f"run {path}", study.space, space)
        except ValueError as error:
            raise ConfigError(f"search.warm_start: {error}") from error
        told = study.means()
        if not told:
            raise ConfigError(f"search.warm_start: {path} has no architecture with a score.")
        _check_conditions(path, study.optuna.user_attrs.get("bonas.conditions"), digest)
    return [
        {
            "run": str(path),
            "trial": t.number,
            "choices": list(t.architecture.choices),
            "value": t.observation.value,
            "cost": dict(t.observation.cost),
            "error_loadings": list(t.observation.error_loadings),
        }
        for t in told
    ]


def _check_conditions(path: Path, theirs: str | None, ours: str) -> None:
    if theirs != ours:
        raise ConfigError(
            f"search.warm_start: the scores of {path} are of the conditions {theirs}, this run's "
            f"of {ours}; they cannot be compared. Give this run the data, seed and [score] of the "
            "other, or begin without it."
        )


def _objectives(observation: Observation, minimise: Sequence[str]) -> tuple[float, ...]:
    missing = [name for name in minimise if name not in observation.cost]
    if missing:
        raise ConfigError(
            f"search.warm_start: an observation has no cost {missing[0]!r}, which search.minimise "
            f"names; it has {', '.join(observation.cost) or 'none'}. Begin without it."
        )
    assert observation.value is not None
    return (observation.value, *(-observation.cost[name] for name in minimise))
