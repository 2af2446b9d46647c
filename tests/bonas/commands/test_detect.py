import csv
import io
import json
import os
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

import bonas
from bonas.cli import main
from bonas.commands.detect import images_below
from bonas.data.clips import read_video
from bonas.data.faces import Faces
from bonas.detector_calibration import save_calibration
from bonas.device import Device
from bonas.protocol import versions
from bonas.robustness.calibration import OperatingPoint
from bonas.saved_detector import SavedDetector
from bonas.trained_on import save_trained_on
from tests.bonas.data.pictures import video
from tests.bonas.test_detector_evaluation import write_data
from tests.bonas.test_saved_detector import saved
from tests.conftest import striped_faces


@pytest.fixture
def detector(tmp_path: Path, cpu: Device) -> SavedDetector:
    """A detector that knows nothing."""
    saved(tmp_path / "detector", striped_faces(20, seed=1), cpu, plain=True)
    return bonas.load_detector(tmp_path / "detector", device="cpu")


def images(folder: Path, faces: Faces) -> list[Path]:
    """The faces as files, in their order."""
    folder.mkdir()
    files = [folder / f"{i:03}.png" for i in range(len(faces))]
    for file, image in zip(files, faces.images, strict=True):
        Image.fromarray(image.permute(1, 2, 0).numpy()).save(file)
    return files


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="the system has no named pipes")
def test_only_regular_files_below_a_folder_are_opened(tmp_path: Path) -> None:
    files = images(tmp_path / "faces", striped_faces(1))
    os.mkfifo(tmp_path / "faces" / "pipe.png")
    (tmp_path / "faces" / "folder.png").mkdir()
    assert images_below([tmp_path / "faces"]) == files


