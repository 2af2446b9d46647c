"""Searches with several objectives: the score and costs that are minimised."""

from collections.abc import Iterable
from pathlib import Path

import optuna
import pytest
from optuna.storages import InMemoryStorage
from optuna.study import StudyDirection
from optuna.trial import TrialState

from bonas import Observation, Search, Status
from bonas.agreement import MINIMISE
from bonas.estimation.estimator import EstimationFailed
from bonas.strategies.acquisition import UpperConfidenceBound
from bonas.strategies.evolution import RegularisedEvolutionSampler
from bonas.strategies.random import RandomSampler
from bonas.strategies.sampler import SurrogateSampler
from bonas.strategies.settings import Settings
from bonas.study import Study, Told, journal_storage
from spaces.architecture import Architecture
from spaces.cell import CellSpace

optuna.logging.set_verbosity(optuna.logging.WARNING)
SPACE = CellSpace("trade", ("none", "skip", "conv"), nodes=4)
BOTH = ("macs", "seconds")
FEW = Settings(initial=4)


class Exact:
    """Convolutions are good and dear; fails where told to, or is killed."""

    def __init__(self, *, die_at: int | None = None, fail: bool = False) -> None:
        self.die_at, self.fail, self.seen = die_at, fail, 0

    def estimate(self, architecture: Architecture, *, seed: int) -> Observation:
        if self.seen == self.die_at:
            raise KeyboardInterrupt
        self.seen += 1
        if self.fail and architecture.choices[0] == "skip":
            raise EstimationFailed("out of memory")
        worth = sum((i + 1) * (c == "conv") for i, c in enumerate(architecture.choices))
        dear = sum((7 - i) * (c == "conv") for i, c in enumerate(architecture.choices))
        skips = architecture.choices.count("skip")
        return Observation(value=float(worth), cost={"macs": float(dear), "seconds": 1.0 + skips})


def _stored(path: Path, settings: Settings = FEW) -> Search:
    sampler = SurrogateSampler(SPACE, seed=1, settings=settings)
    study = Study(SPACE, sampler, storage=journal_storage(path), minimise=["macs"])
    return Search(SPACE, seed=1, study=study)


def _point(told: Told, names: tuple[str, ...]) -> tuple[float, ...]:
    assert told.observation.value is not None
    return (told.observation.value, *(-told.observation.cost[name] for name in names))


def _dominates(first: tuple[float, ...], second: tuple[float, ...]) -> bool:
    return first != second and all(a >= b for a, b in zip(first, second, strict=True))


@pytest.mark.parametrize("names", [("macs",), BOTH, BOTH[::-1]])
def test_the_front_holds_what_nothing_dominates_by_score(names: tuple[str, ...]) -> None:
    search = Search(SPACE, sampler=RandomSampler(SPACE, seed=0), minimise=names)
    search.run(Exact(fail=True), trials=30)
    front, told = search.front, search.study.told()
    points = [_point(t, names) for t in told if t.observation.status is Status.COMPLETE]
    assert len(points) < len(told), "some failed"
    expected = [p for p in points if not any(_dominates(q, p) for q in points)]
    assert sorted(_point(t, names) for t in front) == sorted(expected)
    scores = [p[0] for p in (_point(t, names) for t in front)]
    assert scores == sorted(scores, reverse=True)
    assert search.best is not None
    assert search.best.observation.value == max(p[0] for p in points) == scores[0]


def test_the_order_of_the_costs_changes_no_front() -> None:
    fronts = []
    for names in (BOTH, BOTH[::-1]):
        search = Search(SPACE, sampler=RandomSampler(SPACE, seed=3), minimise=names)
        search.run(Exact(), trials=25)
        fronts.append([(t.number, t.architecture) for t in search.front])
    assert fronts[0] == fronts[1]


