"""Weisfeiler-Lehman counts and statistics."""

import itertools
import math
from collections import Counter

import networkx as nx
import numpy as np
import pytest
import torch

from spaces.architecture import Architecture
from spaces.encodings.statistics import (
    StatisticsEncoding,
    operation_statistics,
    ranked,
    ranked_among,
)
from spaces.encodings.wl import WeisfeilerLehmanEncoding, label_counts
from spaces.forgery import FORGERY
from spaces.graphs import SKIP, canonical_key, simplify
from spaces.nasbench201 import NASBENCH201, from_arch_str
from spaces.space import connects, enumerate_space, sample

ALL = tuple(enumerate_space(NASBENCH201))
"""In base 5: a stride that is a multiple of 5 would leave the last edges at their first option."""
WL = WeisfeilerLehmanEncoding(NASBENCH201, rounds=2)


def test_counts_ignore_the_names_of_nodes() -> None:
    rng = np.random.default_rng(0)
    for _ in range(20):
        graph = simplify(FORGERY.graph(sample(FORGERY, rng=rng)))
        names = [str(i) for i in rng.permutation(len(graph))]
        renamed = nx.relabel_nodes(graph, dict(zip(graph, names, strict=True)))
        assert label_counts(graph, 3) == label_counts(renamed, 3)


def test_inner_products_are_those_of_the_published_label_compression() -> None:
    """Shervashidze et al. (2011), algorithm 1, with one dictionary of integers for all graphs."""
    rng = np.random.default_rng(0)
    graphs = [simplify(NASBENCH201.graph(sample(NASBENCH201, rng=rng))) for _ in range(40)]
    compressed: dict[object, int] = {}
    labels = [
        {n: compressed.setdefault(o, len(compressed)) for n, o in g.nodes(data="operation")}
        for g in graphs
    ]
    published = [Counter(own.values()) for own in labels]
    for _ in range(2):
        for i, graph in enumerate(graphs):
            multisets = {
                n: (labels[i][n], tuple(sorted(labels[i][p] for p in graph.predecessors(n))))
                for n in graph
            }
            labels[i] = {
                n: compressed.setdefault((_, m), len(compressed)) for n, m in multisets.items()
            }
            published[i].update(labels[i].values())
    ours = [label_counts(graph, 2) for graph in graphs]
    for i, j in itertools.combinations(range(40), 2):
        expected = sum(published[i][label] * published[j][label] for label in published[i])
        assert sum(ours[i][label] * ours[j][label] for label in ours[i]) == expected


def test_inner_products_are_those_of_grakel() -> None:
    grakel = pytest.importorskip("grakel", reason="grakel has no wheel for this Python")
    from grakel.kernels import VertexHistogram, WeisfeilerLehman

    rng = np.random.default_rng(1)
    graphs = [simplify(FORGERY.graph(sample(FORGERY, rng=rng))) for _ in range(25)]
    theirs = [
        grakel.Graph(
            # grakel refines by successors, we by predecessors.
            {node: list(graph.predecessors(node)) for node in graph},
            node_labels=dict(graph.nodes(data="operation")),
        )
        for graph in graphs
    ]
    kernel = WeisfeilerLehman(n_iter=2, base_graph_kernel=VertexHistogram, normalize=False)
    counts = [label_counts(graph, 2) for graph in graphs]
    ours = [[sum(a[label] * b[label] for label in a) for b in counts] for a in counts]
    assert kernel.fit_transform(theirs).tolist() == ours


def test_each_round_counts_every_node_once() -> None:
    for architecture in ALL[::997]:
        nodes = len(simplify(NASBENCH201.graph(architecture)))
        assert WL.encode([architecture]).sum() == 3 * nodes


def test_of_one_canonical_key_only_other_graphs_have_other_counts() -> None:
    some = ALL[::11]
    first: dict[str, tuple[nx.DiGraph[str], torch.Tensor]] = {}
    others = 0
    for architecture, row in zip(some, WL.encode(some), strict=True):
        graph = simplify(NASBENCH201.graph(architecture))
        before, row_before = first.setdefault(
            canonical_key(NASBENCH201.graph(architecture)), (graph, row)
        )
        if not torch.equal(row_before, row):
            others += 1
            alike = nx.isomorphism.categorical_node_match("operation", None)
            assert not nx.is_isomorphic(before, graph, node_match=alike)
    assert 0 < others < len(some) / 10


def test_statistics_are_looked_up_by_class_and_scaled() -> None:
    text = "|nor_conv_3x3~0|+|none~0|nor_conv_1x1~1|+|skip_connect~0|none~1|none~2|"
    architecture = from_arch_str(text)
    assert operation_statistics(NASBENCH201, architecture) == (0.0, 0.0, 0.0, 1.0, 1.0)
    key = canonical_key(NASBENCH201.graph(architecture))
    encoding = StatisticsEncoding(NASBENCH201, {key: (3.0, 10.0)}, ((1.0, 5.0), (0.0, 10.0)))
    assert encoding.encode([architecture]).tolist() == [[0.5, 1.0]]
    with pytest.raises(KeyError, match="no entry for the canonical key"):
        encoding.encode([ALL[777]])
    with pytest.raises(ValueError, match="ranges has"):
        StatisticsEncoding(NASBENCH201, {}, ((1.0, 1.0),))


