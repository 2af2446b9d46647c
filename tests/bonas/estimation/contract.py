"""Laws of every estimator: subclass, give a factory, inherit them."""

import numpy as np
import pytest
import torch

from bonas.estimation.estimator import EstimationFailed, Estimator
from bonas.observation import Observation, Status
from spaces.architecture import Architecture


class EstimatorLaws:
    """What holds of every `Estimator`."""

    @pytest.fixture
    def estimator(self) -> Estimator:
        raise NotImplementedError("a subclass gives the estimator")

    @pytest.fixture
    def architectures(self) -> tuple[Architecture, Architecture]:
        raise NotImplementedError("a subclass gives two architectures that can be estimated")

    @pytest.fixture
    def disconnected(self) -> Architecture:
        raise NotImplementedError("a subclass gives one that cannot be estimated")

    def test_what_cannot_be_estimated_fails_by_itself(
        self, estimator: Estimator, disconnected: Architecture
    ) -> None:
        """A search goes on: someone may have enqueued it, or an earlier study have held it."""
        with pytest.raises(EstimationFailed):
            estimator.estimate(disconnected, seed=0)

    def test_an_estimate_is_a_function_of_its_arguments(
        self, estimator: Estimator, architectures: tuple[Architecture, Architecture]
    ) -> None:
        first, second = architectures
        before = estimator.estimate(first, seed=3)
        estimator.estimate(second, seed=4)
        again = estimator.estimate(first, seed=3)
        assert _repeatable(again) == _repeatable(before)

    def test_an_estimate_is_complete_and_survives_a_study(
        self, estimator: Estimator, architectures: tuple[Architecture, Architecture]
    ) -> None:
        found = estimator.estimate(architectures[0], seed=0)
        assert found.status is Status.COMPLETE
        assert found.value is not None
        assert found.auc_variances.keys() <= found.aucs.keys()
        assert 0 <= found.fidelity <= 1

    def test_global_generators_are_left_alone(
        self, estimator: Estimator, architectures: tuple[Architecture, Architecture]
    ) -> None:
        ours, numpys = torch.get_rng_state(), np.random.get_state(legacy=False)
        estimator.estimate(architectures[0], seed=0)
        assert torch.equal(torch.get_rng_state(), ours)
        after = np.random.get_state(legacy=False)
        assert repr(after) == repr(numpys)


def _repeatable(observation: Observation) -> tuple[object, ...]:
    """All but the seconds that it took."""
    cost = {name: value for name, value in observation.cost.items() if name != "seconds"}
    return observation.value, dict(observation.aucs), dict(observation.auc_variances), cost