def test_the_study_maximises_the_score_and_minimises_the_costs() -> None:
    search = Search(SPACE, seed=0, minimise=BOTH)
    architecture = search.ask()
    search.tell(architecture, Observation(value=2.0, cost={"seconds": 3.0, "macs": 5.0}))
    up, down = StudyDirection.MAXIMIZE, StudyDirection.MINIMIZE
    assert search.study.optuna.directions == [up, down, down]
    assert search.study.optuna.metric_names == ["score", *BOTH]
    assert search.study.optuna.trials[0].values == [2.0, 5.0, 3.0]
    assert search.front == [search.best]


def test_one_objective_is_stored_as_ever_and_its_front_is_the_best() -> None:
    search = Search(SPACE, sampler=RandomSampler(SPACE, seed=0))
    search.run(Exact(), trials=12)
    assert MINIMISE not in search.study.optuna.user_attrs
    assert search.study.optuna.metric_names is None
    assert search.study.optuna.direction is StudyDirection.MAXIMIZE
    best = search.best
    assert best is not None
    assert search.front[0] == best
    assert {t.observation.value for t in search.front} == {best.observation.value}


def test_an_observation_without_a_minimised_cost_is_refused_and_the_trial_stays_open() -> None:
    search = Search(SPACE, seed=0, minimise=BOTH)
    architecture = search.ask()
    without = Observation(value=1.0, cost={"macs": 2.0})
    with pytest.raises(ValueError, match=r"no 'seconds', which the study minimises; it has macs"):
        search.tell(architecture, without)
    with pytest.raises(ValueError, match=r"no 'macs'.* it has nothing"):
        search.study.add(Architecture(SPACE.name, ("conv",) * 6), Observation(value=1.0))
    (trial,) = search.study.optuna.trials
    assert trial.state is TrialState.RUNNING
    assert "bonas.cost.macs" not in trial.user_attrs
    search.tell(architecture, Observation.failed("no clock"))
    assert search.front == []
    assert search.best is None


def test_a_resumed_search_is_the_uninterrupted_one(tmp_path: Path) -> None:
    whole = _stored(tmp_path / "whole")
    whole.run(Exact(fail=True), trials=14)
    with pytest.raises(KeyboardInterrupt):
        _stored(tmp_path / "part").run(Exact(fail=True, die_at=6), trials=14)
    again = _stored(tmp_path / "part")
    for trial in again.study.optuna.get_trials(states=(TrialState.RUNNING,)):
        again.study.optuna._storage.set_trial_user_attr(
            trial._trial_id,
            "bonas.lease",
            {"host": "elsewhere", "process": 1, "started": "1", "expires": 0.0},
        )
    again.run(Exact(fail=True), trials=14)
    assert again.study.told() == whole.study.told()
    assert again.front == whole.front


def test_repeats_of_an_architecture_are_one_point_their_mean() -> None:
    search = Search(SPACE, minimise=["macs"])
    lucky, good = (Architecture(SPACE.name, (c,) * 6) for c in ("conv", "skip"))
    for architecture, value, macs in [(lucky, 0.9, 1.0), (good, 0.7, 2.0), (lucky, 0.3, 5.0)]:
        search.tell(architecture, Observation(value=value, cost={"macs": macs}))
    assert [(t.architecture, t.observation.cost["macs"]) for t in search.front] == [(good, 2.0)]


def test_what_violates_a_constraint_is_not_on_the_front() -> None:
    def convolutions(choices: Iterable[object]) -> int:
        return list(choices).count("conv")

    settings = Settings(initial=30, constraints=lambda t: [convolutions(t.params.values()) - 2.0])
    sampler = SurrogateSampler(SPACE, settings=settings)
    search = Search(SPACE, sampler=sampler, minimise=["macs"])
    search.run(Exact(), trials=15)
    told = search.study.told()
    feasible = [_point(t, ("macs",)) for t in told if convolutions(t.architecture.choices) <= 2]
    assert 0 < len(feasible) < len(told)
    expected = [p for p in feasible if not any(_dominates(q, p) for q in feasible)]
    assert sorted(_point(t, ("macs",)) for t in search.front) == sorted(expected)


