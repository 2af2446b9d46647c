from dataclasses import replace
from types import MappingProxyType

import numpy as np
import pytest
import torch
from torch import nn

from bonas.data.faces import Faces
from bonas.device import Device
from bonas.estimation.estimator import EstimationFailed
from bonas.estimation.evaluation import Evaluation, Protocol
from bonas.estimation.standalone import StandaloneEstimator
from bonas.estimation.supernet import (
    SupernetEstimator,
    calibration_faces,
    recalibrate,
    uniform_paths,
)
from bonas.networks.builder import ForgeryBuilder, build_supernet
from bonas.networks.detector import Detector, normalise
from bonas.robustness.attacks import Attack
from bonas.robustness.conditions import Group
from bonas.robustness.corruptions import Corruption
from bonas.robustness.differences import paired_differences
from bonas.training import Recipe
from spaces.architecture import Architecture
from spaces.forgery import FORGERY
from spaces.graphs import is_connected
from tests.conftest import striped_faces

BUILDER = ForgeryBuilder(width=4, level_width=8)
PROTOCOL = Protocol(corruptions=(Corruption.NOISE, Corruption.BLUR), severities=(2,))


@pytest.fixture
def evaluation(cpu: Device) -> Evaluation:
    val = striped_faces(10, seed=1)
    unseen = striped_faces(10, seed=1)
    return Evaluation.of(val, {"other": unseen}, PROTOCOL, cpu)


@pytest.fixture
def estimator(faces: Faces, evaluation: Evaluation) -> SupernetEstimator:
    calibration = calibration_faces(faces, 16, seed=0)
    return SupernetEstimator(build_supernet(BUILDER, seed=0), BUILDER, calibration, evaluation)


def path(seed: int) -> Architecture:
    return uniform_paths(FORGERY)(np.random.default_rng(seed))


def test_an_estimate_does_not_depend_on_what_was_estimated_before(
    estimator: SupernetEstimator,
) -> None:
    first = estimator.estimate(path(0), seed=0)
    estimator.estimate(path(1), seed=0)
    again = estimator.estimate(path(0), seed=5)
    assert again.value == first.value
    assert again.aucs == first.aucs


def test_tuning_trains_a_copy_the_same_way_for_every_seed(
    estimator: SupernetEstimator, faces: Faces
) -> None:
    before = {n: t.clone() for n, t in estimator.supernet.state_dict().items()}
    tuned = replace(estimator, tuning=(Recipe(steps=25, batch_size=8), faces))
    first, again = (tuned.estimate(path(0), seed=seed) for seed in (0, 7))
    assert first.aucs == again.aucs
    assert first.aucs["clean"] > estimator.estimate(path(0), seed=0).aucs["clean"]
    for name, parameter in estimator.supernet.named_parameters():
        assert torch.equal(parameter, before[name])


def test_an_architecture_whose_tuning_diverges_is_a_failed_estimate(
    estimator: SupernetEstimator, faces: Faces
) -> None:
    wild = Recipe(steps=30, batch_size=8, learning_rate=1e30, warmup=0.0)
    with pytest.raises(EstimationFailed, match="the training loss became"):
        replace(estimator, tuning=(wild, faces)).estimate(path(0), seed=0)


def test_an_observation_holds_every_condition_and_the_cost(estimator: SupernetEstimator) -> None:
    observation = estimator.estimate(path(0), seed=0)
    expected = {"clean", "unseen/other", "corruption/noise-2", "corruption/blur-2", "attack/fgsm"}
    assert set(observation.aucs) == set(observation.auc_variances) == expected
    assert set(observation.cost) == {"parameters", "multiply_adds", "activations", "seconds"}
    assert observation.fidelity < 1


def test_loadings_of_two_observations_have_the_variance_of_their_difference(
    estimator: SupernetEstimator,
) -> None:
    scored, loadings = [], []
    for seed in (0, 1):
        detector = Detector(estimator.supernet, path(seed))
        recalibrate(detector, estimator.calibration, estimator.evaluation.device)
        scored.append(estimator.evaluation.pairable(estimator.evaluation.predict(detector)))
        loadings.append(np.array(estimator.estimate(path(seed), seed=0).error_loadings))
    expected = paired_differences(scored[:1], scored[1:]).score.variance
    assert expected > 0
    assert np.square(loadings[0] - loadings[1]).sum() == pytest.approx(expected, rel=1e-3)


