"""A study, its sampler and the search over it are of one space."""

from pathlib import Path

import optuna
import pytest
from optuna.storages import InMemoryStorage

from bonas import Observation, Search
from bonas.strategies.random import RandomSampler
from bonas.study import Study, journal_storage
from spaces.cell import CellSpace
from spaces.forgery import FORGERY
from spaces.nasbench201 import NASBENCH201

TINY = CellSpace("tiny", ("none", "skip", "conv_3x3"), nodes=3)
OTHER_OPTIONS = CellSpace("tiny", ("none", "skip", "conv_5x5"), nodes=3)
optuna.logging.set_verbosity(optuna.logging.WARNING)


def _study(space: CellSpace, storage: object, sampler: object = None) -> Study:
    return Study(space, sampler or RandomSampler(space), storage=storage)  # type: ignore[arg-type]


def test_a_storage_of_another_space_is_refused(tmp_path: Path) -> None:
    Study(FORGERY, RandomSampler(FORGERY), storage=journal_storage(tmp_path / "j"))
    with pytest.raises(ValueError, match=r"space 'forgery', .* the search is over 'nasbench201'"):
        _study(NASBENCH201, journal_storage(tmp_path / "j"))


def test_other_options_under_the_same_names_are_refused() -> None:
    storage = InMemoryStorage()
    _study(TINY, storage)
    with pytest.raises(ValueError, match=r"'conv_3x3'\] for the decision 'cell/0-1'.*'conv_5x5'"):
        _study(OTHER_OPTIONS, storage)


@pytest.mark.parametrize("other", [OTHER_OPTIONS, NASBENCH201])
def test_of_a_study_made_by_optuna_alone_the_parameters_tell(other: CellSpace) -> None:
    storage = InMemoryStorage()
    study = optuna.create_study(study_name="bonas", storage=storage, direction="maximize")
    trial = study.ask()
    for decision in other.decisions:
        trial.suggest_categorical(decision.name, decision.options)
    study.tell(trial, 1.0)
    with pytest.raises(ValueError, match="the study has"):
        _study(TINY, storage)
    _study(other, storage)


@pytest.mark.parametrize("directions", [["minimize"], ["maximize", "minimize"]])
def test_a_study_that_does_not_maximise_one_value_is_refused(directions: list[str]) -> None:
    storage = InMemoryStorage()
    optuna.create_study(study_name="bonas", storage=storage, directions=directions)
    with pytest.raises(ValueError, match=rf"\[{', '.join(directions)}\]; the search has \[max"):
        _study(TINY, storage)


def test_a_search_over_another_space_than_its_study_is_refused() -> None:
    study = Study(FORGERY, RandomSampler(FORGERY))
    with pytest.raises(ValueError, match=r"the study has .* 'forgery', .* over 'nasbench201'"):
        Search(NASBENCH201, study=study)


def test_a_sampler_of_another_space_is_refused() -> None:
    with pytest.raises(ValueError, match=r"the sampler has .* 'forgery', .* over 'tiny'"):
        Search(TINY, sampler=RandomSampler(FORGERY))


def test_a_study_of_the_same_space_is_continued(tmp_path: Path) -> None:
    first = Search(TINY, study=_study(TINY, journal_storage(tmp_path / "j")))
    first.tell(first.ask(), Observation(value=1.0))
    again = Search(TINY, study=_study(TINY, journal_storage(tmp_path / "j")))
    assert again.best == first.best
