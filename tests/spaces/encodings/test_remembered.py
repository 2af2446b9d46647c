"""What is remembered of architectures is what would be computed, and is bounded."""

import pickle

import networkx as nx
import numpy as np
import pytest
import torch

from spaces.architecture import Architecture
from spaces.darts import DARTS
from spaces.encodings.multisets import PathMultisetEncoding
from spaces.encodings.profiles import PathProfileEncoding
from spaces.encodings.remembered import Remembered
from spaces.graphs import INPUT, NONE, OUTPUT, live_decisions
from spaces.macro import MACRO
from spaces.space import SearchSpace, sample


def drawn(space: SearchSpace, count: int, seed: int = 0) -> list[Architecture]:
    rng = np.random.default_rng(seed)
    return [sample(space, rng=rng) for _ in range(count)]


@pytest.mark.parametrize("space", [DARTS, MACRO], ids=lambda s: s.name)
@pytest.mark.parametrize("encoding", [PathMultisetEncoding, PathProfileEncoding])
def test_rows_are_the_same_whatever_was_encoded_before(
    encoding: type[PathMultisetEncoding | PathProfileEncoding], space: SearchSpace
) -> None:
    used, some = encoding(space), drawn(space, 20)
    used.encode([*drawn(space, 20, seed=1), *some])
    again = pickle.loads(pickle.dumps(used))
    for known in (used, again):
        assert torch.equal(known.encode(some[::-1]), encoding(space).encode(some[::-1]))


def test_the_older_half_is_forgotten_and_a_result_is_computed_once() -> None:
    asked: list[Architecture] = []

    def number(architecture: Architecture) -> int:
        asked.append(architecture)
        return len(asked)

    some = drawn(DARTS, 6)
    remembered = Remembered(number, most=4)
    assert [remembered(a) for a in (*some[:4], *some[:4])] == [1, 2, 3, 4] * 2
    assert remembered(some[4]) == 5
    assert remembered(some[3]) == 4, "the younger half stays"
    assert remembered(some[0]) == 6, "the older half is computed again"


def test_live_decisions_are_those_between_what_networkx_reaches() -> None:
    for architecture in drawn(DARTS, 50, seed=3):
        graph = DARTS.graph(architecture)
        passing = graph.subgraph(n for n, o in graph.nodes(data="operation") if o != NONE)
        between = nx.descendants(passing, INPUT) & nx.ancestors(passing, OUTPUT)
        expected = {graph.nodes[node].get("decision") for node in between} - {None}
        assert live_decisions(graph) == expected