def test_values_told_to_optuna_itself_are_costs_where_they_are_finite() -> None:
    search = Search(SPACE, seed=0, minimise=["macs"])
    for cost in (4.0, float("inf")):
        search.study.optuna.tell(search.study.ask().number, [1.0, cost])
    first, second = search.study.told()
    assert first.observation.cost == {"macs": 4.0}
    assert second.observation.status is Status.FAILED
    assert [t.number for t in search.front] == [0]


def test_a_study_of_other_objectives_is_refused_naming_both() -> None:
    storage = InMemoryStorage()

    def study(*minimise: str) -> Study:
        return Study(SPACE, RandomSampler(SPACE), storage=storage, minimise=minimise)

    study("macs")
    with pytest.raises(ValueError, match=r"\[maximize, minimize\]; the search has \[maximize\]"):
        study()
    with pytest.raises(ValueError, match="minimises macs; the search seconds"):
        study("seconds")
    with pytest.raises(ValueError, match=r"\('seconds',\), but the study minimises \('macs',\)"):
        Search(SPACE, study=study("macs"), minimise=["seconds"])
    assert Search(SPACE, study=study("macs"), minimise=["macs"]).study.minimise == ("macs",)


@pytest.mark.parametrize(
    ("names", "error"),
    [("macs", TypeError), ([3], TypeError), (["macs", "macs"], ValueError), ([""], ValueError)],
)
def test_names_that_are_none_are_refused(names: list[str], error: type[Exception]) -> None:
    with pytest.raises(error, match="minimise is"):
        Search(SPACE, minimise=names)


def test_strategies_and_settings_for_one_objective_are_refused() -> None:
    with pytest.raises(ValueError, match="RegularisedEvolutionSampler looks at one objective"):
        Search(SPACE, sampler=RegularisedEvolutionSampler(SPACE), minimise=["macs"])
    study = optuna.create_study(
        directions=["maximize", "minimize"], sampler=RegularisedEvolutionSampler(SPACE)
    )
    with pytest.raises(ValueError, match="looks at one objective, the study has 2"):
        study.ask().suggest_categorical("cell/0-1", SPACE.decisions[0].options)
    some = Architecture(SPACE.name, ("conv",) * 6)
    for settings, rule in [
        (Settings(conditions={"clean": 1.0}), "conditions are the parts of one value"),
        (Settings(acquisition=UpperConfidenceBound()), "acquisition is UpperConfidenceBound"),
        (Settings(warm_start=[(some, 1.0)]), "observations of 1 values, the study 2"),
    ]:
        with pytest.raises(ValueError, match=rule):
            Search(SPACE, sampler=SurrogateSampler(SPACE, settings=settings), minimise=["macs"])
        study = optuna.create_study(
            directions=["maximize", "minimize"], sampler=SurrogateSampler(SPACE, settings=settings)
        )
        trial = study.ask()
        with pytest.raises(ValueError, match=rule):
            trial.suggest_categorical("cell/0-1", SPACE.decisions[0].options)
    several = Settings(warm_start=[(some, (1.0, -2.0))])
    with pytest.raises(ValueError, match="observations of 2 values, the study 1"):
        Search(SPACE, sampler=SurrogateSampler(SPACE, settings=several))


def test_an_earlier_front_is_believed_and_not_repeated() -> None:
    earlier = Search(SPACE, seed=0, sampler=RandomSampler(SPACE, seed=0), minimise=["macs"])
    earlier.run(Exact(), trials=25)
    observed = [(t.architecture, _point(t, ("macs",))) for t in earlier.study.means()]
    settings = Settings(warm_start=observed, initial=5)
    search = Search(SPACE, sampler=SurrogateSampler(SPACE, settings=settings), minimise=["macs"])
    search.run(Exact(), trials=6)
    keys = {search.key(a) for a, _ in observed}
    assert not keys & {search.key(t.architecture) for t in search.study.told()}
    front = [_point(t, ("macs",)) for t in earlier.front]
    new = [_point(t, ("macs",)) for t in search.study.told()]
    assert sum(not any(_dominates(p, n) for p in front) for n in new) >= 3
