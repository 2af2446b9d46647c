import csv
import gzip
from pathlib import Path

import networkx as nx
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from spaces.architecture import Architecture
from spaces.cell import CellSpace, cell_edges, live_edges
from spaces.forgery import FORGERY
from spaces.graphs import (
    INPUT,
    OUTPUT,
    SUM,
    canonical_key,
    is_connected,
    key_of_expression,
    live_decisions,
    simplify,
)
from spaces.nasbench201 import NASBENCH201, from_arch_str
from spaces.space import (
    SearchSpace,
    SupportsCanonicalKey,
    canonical_key_of,
    connects,
    enumerate_space,
    from_indices,
    live,
    sample,
)
from tests.spaces.interpretation import computed

SEEDS = st.integers(0, 2**32 - 1)


def key(architecture: Architecture) -> str:
    return canonical_key(NASBENCH201.graph(architecture))


def cell(*choices: str) -> Architecture:
    return Architecture("nasbench201", choices)


@pytest.mark.parametrize("space", [NASBENCH201, FORGERY], ids=lambda s: s.name)
@given(seed=SEEDS)
def test_the_key_ignores_relabelling_and_the_order_of_nodes(space: SearchSpace, seed: int) -> None:
    rng = np.random.default_rng(seed)
    graph = space.graph(sample(space, rng=rng))
    shuffled: nx.DiGraph[str] = nx.DiGraph(**graph.graph)
    names = list(graph)
    fresh = dict(zip(names, map(str, rng.permutation(len(names))), strict=True))
    for node in rng.permutation(names):
        shuffled.add_node(fresh[str(node)], **graph.nodes[str(node)])
    edges = list(graph.edges)
    for position in rng.permutation(len(edges)):
        a, b = edges[position]
        shuffled.add_edge(fresh[a], fresh[b])
    assert canonical_key(shuffled) == canonical_key(graph)


def test_a_skip_is_contracted() -> None:
    # Both are x + conv(x) + (x + conv(x)) up to the order of terms; published as class 39.
    first = cell("skip", "conv_1x1", "none", "skip", "conv_1x1", "skip")
    second = cell("conv_1x1", "skip", "skip", "none", "skip", "skip")
    assert first != second
    assert key(first) == key(second)


def test_an_operation_on_a_dead_branch_does_not_count() -> None:
    dead = ["conv_3x3", "conv_1x1"]
    keys = {key(cell(o, "none", "none", "conv_3x3", "none", "none")) for o in dead}
    assert len(keys) == 1


def test_an_operation_on_a_live_branch_counts() -> None:
    keys = {key(cell(o, "none", "none", "none", "skip", "none")) for o in NASBENCH201.operations}
    assert len(keys) == len(NASBENCH201.operations)


@pytest.mark.slow
def test_the_keys_are_the_benchmarks_own_classes(shared: Path) -> None:
    with gzip.open(shared / "benchmarks" / "nasbench201.csv.gz", "rt") as file:
        rows = list(csv.DictReader(file))
    pairs = {(key(from_arch_str(row["arch_str"])), row["unique_id"]) for row in rows}
    assert len(rows) == 15_625
    assert len({k for k, _ in pairs}) == len({u for _, u in pairs}) == len(pairs) == 6_466


def test_the_keys_of_equal_operations_are_equal_where_and_only_where_cells_compute_the_same() -> (
    None
):
    space = CellSpace("cells", NASBENCH201.operations)
    values: dict[str, set[tuple[float, ...]]] = {}
    for architecture in enumerate_space(space):
        value = computed(space.graph(architecture))
        values.setdefault(canonical_key_of(space, architecture), set()).add(
            tuple(np.round(value, 9) + 0.0)
        )
    assert len(values) == len(set().union(*values.values())) == 4_930
    assert all(len(same) == 1 for same in values.values())


def test_a_dead_term_and_a_sum_within_a_sum_leave_no_mark() -> None:
    space = CellSpace("cells", NASBENCH201.operations)
    none, skip, conv = "none", "skip", "conv_3x3"
    # An operation behind a node that nothing reaches; (a + b) + c handed on by a skip.
    pairs = [
        ((none, none, conv, conv, none, none), (none, none, none, conv, none, conv)),
        ((skip, skip, conv, skip, none, skip), (conv, skip, none, skip, skip, skip)),
    ]
    for first, second in pairs:
        one, other = (Architecture(space.name, choices) for choices in (first, second))
        assert np.allclose(computed(space.graph(one)), computed(space.graph(other)))
        assert canonical_key_of(space, one) == canonical_key_of(space, other)


