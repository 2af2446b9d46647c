"""Tables: values by architecture, and errors that name row and column."""

import gzip
from pathlib import Path

import numpy as np
import pytest

from bonas.estimation.estimator import EstimationFailed
from bonas.estimation.tabular import Objective, TabularEstimator, read_table
from spaces.architecture import Architecture
from spaces.darts import DARTS
from spaces.forgery import FORGERY, FORGERY_CASCADE
from spaces.graphs import canonical_key
from spaces.macro import MACRO
from spaces.nasbench201 import NASBENCH201, from_arch_str
from spaces.space import SearchSpace, connects, enumerate_space, sample

FIRST = "|avg_pool_3x3~0|+|nor_conv_1x1~0|skip_connect~1|+|none~0|skip_connect~1|skip_connect~2|"
SECOND = FIRST.replace("avg_pool_3x3", "nor_conv_3x3")


def _table(folder: Path, text: str, name: str = "table.csv") -> Path:
    path = folder / name
    path.write_bytes(gzip.compress(text.encode()) if name.endswith(".gz") else text.encode())
    return path


@pytest.mark.parametrize(
    ("spec", "weights"),
    [
        ("accuracy", {"accuracy": 1.0}),
        ("-latency", {"latency": -1.0}),
        ("clean=0.5, pgd=0.25,corr=0.25", {"clean": 0.5, "pgd": 0.25, "corr": 0.25}),
    ],
)
def test_objectives_are_columns_or_weighted_sums(spec: str, weights: dict[str, float]) -> None:
    assert Objective.parse(spec).weights == weights


@pytest.mark.parametrize("spec", ["", "a=x", "a=nan", "a,a", "=1", "a,,b"])
def test_a_bad_objective_is_named(spec: str) -> None:
    with pytest.raises(ValueError, match="objective"):
        Objective.parse(spec)


@pytest.mark.parametrize("name", ["table.csv", "table.csv.gz"])
def test_a_table_of_nasbench201_gives_values_and_parts(tmp_path: Path, name: str) -> None:
    path = _table(tmp_path, f"arch_str,a,b\n{FIRST},1,2\n{SECOND},3,4\n", name)
    table = read_table(path, "nasbench201", Objective.parse("a=0.5,b=0.5"))
    architecture = from_arch_str(FIRST)
    assert table.estimate(architecture, seed=0).value == 1.5
    assert table.parts[architecture] == {"a": 1.0, "b": 2.0}
    assert table.optimum == 3.5
    assert table.label(architecture) == FIRST
    missing = from_arch_str(FIRST.replace("avg_pool_3x3", "none"))
    with pytest.raises(EstimationFailed, match="not in the table"):
        table.estimate(missing, seed=0)


