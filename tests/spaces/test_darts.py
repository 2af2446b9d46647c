"""The space of DARTS and its notation."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from spaces.architecture import Architecture
from spaces.darts import DARTS, from_genotype, source_pairs, to_genotype
from spaces.encodings.multisets import PathMultisetEncoding
from spaces.graphs import INPUT, OUTPUT, canonical_key
from spaces.space import connects, sample, size

V2 = {  # Liu et al. (2019), figures 4 and 5: the second-order cells for CIFAR-10
    "normal": [
        *[("sep_conv_3x3", 0), ("sep_conv_3x3", 1), ("sep_conv_3x3", 0), ("sep_conv_3x3", 1)],
        *[("sep_conv_3x3", 1), ("skip_connect", 0), ("skip_connect", 0), ("dil_conv_3x3", 2)],
    ],
    "reduce": [
        *[("max_pool_3x3", 0), ("max_pool_3x3", 1), ("skip_connect", 2), ("max_pool_3x3", 1)],
        *[("max_pool_3x3", 0), ("skip_connect", 2), ("skip_connect", 2), ("max_pool_3x3", 1)],
    ],
}


def test_the_size_is_the_stated_one() -> None:
    assert size(DARTS) == (8**8 * 3 * 6 * 10) ** 2
    assert [len(source_pairs(node)) for node in range(4)] == [1, 3, 6, 10]


def test_a_genotype_is_read_and_written() -> None:
    architecture = from_genotype(V2)
    written = to_genotype(architecture)
    for cell in ("normal", "reduce"):
        for node in range(4):
            edges = slice(2 * node, 2 * node + 2)
            assert sorted(written[cell][edges]) == sorted(V2[cell][edges])
    assert from_genotype(written) == architecture


@given(seed=st.integers(0, 2**32 - 1))
def test_every_architecture_has_a_genotype(seed: int) -> None:
    architecture = sample(DARTS, rng=np.random.default_rng(seed))
    assert from_genotype(to_genotype(architecture)) == architecture


@pytest.mark.parametrize(
    ("cell", "edges", "message"),
    [
        ("normal", [("skip_connect", 0)] * 3, "normal has 3 edges; it needs 8"),
        ("reduce", [("skip_connect", 0)] * 8, "reduce, node 0: .* two different states below 2"),
        ("normal", [("conv", 0), ("skip_connect", 1)] * 4, "normal, node 0: .*'conv'"),
        ("normal", [("skip_connect", 0), ("skip_connect", 5)] * 4, "normal, node 0"),
    ],
)
def test_a_wrong_genotype_is_named(cell: str, edges: list[tuple[str, int]], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        from_genotype(V2 | {cell: edges})


def test_the_key_ignores_the_order_of_a_nodes_edges_and_of_equal_nodes() -> None:
    # The first two nodes both read both inputs: exchanging what they do exchanges two channels.
    architecture = from_genotype(V2)
    other = {"normal": list(V2["normal"]), "reduce": list(V2["reduce"])}
    other["normal"][0:2] = [("sep_conv_5x5", 0), ("sep_conv_3x3", 1)]
    twin = {"normal": list(other["normal"]), "reduce": list(other["reduce"])}
    twin["normal"][0:4] = [*other["normal"][2:4], *other["normal"][0:2]]
    # The last node reads node 0, which has become node 1.
    twin["normal"][7] = ("dil_conv_3x3", 3)
    keys = [canonical_key(DARTS.graph(from_genotype(g))) for g in (other, twin)]
    assert keys[0] == keys[1] != canonical_key(DARTS.graph(architecture))


def test_a_skip_that_halves_the_resolution_is_not_contracted() -> None:
    # The last node reads node 0, which is the first input through a skip, or that input itself: a
    # convolution at half the resolution, or one that halves it.
    reduce = [("skip_connect", 0), ("none", 1), *[("max_pool_3x3", 0), ("none", 1)] * 2]
    behind, instead = (
        from_genotype(V2 | {"reduce": [*reduce, *last]})
        for last in ([("sep_conv_3x3", 2), ("none", 1)], [("sep_conv_3x3", 0), ("none", 1)])
    )
    assert canonical_key(DARTS.graph(behind)) != canonical_key(DARTS.graph(instead))
    normal = [*reduce, ("sep_conv_3x3", 2), ("none", 1)]
    direct = [*reduce, ("sep_conv_3x3", 0), ("none", 1)]
    keys = {canonical_key(DARTS.graph(from_genotype(V2 | {"normal": n}))) for n in (normal, direct)}
    assert len(keys) == 1


def test_a_dead_cell_is_not_connected() -> None:
    architecture = from_genotype(V2)
    assert connects(DARTS, architecture)
    half = len(architecture.choices) // 2
    dead = tuple(
        "none" if d.name.endswith(("first", "second")) else c
        for d, c in zip(DARTS.decisions[:half], architecture.choices[:half], strict=True)
    )
    for choices in [(*dead, *architecture.choices[half:]), (*architecture.choices[:half], *dead)]:
        assert not connects(DARTS, Architecture("darts", choices))


def test_paths_of_its_cells_are_encoded_without_multiplying_them() -> None:
    architecture = from_genotype(V2)
    row = PathMultisetEncoding(DARTS).encode([architecture])[0]
    graph = DARTS.graph(architecture)
    paths = {
        cell: sum(_paths_from(graph, f"{cell}/{state}", f"{cell}/output") for state in (0, 1))
        for cell in ("normal", "reduction")
    }
    assert float(row.sum()) == sum(paths.values())
    assert INPUT in graph
    assert OUTPUT in graph


def _paths_from(graph: object, node: str, goal: str) -> int:
    import networkx as nx

    assert isinstance(graph, nx.DiGraph)
    return sum(1 for _ in nx.all_simple_paths(graph, node, goal))
