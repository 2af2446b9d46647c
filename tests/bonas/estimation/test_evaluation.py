from dataclasses import replace
from types import MappingProxyType

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from bonas.device import Device
from bonas.estimation import evaluation as module
from bonas.estimation.evaluation import Evaluation, Protocol, batch_size, logits_of
from bonas.networks.detector import Detector
from bonas.robustness.attacks import Attack, Effort
from bonas.robustness.conditions import CLEAN, Condition, Group
from spaces.architecture import Architecture
from tests.conftest import striped_faces

ALL = MappingProxyType(dict.fromkeys(Attack, 2.0))
PROTOCOL = Protocol(
    corruptions=(),
    attacks=ALL,
    attack_images=24,
    attack_effort=Effort(pgd=5, apgd=5, square=40),
)


class Curved(nn.Module):
    """A small network with one logit that is not linear in the images."""

    def __init__(self) -> None:
        super().__init__()
        with torch.random.fork_rng():
            torch.manual_seed(0)
            self.layers = nn.Sequential(
                *(nn.Conv2d(3, 4, 3, stride=2), nn.Tanh(), nn.Conv2d(4, 4, 3, stride=2), nn.Tanh()),
                *(nn.Flatten(), nn.LazyLinear(1)),
            )
            self.layers(torch.zeros(1, 3, 32, 32))

    def forward(self, images: Tensor, architecture: Architecture) -> Tensor:
        logits: Tensor = self.layers(images).squeeze(1)
        return logits


@pytest.fixture
def detector() -> Detector:
    return Detector(Curved(), Architecture("none", ())).eval()


def attack(name: str) -> Condition:
    return Condition(Group.ATTACK, name)


def test_every_attack_misleads_on_the_same_bounded_images(cpu: Device, detector: Detector) -> None:
    evaluation = Evaluation.of(striped_faces(20), {}, PROTOCOL, cpu)
    predictions = evaluation.predict(detector)
    faces = evaluation.views[attack("pgd")]
    assert len(faces) == 24
    towards = 1.0 - 2.0 * faces.labels.numpy()
    clean = towards * predictions[CLEAN][:24]
    for kind in Attack:
        moved = towards * predictions[attack(kind.value)]
        assert (moved >= clean - 1e-5).all()
        assert (moved > clean + 1e-3).mean() > 0.5
    score = evaluation.score(predictions)
    assert {condition.key for condition, _ in score.conditions} == {
        "clean",
        *(f"attack/{kind.value}" for kind in Attack),
    }


def test_attacks_do_not_depend_on_the_conditions_beside_them(
    cpu: Device, detector: Detector
) -> None:
    faces = striped_faces(6)
    together = Evaluation.of(faces, {}, PROTOCOL, cpu).predict(detector)
    for kind in Attack:
        protocol = replace(PROTOCOL, attacks=MappingProxyType({kind: 2.0}))
        alone = Evaluation.of(faces, {}, protocol, cpu).predict(detector)
        condition = attack(kind.value)
        np.testing.assert_array_equal(alone[condition], together[condition])


@pytest.mark.parametrize("kind", [Attack.PGD, Attack.APGD, Attack.SQUARE])
def test_draws_depend_on_the_seed_and_not_on_the_batches(
    cpu: Device, detector: Detector, kind: Attack, monkeypatch: pytest.MonkeyPatch
) -> None:
    protocol = replace(PROTOCOL, attacks=MappingProxyType({kind: 32.0}))

    def logits(seed: int) -> np.ndarray:
        evaluation = Evaluation.of(striped_faces(6), {}, replace(protocol, seed=seed), cpu)
        return evaluation.predict(detector)[attack(kind.value)]

    first = logits(0)
    assert not np.array_equal(first, logits(1))
    monkeypatch.setattr(module, "ATTACK_BATCH", 5)
    np.testing.assert_allclose(logits(0), first, atol=1e-5)


@pytest.mark.parametrize("size", [16, 64, 112, 225, 2_000])
def test_feature_maps_of_a_batch_stay_small_on_the_cpu(cpu: Device, size: int) -> None:
    count = batch_size(torch.empty(1, 3, size, size, device="meta"), cpu)
    assert 1 <= count <= module.BATCH
    assert count == 1 or count * size * size * 4 * module.CHANNELS <= module.CPU_MAP
    elsewhere = Device(torch.device("cuda"), autocast=False)
    assert batch_size(torch.empty(1, 3, size, size, device="meta"), elsewhere) == module.BATCH


def test_logits_do_not_depend_on_the_batches(
    cpu: Device, detector: Detector, monkeypatch: pytest.MonkeyPatch
) -> None:
    images = striped_faces(6).images
    whole = logits_of(detector, images, cpu)
    monkeypatch.setattr(module, "CPU_MAP", 5 * 32 * 32 * 4 * module.CHANNELS)
    assert batch_size(images, cpu) == 5 < len(images)
    np.testing.assert_allclose(logits_of(detector, images, cpu), whole, atol=1e-6)
