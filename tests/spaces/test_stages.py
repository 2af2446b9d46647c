"""Spaces of stages, `macro` among them: what makes two architectures one, and their encodings."""

from dataclasses import replace

import networkx as nx
import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

import bonas
from spaces.architecture import Architecture, Choice
from spaces.encodings.encoding import Encoding
from spaces.encodings.multisets import PathMultisetEncoding
from spaces.encodings.onehot import OneHotEncoding
from spaces.encodings.paths import PathEncoding
from spaces.encodings.profiles import PathProfileEncoding
from spaces.encodings.statistics import operation_statistics
from spaces.encodings.wiring import fixed_paths
from spaces.encodings.wl import WeisfeilerLehmanEncoding
from spaces.graphs import INPUT, OUTPUT, canonical_key, is_connected, live_decisions
from spaces.macro import MACRO
from spaces.space import (
    Decision,
    check,
    connects,
    enumerate_space,
    live,
    neighbours,
    sample,
    size,
    unused,
)
from spaces.stages import EXPANDING, SETTINGS, StageSpace

SEEDS = st.integers(0, 2**32 - 1)
SMALL = StageSpace(
    "small",
    stages=("early", "late"),  # names whose paths no hash confuses
    operations=("conv", "mbconv"),
    depths=(1, 2),
    widths=(0.5, 1.0),
    kernels=(3, 5),
    expansions=(3, 6),
)
ALL = tuple(enumerate_space(SMALL))


def key(space: StageSpace, architecture: Architecture) -> str:
    return canonical_key(space.graph(architecture))


def drawn(seed: int) -> Architecture:
    return sample(MACRO, rng=np.random.default_rng(seed))


def test_the_size_is_the_stated_one() -> None:
    assert size(MACRO) == 108**4
    assert [d.name for d in MACRO.decisions[:5]] == [f"stage1/{s}" for s in SETTINGS]
    assert len(MACRO.decisions) == 20
    one = replace(MACRO, stages=("stage1",))
    assert len({key(one, a) for a in enumerate_space(one)}) == 72


def test_architectures_are_one_if_and_only_if_they_differ_in_expansions_without_effect() -> None:
    by_key: dict[str, set[tuple[object, ...]]] = {}
    for architecture in ALL:
        stages = tuple(SMALL.chosen(architecture).values())
        by_key.setdefault(key(SMALL, architecture), set()).add(stages)
    assert all(len(stages) == 1 for stages in by_key.values())
    assert len(by_key) == len({tuple(SMALL.chosen(a).values()) for a in ALL}) == 24**2


@pytest.mark.parametrize("architecture", ALL[::67], ids=str)
def test_live_decisions_are_those_of_the_graph_and_of_the_key(architecture: Architecture) -> None:
    lives = live(SMALL, architecture)
    assert lives == live_decisions(SMALL.graph(architecture))
    assert unused(SMALL, architecture) == {d.name for d in SMALL.decisions} - lives
    own = key(SMALL, architecture)
    for near in neighbours(SMALL, architecture):
        (changed,) = (
            d.name
            for d, a, b in zip(SMALL.decisions, architecture.choices, near.choices, strict=True)
            if a != b
        )
        assert (key(SMALL, near) == own) == (changed not in lives)


@given(seed=SEEDS)
def test_every_architecture_is_a_connected_chain_of_its_layers(seed: int) -> None:
    architecture = drawn(seed)
    graph = MACRO.graph(architecture)
    assert connects(MACRO, architecture)
    assert is_connected(graph)
    path = nx.shortest_path(graph, INPUT, OUTPUT)
    assert len(path) == len(graph) == graph.number_of_edges() + 1
    named = [graph.nodes[n]["operation"] for n in path[1:-1]]
    stages = MACRO.chosen(architecture).items()
    assert named == [f"{name}/{s.layer}" for name, s in stages for _ in range(s.depth)]


def test_a_layers_name_says_what_has_an_effect() -> None:
    architecture = Architecture("small", ("mbconv", 1, 0.5, 5, 3, "conv", 2, 1.0, 3, 6))
    first, second = SMALL.chosen(architecture).values()
    assert (first.layer, second.layer) == ("mbconv_5x5_e3_w0.5", "conv_3x3_w1")
    assert (second.depth, second.expansion) == (2, 1)


def test_a_constant_is_no_decision() -> None:
    plain = replace(SMALL, operations=("conv",), expansions=(6,), kernels=(5,))
    assert plain.decisions == (
        Decision("early/depth", (1, 2)),
        Decision("early/width", (0.5, 1.0)),
        Decision("late/depth", (1, 2)),
        Decision("late/width", (0.5, 1.0)),
    )
    architecture = Architecture("small", (2, 0.5, 1, 1.0))
    assert [s.layer for s in plain.chosen(architecture).values()] == [
        "conv_5x5_w0.5",
        "conv_5x5_w1",
    ]
    assert live(plain, architecture) == {d.name for d in plain.decisions}
    fixed = replace(plain, depths=(1,), widths=(1.0,))
    assert connects(fixed, Architecture("small", ()))


