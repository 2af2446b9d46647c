"""Networks of `forgery_cascade`: inputs, thetas and joins around the cells."""

import itertools
from dataclasses import replace

import numpy as np
import pytest
import torch

from bonas.networks.builder import DartsBuilder, ForgeryBuilder, build_network, build_supernet
from bonas.networks.cost import COSTS, OptionCosts, architecture_cost, network_cost
from bonas.networks.detector import Detector
from bonas.networks.operations import CentralDifference
from spaces.architecture import Architecture
from spaces.forgery import FORGERY_CASCADE, INPUTS, THETAS, ForgerySpace
from spaces.graphs import NONE, SKIP
from spaces.pyramid import ADD, STAGES
from spaces.space import connects, live, sample
from tests.spaces.test_forgery import changed, key, point

BUILDER = ForgeryBuilder(width=4, level_width=8, space=FORGERY_CASCADE)
FOLDED = replace(BUILDER, stem="folded")
SIZE = 32


def drawn(count: int, seed: int = 0, share: float = 0.3) -> list[Architecture]:
    """Connected architectures, in many of which a stage is dead."""
    rng = np.random.default_rng(seed)
    result: list[Architecture] = []
    while len(result) < count:
        choices = sample(FORGERY_CASCADE, rng=rng).choices
        kept = (NONE if i < 18 and rng.random() < share else c for i, c in enumerate(choices))
        architecture = Architecture(FORGERY_CASCADE.name, tuple(kept))
        if connects(FORGERY_CASCADE, architecture):
            result.append(architecture)
    return result


def pixels(count: int = 3) -> torch.Tensor:
    return torch.rand(count, 3, SIZE, SIZE, generator=torch.Generator().manual_seed(0))


@pytest.mark.parametrize("builder", [BUILDER, FOLDED], ids=["full", "folded"])
@pytest.mark.parametrize("architecture", drawn(8), ids=range(8))
def test_a_random_architecture_builds_trains_and_ignores_the_rest_of_the_batch(
    architecture: Architecture, builder: ForgeryBuilder
) -> None:
    detector = Detector(build_network(builder, architecture, seed=0), architecture)
    images = pixels(6)
    before = [p.detach().clone() for p in detector.parameters()]
    optimiser = torch.optim.SGD(detector.parameters(), lr=0.1)
    detector(images).square().mean().backward()
    optimiser.step()
    used = [p.grad is not None for p in detector.parameters()]
    moved = [not torch.equal(a, b) for a, b in zip(before, detector.parameters(), strict=True)]
    assert any(moved)
    edges = {n[:6] for n in live(FORGERY_CASCADE, architecture) if n[:6] in STAGES}
    if len(edges) == 3:
        assert all(used), "a parameter that is not used"
    detector.eval()
    together = detector(images)
    assert together.shape == (6,)
    alone = torch.cat([detector(image[None]) for image in images])
    assert torch.allclose(together, alone, atol=1e-5)


@pytest.mark.parametrize("builder", [BUILDER, FOLDED], ids=["full", "folded"])
def test_a_stand_alone_network_with_the_supernets_weights_gives_its_logits(
    builder: ForgeryBuilder,
) -> None:
    supernet = build_supernet(builder, seed=3).eval()
    shared = supernet.state_dict()
    for architecture in drawn(10, seed=1):
        alone = build_network(builder, architecture, seed=0).eval()
        alone.load_state_dict({name: shared[name] for name in alone.state_dict()})
        assert torch.allclose(
            supernet(pixels(), architecture), alone(pixels(), architecture), atol=1e-6
        )


def all_joined(operation: str) -> Architecture:
    """The operation on every edge, and all joins."""
    cells = point(stage1=operation, stage2=operation, stage3=operation)
    joins = dict.fromkeys(("joins/1-3", "pyramid/3-2", "pyramid/2-1"), ADD)
    return changed(cells, joins)


def test_theta_changes_the_output_and_none_of_the_weights() -> None:
    supernet = build_supernet(BUILDER, seed=0).eval()
    before = {name: value.clone() for name, value in supernet.state_dict().items()}
    for stage in STAGES:
        chosen = [changed(all_joined("cdc_3x3"), {f"{stage}/theta": theta}) for theta in THETAS]
        logits = [supernet(pixels(), architecture) for architecture in chosen]
        assert not any(torch.allclose(a, b) for a, b in itertools.pairwise(logits))
    assert all(torch.equal(v, before[n]) for n, v in supernet.state_dict().items())


def test_theta_is_ignored_where_nothing_uses_it() -> None:
    supernet = build_supernet(BUILDER, seed=0).eval()
    plain = all_joined("conv_3x3")
    for theta in THETAS:
        other = changed(plain, {f"{stage}/theta": theta for stage in STAGES})
        assert key(other) == key(plain)
        assert torch.equal(supernet(pixels(), other), supernet(pixels(), plain))


def test_theta_0_is_an_ordinary_convolution() -> None:
    supernet = build_supernet(BUILDER, seed=0).eval()
    for cell in supernet.get_submodule("cells").children():
        for edge in cell.get_submodule("edges").children():
            ours, theirs = (edge.get_submodule(f"operations.{o}") for o in ("cdc_3x3", "conv_3x3"))
            theirs.load_state_dict(ours.state_dict())
    thetas = {f"{stage}/theta": 0.0 for stage in STAGES}
    difference = changed(all_joined("cdc_3x3"), thetas)
    ordinary = all_joined("conv_3x3")
    assert torch.allclose(supernet(pixels(), difference), supernet(pixels(), ordinary), atol=1e-5)