def test_a_table_of_choices_is_a_space_of_its_rows(tmp_path: Path) -> None:
    path = _table(tmp_path, "depth,width,score\n2,8,1\n2,16,2\n4,8,3\n")
    table = read_table(path, "mine", Objective.parse("score"), decisions=("depth", "width"))
    assert [d.options for d in table.space.decisions] == [("2", "4"), ("8", "16")]
    assert table.estimate(Architecture("mine", ("4", "8")), seed=0).value == 3
    assert not connects(table.space, Architecture("mine", ("4", "16")))
    assert table.label(Architecture("mine", ("4", "8"))) == ["4", "8"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (f"arch_str,a\n{FIRST},1\n{SECOND},\n", "row 3, column 'a': ''"),
        (f"arch_str,a\n{FIRST},nan\n", "row 2, column 'a': 'nan'"),
        (f"arch_str,a\n{FIRST},high\n", "row 2, column 'a': 'high'"),
        (f"arch_str,a\n{FIRST},1\nconv,2\n", "row 3, column 'arch_str': 'conv' is no"),
        (f"arch_str,a\n{FIRST},1\n{SECOND},1\n{FIRST},2\n", "row 4, .* of row 2 again"),
        (f"arch_str,b\n{FIRST},1\n", "no column 'a'; its columns are arch_str, b"),
        (f"name,a\n{FIRST},1\n", "no column 'arch_str'"),
        (f"arch_str,a,a\n{FIRST},1,1\n", "row 1: the column 'a' occurs twice"),
        (f"arch_str,a\n{FIRST}\n", "row 2, column 'a': the row has 1 fields"),
        ("arch_str,a\n", "has 1 lines"),
    ],
)
def test_bad_tables_name_row_and_column(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        read_table(_table(tmp_path, text), "nasbench201", Objective.parse("a"))


def test_other_spaces_need_their_decisions_and_every_choice(tmp_path: Path) -> None:
    path = _table(tmp_path, "depth,width,a\n2,,1\n4,8,2\n")
    with pytest.raises(ValueError, match="--decisions depth,width"):
        read_table(path, "mine", Objective.parse("a"))
    with pytest.raises(ValueError, match="row 2, column 'width': the field is empty"):
        read_table(path, "mine", Objective.parse("a"), decisions=("depth", "width"))
    with pytest.raises(ValueError, match="cannot be read"):
        read_table(tmp_path / "no.csv", "mine", Objective.parse("a"), decisions=("depth",))
    (tmp_path / "text.csv.gz").write_text("no gzip")
    with pytest.raises(ValueError, match="cannot be read"):
        read_table(tmp_path / "text.csv.gz", "mine", Objective.parse("a"), decisions=("depth",))


def test_a_part_of_a_known_space_proposes_its_rows_alone(tmp_path: Path) -> None:
    path = _table(tmp_path, f"arch_str,a\n{FIRST},1\n{SECOND},2\n")
    table = read_table(path, "nasbench201", Objective.parse("a"))
    assert list(enumerate_space(table.space)) == [from_arch_str(FIRST), from_arch_str(SECOND)]
    expected = canonical_key(NASBENCH201.graph(from_arch_str(FIRST)))
    assert canonical_key(table.space.graph(from_arch_str(FIRST))) == expected


@pytest.mark.parametrize("space", [NASBENCH201, FORGERY, FORGERY_CASCADE, MACRO, DARTS])
@pytest.mark.parametrize("named", [False, True])
def test_columns_that_are_a_spaces_decisions_get_its_graphs(
    tmp_path: Path, space: SearchSpace, named: bool
) -> None:
    rng = np.random.default_rng(0)
    drawn = [sample(space, rng=rng) for _ in range(3)]
    names = [decision.name for decision in space.decisions]
    rows = [",".join([str(i), *map(str, reversed(a.choices))]) for i, a in enumerate(drawn)]
    path = _table(tmp_path, "\n".join([",".join(["a", *reversed(names)]), *rows]) + "\n")
    decisions = list(reversed(names)) if named else []
    table = read_table(path, space.name, Objective.parse("a"), decisions=decisions)
    assert table.values == {a: float(i) for i, a in enumerate(drawn)}
    assert table.space.decisions == space.decisions
    for architecture in drawn:
        expected = canonical_key(space.graph(architecture))
        assert canonical_key(table.space.graph(architecture)) == expected


def test_an_option_that_a_known_space_lacks_is_named(tmp_path: Path) -> None:
    names = ",".join(decision.name for decision in NASBENCH201.decisions)
    path = _table(tmp_path, f"{names},a\nskip,skip,skip,skip,skip,conv_9x9,1\n")
    with pytest.raises(ValueError, match="row 2, column 'cell/2-3': 'conv_9x9' is no option"):
        read_table(path, "nasbench201", Objective.parse("a"))


def test_other_columns_under_a_known_name_are_plain_choices(tmp_path: Path) -> None:
    path = _table(tmp_path, "depth,width,score\n2,8,1\n4,16,2\n")
    for name in ("forgery", "nasbench201"):
        table = read_table(path, name, Objective.parse("score"), decisions=("depth", "width"))
        assert [d.name for d in table.space.decisions] == ["depth", "width"]
        assert table.label(Architecture(name, ("4", "16"))) == ["4", "16"]


def test_the_optimum_is_one_that_can_be_proposed(tmp_path: Path) -> None:
    dead = "|none~0|+|none~0|none~1|+|none~0|none~1|none~2|"
    path = _table(tmp_path, f"arch_str,a\n{FIRST},1\n{dead},9\n{SECOND},2\n")
    table = read_table(path, "nasbench201", Objective.parse("a"))
    assert table.optimum == 2
    alone = TabularEstimator(table.space, {from_arch_str(dead): 9.0}, {})
    with pytest.raises(ValueError, match="in none of which the input reaches the output"):
        _ = alone.optimum


def test_a_table_of_a_spreadsheet_is_read(tmp_path: Path) -> None:
    path = _table(tmp_path, f"\ufeffarch_str,a\r\n{FIRST},1\r\n{SECOND},2\r\n\r\n,\r\n")
    assert read_table(path, "nasbench201", Objective.parse("a")).optimum == 2


@pytest.mark.parametrize(
    ("text", "decisions", "objective", "message"),
    [
        ("d,e,a\n1,1,1\n2,2,2\n", ("d", "d"), "a", "names the column 'd' twice"),
        ("d,e,a\n1,1,1\n2,2,2\n", ("d", "a"), "a", "'a' is a decision and part of"),
        ("d,e,a\n1,1,1e308\n2,2,2\n", ("d", "e"), "a=10", "row 2: the objective 'a=10' is inf"),
        ("d,e,a\n1,1,1\n2,1,2\n", ("d", "e"), "a", "decision 'e' has options"),
    ],
)
def test_columns_and_values_that_cannot_be_searched_are_named(
    tmp_path: Path, text: str, decisions: tuple[str, ...], objective: str, message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        read_table(_table(tmp_path, text), "mine", Objective.parse(objective), decisions=decisions)


def test_a_damaged_archive_is_named(tmp_path: Path) -> None:
    path = _table(tmp_path, f"arch_str,a\n{FIRST},1\n" * 50, "table.csv.gz")
    content = bytearray(path.read_bytes())
    content[12:40] = bytes(28)
    path.write_bytes(bytes(content))
    with pytest.raises(ValueError, match=r"table\.csv\.gz cannot be read as a table"):
        read_table(path, "nasbench201", Objective.parse("a"))


def test_a_table_without_a_connected_architecture_is_refused(tmp_path: Path) -> None:
    dead = "|none~0|+|none~0|none~1|+|none~0|none~1|none~2|"
    with pytest.raises(ValueError, match="nothing to search"):
        read_table(_table(tmp_path, f"arch_str,a\n{dead},1\n"), "nasbench201", Objective.parse("a"))