def test_choices_survive_json_with_their_types() -> None:
    architecture = drawn(0)
    again = Architecture.from_json(architecture.to_json())
    check(MACRO, again)
    assert again == architecture
    assert [type(c) for c in again.choices] == [type(c) for c in architecture.choices]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"stages": ()}, r"stages is \(\); it must hold different names, at least one"),
        ({"stages": ("a", "a")}, r"stages is \('a', 'a'\); it must hold different names"),
        ({"operations": ()}, r"operations is \(\)"),
        ({"depths": (0, 1)}, r"depths is \(0, 1\); it must hold numbers from 1 on"),
        ({"widths": (0.0,)}, r"widths is \(0.0,\); it must hold numbers above 0"),
        ({"kernels": (3, 4)}, r"kernels is \(3, 4\); it must hold odd numbers"),
        ({"expansions": (0,)}, r"expansions is \(0,\)"),
        ({"operations": ("conv",)}, r"expansions is \(3, 6\), but none of the operations conv"),
    ],
)
def test_a_setting_outside_its_rule_is_named(
    change: dict[str, tuple[Choice, ...]], message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        replace(SMALL, **change)  # type: ignore[arg-type]


def test_an_option_that_is_none_is_refused() -> None:
    architecture = Architecture("small", ("conv", 3, 0.5, 3, 3, "conv", 1, 0.5, 3, 3))
    with pytest.raises(ValueError, match="3 is no option of the decision 'early/depth'"):
        SMALL.graph(architecture)


def _shares(architecture: Architecture) -> tuple[object, ...]:
    """What profiles see: how many stages have each option that has an effect."""
    stages = SMALL.chosen(architecture).values()
    columns = zip(*((s.operation, s.depth, s.width, s.kernel) for s in stages), strict=True)
    expansions = sorted(s.expansion for s in stages if s.operation in EXPANDING)
    return (*(tuple(sorted(column)) for column in columns), tuple(expansions))


@pytest.mark.parametrize(
    ("encoding", "different"),
    [
        (OneHotEncoding(SMALL), len(ALL)),
        (PathEncoding(SMALL), 24**2),
        (PathMultisetEncoding(SMALL), 24**2),
        (PathProfileEncoding(SMALL), len({_shares(a) for a in ALL})),
        (WeisfeilerLehmanEncoding(SMALL, buckets=4096), 24**2),
    ],
    ids=lambda value: type(value).__name__ if not isinstance(value, int) else str(value),
)
def test_encodings_tell_apart_what_they_say(encoding: Encoding, different: int) -> None:
    rows = encoding.encode(ALL)
    assert len(torch.unique(rows, dim=0)) == different
    if isinstance(encoding, OneHotEncoding):
        return
    first: dict[str, torch.Tensor] = {}
    for architecture, row in zip(ALL, rows, strict=True):
        assert torch.equal(first.setdefault(key(SMALL, architecture), row), row)


def test_depth_chooses_the_wiring_and_a_stage_is_one_path() -> None:
    assert fixed_paths(MACRO) is None
    assert (PathMultisetEncoding(MACRO).encode([drawn(s) for s in range(5)]).sum(1) == 4).all()


def test_profiles_are_shares_over_the_stages() -> None:
    encoding = PathProfileEncoding(SMALL)
    architecture = Architecture("small", ("mbconv", 1, 0.5, 5, 3, "conv", 1, 1.0, 3, 6))
    expected = [0.5, 0.5, 1.0, 0.0, 0.5, 0.5, 0.5, 0.5, 0.5, 0.0]
    assert encoding.encode([architecture]).tolist() == [expected]


def test_the_depth_of_the_graph_is_the_number_of_layers() -> None:
    architecture = drawn(1)
    layers = sum(stage.depth for stage in MACRO.chosen(architecture).values())
    assert operation_statistics(MACRO, architecture)[-2] == layers + 1


def test_layers_are_counted_by_every_setting_of_their_stage() -> None:
    architecture = Architecture("small", ("mbconv", 1, 0.5, 5, 3, "conv", 2, 1.0, 3, 6))
    names = dict.fromkeys(
        option if isinstance(option, str) else f"{decision.name.partition('/')[2]}={option}"
        for decision in SMALL.decisions
        for option in decision.options
    )
    found = dict(zip(names, operation_statistics(SMALL, architecture), strict=False))
    expected = dict.fromkeys(("mbconv", "depth=1", "width=0.5", "kernel=5", "expansion=3"), 1)
    expected |= dict.fromkeys(("conv", "depth=2", "width=1.0", "kernel=3"), 2)  # expands nothing
    assert {name: count for name, count in found.items() if count} == expected
    assert len({operation_statistics(MACRO, drawn(seed)) for seed in range(30)}) == 30


def _worth(architecture: Architecture) -> float:
    """Deep, central difference, wide early and narrow late; no expansion counts."""
    first, *_, last = stages = list(MACRO.chosen(architecture).values())
    likes = sum(s.operation == "cdc" for s in stages) + sum(s.depth for s in stages) / 3
    return likes + first.width - last.width


def test_the_default_strategy_proposes_no_isomorph_twice() -> None:
    search = bonas.Search(MACRO, seed=0)
    values, keys = [], set()
    for _ in range(15):
        architecture = search.ask()
        keys.add(search.key(architecture))
        values.append(_worth(architecture))
        search.tell(architecture, bonas.Observation(value=values[-1]))
    assert len(keys) == 15
    assert max(values[8:]) > max(values[:8]), "guided steps improve on the first ones"
