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
from bonas.data.faces import DataError, Faces
from bonas.data.preparation.cutting import Cut, Unit, cut
from bonas.data.preparation.detectors import Cascade, YuNet, fingerprint
from bonas.data.synthetic import draw_portraits
from bonas.detector_calibration import CALIBRATION, save_calibration
from bonas.device import Device
from bonas.robustness.calibration import OperatingPoint
from bonas.saved_detector import SavedDetector
from bonas.trained_on import Use, count_used, save_used
from bonas.versions import versions
from tests.bonas.data.pictures import picture, renamed_to_latin, video
from tests.bonas.data.preparation.yunet import write_network
from tests.bonas.test_detector_evaluation import write_data
from tests.bonas.test_saved_detector import SPACE, saved
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


def test_of_a_folder_hidden_names_are_no_data_and_other_kinds_are_said(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    folder = tmp_path / ".photos"
    files = images(folder, striped_faces(2))
    files[1] = files[1].rename(files[1].with_suffix(".JFIF"))
    picture(folder / ".cache" / "a.png")
    (folder / "._000.png").write_bytes(b"what macOS keeps of its Finder")
    assert images_below([folder]) == files
    assert not caplog.messages
    for name in ("x.heic", "y.avif"):
        (folder / name).write_bytes(b"a photo")
    assert images_below([folder]) == files
    assert caplog.messages == [f"2 files of other kinds left out, such as {folder / 'x.heic'}"]
    for file in files:
        file.unlink()
    with pytest.raises(DataError, match=r"holds no image .*; .*x\.heic is of another kind"):
        images_below([folder])


def test_links_out_of_a_folder_are_not_followed_and_said(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    private = images(tmp_path / "private", striped_faces(1))
    folder = tmp_path / "faces"
    files = images(folder, striped_faces(1))
    (folder / "within.png").symlink_to("000.png")
    (folder / "stolen.png").symlink_to(private[0])
    assert images_below([folder]) == [*files, folder / "within.png"]
    (message,) = caplog.messages
    assert message.startswith(f"1 links to files outside {folder} left out, such as")
    (tmp_path / "door").symlink_to(folder)  # the folder itself may be reached by any way
    assert len(images_below([tmp_path / "door"])) == len(files) + 1
    assert images_below([folder / "stolen.png"]) == [folder / "stolen.png"], "named"
    for inside in (*files, folder / "within.png"):
        inside.unlink()
    with pytest.raises(DataError, match=r"holds no image .*; .*stolen\.png leads out of it"):
        images_below([folder])


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


def test_regions_are_drawn_beside_the_faces_they_belong_to(
    tmp_path: Path, cpu: Device, capsys: pytest.CaptureFixture[str]
) -> None:
    space = SPACE.model_copy(update={"localisation": 1.0})
    saved(tmp_path / "detector", striped_faces(20, seed=1), cpu, space=space)
    detector = bonas.load_detector(tmp_path / "detector", device="cpu")
    faces = striped_faces(3)
    files = images(tmp_path / "faces", faces)
    broken = tmp_path / "faces" / "001a.png"
    broken.write_bytes(b"no picture")
    drawn = tmp_path / "drawn"
    command = ["detect", str(detector.folder), str(tmp_path / "faces"), "--device", "cpu"]
    assert main([*command, "--regions", str(drawn)]) == 1, "one file could not be read"
    rows = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert "region" not in next(r for r in rows if "error" in r)
    read = [r for r in rows if "error" not in r]
    assert [r["path"] for r in read] == [str(f) for f in files]
    regions = detector.regions(faces.images)
    assert regions.std() > 0
    for row, face, region in zip(read, faces.images, regions, strict=True):
        with Image.open(row["region"]) as picture:
            pixels = np.asarray(picture)
        np.testing.assert_array_equal(pixels[:, :32], face.permute(1, 2, 0).numpy())
        np.testing.assert_allclose(pixels[:, 32:, 0] / 255, region, atol=0.01)
        assert row["region_share"] == pytest.approx((region > 0.5).mean(), abs=1e-3)
    assert len(list(drawn.iterdir())) == len(files)

    assert main([*command, "--regions", str(drawn)]) == 2
    assert "name a new folder for --regions" in capsys.readouterr().err
    saved(tmp_path / "blind", striped_faces(20, seed=1), cpu)
    command[1] = str(tmp_path / "blind")
    assert main([*command, "--regions", str(tmp_path / "other")]) == 2
    assert "has no head for regions" in capsys.readouterr().err
    assert not (tmp_path / "other").exists()


def test_each_row_names_what_decided_it(
    detector: SavedDetector, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (file, _) = images(tmp_path / "faces", striped_faces(1))
    command = ["detect", str(detector.folder), str(file), "--device", "cpu"]

    def row() -> tuple[dict[str, object], str]:
        assert main(command) == 0
        said = capsys.readouterr()
        found: dict[str, object] = json.loads(said.out)
        return found, said.err

    assert detector.calibration is not None
    first, errors = row()
    assert first["calibration"] == detector.calibration.digest
    assert (first["calibrated_frames"], first["image_size"], first["crop"]) == (None, 32, "none")
    assert first["device"] == detector.device.describe()
    assert "warning" not in first
    assert "not calibrated" not in errors
    other = replace(detector.calibration.frames, bias=0.5)
    save_calibration(detector.folder, replace(detector.calibration, frames=other))
    second, _ = row()
    assert second["calibration"] != first["calibration"]
    (detector.folder / CALIBRATION).unlink()
    third, errors = row()
    assert third["calibration"] == "none"
    assert errors.count("is not calibrated") == 1


@pytest.mark.parametrize(
    ("span", "said"),
    [
        ([3, 3], None),
        ([2, 4], None),
        ([32, 32], "calibrated on means of 32 frames, this is one of 3"),
        ([1, 2], "calibrated on means of 1 to 2 frames, this is one of 3"),
        (None, "no videos were calibrated on"),
    ],
)
def test_another_number_of_frames_than_the_calibrations_is_warned_of(
    detector: SavedDetector,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    span: list[int] | None,
    said: str | None,
) -> None:
    clip = video(tmp_path / "clip.mp4", [20, 90, 160])
    known = detector.calibration
    assert known is not None
    data = {**known.data, "frames_per_video": span}
    save_calibration(detector.folder, replace(known, videos=known.frames, data=data))
    assert main(["detect", str(detector.folder), str(clip), "--device", "cpu"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["calibrated_frames"] == span
    assert (said in found["warning"]) if said else ("warning" not in found)


def test_a_picture_far_from_square_is_warned_of_and_turned_as_it_says(
    detector: SavedDetector, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    pixels = striped_faces(1).images[1].permute(1, 2, 0).numpy()
    turned, upright = tmp_path / "turned.png", tmp_path / "upright.png"
    wide = Image.fromarray(np.hstack([pixels, pixels]))
    wide.save(upright)
    exif = Image.Exif()
    exif[0x0112] = 6  # shown after a quarter turn to the right
    wide.transpose(Image.Transpose.ROTATE_90).save(turned, exif=exif)
    assert main(["detect", str(detector.folder), str(upright), str(turned), "--device", "cpu"]) == 0
    rows = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert rows[0]["logit"] == pytest.approx(rows[1]["logit"], abs=1e-6)
    for found in rows:
        assert "64 x 32 pixels were squeezed to a square" in found["warning"]


def test_a_face_is_cut_out_as_it_is_prepared(
    detector: SavedDetector, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    pytest.importorskip("cv2", reason="OpenCV, of the extra [prepare], is not installed")
    face = draw_portraits(range(1), 256, seed=0).images[0]
    photo = np.full((256, 600, 3), 90, dtype=np.uint8)
    photo[:, 200:456] = face
    file = tmp_path / "photo.png"
    Image.fromarray(photo).save(file)
    blank = tmp_path / "blank.png"
    Image.fromarray(np.full((64, 64, 3), 90, dtype=np.uint8)).save(blank)
    how = Cut(size=detector.image_size, frames=1, enlarge=1.3, whole=False, quality=None)
    cut(Unit((file,), ("crop",), "state"), tmp_path, how, Cascade())
    crop = tmp_path / "crop.png"
    command = ["detect", str(detector.folder), "--device", "cpu"]
    assert main([*command, str(file), str(blank), "--crop"]) == 1
    photographed, faceless = map(json.loads, capsys.readouterr().out.splitlines())
    assert main([*command, str(crop)]) == 0
    (cropped,) = map(json.loads, capsys.readouterr().out.splitlines())
    assert photographed["logit"] == pytest.approx(cropped["logit"], abs=1e-6)
    assert photographed["crop"] == "cascade, enlarged 1.3"
    assert "warning" not in photographed
    assert faceless["error"] == "no face found"


def test_a_face_detector_of_ones_own_cuts_as_it_does_in_preparation(
    detector: SavedDetector, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    pytest.importorskip("cv2", reason="OpenCV, of the extra [prepare], is not installed")
    network = write_network(tmp_path / "n.onnx")
    photo = np.zeros((256, 320, 3), dtype=np.uint8)
    photo[64:96, 96:128] = 255  # what that network takes for a face
    file = tmp_path / "photo.png"
    Image.fromarray(photo).save(file)
    how = Cut(size=detector.image_size, frames=1, enlarge=2.0, whole=False, quality=None)
    cut(Unit((file,), ("crop",), "state"), tmp_path, how, YuNet(network))
    command = ["detect", str(detector.folder), "--device", "cpu"]
    given = ["--face-detector", str(network), "--enlarge", "2"]
    assert main([*command, str(file), *given]) == 0
    (photographed,) = map(json.loads, capsys.readouterr().out.splitlines())
    assert main([*command, str(tmp_path / "crop.png")]) == 0
    (cropped,) = map(json.loads, capsys.readouterr().out.splitlines())
    assert photographed["logit"] == pytest.approx(cropped["logit"], abs=1e-6)
    assert photographed["crop"] == f"yunet {fingerprint(network)}, enlarged 2"
    assert main([*command, str(file), "--face-detector", str(tmp_path / "none.onnx")]) == 2
    assert "the face detector is" in capsys.readouterr().err


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


@pytest.mark.parametrize("form", ["csv", "jsonl"])
def test_a_name_that_is_not_in_utf_8_is_shown_by_its_bytes(
    detector: SavedDetector, tmp_path: Path, capsys: pytest.CaptureFixture[str], form: str
) -> None:
    file, _ = images(tmp_path / "faces", striped_faces(1))
    renamed_to_latin(file, "jürgen.png")
    command = ["detect", str(detector.folder), str(tmp_path / "faces"), "--format", form]
    assert main([*command, "--device", "cpu"]) == 0
    assert r"j\udcfcrgen.png" in capsys.readouterr().out


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
    assert count_used(detector.folder, faces, Use.CALIBRATED) == len(faces)
    assert torch.equal(
        torch.from_numpy(loaded(faces.images)), torch.from_numpy(detector(faces.images))
    )
    alarms = loaded.point().forged(loaded(faces.images))[faces.labels.numpy() == 0]
    assert alarms.mean() <= 0.1
    assert main(command) == 0
    said = capsys.readouterr().out.replace("\n", " ")
    assert "uncertain from" in said
    assert "equal errors, errors of 0.1 outside of the band" in said


def test_a_calibration_on_few_images_is_refused_and_on_few_originals_doubted(
    detector: SavedDetector, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    few = write_data(tmp_path / "few", striped_faces(8), split="val")
    command = ["calibrate", str(detector.folder)]
    before = (detector.folder / "calibration.json").read_bytes()
    assert main([*command, str(few)]) == 2
    assert "fewer than 10: no threshold can be told from so few" in capsys.readouterr().err
    assert (detector.folder / "calibration.json").read_bytes() == before
    faces = striped_faces(30)
    three = replace(faces, originals=tuple(f"o{i % 3}" for i in range(len(faces))))
    assert main([*command, str(write_data(tmp_path / "three", three, split="val"))]) == 0
    told = capsys.readouterr().err.replace("\n", " ")
    assert "threshold and band of doubt rest on real images of 3 originals only" in told


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
    save_used(detector.folder, Use.TRAINED, [faces.select(range(0, 24, 2))])
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
