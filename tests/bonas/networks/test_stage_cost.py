"""Costs by arithmetic are those of the networks."""

from dataclasses import replace

import pytest

from bonas.networks.builder import MacroBuilder
from bonas.networks.cost import COSTS, Limits, architecture_cost
from bonas.networks.stage_cost import StageCosts
from bonas.strategies.random import RandomSampler
from bonas.study import Study
from spaces.architecture import Architecture
from spaces.macro import MACRO
from spaces.space import enumerate_space
from tests.bonas.networks.test_macro import drawn

BUILDER = MacroBuilder(width=5)  # of which shares must be rounded


@pytest.mark.parametrize("architecture", drawn(8, seed=5), ids=range(8))
@pytest.mark.parametrize("size", [32, 42])
def test_the_cost_by_arithmetic_is_that_of_the_built_network(
    architecture: Architecture, size: int
) -> None:
    expected = architecture_cost(BUILDER, architecture, size)
    assert StageCosts(BUILDER, size).cost(architecture) == expected


def test_the_least_costs_are_those_of_the_whole_space() -> None:
    small = replace(MACRO, stages=("a", "b"), depths=(1, 2), widths=(0.5, 1.0))
    costs = StageCosts(replace(BUILDER, space=small), 32)
    everything = [costs.cost(a) for a in enumerate_space(small)]
    assert costs.skeleton == {name: min(c[name] for c in everything) for name in COSTS}


def test_a_sampler_with_limits_proposes_nothing_above_them() -> None:
    costs = StageCosts(BUILDER, 32)
    most = 2 * costs.skeleton["parameters"]
    sampler = RandomSampler(MACRO, seed=0)
    sampler.allowed = Limits(costs, {"parameters": most}).allow
    study = Study(MACRO, sampler)
    for _ in range(5):
        assert architecture_cost(BUILDER, study.ask().architecture, 32)["parameters"] <= most
    assert any(costs.cost(a)["parameters"] > most for a in drawn(5)), "the limit limits nothing"


def test_an_impossible_limit_is_an_error() -> None:
    with pytest.raises(ValueError, match=r"search.limits.parameters is 10, but a network without"):
        Limits(StageCosts(BUILDER, 32), {"parameters": 10.0})
