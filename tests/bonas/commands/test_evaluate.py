"""`bonas evaluate`: options, what is printed, and what is warned of."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import bonas
from bonas.cli import main
from bonas.commands.condition_options import Conditions, chosen_protocol, configuration_of
from bonas.config import Config, ConfigError
from bonas.config_file import parse_config
from bonas.device import Device
from bonas.estimation.evaluation import Protocol
from bonas.robustness.attacks import Attack
from bonas.robustness.corruptions import Corruption
from bonas.saved_detector import SavedDetector
from bonas.trained_on import Use, save_used
from tests.bonas.test_detector_evaluation import write_data
from tests.bonas.test_saved_detector import saved
from tests.conftest import striped_faces

CONFIG = """
seed = 5
[score]
corruptions = ["jpeg", "blur"]
severities = [3]
attacks = {fgsm = 2.0, apgd = 0.5}
attack_effort = {apgd = 2, square = 5, pgd = 2}
[score.weights]
clean = 0.0
corruption = 1.0
attack = 3.0
"""


@pytest.fixture
def detector(tmp_path: Path, cpu: Device) -> SavedDetector:
    """A detector that knows nothing, in a run."""
    folder = tmp_path / "run" / "detectors" / "key"
    saved(folder, striped_faces(20, seed=1), cpu, plain=True)
    (tmp_path / "run" / "config.toml").write_text(CONFIG)
    return bonas.load_detector(folder, device="cpu")


def chosen(conditions: Conditions, config: Config | None = None, **options: Any) -> Protocol:
    given = dict.fromkeys(("corruptions", "severities", "attacks", "seed")) | options
    return chosen_protocol(config or Config(), conditions, **given)


def test_all_conditions_are_all() -> None:
    protocol = chosen(Conditions.ALL)
    assert set(protocol.corruptions) == set(Corruption)
    assert len(protocol.corruptions) == 9
    assert protocol.severities == (1, 2, 3, 4, 5)
    assert set(protocol.attacks) == set(Attack)
    clean = chosen(Conditions.CLEAN)
    assert (clean.corruptions, dict(clean.attacks)) == ((), {})


def test_options_take_the_place_of_the_configurations_conditions() -> None:
    config = parse_config({"score": {"attacks": {"fgsm": 2.0}, "severities": [4]}}, "test")
    named = chosen(Conditions.SCORE, config, corruptions="jpeg, block", attacks="square,apgd=0.25")
    assert named.corruptions == (Corruption.JPEG, Corruption.BLOCK)
    assert named.severities == (4,)
    assert dict(named.attacks) == {Attack.SQUARE: 2.0, Attack.APGD: 0.25}
    alone = chosen(Conditions.CLEAN, config, severities="1,5")
    assert alone.corruptions == config.score.corruptions
    assert alone.severities == (1, 5)
    assert not alone.attacks
    assert not chosen(Conditions.ALL, config, corruptions="none", attacks="none").corruptions


@pytest.mark.parametrize(
    ("option", "text", "message"),
    [
        ("corruptions", "jpeg,fog", "--corruptions names 'fog'; it takes jpeg, blur"),
        ("severities", "6", "--severities names '6'; it takes 1, 2"),
        ("severities", "none", "use --corruptions none"),
        ("attacks", "cw", "--attacks names 'cw'; it takes fgsm, pgd, apgd, square"),
        ("attacks", "pgd=300", r"the budget 300; it must be in \[0, 255\]"),
        ("attacks", "pgd=much", "--attacks names 'pgd=much'"),
    ],
)
def test_unknown_conditions_are_named(option: str, text: str, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        chosen(Conditions.SCORE, **{option: text})


def test_the_configuration_is_the_runs_or_the_one_that_is_named(
    detector: SavedDetector, tmp_path: Path
) -> None:
    assert configuration_of(detector.folder, None).seed == 5
    (tmp_path / "other.toml").write_text("seed = 9\n")
    assert configuration_of(detector.folder, tmp_path / "other.toml").seed == 9
    assert configuration_of(detector.folder, tmp_path / "run").seed == 5
    assert configuration_of(tmp_path / "a" / "b" / "c", None) == Config()


def test_weights_worst_condition_threshold_and_gradients_are_told(
    detector: SavedDetector, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data = write_data(tmp_path / "data", striped_faces(24))
    command = ["evaluate", str(detector.folder), str(data), "--device", "cpu"]
    command += ["--conditions", "score", "--attacks", "apgd,square"]
    assert main([*command, "--json"]) == 0
    (result,) = json.loads(capsys.readouterr().out)
    score = result["score"]
    assert score["weights"] == {"clean": 0.0, "unseen": 0.3, "corruption": 1.0, "attack": 3.0}
    aucs = {key: part["auc"] for key, part in score["conditions"].items()}
    mean = (aucs["corruption/jpeg-3"] + aucs["corruption/blur-3"]) / 2
    attacks = (aucs["attack/apgd"] + aucs["attack/square"]) / 2
    assert score["value"] == pytest.approx((mean + 3 * attacks) / 4, abs=1e-12)
    assert score["worst"]["condition"] == min(aucs, key=lambda key: aucs[key])
    assert result["protocol"]["seed"] == 5
    assert result["protocol"]["weights"] == score["weights"]
    assert result["gradients"]["verdict"].startswith("no sign of masked gradients")
    assert main(command) == 0
    shown = " ".join(capsys.readouterr().out.split())
    assert f"worst condition {score['worst']['condition']}: AUC" in shown
    assert detector.calibration is not None
    assert f"threshold {detector.calibration.frames.threshold:.4g} of frames, by eer" in shown
    assert result["gradients"]["verdict"] in shown
    assert "corruption/jpeg-3" in shown


def test_gradients_are_checked_on_request(
    detector: SavedDetector, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data = write_data(tmp_path / "data", striped_faces(24))
    command = ["evaluate", str(detector.folder), str(data), "--device", "cpu", "--json"]
    for arguments, looked in ((["--check-gradients"], True), ([], False)):
        assert main([*command, *arguments]) == 0
        (result,) = json.loads(capsys.readouterr().out)
        assert (result["gradients"] is not None) == looked


@pytest.mark.parametrize(
    ("attacks", "eps"),
    [("apgd=4,square=3", 3.0), ("apgd=4", 1.0), ("apgd=0.5", 0.5), ("apgd=0,square=0", 1.0)],
)
def test_gradients_are_checked_by_the_smaller_of_the_two_budgets(
    detector: SavedDetector, attacks: str, eps: float, capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
) -> None:  # fmt: skip
    (detector.folder.parent.parent / "config.toml").write_text(
        "seed = 5\n[score.attack_effort]\napgd = 2\nsquare = 5\nrestarts = 3\n"
    )
    data = write_data(tmp_path / "data", striped_faces(12))
    command = ["evaluate", str(detector.folder), str(data), "--device", "cpu", "--json"]
    assert main([*command, "--attacks", attacks, "--check-gradients"]) == 0
    (result,) = json.loads(capsys.readouterr().out)
    found = result["gradients"]
    assert found["eps"] == eps
    assert (found["apgd_iterations"], found["square_iterations"], found["restarts"]) == (2, 5, 3)
    assert found["seed"] == 5


def test_too_few_images_for_a_verdict_on_gradients_are_told(
    detector: SavedDetector, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    config = detector.folder.parent.parent / "config.toml"
    config.write_text("[score]\nattack_images = 4\n[score.attack_effort]\nsquare = 2\napgd = 2\n")
    data = write_data(tmp_path / "data", striped_faces(12))
    command = ["evaluate", str(detector.folder), str(data), "--device", "cpu"]
    assert main([*command, "--check-gradients"]) == 2
    error = " ".join(capsys.readouterr().err.split())
    assert "checked on 4 images, but it takes 8" in error
    assert "score.attack_images (4)" in error
    # Four attacked images are too few for metrics as well, which is said of each attack.
    assert main([*command, "--attacks", "apgd,square"]) == 0
    assert "gradients were not checked: fewer than 8" in " ".join(capsys.readouterr().out.split())


def test_images_that_were_trained_on_are_warned_of(
    detector: SavedDetector, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    faces = striped_faces(24)
    data = write_data(tmp_path / "data", faces)
    command = ["evaluate", str(detector.folder), str(data), "--device", "cpu", "--split", "all"]
    assert main(command) == 0
    assert "was not kept with it" in capsys.readouterr().out
    save_used(detector.folder, Use.TRAINED, [faces.select(range(10))])
    assert main(command) == 0
    shown = " ".join(capsys.readouterr().out.split())
    assert "The detector was trained on 10 of these 48 images" in shown
    assert main([*command, "--json"]) == 0
    assert json.loads(capsys.readouterr().out)[0]["protocol"]["data"]["trained_on"] == 10
    for use in Use:
        save_used(detector.folder, use, [striped_faces(3, seed=9)])
    assert main(command) == 0
    shown = " ".join(capsys.readouterr().out.split())
    assert "of these 48 images" not in shown
    assert "some of these images was not kept" not in shown
    save_used(detector.folder, Use.SELECTED, [faces.select(range(6))])
    save_used(detector.folder, Use.CALIBRATED, [faces.select(range(8))])
    assert main(command) == 0
    shown = " ".join(capsys.readouterr().out.split())
    assert "6 of these 48 images selected the architecture" in shown
    assert "8 of these 48 images chose the threshold" in shown
    assert main([*command, "--json"]) == 0
    data = json.loads(capsys.readouterr().out)[0]["protocol"]["data"]
    assert (data["trained_on"], data["selected_on"], data["calibrated_on"]) == (0, 6, 8)


def test_data_are_read_as_set(
    detector: SavedDetector, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data = write_data(tmp_path / "data", striped_faces(24))
    (data / "faces" / "3.png").write_bytes(b"torn")
    command = ["evaluate", str(detector.folder), str(data), "--device", "cpu", "--json"]
    assert main(command) == 2
    capsys.readouterr()
    assert main([*command, "--set", "data.on_bad_image=skip"]) == 0
    out, error = capsys.readouterr()
    protocol = json.loads(out)[0]["protocol"]
    assert protocol["data"]["images"] == 47
    [reading] = protocol["reading"]
    assert (reading["layout"], reading["on_bad_image"]) == ("metadata.csv", "skip")
    assert reading["skipped"] == 1
    assert "left out" in error
    assert main([*command, "--set", "on_bad_image=ignore"]) == 2
    assert "data.on_bad_image is 'ignore'" in " ".join(capsys.readouterr().err.split())


def test_a_pipe_shows_every_name_and_interval_whole(
    detector: SavedDetector, tmp_path: Path
) -> None:
    data = write_data(tmp_path / "data", striped_faces(60))
    lines = [f"person{i},{'a very long attribute of light' if i % 2 else 'dim'}" for i in range(60)]
    (data / "attributes.csv").write_text("\n".join(["original,light", *lines]) + "\n")
    command = [sys.executable, "-m", "bonas", "evaluate", str(detector.folder), str(data)]
    command += ["--device", "cpu", "--corruptions", "saturation", "--severities", "5"]
    shown = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    assert "…" not in shown
    assert "corruption/saturation-5" in shown
    assert "clean, light=a very long attribute of light" in shown
    first = next(line for line in shown.splitlines() if line.startswith("│ clean "))
    assert first.count("│") == 10
