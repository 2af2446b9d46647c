"""A search that begins with what earlier runs observed."""

import json
from pathlib import Path

import numpy as np
import optuna
import pytest

from bonas.config import ConfigError
from bonas.config_file import parse_config
from bonas.earlier_runs import earlier_observations
from bonas.observation import Observation
from bonas.opening import open_study
from bonas.run_folder import RunFolder
from bonas.study import Told
from spaces.architecture import Architecture
from spaces.forgery import FORGERY
from spaces.graphs import canonical_key
from spaces.space import connects, sample

optuna.logging.set_verbosity(optuna.logging.WARNING)
DIGEST, OTHER = "a" * 64, "b" * 64


def _run(path: Path, **search: object) -> RunFolder:
    return RunFolder.create(path, parse_config({"search": search}, "test"))


def _drawn(count: int, seed: int = 0) -> list[Architecture]:
    rng = np.random.default_rng(seed)
    drawn = (sample(FORGERY, rng=rng) for _ in range(100 * count))
    keyed = {canonical_key(FORGERY.graph(a)): a for a in drawn if connects(FORGERY, a)}
    return list(keyed.values())[:count]


def _filled(path: Path, count: int = 12, *, digest: str = DIGEST, seed: int = 0) -> RunFolder:
    """An earlier run; its second estimate failed."""
    folder = _run(path)
    study = open_study(folder.config, folder.journal)
    for number, architecture in enumerate(_drawn(count, seed)):
        value = 0.5 + number / 100
        cost = {"multiply_adds": 1e6 + number, "seconds": 0.5}
        told = Observation(value=value, cost=cost, error_loadings=(0.01, number / 1e4))
        study.add(architecture, told if number != 1 else Observation.failed("why"))
    study.optuna.set_user_attr("bonas.conditions", digest)
    return folder


def test_values_and_costs_of_earlier_runs_are_believed(tmp_path: Path) -> None:
    earlier = _filled(tmp_path / "earlier")
    journal = earlier.journal.read_bytes()
    minimise = ["seconds", "multiply_adds"]
    folder = _run(tmp_path / "run", warm_start=[str(earlier.path)], minimise=minimise)
    found = earlier_observations(folder, FORGERY, DIGEST)
    expected = [
        (a, (0.5 + n / 100, -0.5, -1e6 - n), (0.01, n / 1e4))
        for n, a in enumerate(_drawn(12))
        if n != 1
    ]
    assert found == expected
    assert earlier.journal.read_bytes() == journal, "an earlier run is only read"
    study = open_study(folder.config, folder.journal, earlier=found)
    known = {canonical_key(FORGERY.graph(e.architecture)) for e in found}
    for _ in range(3):
        asked = study.ask()
        assert canonical_key(FORGERY.graph(asked.architecture)) not in known


def test_a_continued_run_believes_what_it_began_with(tmp_path: Path) -> None:
    earlier = _filled(tmp_path / "earlier")
    folder = _run(tmp_path / "run", warm_start=[str(earlier.path)])
    first = earlier_observations(folder, FORGERY, DIGEST)
    later = open_study(earlier.config, earlier.journal)
    later.add(_drawn(14)[13], Observation(value=0.9, cost={"multiply_adds": 1.0}))
    assert earlier_observations(folder, FORGERY, DIGEST) == first
    kept = json.loads(folder.warm_start.read_text())
    assert kept["conditions"] == DIGEST
    assert {row["run"] for row in kept["observations"]} == {str(earlier.path)}
    with pytest.raises(ConfigError, match=f"conditions {DIGEST}, this run's of {OTHER}"):
        earlier_observations(folder, FORGERY, OTHER)


