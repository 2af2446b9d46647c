"""The `forgery` spaces: what is chosen around the cells, and where it makes a difference."""

from collections.abc import Mapping

import networkx as nx
import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from spaces.architecture import Architecture, Choice
from spaces.encodings.encoding import Encoding
from spaces.encodings.multisets import PathMultisetEncoding
from spaces.encodings.onehot import OneHotEncoding
from spaces.encodings.paths import HASHED_FEATURES, PathEncoding
from spaces.encodings.profiles import PathProfileEncoding
from spaces.encodings.wiring import fixed_paths
from spaces.encodings.wl import WeisfeilerLehmanEncoding
from spaces.forgery import FORGERY, FORGERY_CASCADE, INPUTS, THETAS, ForgerySpace
from spaces.graphs import NONE, SKIP, canonical_key, is_connected, live_decisions
from spaces.pyramid import ADD, STAGES
from spaces.space import connects, from_indices, live, sample, size, unused

SEEDS = st.integers(0, 2**32 - 1)
UNTIMED = settings(deadline=None)  # a machine may be busy with something else
GLOBAL = ForgerySpace("global", thetas=(0.3, 0.7), theta_per_stage=False)
SPACES = [
    FORGERY_CASCADE,
    GLOBAL,
    ForgerySpace("inputs", inputs=("rgb", "residual")),
    ForgerySpace("joins", joins=True),
    ForgerySpace("pyramid", top_down=True),
]


def point(space: ForgerySpace = FORGERY_CASCADE, **chosen: Choice) -> Architecture:
    """All first options, but for those that are named; `stage1="skip"` is a whole cell's edges."""
    choices = {d.name: d.options[0] for d in space.decisions}
    for name, choice in chosen.items():
        edges = [d for d in choices if d.startswith(f"{name}/") and "theta" not in d]
        assert name in STAGES
        choices |= dict.fromkeys(edges, choice)
    return Architecture(space.name, tuple(choices.values()))


def changed(
    architecture: Architecture, choices: Mapping[str, Choice], space: ForgerySpace = FORGERY_CASCADE
) -> Architecture:
    names = [d.name for d in space.decisions]
    assert choices.keys() <= set(names)
    pairs = zip(names, architecture.choices, strict=True)
    return Architecture(space.name, tuple(choices.get(n, c) for n, c in pairs))


def key(architecture: Architecture, space: ForgerySpace = FORGERY_CASCADE) -> str:
    return canonical_key(space.graph(architecture))


def broken(space: ForgerySpace, seed: int, share: float) -> Architecture:
    """A random architecture, a share of whose edges carries nothing."""
    rng = np.random.default_rng(seed)
    drawn = sample(space, rng=rng)
    choices = (NONE if rng.random() < share and i < 18 else c for i, c in enumerate(drawn.choices))
    return Architecture(space.name, tuple(choices))


def test_the_sizes_are_the_stated_ones() -> None:
    assert size(FORGERY) == 8**18
    assert size(FORGERY_CASCADE) == 8**18 * 4 * 5**3 * 2**3