def test_a_theta_that_is_no_decision_is_the_spaces() -> None:
    fixed = ForgerySpace("fixed", thetas=(0.3,))
    cells = point(fixed, stage1="cdc_3x3", stage2="cdc_3x3", stage3="cdc_3x3")
    logits = []
    for space in (fixed, replace(fixed, thetas=(0.7,))):
        network = build_network(replace(BUILDER, space=space), cells, seed=0).eval()
        logits.append(network(pixels(), cells))
    assert not torch.allclose(*logits)


@pytest.mark.parametrize("name", ["joins/1-3", "pyramid/3-2", "pyramid/2-1"])
def test_every_join_changes_the_output(name: str) -> None:
    supernet = build_supernet(BUILDER, seed=0).eval()
    plain = point(stage1=SKIP, stage2=SKIP, stage3=SKIP)
    joined = changed(plain, {name: ADD})
    assert not torch.allclose(supernet(pixels(), joined), supernet(pixels(), plain))
    fewer, more = (architecture_cost(BUILDER, a, SIZE)["parameters"] for a in (plain, joined))
    assert fewer < more


@pytest.mark.parametrize("builder", [BUILDER, FOLDED], ids=["full", "folded"])
def test_every_input_changes_the_output_and_shares_all_but_the_first_convolution(
    builder: ForgeryBuilder,
) -> None:
    supernet = build_supernet(builder, seed=0).eval()
    chosen = [changed(all_joined("conv_3x3"), {"input": option}) for option in INPUTS]
    logits = [supernet(pixels(), architecture) for architecture in chosen]
    assert not any(torch.allclose(a, b) for a, b in itertools.pairwise(logits))
    names = [set(build_network(builder, a, seed=0).state_dict()) for a in chosen]
    own = set.union(*names) - set.intersection(*names)
    assert {".".join(name.split(".")[:4]) for name in own} == {
        f"entries.0.firsts.{option}" for option in INPUTS
    }


def test_stages_behind_a_dead_one_live_by_a_join() -> None:
    around = changed(point(stage1=SKIP, stage3="conv_3x3"), {"joins/1-3": ADD, "pyramid/3-2": ADD})
    network = build_network(BUILDER, around, seed=0)
    network(pixels(), around).square().sum().backward()
    cell = network.get_submodule("cells.2")
    assert all(p.grad is not None for p in cell.parameters())
    cut = changed(around, {"joins/1-3": NONE})
    again = build_network(BUILDER, cut, seed=0)
    again(pixels(), cut).sum().backward()
    assert not list(again.get_submodule("cells.2").parameters())


def test_an_architecture_without_a_path_is_refused() -> None:
    dead = changed(point(stage2=SKIP, stage3=SKIP), {"joins/1-3": ADD})
    with pytest.raises(ValueError, match="connects its input to nothing"):
        build_network(BUILDER, dead, seed=0)(pixels(), dead)


@pytest.mark.parametrize("theta", [-0.1, 1.5])
def test_a_call_with_a_theta_outside_its_range_is_an_error(theta: float) -> None:
    with pytest.raises(ValueError, match=rf"theta is {theta}; it must lie in \[0, 1\]"):
        CentralDifference(4)(torch.rand(1, 4, 8, 8), theta)


def test_logits_keep_their_precision_in_mixed_precision() -> None:
    architecture = changed(all_joined("cdc_3x3"), {"input": "rgb+residual"})
    network = build_network(BUILDER, architecture, seed=0).eval()
    with torch.autocast("cpu", dtype=torch.bfloat16):
        logits = Detector(network, architecture)(pixels(16))
    assert logits.dtype == torch.float32
    assert len(torch.unique(logits.detach())) == 16


@pytest.fixture(scope="module")
def costs() -> OptionCosts:
    return OptionCosts.count(BUILDER, SIZE)


def test_summed_terms_are_the_cost_or_above_it_where_a_stage_is_dead(costs: OptionCosts) -> None:
    whole = 0
    for architecture in drawn(25, seed=3, share=0.1):
        exact, summed = architecture_cost(BUILDER, architecture, SIZE), costs.cost(architecture)
        used = live(FORGERY_CASCADE, architecture)
        if all(any(d.startswith(f"{stage}/") for d in used) for stage in STAGES):
            assert summed == pytest.approx(exact)
            whole += 1
        else:
            assert all(summed[name] >= exact[name] for name in COSTS)
    assert whole >= 5


def test_a_space_whose_wiring_is_chosen_has_no_limits() -> None:
    with pytest.raises(ValueError, match=r"search\.limits are not available in the space 'darts'"):
        OptionCosts.count(DartsBuilder(width=4, cells=3), SIZE)


def test_shapes_suffice_to_count() -> None:
    for architecture in drawn(4, seed=2):
        real = Detector(build_network(BUILDER, architecture, seed=0), architecture)
        assert architecture_cost(BUILDER, architecture, SIZE) == network_cost(real, SIZE)


def test_a_join_into_a_dead_stage_changes_nothing() -> None:
    choices = ("conv_3x3",) * 12 + (NONE,) * 6 + ("rgb", 0.0, 0.0, 0.0)
    logits = []
    for join in (NONE, ADD):
        architecture = Architecture(FORGERY_CASCADE.name, (*choices, join, NONE, NONE))
        logits.append(build_network(BUILDER, architecture, seed=0)(pixels(), architecture))
    assert torch.equal(*logits)
