"""`evaluate_detector` and `bonas evaluate` on small faces and an untrained detector."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

import bonas
from bonas.cli import main
from bonas.data.attributes import read_attributes
from bonas.data.faces import DataError, DataSet, Faces, Split
from bonas.detector_evaluation import DetectorEvaluation, evaluate_detector
from bonas.device import Device
from bonas.estimation.evaluation import Protocol
from bonas.robustness.conditions import CLEAN
from bonas.robustness.estimate import Metrics, Refused
from bonas.robustness.metrics import NAMES
from bonas.saved_detector import SavedDetector
from bonas.tested import DataPart, faces_of
from tests.bonas.test_saved_detector import saved
from tests.conftest import striped_faces


@pytest.fixture
def detector(tmp_path: Path, cpu: Device) -> SavedDetector:
    """A detector that knows nothing."""
    saved(tmp_path / "detector", striped_faces(20, seed=1), cpu, plain=True)
    return bonas.load_detector(tmp_path / "detector", device="cpu")


def videos_of(faces: Faces, frames: int) -> Faces:
    """The faces as videos of some frames: consecutive originals are merged."""
    groups = tuple(f"clip{i // (2 * frames)}" for i in range(len(faces)))
    return Faces(faces.images, faces.labels, groups, ("real", "swap") * (len(faces) // 2), groups)


def write_data(folder: Path, faces: Faces, split: str = "test") -> Path:
    """The faces as a data folder, with videos and attributes."""
    (folder / "faces").mkdir(parents=True)
    rows = ["path,label,original,split,forgery,video"]
    for i, image in enumerate(faces.images):
        Image.fromarray(image.permute(1, 2, 0).numpy()).save(folder / "faces" / f"{i}.png")
        label = "FAKE" if faces.labels[i] else "REAL"
        video = faces.videos[i] if faces.videos else ""
        domain = faces.domains[i] if faces.labels[i] else ""
        rows.append(f"faces/{i}.png,{label},{faces.originals[i]},{split},{domain},{video}")
    (folder / "metadata.csv").write_text("\n".join(rows) + "\n")
    return folder


def test_frames_videos_domains_and_subgroups_are_measured_in_every_condition(
    detector: SavedDetector,
) -> None:
    plain = striped_faces(24)
    attributes = {f"person{i}": {"light": "dim" if i % 2 else "bright"} for i in range(24)}

    def evaluated() -> DetectorEvaluation:
        return evaluate_detector(
            detector, DataPart(plain, "small", "test"), Protocol(seed=0),
            attributes=attributes, draws=100,
        )  # fmt: skip

    found = evaluated()
    assert {c.key for c in found.frames} >= {"clean", "corruption/jpeg-2", "attack/fgsm"}
    assert not found.videos
    for breakdown in found.frames.values():
        assert set(breakdown.domains) == {"swap", "synthesis"}
        assert set(breakdown.subgroups) == {"light=bright", "light=dim"}
    assert found.score is not None
    clean = found.frames[CLEAN].whole
    assert isinstance(clean, Metrics)
    assert clean.estimates["auc"].value == pytest.approx(found.score.aucs[CLEAN], abs=1e-12)
    again = evaluated()
    assert again.to_json() == found.to_json()


def test_videos_have_metrics_of_their_own(detector: SavedDetector) -> None:
    faces = videos_of(striped_faces(80), 4)
    found = evaluate_detector(detector, DataPart(faces, "small", "test"), draws=100)
    assert found.protocol["data"]["frames_per_video"] == [4, 4]
    (videos,) = found.videos.values()
    assert videos.whole.size.images == 40
    assert found.frames[CLEAN].whole.size.images == 160
    assert not videos.domains, "one type of forgery is the whole"


def test_too_few_images_are_no_evaluation_and_too_few_of_a_part_are_refused(
    detector: SavedDetector,
) -> None:
    with pytest.raises(DataError, match="'small', split 'test', is not scored: 6 real, fewer"):
        evaluate_detector(detector, DataPart(striped_faces(6), "small", "test"))
    attributes = {"person0": {"light": "dim"}}
    found = evaluate_detector(
        detector, DataPart(striped_faces(20), "small", "test"), attributes=attributes, draws=100
    )
    assert isinstance(found.frames[CLEAN].subgroups["light=dim"], Refused)
    assert found.score is not None


def test_all_splits_together_hold_every_image() -> None:
    first, second = striped_faces(3), videos_of(striped_faces(4, seed=1), 2)
    data = DataSet("two", {Split.TRAIN: first, Split.TEST: second})
    whole = faces_of(data, "all")
    assert len(whole) == len(first) + len(second)
    assert whole.videos == ("",) * 6 + second.videos
    assert torch.equal(whole.images, torch.cat([first.images, second.images]))
    assert faces_of(data, "test") is second
    with pytest.raises(DataError, match="no images in the split 'val', needed for the evaluation"):
        faces_of(data, "val")
    real = first.select([0, 2])
    with pytest.raises(DataError, match="are real, needed for the evaluation"):
        faces_of(DataSet("real", {Split.TEST: real}), "all")


def test_the_command_tells_metrics_with_their_protocol(
    detector: SavedDetector, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    faces = videos_of(striped_faces(80), 4)
    data = write_data(tmp_path / "data", faces)
    lines = [f"clip{i},{'dim' if i % 2 else ''}" for i in range(20)]
    (data / "attributes.csv").write_text("\n".join(["original,light", *lines]) + "\n")
    command = ["evaluate", str(detector.folder), str(data), "--device", "cpu"]
    assert main([*command, "--json"]) == 0
    (result,) = json.loads(capsys.readouterr().out, parse_constant=pytest.fail)
    assert result["protocol"]["data"]["digest"] == faces.digest()
    assert result["protocol"]["detector"]["weights"] == detector.digest
    assert result["protocol"]["calibration"]["rules"]["threshold"] == "eer"
    clean = result["frames"]["clean"]
    assert set(NAMES) - {"tpr_at_1_fpr"} <= set(clean["whole"])
    assert set(clean["subgroups"]) == {"light=dim", "light=not given"}
    expected = evaluate_detector(detector, DataPart(faces, "data", "test")).frames[CLEAN]
    assert clean["whole"] == expected.whole.to_json()
    assert main([*command, "--split", "all"]) == 0
    shown = " ".join(capsys.readouterr().out.split())
    for part in (faces.digest(), detector.digest, "4 - 4 frames per video", "videos", "seed 0"):
        assert part in shown


def test_wrong_use_of_the_command_is_named(
    detector: SavedDetector, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data = write_data(tmp_path / "data", striped_faces(12))
    for arguments, message in (
        ([str(tmp_path), str(data)], "holds no trained detector"),
        ([str(detector.folder), str(tmp_path / "no")], "does not exist"),
        ([str(detector.folder), str(data), "--split", "val"], "no images in the split 'val'"),
        ([str(detector.folder), str(data), "--split", "tset"], "tset"),
        ([str(detector.folder)], "Missing argument 'data'"),
    ):
        assert main(["evaluate", *arguments]) == 2
        error = " ".join(capsys.readouterr().err.split())
        assert message in error
        assert "Traceback" not in error


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("name,light\na,dim\n", "lacks the column 'original'"),
        ("original,light\na,dim\na,dim\n", "row 3: has the original 'a', as an earlier row"),
        ("original,light\n,dim\n", "row 2: has no original"),
        ("original,light\na,dim,more\n", "row 2: has more fields"),
        ("original,n\n" + "".join(f"o{i},{i}\n" for i in range(21)), "'n' has 21 values"),
    ],
)
def test_broken_attributes_are_named(tmp_path: Path, text: str, message: str) -> None:
    (tmp_path / "attributes.csv").write_text(text)
    with pytest.raises(DataError, match=message):
        read_attributes(tmp_path)


def test_attributes_are_read_and_may_be_absent(tmp_path: Path) -> None:
    assert read_attributes(tmp_path) == {}
    (tmp_path / "attributes.csv").write_text("light,original\n dim ,a\n,b\n")
    assert read_attributes(tmp_path) == {"a": {"light": "dim"}, "b": {"light": ""}}


def test_a_detector_without_calibration_is_measured_as_trained(
    detector: SavedDetector, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (detector.folder / "calibration.json").unlink()
    data = write_data(tmp_path / "data", striped_faces(20))
    assert main(["evaluate", str(detector.folder), str(data), "--device", "cpu"]) == 0
    assert "not calibrated" in capsys.readouterr().out
    loaded = bonas.load_detector(detector.folder, device="cpu")
    faces = striped_faces(20)
    found = (
        evaluate_detector(loaded, DataPart(faces, "data", "test"), draws=100).frames[CLEAN].whole
    )
    assert isinstance(found, Metrics)
    right = (loaded(faces.images) >= 0) == (faces.labels.numpy() == 1)
    assert found.estimates["accuracy"].value == np.mean(right)