def test_names_of_operations_are_not_read_as_expressions() -> None:
    space = CellSpace("names", ("none", "skip", "a", "a+0"), nodes=3)
    pairs = [("none", "a+0", "none"), ("skip", "a", "skip")]
    keys = {canonical_key_of(space, Architecture(space.name, choices)) for choices in pairs}
    assert len(keys) == 2


def test_a_chain_of_doubled_values_has_a_short_expression() -> None:
    graph: nx.DiGraph[str] = nx.DiGraph()
    graph.add_node("0", operation=INPUT)
    for layer in range(60):
        for side in ("left", "right"):
            graph.add_node(f"{layer}{side}", operation="skip")
            graph.add_edges_from(
                [(str(layer), f"{layer}{side}"), (f"{layer}{side}", str(layer + 1))]
            )
        graph.nodes[str(layer + 1)]["operation"] = SUM
    graph.nodes["60"]["operation"] = OUTPUT
    assert canonical_key(graph) == key_of_expression({"0": 2**60})


@given(seed=SEEDS)
def test_live_decisions_are_those_whose_change_to_none_changes_the_key(seed: int) -> None:
    architecture = sample(NASBENCH201, rng=np.random.default_rng(seed))
    graph = NASBENCH201.graph(architecture)
    live = live_decisions(graph)
    for position, decision in enumerate(NASBENCH201.decisions):
        if architecture.choices[position] == "none" or not is_connected(graph):
            assert decision.name not in live
        elif decision.name in live:
            without = list(architecture.choices)
            without[position] = "none"
            assert key(cell(*map(str, without))) != key(architecture)


@pytest.mark.parametrize("space", [NASBENCH201, FORGERY], ids=lambda s: s.name)
@given(seed=SEEDS, broken=st.floats(0, 1))
def test_live_decisions_need_no_graph(space: SearchSpace, seed: int, broken: float) -> None:
    rng = np.random.default_rng(seed)
    drawn = sample(space, rng=rng)
    choices = tuple("none" if rng.random() < broken else c for c in drawn.choices)
    architecture = Architecture(space.name, choices)
    graph = space.graph(architecture)
    assert live(space, architecture) == live_decisions(graph)
    assert connects(space, architecture) == is_connected(graph)


@given(seed=SEEDS)
def test_simplifying_leaves_the_key_and_only_nodes_between_input_and_output(seed: int) -> None:
    graph = FORGERY.graph(sample(FORGERY, rng=np.random.default_rng(seed)))
    simple = simplify(graph)
    if not is_connected(graph):
        assert set(simple) == {INPUT, OUTPUT}
        return
    assert all(nx.has_path(simple, INPUT, n) and nx.has_path(simple, n, OUTPUT) for n in simple)
    assert not [n for n, o in simple.nodes(data="operation") if o == "none"]


def test_an_architecture_without_a_path_is_not_connected() -> None:
    dead = cell(*["none"] * 6)
    assert not is_connected(NASBENCH201.graph(dead))
    assert is_connected(NASBENCH201.graph(cell(*["none"] * 3, "skip", "none", "none")))


def test_how_many_cells_are_connected() -> None:
    # An independent count: reachability of node 3 over the edges that are not `none`.
    def reaches(choices: tuple[object, ...]) -> bool:
        reached = {0}
        for (i, j), choice in zip(cell_edges(4), choices, strict=True):
            if choice != "none" and i in reached:
                reached.add(j)
        return 3 in reached

    counted = sum(reaches(a.choices) for a in enumerate_space(NASBENCH201))
    keys_seen = sum(bool(live_edges(a.choices, 4)) for a in enumerate_space(NASBENCH201))
    assert counted == keys_seen == 15_284


def test_a_graph_without_one_input_is_refused() -> None:
    graph: nx.DiGraph[str] = nx.DiGraph()
    graph.add_node("out", operation=OUTPUT)
    with pytest.raises(ValueError, match="0 nodes with the operation 'input'"):
        is_connected(graph)


@pytest.mark.parametrize("space", [NASBENCH201, FORGERY], ids=lambda space: space.name)
def test_a_key_told_without_a_graph_is_that_of_the_graph(space: SearchSpace) -> None:
    assert isinstance(space, SupportsCanonicalKey)
    rng = np.random.default_rng(0)
    for _ in range(400):
        architecture = sample(space, rng=rng)
        assert canonical_key_of(space, architecture) == canonical_key(space.graph(architecture))
    nothing = from_indices(space, [0] * len(space.decisions))
    assert canonical_key_of(space, nothing) == canonical_key(space.graph(nothing))
