"""A detector is written and read back as the same function; broken folders are named."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

import bonas
from bonas.builders import builder_of
from bonas.checkpoint import save_weights
from bonas.config import ConfigError, SpaceTable
from bonas.data.faces import Faces, Split
from bonas.detector_calibration import CALIBRATION, calibrate, load_calibration, save_calibration
from bonas.detector_record import METRICS, WEIGHTS, record_of, save_detector
from bonas.device import Device
from bonas.estimation.evaluation import Evaluation, Protocol
from bonas.networks.builder import build_network, seeded
from bonas.networks.detector import Detector
from bonas.networks.plain import PlainNetwork
from bonas.protocol import ResultProtocol
from bonas.robustness.calibration import UNCALIBRATED, Rules, ThresholdRule
from bonas.step_time import PLAIN
from bonas.training_terms import TrainingTerms
from bonas.versions import versions
from spaces.architecture import Architecture
from spaces.forgery import FORGERY
from spaces.space import sample
from tests.conftest import striped_faces

SPACE = SpaceTable(width=4, level_width=8)


def saved(
    folder: Path, faces: Faces, cpu: Device, *, plain: bool = False, space: SpaceTable = SPACE
) -> Detector:
    """An untrained detector in a folder, with its calibration on the faces."""
    architecture: Architecture = PLAIN
    network: nn.Module = seeded(PlainNetwork, 1)
    if not plain:
        architecture = sample(FORGERY, rng=np.random.default_rng(0))
        network = build_network(builder_of(space), architecture, seed=1)
    detector = Detector(network, architecture).eval()
    evaluation = Evaluation.of(faces, {}, Protocol(corruptions=(), attacks={}), cpu)
    logits = evaluation.predict(detector)
    terms = TrainingTerms(
        network="any", data="none", seed=1, precision="float32", recipe={"steps": 0}
    )
    protocol = ResultProtocol(
        seed=0, device="cpu", data={}, conditions=evaluation.conditions, training=terms
    )
    record = record_of(
        "found", detector, evaluation.score(logits), evaluation,
        protocol=protocol, choices=architecture.choices, seconds=0.0,
    )  # fmt: skip
    folder.mkdir(parents=True, exist_ok=True)
    calibration = calibrate(next(iter(logits.values())), faces, split=Split.VAL, device="cpu")
    save_detector(folder, network, architecture, record, space=space, calibration=calibration)
    return detector


@pytest.mark.parametrize("plain", [False, True])
def test_a_detector_is_read_back_as_the_same_function(
    tmp_path: Path, faces: Faces, cpu: Device, plain: bool
) -> None:
    detector = saved(tmp_path, faces, cpu, plain=plain)
    loaded = bonas.load_detector(str(tmp_path), device="cpu")
    with torch.inference_mode(), loaded.device.mixed_precision():
        expected = detector(faces.images.float() / 255).double().numpy()
    logits = loaded(faces.images)
    np.testing.assert_array_equal(logits, expected)
    assert loaded.image_size == 32
    assert loaded(faces.images[:0]).shape == (0,)
    assert loaded.calibration is not None
    assert loaded.point() == loaded.calibration.frames == loaded.point(videos=True)
    assert loaded.calibration.data["digest"] == faces.digest()


def test_images_of_another_kind_are_refused(tmp_path: Path, faces: Faces, cpu: Device) -> None:
    saved(tmp_path, faces, cpu, plain=True)
    loaded = bonas.load_detector(tmp_path, device="cpu")
    for images in (faces.images.float(), faces.images[:, :, :16], faces.images[0]):
        with pytest.raises(ValueError, match="images must be uint8, n x 3 x 32 x 32"):
            loaded(images)


def test_folders_of_earlier_versions_are_read_within_their_run(
    tmp_path: Path, faces: Faces, cpu: Device
) -> None:
    folder = tmp_path / "run" / "detectors" / "key"
    detector = saved(folder, faces, cpu)
    (folder / CALIBRATION).unlink()
    save_weights(folder / WEIGHTS, detector.network, {"name": "found"})
    with pytest.raises(ConfigError, match="does not say which network it is of"):
        bonas.load_detector(folder)
    (tmp_path / "run" / "config.toml").write_text("[space]\nwidth = 4\nlevel_width = 8\n")
    loaded = bonas.load_detector(folder, device="cpu")
    assert loaded.calibration is None
    assert loaded.point() == UNCALIBRATED
    (tmp_path / "run" / "config.toml").write_text("[space]\nwidth = 8\nlevel_width = 8\n")
    with pytest.raises(ConfigError, match="weights of another network"):
        bonas.load_detector(folder, device="cpu")


def test_a_calibration_names_its_detector_and_is_doubted_beside_other_weights(
    tmp_path: Path, faces: Faces, cpu: Device
) -> None:
    saved(tmp_path / "one", faces, cpu)
    saved(tmp_path / "other", faces, cpu, plain=True)
    one = bonas.load_detector(tmp_path / "one", device="cpu")
    assert one.calibration is not None
    assert one.calibration.data["detector"] == {"name": "found", "seed": 1, "weights": one.digest}
    assert one.calibration.data["device"] == "cpu"
    assert one.calibration.data["versions"] == versions()
    own = one.calibration.doubts
    assert one.doubts == own
    shutil.copy(tmp_path / "one" / CALIBRATION, tmp_path / "other" / CALIBRATION)
    other = bonas.load_detector(tmp_path / "other", device="cpu")
    assert other.doubts == [
        f"the calibration is of other weights, {one.digest}: calibrate anew", *own
    ]  # fmt: skip
    before = one.calibration.to_json()
    del before["data"]["detector"]  # an earlier version's
    (tmp_path / "other" / CALIBRATION).write_text(json.dumps(before))
    assert bonas.load_detector(tmp_path / "other", device="cpu").doubts == own


def test_broken_folders_are_named(tmp_path: Path, faces: Faces, cpu: Device) -> None:
    with pytest.raises(ConfigError, match=r"holds no trained detector: it lacks metrics\.json"):
        bonas.load_detector(tmp_path / "none")
    whole = tmp_path / "whole"
    saved(whole, faces, cpu)
    calibration = (whole / CALIBRATION).read_text()
    for name, content, message in (
        (METRICS, "{", r"metrics\.json is torn or of another version"),
        (METRICS, "{}", r"metrics\.json is torn or of another version"),
        ("architecture.json", '{"space": "darts", "choices": []}', "of the space 'darts'"),
        (CALIBRATION, '{"frames": 1}', r"calibration\.json is no calibration"),
        (
            CALIBRATION,
            calibration.replace('"detector": {', '"detector": 3, "x": {'),
            "detector is 3",
        ),
        (CALIBRATION, "torn", r"calibration\.json is no calibration"),
        (WEIGHTS, "torn", "cannot be loaded"),
    ):
        broken = tmp_path / "broken"
        shutil.copytree(whole, broken)
        (broken / name).write_text(content)
        with pytest.raises(ConfigError, match=message):
            bonas.load_detector(broken, device="cpu")
        shutil.rmtree(broken)
    with pytest.raises(ConfigError, match="cuda:9"):
        bonas.load_detector(whole, device="cuda:9")


def test_a_calibration_survives_its_file_and_knows_videos(tmp_path: Path) -> None:
    plain = striped_faces(20)
    videos = tuple(f"v{i // 4}" for i in range(40))
    names = tuple(f"o{i // 4}" for i in range(40))
    faces = Faces(plain.images, plain.labels, names, plain.domains, videos)
    logits = np.random.default_rng(0).normal(faces.labels.numpy() * 2.0, 1.0)
    rules = Rules(threshold=ThresholdRule.FPR, false_positive_rate=0.2, error=0.3)
    calibration = calibrate(logits, faces, split=Split.VAL, device="cpu", rules=rules)
    assert calibration.videos is not None
    assert calibration.point(videos=True) == calibration.videos != calibration.frames
    save_calibration(tmp_path, calibration)
    assert load_calibration(tmp_path) == calibration
    json.loads((tmp_path / CALIBRATION).read_text(), parse_constant=pytest.fail)
    assert load_calibration(tmp_path / "elsewhere") is None
