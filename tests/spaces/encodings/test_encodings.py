"""Laws of the encodings of architectures."""

from dataclasses import dataclass

import networkx as nx
import numpy as np
import pytest
import torch

from spaces.architecture import Architecture
from spaces.cell import CellSpace
from spaces.encodings.encoding import Encoding
from spaces.encodings.joined import JoinedEncoding
from spaces.encodings.multisets import PathMultisetEncoding
from spaces.encodings.onehot import OneHotEncoding
from spaces.encodings.paths import HASHED_FEATURES, PathEncoding
from spaces.encodings.profiles import PathProfileEncoding
from spaces.encodings.statistics import StatisticsEncoding
from spaces.encodings.wiring import fixed_paths, side_by_side
from spaces.encodings.wl import WeisfeilerLehmanEncoding
from spaces.forgery import FORGERY
from spaces.graphs import INPUT, NONE, OUTPUT, SKIP, canonical_key
from spaces.listed import listed_space
from spaces.nasbench201 import NASBENCH201
from spaces.space import Decision, SearchSpace, enumerate_space, sample
from tests.spaces.contract import EncodingLaws

ENCODINGS = [OneHotEncoding, PathEncoding, PathMultisetEncoding, PathProfileEncoding]
ALL = tuple(enumerate_space(NASBENCH201))


class ChosenWiring:
    """Two operations in a row or side by side: the second decision chooses the wiring."""

    name = "chosen"
    decisions = (
        Decision("operation", ("conv", "pool", SKIP)),
        Decision("wiring", ("row", "branches")),
    )

    def graph(self, architecture: Architecture) -> "nx.DiGraph[str]":
        operation, wiring = architecture.choices
        graph: nx.DiGraph[str] = nx.DiGraph()
        graph.add_node(INPUT, operation=INPUT)
        graph.add_node(OUTPUT, operation=OUTPUT)
        graph.add_node("a", operation=str(operation), decision="operation")
        graph.add_node("b", operation="conv")
        order = ["a", "b"] if wiring == "row" else ["b", "a"]
        graph.add_edges_from([(INPUT, "a"), (INPUT, "b"), ("a", OUTPUT), ("b", OUTPUT)])
        if wiring == "row":
            graph.add_edge(*order)
        return graph


def _drawn(space: SearchSpace) -> list[Architecture]:
    rng = np.random.default_rng(0)
    return [sample(space, rng=rng) for _ in range(20)]


TABLE = listed_space("table", ("a", "b"), [{"a": i % 3, "b": i} for i in range(6)])
EVERY: list[tuple[Encoding, SearchSpace]] = [
    *((encoding(s), s) for encoding in ENCODINGS for s in (NASBENCH201, FORGERY, ChosenWiring())),
    *((encoding(TABLE), TABLE) for encoding in ENCODINGS),
    (PathEncoding(NASBENCH201, 20), NASBENCH201),
    (WeisfeilerLehmanEncoding(NASBENCH201), NASBENCH201),
    (WeisfeilerLehmanEncoding(FORGERY, rounds=1, buckets=64), FORGERY),
    (StatisticsEncoding(FORGERY, lambda a: (len(set(a.choices)),), ((0.0, 8.0),)), FORGERY),
    (JoinedEncoding((OneHotEncoding(FORGERY), PathMultisetEncoding(FORGERY))), FORGERY),
]


@pytest.mark.parametrize(
    ("encoding", "architectures"),
    [(encoding, _drawn(space)) for encoding, space in EVERY],
    ids=[f"{type(e).__name__}-{s.name}" for e, s in EVERY],
)
class TestEncodings(EncodingLaws):
    """All encodings, on spaces of fixed and of chosen wiring and on a table."""


@pytest.mark.parametrize(
    ("encoding", "different"),
    [
        (OneHotEncoding, 15_625),
        (PathEncoding, 9_445),
        (PathMultisetEncoding, 4_120),
        (PathProfileEncoding, 1_480),
    ],
)
def test_as_many_architectures_are_told_apart_as_the_encoding_says(
    encoding: type[OneHotEncoding], different: int
) -> None:
    assert len(torch.unique(encoding(NASBENCH201).encode(ALL), dim=0)) == different


