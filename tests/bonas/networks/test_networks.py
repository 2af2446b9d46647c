from dataclasses import replace

import numpy as np
import pytest
import torch

from bonas.comparison import PLAIN
from bonas.estimation.supernet import uniform_paths
from bonas.networks.builder import (
    DartsBuilder,
    ForgeryBuilder,
    MacroBuilder,
    NASBench201Builder,
    NetworkBuilder,
    build_network,
    build_supernet,
    seeded,
)
from bonas.networks.cost import architecture_cost
from bonas.networks.detector import Detector
from bonas.networks.plain import PlainNetwork
from spaces.architecture import Architecture
from spaces.forgery import FORGERY
from spaces.graphs import is_connected
from spaces.space import sample

BUILDER = ForgeryBuilder(width=4, level_width=8)


def drawn(count: int, seed: int = 0) -> list[Architecture]:
    rng = np.random.default_rng(seed)
    result: list[Architecture] = []
    while len(result) < count:
        architecture = sample(FORGERY, rng=rng)
        if is_connected(FORGERY.graph(architecture)):
            result.append(architecture)
    return result


@pytest.mark.parametrize("architecture", drawn(8), ids=str)
def test_a_stand_alone_network_holds_no_parameter_that_it_does_not_use(
    architecture: Architecture,
) -> None:
    detector = Detector(build_network(BUILDER, architecture, seed=0), architecture)
    detector(torch.rand(6, 3, 32, 32)).square().mean().backward()
    assert all(p.grad is not None for p in detector.parameters())


@pytest.mark.parametrize("architecture", drawn(5, seed=1), ids=str)
def test_a_stand_alone_network_with_the_supernets_weights_gives_its_logits(
    architecture: Architecture,
) -> None:
    supernet = build_supernet(BUILDER, seed=3).eval()
    alone = build_network(BUILDER, architecture, seed=0).eval()
    shared = supernet.state_dict()
    alone.load_state_dict({name: shared[name] for name in alone.state_dict()})
    images = torch.rand(3, 3, 32, 32)
    assert torch.allclose(supernet(images, architecture), alone(images, architecture), atol=1e-6)


def test_a_folded_stem_costs_less() -> None:
    architecture = drawn(1)[0]
    folded = replace(BUILDER, stem="folded")
    cheap, dear = (architecture_cost(b, architecture, 32)["activations"] for b in (folded, BUILDER))
    assert cheap < dear
    network = build_network(folded, architecture, seed=0)
    assert network(torch.rand(2, 3, 32, 32), architecture).shape == (2,)


def test_a_dead_later_stage_shortens_the_network() -> None:
    live = drawn(1)[0]
    cut = replace(live, choices=(*live.choices[:12], *["none"] * 6))
    shorter = build_network(BUILDER, cut, seed=0)
    fewer, more = (architecture_cost(BUILDER, a, 32)["parameters"] for a in (cut, live))
    assert fewer < more
    assert sum(p.numel() for p in shorter.parameters()) == fewer
    assert shorter(torch.rand(2, 3, 32, 32), cut).shape == (2,)


def test_an_architecture_without_a_path_is_refused() -> None:
    dead = Architecture(FORGERY.name, ("none",) * 18)
    with pytest.raises(ValueError, match="connects its input to nothing"):
        build_network(BUILDER, dead, seed=0)(torch.rand(1, 3, 32, 32), dead)


def test_a_seed_fixes_the_initial_weights_and_leaves_torchs_generator_alone() -> None:
    architecture = drawn(1)[0]
    before = torch.random.get_rng_state()
    first, again, other = (build_network(BUILDER, architecture, seed=s) for s in (1, 1, 2))
    assert torch.equal(before, torch.random.get_rng_state())
    for a, b in zip(first.parameters(), again.parameters(), strict=True):
        assert torch.equal(a, b)
    assert any(
        not torch.equal(a, b) for a, b in zip(first.parameters(), other.parameters(), strict=True)
    )


@pytest.mark.parametrize(
    "builder",
    [
        BUILDER,
        NASBench201Builder(width=4, cells=1),
        DartsBuilder(width=4, cells=3),
        MacroBuilder(width=4),
        None,
    ],
    ids=["forgery", "nasbench201", "darts", "macro", "plain"],
)
def test_logits_keep_their_precision_in_mixed_precision(builder: NetworkBuilder | None) -> None:
    if builder is None:
        network, architecture = seeded(lambda: PlainNetwork((4, 4, 4, 4)), 0), PLAIN
    else:
        rng = np.random.default_rng(0)
        architecture = uniform_paths(builder.space)(rng)
        network = build_network(builder, architecture, seed=0)
    images = torch.rand(16, 3, 32, 32, generator=torch.Generator().manual_seed(0))
    with torch.autocast("cpu", dtype=torch.bfloat16):
        logits = Detector(network.eval(), architecture)(images)
    assert logits.dtype == torch.float32
    assert len(torch.unique(logits.detach())) == 16