def test_statistics_are_computed_once_for_each_architecture_that_is_met() -> None:
    asked: list[Architecture] = []

    def counts(architecture: Architecture) -> tuple[float, ...]:
        asked.append(architecture)
        return operation_statistics(NASBENCH201, architecture)

    some = ALL[::499]
    lazy = StatisticsEncoding(NASBENCH201, counts, ((0.0, 8.0),) * 5)
    rows = lazy.encode([*some, *some])
    assert asked == list(some)
    expected = [operation_statistics(NASBENCH201, a) for a in some]
    assert torch.equal(8.0 * rows[: len(some)], torch.tensor(expected).double())
    assert torch.equal(lazy.encode(some[::-1]).flip(0), rows[: len(some)])


@pytest.mark.slow
def test_as_many_architectures_are_told_apart_as_the_encodings_say() -> None:
    assert len({operation_statistics(NASBENCH201, a) for a in ALL}) == 414
    counts = WeisfeilerLehmanEncoding(NASBENCH201).encode(ALL)
    assert len(torch.unique(counts, dim=0)) == 5_498


def test_ranked_scores_are_shared_by_a_class_and_spread_from_zero_to_one() -> None:
    first, twin, conv, pool = (
        Architecture("nasbench201", choices)
        for choices in [
            (SKIP, "conv_1x1", "none", SKIP, "conv_1x1", SKIP),
            ("conv_1x1", SKIP, SKIP, "none", SKIP, SKIP),  # the same after contraction
            ("conv_3x3", *["none"] * 3, "conv_3x3", "none"),
            (*["none"] * 3, "avg_pool_3x3", "none", "none"),
        ]
    )
    scores = {first: (1e-30, 5.0), twin: (7.0, 7.0), conv: (1e30, 5.0), pool: (2.0, 1.0)}
    rows = ranked(NASBENCH201, scores).encode([first, twin, conv, pool])
    assert rows.tolist() == [[0.0, 0.75], [0.0, 0.75], [1.0, 0.75], [0.5, 0.0]]
    with pytest.raises(ValueError, match="1 different architectures"):
        ranked(NASBENCH201, {first: (1.0,), twin: (2.0,)})
    none = {first: (1.0,), conv: (-math.inf,), pool: (0.5,)}
    assert ranked(NASBENCH201, none).encode([first, conv, pool]).tolist() == [[1.0], [0.0], [0.5]]
    with pytest.raises(ValueError, match=r"scores has \(nan,\) for \(.conv_3x3"):
        ranked(NASBENCH201, {first: (1.0,), conv: (float("nan"),)})


def test_ranks_among_others_are_computed_for_what_is_met_alone() -> None:
    asked: list[Architecture] = []

    def scores(architecture: Architecture) -> tuple[float, float]:
        asked.append(architecture)
        if not connects(NASBENCH201, architecture):
            return (-math.inf, -math.inf)
        convolutions = architecture.choices.count("conv_3x3")
        return (1e30**convolutions, -float(convolutions))

    below, worst, few, many, above = (
        Architecture("nasbench201", (a, b, c, "none", c, c))
        for a, b, c in [
            ("none", "none", "none"),
            ("conv_1x1", "none", "conv_1x1"),
            ("conv_1x1", "conv_3x3", "conv_1x1"),
            ("conv_3x3", "conv_3x3", "conv_1x1"),
            ("conv_3x3", "conv_3x3", "conv_3x3"),
        ]
    )
    encoding = ranked_among(NASBENCH201, scores, [worst, few, few, many])
    assert len(asked) == 4
    rows = encoding.encode([below, worst, few, many, above, few])
    assert rows[:, 0].tolist() == [0.0, 0.125, 0.5, 0.875, 1.0, 0.5]
    assert rows[:, 1].tolist() == [0.0, 0.875, 0.5, 0.125, 0.0, 0.5]
    assert len(asked) == 4 + 5, "each that is met, once"
    with pytest.raises(ValueError, match="reference has 1 architectures"):
        ranked_among(NASBENCH201, scores, [few])
    with pytest.raises(ValueError, match=r"score is \(nan,\) for \('none'"):
        ranked_among(NASBENCH201, lambda a: (math.nan,), [below, few])


def test_bad_arguments_are_named() -> None:
    with pytest.raises(ValueError, match="rounds is -1"):
        WeisfeilerLehmanEncoding(NASBENCH201, rounds=-1)