@pytest.mark.parametrize(("features", "different"), [(20, 85), (40, 1_945)])
def test_truncated_paths_tell_as_many_apart_as_the_encoding_says(
    features: int, different: int
) -> None:
    rows = PathEncoding(NASBENCH201, features).encode(ALL)
    assert len(torch.unique(rows, dim=0)) == different


def test_path_sets_without_skips_leave_3100_rows() -> None:
    counts = PathMultisetEncoding(NASBENCH201).encode(ALL)
    assert len(torch.unique((counts > 0).double(), dim=0)) == 3_100


def test_equal_canonical_keys_have_equal_path_multisets() -> None:
    rows = PathMultisetEncoding(NASBENCH201).encode(ALL)
    first: dict[str, torch.Tensor] = {}
    for architecture, row in zip(ALL[::3], rows[::3], strict=True):
        key = canonical_key(NASBENCH201.graph(architecture))
        assert torch.equal(first.setdefault(key, row), row)


def test_path_features_agree_with_the_paths_of_the_graph() -> None:
    rng = np.random.default_rng(1)
    for _ in range(50):
        architecture = sample(NASBENCH201, rng=rng)
        graph = NASBENCH201.graph(architecture)
        graph.remove_nodes_from([n for n, o in graph.nodes(data="operation") if o == NONE])
        alive = nx.has_path(graph, INPUT, OUTPUT)
        paths = list(nx.all_simple_paths(graph, INPUT, OUTPUT)) if alive else []
        assert PathEncoding(NASBENCH201).encode([architecture]).sum() == len(paths)


@pytest.mark.parametrize("seed", range(20))
def test_profiles_count_operations_on_the_paths_of_the_graph(seed: int) -> None:
    rng = np.random.default_rng(seed)
    drawn = sample(NASBENCH201, rng=rng)
    choices = tuple(NONE if rng.random() < 0.3 else c for c in drawn.choices)
    architecture = Architecture("nasbench201", choices)
    graph = NASBENCH201.graph(architecture)
    graph.remove_nodes_from([n for n, o in graph.nodes(data="operation") if o == NONE])
    alive = nx.has_path(graph, INPUT, OUTPUT)
    paths = list(nx.all_simple_paths(graph, INPUT, OUTPUT)) if alive else []
    named = [[graph.nodes[n]["operation"] for n in path] for path in paths]
    used = {n for path in paths for n in path if graph.nodes[n].get("decision")}
    operations = NASBENCH201.decisions[0].options
    shares = [sum(graph.nodes[n]["operation"] == o for n in used) / 6 for o in operations]
    shares[operations.index(NONE)] = 1 - len(used) / 6
    expected = list(shares)
    for operation in operations:
        if operation in (NONE, SKIP):
            continue
        counts = [path.count(operation) for path in named] or [0]
        expected += [min(counts) / 3, sum(counts) / len(counts) / 3, max(counts) / 3]
    expected.append(len(paths) / 4)
    assert PathProfileEncoding(NASBENCH201).encode([architecture])[0].tolist() == pytest.approx(
        expected
    )


def test_profiles_of_a_table_are_the_shares_of_equal_options() -> None:
    combinations = [("conv", "conv", 2), ("conv", "pool", 1), ("pool", "conv", 1)]
    names = ("first", "second", "depth")
    table = listed_space("mine", names, [dict(zip(names, c, strict=True)) for c in combinations])
    rows = PathProfileEncoding(table).encode([Architecture("mine", c) for c in combinations])
    assert rows.tolist() == [[1.0, 0.0], [0.5, 0.5], [0.5, 0.5]]


def test_truncation_keeps_the_features_of_the_shortest_paths() -> None:
    full, short = PathEncoding(NASBENCH201), PathEncoding(NASBENCH201, 20)
    assert full.dimension == 4 + 2 * 16 + 64
    assert short.dimension == 20
    assert torch.equal(full.encode(ALL)[:, :20], short.encode(ALL))


def test_each_cell_of_the_forgery_space_has_features_of_its_own() -> None:
    assert PathEncoding(FORGERY).dimension == 3 * (7 + 2 * 49 + 343)
    none = [NONE] * 18
    for stage in range(3):
        choices = list(none)
        choices[6 * stage + 3] = SKIP  # the edge from the cell's input to its output
        row = PathEncoding(FORGERY).encode([Architecture("forgery", tuple(choices))])[0]
        assert row.sum() == 1
    rows = [
        PathEncoding(FORGERY).encode(
            [Architecture("forgery", (*none[:k], "conv_3x3", *none[k + 1 :]))]
        )
        for k in (3, 9, 15)
    ]
    assert torch.stack(rows).sum(0).max() == 1


