import pytest
import torch
from torch.utils.flop_counter import FlopCounterMode

from bonas.networks.builder import ForgeryBuilder, build_network
from bonas.networks.cost import COSTS, Limits, OptionCosts, architecture_cost, network_cost
from bonas.networks.detector import Detector
from bonas.networks.plain import PlainNetwork
from bonas.strategies.random import RandomSampler
from bonas.study import Study
from spaces.architecture import Architecture
from spaces.forgery import FORGERY
from spaces.graphs import live_decisions
from spaces.pyramid import STAGES
from tests.bonas.networks.test_networks import drawn

BUILDER = ForgeryBuilder(width=4, level_width=8)
SIZE = 32


def test_the_plain_networks_costs_are_those_counted_by_hand() -> None:
    multiply_adds, activations, channels, size = 0, 0, 3, 96
    for number, width in enumerate((16, 32, 64, 96)):
        if number:
            size //= 2
            activations += channels * size**2
        multiply_adds += size**2 * (9 * channels * width + 9 * width + width**2)
        activations += 3 * width * size**2
        channels = width
    cost = network_cost(Detector(PlainNetwork(), Architecture("plain", ())), 96)
    assert cost["multiply_adds"] == multiply_adds + 96
    assert cost["activations"] == activations + 1


@pytest.mark.parametrize("architecture", drawn(4), ids=str)
def test_multiply_adds_are_half_of_torchs_operations(architecture: Architecture) -> None:
    network = Detector(build_network(BUILDER, architecture, seed=0), architecture).eval()
    with FlopCounterMode(display=False) as counter, torch.no_grad():
        network(torch.zeros(1, 3, SIZE, SIZE))
    # A dilated convolution on parity grids computes the same products in four calls.
    assert network_cost(network, SIZE)["multiply_adds"] == counter.get_total_flops() / 2


@pytest.mark.parametrize("architecture", drawn(4, seed=2), ids=str)
def test_shapes_suffice_to_count(architecture: Architecture) -> None:
    real = Detector(build_network(BUILDER, architecture, seed=0), architecture)
    assert architecture_cost(BUILDER, architecture, SIZE) == network_cost(real, SIZE)


@pytest.fixture(scope="module")
def limits() -> Limits:
    costs = OptionCosts.count(BUILDER, SIZE)
    return Limits(costs, {"activations": 1.7 * costs.skeleton["activations"]})


@pytest.mark.parametrize("architecture", drawn(25, seed=3), ids=str)
def test_summed_terms_are_the_cost_or_above_it_where_a_stage_is_dead(
    limits: Limits, architecture: Architecture
) -> None:
    exact, summed = architecture_cost(BUILDER, architecture, SIZE), limits.costs.cost(architecture)
    live = live_decisions(FORGERY.graph(architecture))
    if all(any(d.startswith(stage) for d in live) for stage in STAGES):
        assert summed == pytest.approx(exact)
    else:
        assert all(summed[name] >= exact[name] for name in COSTS)


def test_a_sampler_with_limits_proposes_nothing_above_them(limits: Limits) -> None:
    sampler = RandomSampler(FORGERY, seed=0)
    sampler.allowed = limits.allow
    study = Study(FORGERY, sampler)
    for _ in range(10):
        cost = architecture_cost(BUILDER, study.ask().architecture, SIZE)
        assert cost["activations"] <= limits.limits["activations"]
    free = Study(FORGERY, RandomSampler(FORGERY, seed=0))
    drawn_freely = [architecture_cost(BUILDER, free.ask().architecture, SIZE) for _ in range(10)]
    highest = max(c["activations"] for c in drawn_freely)
    assert highest > limits.limits["activations"], "the limit limits nothing"


def test_an_unknown_cost_and_an_impossible_limit_are_errors() -> None:
    with pytest.raises(ValueError, match=r"names 'flops'; costs are parameters, multiply_adds"):
        Limits(OptionCosts.count(BUILDER, SIZE), {"flops": 1.0})
    with pytest.raises(ValueError, match=r"search.limits.parameters is 10, but a network without"):
        Limits(OptionCosts.count(BUILDER, SIZE), {"parameters": 10.0})


def test_counting_leaves_the_network_as_it_was() -> None:
    network = Detector(PlainNetwork(), Architecture("plain", ())).train()
    before = {n: t.clone() for n, t in network.state_dict().items()}
    network_cost(network, 32)
    assert network.training
    assert all(torch.equal(t, before[n]) for n, t in network.state_dict().items())