def test_what_an_earlier_version_kept_has_no_loadings(tmp_path: Path) -> None:
    earlier = _filled(tmp_path / "earlier")
    folder = _run(tmp_path / "run", warm_start=[str(earlier.path)])
    first = earlier_observations(folder, FORGERY, DIGEST)
    kept = json.loads(folder.warm_start.read_text())
    for row in kept["observations"]:
        del row["error_loadings"]
    folder.warm_start.write_text(json.dumps(kept))
    assert earlier_observations(folder, FORGERY, DIGEST) == [e._replace(loadings=()) for e in first]


def test_what_several_runs_observed_is_believed_as_its_mean(tmp_path: Path) -> None:
    runs = [_filled(tmp_path / name, count) for name, count in (("a", 3), ("b", 5))]
    study = open_study(runs[1].config, runs[1].journal)
    again = Observation(value=0.9, cost={"multiply_adds": 3e6}, error_loadings=(0.04, 0.0))
    study.add(_drawn(1)[0], again)
    folder = _run(tmp_path / "run", warm_start=[str(r.path) for r in runs])
    found = {e.architecture: e for e in earlier_observations(folder, FORGERY, DIGEST)}
    assert len(found) == 4
    repeated = found[_drawn(1)[0]]
    assert repeated.values == pytest.approx(((0.5 + 0.7) / 2,))
    assert repeated.loadings == pytest.approx(((0.01 + 0.025) / 2, 0.0))


def test_a_warm_start_needs_the_same_space_conditions_and_costs(tmp_path: Path) -> None:
    earlier = _filled(tmp_path / "earlier")
    folder = _run(tmp_path / "run", warm_start=[str(earlier.path)])
    with pytest.raises(ConfigError, match=f"of the conditions {DIGEST}, this run's of {OTHER}"):
        earlier_observations(folder, FORGERY, OTHER)
    costly = _run(tmp_path / "c", warm_start=[str(earlier.path)], minimise=["activations"])
    with pytest.raises(ConfigError, match="no cost 'activations', which"):
        earlier_observations(costly, FORGERY, DIGEST)
    empty = _run(tmp_path / "empty")
    for path, rule in [
        (tmp_path / "nothing", "is no run folder"),
        (empty.path, "has no study yet"),
    ]:
        broken = _run(tmp_path / f"from {path.name}", warm_start=[str(path)])
        with pytest.raises(ConfigError, match=rule):
            earlier_observations(broken, FORGERY, DIGEST)
    open_study(empty.config, empty.journal)
    broken = _run(tmp_path / "from empty", warm_start=[str(empty.path)])
    with pytest.raises(ConfigError, match="has no architecture with a score"):
        earlier_observations(broken, FORGERY, DIGEST)
    assert not broken.warm_start.exists()


def test_another_space_is_no_warm_start(tmp_path: Path) -> None:
    document = {"space": {"name": "nasbench201"}, "search": {}}
    other = RunFolder.create(tmp_path / "other", parse_config(document, "test"))
    open_study(other.config, other.journal)
    folder = _run(tmp_path / "run", warm_start=[str(other.path)])
    with pytest.raises(ConfigError, match=r"has architectures of the space 'nasbench201'"):
        earlier_observations(folder, FORGERY, DIGEST)


def test_of_no_earlier_run_nothing_is_believed_and_kept(tmp_path: Path) -> None:
    folder = _run(tmp_path / "run")
    assert earlier_observations(folder, FORGERY, DIGEST) == []
    assert not folder.warm_start.exists()


def test_objectives_and_cost_of_the_configuration_reach_the_study(tmp_path: Path) -> None:
    folder = _run(tmp_path / "run", minimise=["multiply_adds"], cost="seconds")
    study = open_study(folder.config, folder.journal)
    assert study.minimise == ("multiply_adds",)
    (architecture,) = _drawn(1)
    cost = {"multiply_adds": 3.0, "seconds": 1.0}
    study.add(architecture, Observation(value=0.5, cost=cost))
    assert study.front() == [Told(0, architecture, Observation(value=0.5, cost=cost))]
    sampler = study.optuna.sampler
    assert sampler.settings.cost == "seconds"  # type: ignore[attr-defined]