def test_a_space_that_chooses_its_wiring_falls_back_to_hashed_sequences() -> None:
    space = ChosenWiring()
    assert fixed_paths(space) is None
    assert PathEncoding(space).dimension == HASHED_FEATURES
    rows = PathMultisetEncoding(space).encode(list(enumerate_space(space)))
    assert len(torch.unique(rows, dim=0)) == 6
    assert PathEncoding(space, 64).dimension == 64


def test_paths_of_a_table_of_choices_say_nothing_and_have_no_features() -> None:
    names, rows = ("depth", "kind"), [(2, NONE), (4, NONE), (4, SKIP)]
    table = listed_space("mine", names, [dict(zip(names, row, strict=True)) for row in rows])
    assert side_by_side(table)
    for paths in (PathEncoding(table), PathEncoding(table, 64), PathMultisetEncoding(table)):
        assert paths.dimension == 0
        assert paths.encode(table.architectures).shape == (3, 0)
    spaces: tuple[SearchSpace, ...] = (NASBENCH201, FORGERY, ChosenWiring())
    assert not any(map(side_by_side, spaces))


def test_long_chains_of_decisions_are_not_enumerated() -> None:
    space = CellSpace("wide", tuple(f"op{i}" for i in range(12)), nodes=7)
    assert fixed_paths(space) is None
    rng = np.random.default_rng(0)
    assert PathEncoding(space).encode([sample(space, rng=rng)]).sum() > 0


def test_joined_parts_lie_side_by_side() -> None:
    parts: tuple[Encoding, ...] = (OneHotEncoding(NASBENCH201), PathEncoding(NASBENCH201))
    joined = JoinedEncoding(parts)
    rows = joined.encode(ALL[:50])
    assert joined.dimension == rows.shape[1] == 130
    for part, columns in zip(parts, joined.columns, strict=True):
        assert torch.equal(rows[:, columns], part.encode(ALL[:50]))


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_where_the_wiring_is_fixed_no_graph_is_built_to_encode(
    encoding: type[OneHotEncoding], monkeypatch: pytest.MonkeyPatch
) -> None:
    rng = np.random.default_rng(0)
    architectures = [sample(FORGERY, rng=rng) for _ in range(20)]
    made = encoding(FORGERY)
    monkeypatch.setattr(type(FORGERY), "graph", pytest.fail)
    assert made.encode(architectures).shape == (20, made.dimension)


def test_bad_arguments_are_named() -> None:
    with pytest.raises(ValueError, match="features is 0"):
        PathEncoding(NASBENCH201, 0)
    with pytest.raises(ValueError, match="parts is empty"):
        JoinedEncoding(())


@dataclass(frozen=True)
class Cyclic:
    """Two nodes behind the input that feed each other, in all architectures or in the second."""

    name: str
    always: bool
    decisions: tuple[Decision, ...] = (Decision("first", ("conv", "pool")),)

    def graph(self, architecture: Architecture) -> "nx.DiGraph[str]":
        graph: nx.DiGraph[str] = nx.DiGraph()
        graph.add_node("in", operation=INPUT)
        graph.add_node("a", operation=architecture.choices[0], decision="first")
        graph.add_node("b", operation="conv")
        graph.add_node("out", operation=OUTPUT)
        graph.add_edges_from([("in", "a"), ("a", "b")])
        if self.always or architecture.choices[0] == "pool":
            graph.add_edge("b", "a")
        else:
            graph.add_edge("b", "out")
        return graph


def test_graphs_with_a_cycle_are_refused_by_name() -> None:
    with pytest.raises(ValueError, match="the space 'ring' has graphs with a cycle"):
        PathMultisetEncoding(Cyclic("ring", always=True))
    space = Cyclic("some", always=False)
    encoding = PathEncoding(space)
    assert encoding.encode([Architecture("some", ("conv",))]).sum() == 1
    with pytest.raises(ValueError, match="has a cycle through the node 'a'"):
        encoding.encode([Architecture("some", ("pool",))])
