"""The laws that all estimators share."""

from pathlib import Path

import pytest
import torch

from bonas.data.faces import Faces
from bonas.device import Device
from bonas.estimation.estimator import Estimator
from bonas.estimation.evaluation import Evaluation, Protocol
from bonas.estimation.rotation import RotatedEstimator
from bonas.estimation.standalone import StandaloneEstimator
from bonas.estimation.supernet import SupernetEstimator, calibration_faces
from bonas.estimation.tabular import Objective, read_table
from bonas.estimation.zero_cost import ZeroCostEstimator
from bonas.networks.builder import ForgeryBuilder, build_supernet
from bonas.robustness.corruptions import Corruption
from bonas.training import Recipe
from spaces.architecture import Architecture
from tests.bonas.estimation.contract import EstimatorLaws
from tests.bonas.networks.test_networks import drawn
from tests.conftest import striped_faces

BUILDER = ForgeryBuilder(width=4, level_width=8)
PROTOCOL = Protocol(corruptions=(Corruption.NOISE,), severities=(2,))


class _Forgery(EstimatorLaws):
    @pytest.fixture
    def architectures(self) -> tuple[Architecture, Architecture]:
        first, second = drawn(2)
        return first, second

    @pytest.fixture
    def disconnected(self) -> Architecture:
        return Architecture("forgery", ("none",) * 6 + ("conv_3x3",) * 12)

    @pytest.fixture
    def evaluation(self, cpu: Device) -> Evaluation:
        return Evaluation.of(striped_faces(10, seed=1), {}, PROTOCOL, cpu)

    @pytest.fixture
    def supernet(self, faces: Faces, evaluation: Evaluation) -> SupernetEstimator:
        shared = build_supernet(BUILDER, seed=0)
        return SupernetEstimator(shared, BUILDER, calibration_faces(faces, 16, seed=0), evaluation)


class TestSupernet(_Forgery):
    """Shared weights."""

    @pytest.fixture
    def estimator(self, supernet: SupernetEstimator) -> Estimator:
        return supernet


class TestRotation(_Forgery):
    """The mean over folds."""

    @pytest.fixture
    def estimator(self, supernet: SupernetEstimator) -> Estimator:
        return RotatedEstimator({"swap": supernet, "synthesis": supernet})


class TestStandalone(_Forgery):
    """Training from scratch."""

    @pytest.fixture
    def estimator(self, faces: Faces, evaluation: Evaluation) -> Estimator:
        return StandaloneEstimator(BUILDER, faces, Recipe(steps=2, batch_size=8), evaluation)


class TestZeroCost(_Forgery):
    """A proxy."""

    @pytest.fixture
    def estimator(self) -> Estimator:
        images = torch.rand(6, 3, 32, 32, generator=torch.Generator().manual_seed(0))
        return ZeroCostEstimator(BUILDER, "naswot", images, torch.arange(6) % 2)


class TestCount(_Forgery):
    """Parameters, counted without a forward pass."""

    @pytest.fixture
    def estimator(self) -> Estimator:
        return ZeroCostEstimator(BUILDER, "parameters", torch.rand(2, 3, 32, 32), torch.arange(2))


class TestTable(EstimatorLaws):
    """Look-up."""

    @pytest.fixture
    def estimator(self, tmp_path: Path) -> Estimator:
        (tmp_path / "t.csv").write_text("depth,width,score\n2,8,1\n4,16,3\n")
        objective = Objective.parse("score")
        return read_table(tmp_path / "t.csv", "mine", objective, decisions=("depth", "width"))

    @pytest.fixture
    def architectures(self) -> tuple[Architecture, Architecture]:
        return Architecture("mine", ("2", "8")), Architecture("mine", ("4", "16"))

    @pytest.fixture
    def disconnected(self) -> Architecture:
        return Architecture("mine", ("2", "16"))