def test_recalibrated_statistics_are_the_mean_over_the_calibration_images(
    faces: Faces, cpu: Device
) -> None:
    supernet = build_supernet(BUILDER, seed=0)
    architecture = path(3)
    seen: list[torch.Tensor] = []
    first = next(m for m in supernet.modules() if isinstance(m, nn.BatchNorm2d))
    hook = first.register_forward_pre_hook(lambda _, inputs: seen.append(inputs[0]))
    recalibrate(Detector(supernet, architecture), faces, cpu)
    hook.remove()
    expected = torch.cat(seen).mean((0, 2, 3))
    assert torch.allclose(first.running_mean, expected, atol=1e-5)  # type: ignore[arg-type]
    assert first.momentum == 0.1, "training would go on with a cumulative average"


def test_recalibration_touches_no_weight(faces: Faces, cpu: Device) -> None:
    supernet = build_supernet(BUILDER, seed=0)
    before = [p.clone() for p in supernet.parameters()]
    recalibrate(Detector(supernet, path(0)), faces, cpu)
    for old, new in zip(before, supernet.parameters(), strict=True):
        assert torch.equal(old, new)


def test_calibration_faces_are_balanced_and_as_many_as_asked(faces: Faces) -> None:
    chosen = calibration_faces(faces, 16, seed=0)
    assert chosen.labels.tolist() == [0, 1] * 8
    assert len(calibration_faces(faces, 10_000, seed=0)) == len(faces)


def test_drawn_paths_are_connected() -> None:
    draw = uniform_paths(FORGERY)
    rng = np.random.default_rng(0)
    assert all(is_connected(FORGERY.graph(draw(rng))) for _ in range(200))


def test_drawn_paths_are_allowed_or_an_error_says_that_none_is(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    rng = np.random.default_rng(0)
    draw = uniform_paths(FORGERY, lambda a: a.choices.count("skip") >= 4)
    assert all(draw(rng).choices.count("skip") >= 4 for _ in range(50))
    monkeypatch.setattr("bonas.estimation.supernet.PATH_DRAWS", 10)
    with pytest.raises(ValueError, match=r"none of 10 random .* within search.limits: raise"):
        uniform_paths(FORGERY, lambda a: False)(rng)


def test_logits_of_the_evaluation_are_the_detectors(
    estimator: SupernetEstimator, evaluation: Evaluation
) -> None:
    detector = Detector(estimator.supernet, path(0)).eval()
    predictions = evaluation.predict(detector)
    for condition, faces in evaluation.views.items():
        if condition.group is Group.ATTACK:
            continue
        with torch.no_grad():
            logits = detector.network(normalise(faces.images / 255), detector.architecture)
        assert np.allclose(predictions[condition], logits.double().numpy(), atol=1e-5)


def test_an_attack_uses_whole_originals_up_to_its_limit(cpu: Device) -> None:
    protocol = Protocol(
        corruptions=(), attacks=MappingProxyType({Attack.FGSM: 1.0}), attack_images=7
    )
    evaluation = Evaluation.of(striped_faces(10), {}, protocol, cpu)
    (attacked,) = [f for c, f in evaluation.views.items() if c.group is Group.ATTACK]
    assert len(attacked) == 6
    assert attacked.labels.tolist() == [0, 1] * 3


def test_training_alone_repeats_with_its_seed(faces: Faces, evaluation: Evaluation) -> None:
    recipe = Recipe(steps=3, batch_size=8)
    estimator = StandaloneEstimator(BUILDER, faces, recipe, evaluation)
    first, again = (estimator.estimate(path(0), seed=2) for _ in range(2))
    assert first.value == again.value
    assert first.fidelity == 1.0
    assert estimator.estimate(path(0), seed=3).aucs != first.aucs
