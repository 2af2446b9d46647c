"""A new search that begins with what an earlier one found."""

from pathlib import Path

import optuna
import pytest

import bonas
from bonas.estimation.tabular import Objective, read_table
from bonas.strategies.random import RandomSampler
from bonas.strategies.settings import Settings
from spaces.architecture import Architecture
from spaces.cell import CellSpace

SPACE = CellSpace("space", ("none", "skip", "conv", "pool"), nodes=4)
optuna.logging.set_verbosity(optuna.logging.WARNING)


def _worth(architecture: Architecture) -> float:
    return float(architecture.choices.count("conv"))


def test_a_search_begins_where_an_earlier_one_ended() -> None:
    earlier = bonas.Search(SPACE, sampler=RandomSampler(SPACE, seed=1))
    for _ in range(30):
        architecture = earlier.ask()
        earlier.tell(architecture, _worth(architecture))
    earlier.tell(earlier.ask(), bonas.Observation.failed("out of memory"))
    known = bonas.warm_start(earlier.study)
    assert [value for _, value in known] == [_worth(a) for a, _ in known]
    assert len(known) == 30
    sampler = bonas.SurrogateSampler(SPACE, seed=2, settings=Settings(warm_start=known))
    search = bonas.Search(SPACE, sampler=sampler)
    asked = [search.ask() for _ in range(3)]
    assert not {search.key(a) for a in asked} & {search.key(a) for a, _ in known}
    drawn = bonas.Search(SPACE, seed=2)
    first = [_worth(drawn.ask()) for _ in range(3)]
    assert sum(map(_worth, asked)) > sum(first)


def test_repeats_are_their_mean() -> None:
    search = bonas.Search(SPACE)
    architecture = Architecture(SPACE.name, ("conv",) * 6)
    for value in (1.0, 2.0, 6.0):
        search.tell(architecture, value)
    assert bonas.warm_start(search.study) == ((architecture, pytest.approx(3.0)),)


def test_a_table_is_known_row_by_row(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text("depth,width,score\n2,8,1\n4,8,3\n2,16,2\n")
    table = read_table(
        tmp_path / "t.csv", "mine", Objective.parse("score"), decisions=("depth", "width")
    )
    assert [(a.choices, v) for a, v in bonas.warm_start(table)] == [
        (("2", "8"), 1.0),
        (("4", "8"), 3.0),
        (("2", "16"), 2.0),
    ]
