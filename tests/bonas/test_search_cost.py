"""Laws of what searches are said to have computed."""

from types import MappingProxyType

import numpy as np
import pytest
from torch import nn

from bonas.data.faces import Faces
from bonas.device import Device
from bonas.estimation.evaluation import Evaluation, Protocol
from bonas.estimation.rotation import RotatedEstimator
from bonas.estimation.supernet import SupernetEstimator, calibration_faces, uniform_paths
from bonas.networks.builder import ForgeryBuilder, build_supernet
from bonas.observation import Observation
from bonas.robustness.attacks import Attack
from bonas.robustness.corruptions import Corruption
from bonas.search_cost import SearchCost, images_of
from spaces.forgery import FORGERY
from tests.conftest import striped_faces

BUILDER = ForgeryBuilder(width=4, level_width=8)


@pytest.mark.parametrize("attacks", [{}, {Attack.FGSM: 1.0}], ids=["no attack", "fgsm"])
def test_the_images_of_an_estimate_are_those_that_pass_the_network(
    attacks: dict[Attack, float], faces: Faces, cpu: Device
) -> None:
    protocol = Protocol(
        corruptions=(Corruption.NOISE,), severities=(2,), attacks=MappingProxyType(attacks)
    )
    unseen = {"other": striped_faces(6, seed=1)}
    evaluation = Evaluation.of(striped_faces(10, seed=1), unseen, protocol, cpu)
    network = build_supernet(BUILDER, seed=0)
    passed = 0

    def count(module: nn.Module, inputs: tuple[object, ...]) -> None:
        nonlocal passed
        passed += len(inputs[0])  # type: ignore[arg-type]

    network.register_forward_pre_hook(count)
    calibration = calibration_faces(faces, 16, seed=0)
    estimator = SupernetEstimator(network, BUILDER, calibration, evaluation)
    estimator.estimate(uniform_paths(FORGERY)(np.random.default_rng(0)), seed=0)
    assert images_of(estimator) == passed
    assert images_of(RotatedEstimator({"a": estimator, "b": estimator})) == 2 * passed


def test_a_total_counts_training_and_every_estimate_that_succeeded() -> None:
    seen = [Observation(value=0.5, cost={"multiply_adds": m}) for m in (2e6, 3e6)]
    cost = SearchCost(1e9, 100)
    assert cost.total([*seen, Observation.failed("no")]) == 1e9 + 100 * 5e6
    assert SearchCost.of_attributes({"bonas.multiply_adds": cost.to_attribute()}) == cost
    assert SearchCost.of_attributes({}) is None
