"""Laws of every search space and of every encoding: subclass, give a factory, inherit them."""

import itertools

import networkx as nx
import numpy as np
import pytest
import torch

from spaces.architecture import Architecture
from spaces.encodings.encoding import Encoding
from spaces.graphs import AS_PUBLISHED, INPUT, NONE, OUTPUT, SKIP, canonical_key
from spaces.space import (
    SearchSpace,
    check,
    connects,
    crossover,
    enumerate_space,
    from_indices,
    indices,
    live,
    mutate,
    neighbours,
    sample,
    size,
)
from tests.spaces.interpretation import computed

DRAWS = 30
SMALL = 5_000
"""Largest space that is enumerated here."""


class SpaceLaws:
    """What holds of every `SearchSpace`."""

    @pytest.fixture
    def space(self) -> SearchSpace:
        raise NotImplementedError("a subclass gives the space")

    @pytest.fixture
    def drawn(self, space: SearchSpace) -> list[Architecture]:
        rng = np.random.default_rng(0)
        return [sample(space, rng=rng) for _ in range(DRAWS)]

    def test_names_of_decisions_are_different(self, space: SearchSpace) -> None:
        names = [decision.name for decision in space.decisions]
        assert len(set(names)) == len(names) > 0

    def test_draws_changes_and_crossings_are_points_of_the_space(
        self, space: SearchSpace, drawn: list[Architecture]
    ) -> None:
        rng = np.random.default_rng(1)
        for first, second in zip(drawn, reversed(drawn), strict=True):
            check(space, first)
            check(space, mutate(space, first, rng=rng))
            check(space, mutate(space, first, rng=rng, radius=min(2, len(space.decisions))))
            check(space, crossover(space, first, second, rng=rng))

    def test_the_same_generator_draws_the_same(self, space: SearchSpace) -> None:
        first, second = (sample(space, rng=np.random.default_rng(4)) for _ in range(2))
        assert first == second

    def test_neighbours_are_different_points_one_decision_away_and_mutual(
        self, space: SearchSpace, drawn: list[Architecture]
    ) -> None:
        for centre in drawn[:3]:
            around = list(neighbours(space, centre))
            assert len(set(around)) == len(around)
            for near in around[:: max(1, len(around) // 10)]:
                check(space, near)
                assert sum(map(str.__ne__, _words(centre), _words(near))) == 1
                assert centre in set(neighbours(space, near))

    def test_graphs_are_acyclic_with_one_input_and_one_output(
        self, space: SearchSpace, drawn: list[Architecture]
    ) -> None:
        for architecture in drawn:
            graph = space.graph(architecture)
            operations = [operation for _, operation in graph.nodes(data="operation")]
            assert nx.is_directed_acyclic_graph(graph)
            assert operations.count(INPUT) == operations.count(OUTPUT) == 1

    def test_the_key_ignores_the_names_of_nodes(
        self, space: SearchSpace, drawn: list[Architecture]
    ) -> None:
        for architecture in drawn[:10]:
            graph = space.graph(architecture)
            renamed = nx.relabel_nodes(graph, {n: f"n{i}" for i, n in enumerate(graph)})
            assert canonical_key(renamed) == canonical_key(graph)

    def test_keys_are_equal_where_and_only_where_the_graphs_compute_the_same(
        self, space: SearchSpace, drawn: list[Architecture]
    ) -> None:
        rng = np.random.default_rng(2)
        graphs = [space.graph(a) for a in [*drawn, *(_thinned(space, a, rng) for a in drawn)]]
        graphs += [space.graph(mutate(space, a, rng=rng)) for a in drawn]
        keys, values = [canonical_key(g) for g in graphs], [computed(g) for g in graphs]
        coarse = not any(graph.graph.get(AS_PUBLISHED) for graph in graphs)
        for (i, key), (k, other) in itertools.combinations(enumerate(keys), 2):
            if key == other or coarse:
                same = bool(np.allclose(values[i], values[k], rtol=0, atol=1e-9))
                assert same == (key == other), (graphs[i].nodes(data=True), graphs[k].nodes)

    def test_a_decision_that_is_not_live_is_no_difference(
        self, space: SearchSpace, drawn: list[Architecture]
    ) -> None:
        for architecture in drawn[:10]:
            lives = live(space, architecture)
            assert lives <= {decision.name for decision in space.decisions}
            assert bool(lives) <= connects(space, architecture)

    def test_indices_round_trip(self, space: SearchSpace, drawn: list[Architecture]) -> None:
        assert [from_indices(space, row) for row in indices(space, drawn)] == drawn

    def test_a_small_space_enumerates_as_many_points_as_its_size(self, space: SearchSpace) -> None:
        if size(space) > SMALL:
            return
        everything = list(enumerate_space(space))
        assert len(set(everything)) == len(everything) == size(space)
        for architecture in everything[:: max(1, len(everything) // 50)]:
            check(space, architecture)

    def test_another_spaces_architecture_is_refused(
        self, space: SearchSpace, drawn: list[Architecture]
    ) -> None:
        with pytest.raises(ValueError, match="belongs to the space 'another'"):
            check(space, Architecture("another", drawn[0].choices))
        with pytest.raises(ValueError, match="choices"):
            check(space, Architecture(space.name, drawn[0].choices[:-1]))


class EncodingLaws:
    """What holds of every `Encoding`."""

    @pytest.fixture
    def encoding(self) -> Encoding:
        raise NotImplementedError("a subclass gives the encoding")

    @pytest.fixture
    def architectures(self) -> list[Architecture]:
        raise NotImplementedError("a subclass gives some architectures of the encoding's space")

    def test_rows_are_finite_float64_of_the_stated_dimension(
        self, encoding: Encoding, architectures: list[Architecture]
    ) -> None:
        rows = encoding.encode(architectures)
        assert rows.dtype == torch.float64
        assert rows.device.type == "cpu"
        assert rows.shape == (len(architectures), encoding.dimension)
        assert torch.isfinite(rows).all()
        assert encoding.encode([]).shape == (0, encoding.dimension)

    def test_a_row_depends_on_its_architecture_alone(
        self, encoding: Encoding, architectures: list[Architecture]
    ) -> None:
        rows = encoding.encode(architectures)
        single = torch.cat([encoding.encode([a]) for a in reversed(architectures)])
        assert torch.equal(single.flip(0), rows)
        assert torch.equal(encoding.encode([*architectures, *architectures])[len(rows) :], rows)

    def test_what_is_returned_may_be_changed(
        self, encoding: Encoding, architectures: list[Architecture]
    ) -> None:
        rows = encoding.encode(architectures)
        kept = rows.clone()
        rows.fill_(-1.0)
        assert torch.equal(encoding.encode(architectures), kept)


def _words(architecture: Architecture) -> list[str]:
    return [repr(choice) for choice in architecture.choices]


def _thinned(
    space: SearchSpace, architecture: Architecture, rng: np.random.Generator
) -> Architecture:
    """The architecture with `none` or a skip in many places, so that different ones may agree."""
    choices = list(architecture.choices)
    for i, decision in enumerate(space.decisions):
        plain = [o for o in (NONE, SKIP) if o in decision.options]
        if plain and rng.random() < 0.6:
            choices[i] = plain[int(rng.integers(len(plain)))]
    thinned = Architecture(space.name, tuple(choices))
    return thinned if connects(space, thinned) else architecture