def test_a_decision_with_one_option_is_left_out() -> None:
    assert len(FORGERY.decisions) == 18
    assert [d.name for d in GLOBAL.decisions[18:]] == ["theta"]
    assert not FORGERY.graph(point(FORGERY)).graph
    assert [d.name for d in FORGERY_CASCADE.decisions[18:]] == [
        *["input", "stage1/theta", "stage2/theta", "stage3/theta"],
        *["joins/1-3", "pyramid/3-2", "pyramid/2-1"],
    ]
    plain = ForgerySpace("plain", operations=(NONE, SKIP), thetas=(0.3, 0.7))
    assert len(plain.decisions) == 18, "no operation has a theta"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            {"inputs": ("rgb", "infrared")},
            "inputs is .*'infrared'.*; it needs at least one, all of",
        ),
        ({"inputs": ()}, "inputs is"),
        ({"thetas": (0.7, 1.2)}, r"thetas is \(0.7, 1.2\); it needs at least one, all in \[0, 1\]"),
        ({"thetas": ()}, "thetas is"),
    ],
)
def test_unknown_inputs_and_thetas_are_named(arguments: dict[str, object], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        ForgerySpace("wrong", **arguments)  # type: ignore[arg-type]


@pytest.mark.parametrize("space", SPACES, ids=lambda s: s.name)
@UNTIMED
@given(seed=SEEDS, share=st.floats(0, 1))
def test_live_decisions_need_no_graph(space: ForgerySpace, seed: int, share: float) -> None:
    architecture = broken(space, seed, share)
    graph = space.graph(architecture)
    assert live(space, architecture) == live_decisions(graph)
    assert connects(space, architecture) == is_connected(graph)


@UNTIMED
@given(seed=SEEDS, share=st.floats(0, 0.8))
def test_beside_the_edges_a_change_is_seen_in_the_key_if_and_only_if_it_is_live(
    seed: int, share: float
) -> None:
    architecture = broken(FORGERY_CASCADE, seed, share)
    for decision in FORGERY_CASCADE.decisions[18:]:
        for option in decision.options:
            other = changed(architecture, {decision.name: option})
            if other == architecture:
                continue
            used = any(decision.name in live(FORGERY_CASCADE, a) for a in (architecture, other))
            assert (key(other) != key(architecture)) == used, (decision.name, option)


@UNTIMED
@given(seed=SEEDS, stage=st.integers(0, 1))
def test_what_is_behind_a_dead_stage_leaves_no_mark_in_the_key(seed: int, stage: int) -> None:
    rng = np.random.default_rng(seed)
    first, second = (sample(FORGERY_CASCADE, rng=rng) for _ in range(2))
    names = [d.name for d in FORGERY_CASCADE.decisions]
    behind = [n for n in names if n[:6] in STAGES[stage + 1 :]]
    alike = {n: c for n, c in zip(names, first.choices, strict=True) if n not in behind}
    dead = {n: NONE for n in names if n.startswith(STAGES[stage]) and "theta" not in n}
    joins = {n: NONE for n in names if n.startswith("joins")}
    pair = [changed(a, alike | dead | joins) for a in (first, second)]
    assert key(pair[0]) == key(pair[1])
    assert live(FORGERY_CASCADE, pair[0]) == live(FORGERY_CASCADE, pair[1])


def test_theta_counts_where_a_live_edge_of_its_stage_has_a_difference() -> None:
    skips = point(stage1=SKIP, stage2=SKIP, stage3=SKIP)
    at_edge = changed(skips, {"stage2/1-3": "cdc_3x3"})
    assert not [n for n in live(FORGERY_CASCADE, skips) if "theta" in n]
    assert {n for n in live(FORGERY_CASCADE, at_edge) if "theta" in n} == {"stage2/theta"}
    assert unused(FORGERY_CASCADE, at_edge) >= {"stage1/theta", "stage3/theta", "joins/1-3"}
    assert "stage2/theta" not in unused(FORGERY_CASCADE, at_edge)
    cut = changed(at_edge, {"stage2/0-1": NONE})
    assert "stage2/theta" not in live(FORGERY_CASCADE, cut), "the edge receives nothing"
    keys = {key(changed(at_edge, {"stage2/theta": theta})) for theta in THETAS}
    assert len(keys) == len(THETAS)


def test_one_theta_for_all_stages_is_live_where_any_has_a_difference() -> None:
    skips = point(GLOBAL, stage1=SKIP, stage2=SKIP, stage3=SKIP)
    assert "theta" not in live(GLOBAL, skips)
    for stage in STAGES:
        at_edge = changed(skips, {f"{stage}/0-3": "cdc_3x3"}, GLOBAL)
        assert "theta" in live(GLOBAL, at_edge)
        assert key(changed(at_edge, {"theta": 0.7}, GLOBAL), GLOBAL) != key(at_edge, GLOBAL)


def test_a_join_leads_past_a_dead_stage() -> None:
    around = point(stage1=SKIP, stage3=SKIP)
    assert not any(n.startswith("stage3") for n in live(FORGERY_CASCADE, around))
    joined = changed(around, {"joins/1-3": ADD})
    assert {n[:6] for n in live(FORGERY_CASCADE, joined) if "stage" in n} == {"stage1", "stage3"}
    lower = changed(joined, {"pyramid/3-2": ADD, "pyramid/2-1": ADD})
    assert {"pyramid/3-2", "pyramid/2-1"} <= live(FORGERY_CASCADE, lower)
    # Level 2 has nothing of its own here: it hands on the third one's.
    assert "pyramid/2-1" not in live(FORGERY_CASCADE, changed(lower, {"pyramid/3-2": NONE}))


def test_the_first_stage_is_needed() -> None:
    dead = changed(point(stage2=SKIP, stage3=SKIP), {"joins/1-3": ADD, "pyramid/2-1": ADD})
    assert not live(FORGERY_CASCADE, dead)
    assert not connects(FORGERY_CASCADE, dead)


@UNTIMED
@given(seed=SEEDS)
def test_the_key_ignores_the_names_of_nodes(seed: int) -> None:
    graph = FORGERY_CASCADE.graph(sample(FORGERY_CASCADE, rng=np.random.default_rng(seed)))
    fresh = {node: f"n{i}" for i, node in enumerate(reversed(list(graph)))}
    assert canonical_key(nx.relabel_nodes(graph, fresh)) == canonical_key(graph)


ENCODINGS = [
    OneHotEncoding,
    PathEncoding,
    PathMultisetEncoding,
    PathProfileEncoding,
    WeisfeilerLehmanEncoding,
]


@pytest.mark.parametrize("space", [FORGERY_CASCADE, GLOBAL], ids=lambda s: s.name)
@pytest.mark.parametrize("encoding", ENCODINGS)
def test_rows_are_float64_and_depend_on_their_architecture_alone(
    encoding: type[OneHotEncoding], space: ForgerySpace
) -> None:
    rng = np.random.default_rng(0)
    architectures = [sample(space, rng=rng) for _ in range(12)]
    made: Encoding = encoding(space)
    rows = made.encode(architectures)
    assert rows.dtype == torch.float64
    assert rows.shape == (12, made.dimension)
    assert torch.isfinite(rows).all()
    single = torch.cat([made.encode([a]) for a in architectures])
    assert torch.equal(single, rows)
    assert len(torch.unique(rows, dim=0)) == 12


def test_the_wiring_is_fixed_so_that_paths_are_not_hashed() -> None:
    paths = fixed_paths(FORGERY_CASCADE)
    assert paths is not None
    names = [d.name for d in FORGERY_CASCADE.decisions]
    met = {names[i] for path in paths for i in path.decisions}
    assert met == {n for n in names if "theta" not in n}
    assert PathMultisetEncoding(FORGERY_CASCADE).dimension != HASHED_FEATURES


def test_a_profile_has_the_share_of_each_live_theta() -> None:
    skips = point(stage1=SKIP, stage2=SKIP, stage3=SKIP)
    encoding = PathProfileEncoding(FORGERY_CASCADE)
    other = changed(skips, {"stage1/theta": 0.9})
    assert torch.equal(*encoding.encode([skips, other])), "no difference, no theta"
    at_edge = {"stage1/0-1": "cdc_3x3", "stage2/0-1": "cdc_3x3"}
    rows = encoding.encode([changed(skips, at_edge | {"stage1/theta": t}) for t in THETAS[:2]])
    different = rows[0] != rows[1]
    assert sorted(rows[0][different].tolist()) == pytest.approx([0, 2 / 3])
    assert sorted(rows[1][different].tolist()) == pytest.approx([1 / 3, 1 / 3])


@UNTIMED
@given(seed=SEEDS)
def test_weisfeiler_lehman_counts_are_equal_for_equal_keys_and_see_theta(seed: int) -> None:
    encoding = WeisfeilerLehmanEncoding(FORGERY_CASCADE)
    architecture = broken(FORGERY_CASCADE, seed, 0.2)
    other = changed(architecture, {"stage1/theta": 0.9 if seed % 2 else 0.3})
    same = key(other) == key(architecture)
    assert torch.equal(*encoding.encode([architecture, other])) == same


def test_the_frame_has_the_single_option_of_what_is_not_chosen() -> None:
    frame = FORGERY.frame(point(FORGERY).choices)
    assert (frame.input, frame.thetas, frame.added) == ("rgb", (0.7,) * 3, frozenset())
    last = from_indices(FORGERY_CASCADE, [len(d.options) - 1 for d in FORGERY_CASCADE.decisions])
    frame = FORGERY_CASCADE.frame(last.choices)
    assert frame.input == INPUTS[-1]
    assert frame.thetas == (0.9,) * 3
    assert frame.added == {"joins/1-3", "pyramid/3-2", "pyramid/2-1"}