def test_each_image_has_its_logit_probability_and_verdict(
    detector: SavedDetector, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    faces = striped_faces(35)
    files = images(tmp_path / "faces", faces)
    command = ["detect", str(detector.folder), str(files[3]), str(tmp_path / "faces")]
    assert main([*command, "--device", "cpu"]) == 0
    rows = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [r["path"] for r in rows] == [str(f) for f in (files[3], *files)]
    assert rows[0] == rows[4]
    assert {(r["detector"], r["weights"], r["version"]) for r in rows} == {
        ("found", detector.digest, bonas.__version__)
    }
    logits = np.array([r["logit"] for r in rows[1:]])
    np.testing.assert_allclose(logits, detector(faces.images), atol=1e-4)
    point = detector.point()
    np.testing.assert_allclose([r["probability"] for r in rows[1:]], point.probability(logits))
    assert [r["verdict"] for r in rows[1:]] == [v.value for v in point.verdicts(logits)]

    assert main([*command, "--format", "csv", "--device", "cpu"]) == 0
    table = list(csv.DictReader(io.StringIO(capsys.readouterr().out)))
    assert [float(r["logit"]) for r in table] == [r["logit"] for r in rows]
    assert not any(r["error"] for r in table)
    assert {r["weights"] for r in table} == {detector.digest}


def test_an_unreadable_image_is_told_in_its_place_and_fails_the_command(
    detector: SavedDetector, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    files = images(tmp_path / "faces", striped_faces(2))
    files[1].write_bytes(b"torn")
    assert main(["detect", str(detector.folder), str(tmp_path / "faces"), "--device", "cpu"]) == 1
    rows = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert ["error" in row for row in rows] == [False, True, False, False]
    assert "unreadable image" in rows[1]["error"]
    assert main(["detect", str(detector.folder), str(files[1]), "--device", "cpu"]) == 1


def test_paths_without_images_are_wrong_use(
    detector: SavedDetector, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "empty").mkdir()
    for name, message in (("empty", "holds no image"), ("no", "does not exist")):
        assert main(["detect", str(detector.folder), str(tmp_path / name)]) == 2
        assert message in " ".join(capsys.readouterr().err.split())


def test_calibrating_anew_changes_what_is_said_and_not_the_logits(
    detector: SavedDetector, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    faces = striped_faces(30)
    data = write_data(tmp_path / "data", faces, split="val")
    rules = ["--threshold", "fpr", "--fpr", "0.1", "--error", "0.2"]
    command = ["calibrate", str(detector.folder), str(data), "--device", "cpu"]
    assert main([*command, *rules, "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert document["data"]["digest"] == faces.digest()
    assert document["data"]["detector"]["weights"] == detector.digest
    assert document["data"]["frames_per_video"] is None
    assert document["data"]["versions"] == versions()
    assert [terms["layout"] for terms in document["data"]["reading"]] == ["metadata.csv"]
    assert document["rules"] == {"threshold": "fpr", "false_positive_rate": 0.1, "error": 0.2}
    loaded = bonas.load_detector(detector.folder, device="cpu")
    assert loaded.calibration is not None
    assert loaded.calibration.to_json() == document
    assert torch.equal(
        torch.from_numpy(loaded(faces.images)), torch.from_numpy(detector(faces.images))
    )
    alarms = loaded.point().forged(loaded(faces.images))[faces.labels.numpy() == 0]
    assert alarms.mean() <= 0.1
    assert main(command) == 0
    assert "uncertain from" in capsys.readouterr().out


def test_calibrating_wrongly_is_wrong_use(
    detector: SavedDetector, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    faces = striped_faces(12)
    data = write_data(tmp_path / "data", faces, split="val")
    command = ["calibrate", str(detector.folder), str(data)]
    before = (detector.folder / "calibration.json").read_bytes()
    record = json.loads((detector.folder / "metrics.json").read_text())
    record["protocol"]["training_data"] = faces.digest()
    (detector.folder / "metrics.json").write_text(json.dumps(record))
    for arguments, message in (
        (["--error", "0"], "error must lie in (0, 1)"),
        (["--split", "test"], "no images in the split 'test'"),
        (["--set", "size=64"], "is no setting of how a folder is read"),
        (["--set", "on_bad_image"], "is not of the form key=value"),
        ([], "holds 24 of 24 images that"),
    ):
        assert main([*command, *arguments]) == 2
        assert message in " ".join(capsys.readouterr().err.split())
    # Trained on a part of the split, as with types that were held back: no digest is the same.
    save_trained_on(detector.folder, faces.select(range(0, 24, 2)))
    assert main(command) == 2
    assert "holds 12 of 24 images that" in " ".join(capsys.readouterr().err.split())
    assert (detector.folder / "calibration.json").read_bytes() == before


def test_a_videos_logit_is_the_mean_of_its_frames(
    detector: SavedDetector, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = video(tmp_path / "clip.mp4", [20, 90, 160, 230, 60])
    command = ["detect", str(detector.folder), str(file), "--device", "cpu", "--frames", "3"]
    assert main(command) == 0
    (row,) = map(json.loads, capsys.readouterr().out.splitlines())
    frames = np.stack(read_video(file, detector.image_size, 3))
    logits = detector(torch.from_numpy(frames).permute(0, 3, 1, 2).contiguous())
    assert row["frames"] == len(frames) == 3
    assert row["logit"] == pytest.approx(logits.mean(), abs=1e-6)
    assert np.ptp(logits) > 0, "all frames are one"


def test_a_video_is_judged_by_the_operating_point_of_videos(
    detector: SavedDetector, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    clip = video(tmp_path / "clip.mp4", [20, 90, 160])
    (still,) = images(tmp_path / "faces", striped_faces(1))[:1]
    assert detector.calibration is not None
    of_frames = OperatingPoint(scale=1.0, bias=0.0, threshold=1e6, low=1e6, high=1e6)
    of_videos = OperatingPoint(scale=2.0, bias=1.0, threshold=-1e6, low=-1e6, high=-1e6)
    both = replace(detector.calibration, frames=of_frames, videos=of_videos)
    save_calibration(detector.folder, both)
    assert main(["detect", str(detector.folder), str(clip), str(still), "--device", "cpu"]) == 0
    rows = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [r["verdict"] for r in rows] == ["forged", "real"]
    for row, point in zip(rows, (of_videos, of_frames), strict=True):
        assert row["probability"] == pytest.approx(float(point.probability(row["logit"])))
