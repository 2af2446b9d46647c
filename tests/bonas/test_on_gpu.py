"""The whole way on CUDA: what a GPU computes is what the CPU does, and a seed repeats there too."""

from pathlib import Path

import pytest
import torch

from bonas.cli import main
from bonas.data.faces import Faces
from bonas.device import Device, Precision, choose_device
from bonas.estimation.evaluation import Evaluation, Protocol
from bonas.estimation.supernet import SupernetEstimator, calibration_faces, uniform_paths
from bonas.networks.builder import ForgeryBuilder, build_network, build_supernet
from bonas.networks.detector import Detector, normalise
from bonas.robustness.attacks import Attack
from bonas.robustness.corruptions import STANDARD
from bonas.strategies.random import RandomSampler
from bonas.study import Study, Told, journal_storage
from bonas.training import Recipe, train
from spaces.forgery import FORGERY
from tests.bonas.networks.contract import drawn
from tests.bonas.networks.test_every_builder import BUILDERS
from tests.bonas.test_cli import TINY
from tests.conftest import striped_faces

pytestmark = [
    pytest.mark.gpu,
    pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device"),
]


@pytest.fixture
def cuda() -> Device:
    return choose_device("cuda", Precision.FLOAT32)


@pytest.mark.parametrize("name", BUILDERS)
def test_the_networks_of_every_builder_give_the_logits_of_the_cpu(name: str, cuda: Device) -> None:
    builder = BUILDERS[name]
    architecture = drawn(builder, 0)
    images = normalise(torch.rand(8, 3, 48, 48, generator=torch.Generator().manual_seed(0)))
    network = build_network(builder, architecture, seed=0).eval()
    with torch.no_grad():
        on_cpu = network(images, architecture)
        on_gpu = network.to(cuda.device)(images.to(cuda.device), architecture).cpu()
    assert torch.allclose(on_gpu, on_cpu, atol=1e-3)


@pytest.mark.parametrize("name", BUILDERS)
def test_gradients_are_those_of_the_cpu(name: str, cuda: Device) -> None:
    builder = BUILDERS[name]
    architecture = drawn(builder, 0)
    images = torch.rand(8, 3, 48, 48, generator=torch.Generator().manual_seed(0))
    gradients = []
    for device in ("cpu", cuda.device):
        network = build_network(builder, architecture, seed=0).to(device).train()
        network(normalise(images.to(device)), architecture).square().sum().backward()
        found = [p.grad.flatten().cpu() for p in network.parameters() if p.grad is not None]
        gradients.append(torch.cat(found))
    on_cpu, on_gpu = gradients
    # Rounding grows some hundred times through batch norms of eight images.
    assert (on_gpu - on_cpu).norm() < 1e-3 * on_cpu.norm()


def test_an_estimate_on_cuda_repeats_and_is_near_that_of_the_cpu(
    faces: Faces, cpu: Device, cuda: Device
) -> None:
    """All corruptions and an attack, with weights that a CPU trained."""
    builder = ForgeryBuilder(width=4, level_width=8)
    supernet = build_supernet(builder, seed=0)
    recipe = Recipe(steps=40, batch_size=8)
    train(supernet, uniform_paths(FORGERY), faces, recipe, cpu, seed=0)
    protocol = Protocol(corruptions=STANDARD, severities=(3,), attacks={Attack.FGSM: 2.0})
    found = []
    for device in (cpu, cuda, cuda):
        evaluation = Evaluation.of(
            striped_faces(20, seed=1), {"other": striped_faces(20, seed=2)}, protocol, device
        )
        calibration = calibration_faces(faces, 16, seed=0).to(device.device)
        estimator = SupernetEstimator(supernet.to(device.device), builder, calibration, evaluation)
        found.append(estimator.estimate(drawn(builder, 1), seed=0))
    on_cpu, on_gpu, again = found
    assert again.value == on_gpu.value
    assert again.aucs == on_gpu.aucs
    assert on_cpu.aucs.keys() == on_gpu.aucs.keys()
    for condition, auc in on_cpu.aucs.items():
        assert on_gpu.aucs[condition] == pytest.approx(auc, abs=0.02), condition


def test_bfloat16_trains_a_detector(faces: Faces) -> None:
    device = choose_device("cuda", Precision.BFLOAT16)
    builder = ForgeryBuilder(width=4, level_width=8)
    architecture = drawn(builder, 1)
    network = build_network(builder, architecture, seed=0).to(device.device)
    on_gpu = faces.to(device.device)
    losses: list[float] = []
    recipe = Recipe(steps=60, batch_size=8)
    train(
        network,
        lambda rng: architecture,
        on_gpu,
        recipe,
        device,
        seed=0,
        progress=lambda step, loss: losses.append(loss),
    )
    assert sum(losses[-10:]) < 0.9 * sum(losses[:10])
    detector = Detector(network, architecture).eval()
    with torch.no_grad(), device.mixed_precision():
        assert torch.isfinite(detector(on_gpu.images.float() / 255)).all()


def told(run: Path) -> list[Told]:
    storage = journal_storage(run / "study.journal")
    return Study(FORGERY, RandomSampler(FORGERY), storage=storage).told()


def test_a_search_on_cuda_repeats_and_ends_in_a_tested_detector(tmp_path: Path) -> None:
    config = tmp_path / "config.toml"
    config.write_text(
        TINY.replace('name = "cpu"', 'name = "cuda"').replace("trials = 2", "trials = 12")
    )
    runs = [tmp_path / "first", tmp_path / "second"]
    for run in runs:
        assert main(["search", str(config), "--out", str(run)]) == 0
    first, second = map(told, runs)
    assert [t.architecture for t in first] == [t.architecture for t in second]
    assert [t.observation.aucs for t in first] == [t.observation.aucs for t in second]
    assert main(["train", str(runs[0])]) == 0
    assert main(["report", str(runs[0])]) == 0
