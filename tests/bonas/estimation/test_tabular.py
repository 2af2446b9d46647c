"""Tables: values by architecture, and errors that name row and column."""

import gzip
from pathlib import Path

import pytest

from bonas.estimation.estimator import EstimationFailed
from bonas.estimation.tabular import Objective, read_table
from spaces.architecture import Architecture
from spaces.graphs import is_connected
from spaces.nasbench201 import from_arch_str

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
    assert not is_connected(table.space.graph(Architecture("mine", ("4", "16"))))
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
