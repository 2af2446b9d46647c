"""What a detector was not trained on is never called clean."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

import bonas
from bonas.cli import main
from bonas.data.faces import DataError, DataSet, Faces, Split
from bonas.detector_evaluation import evaluate_detector
from bonas.detector_record import TRAINED_ON, load_record, save_record
from bonas.device import Device
from bonas.estimation.evaluation import Protocol
from bonas.robustness.conditions import CLEAN, Group
from bonas.robustness.corruptions import Corruption
from bonas.saved_detector import SavedDetector
from bonas.tested import DataPart, trained_types
from bonas.trained_on import TrainedOn, save_trained_on
from tests.bonas.test_detector_evaluation import write_data
from tests.bonas.test_saved_detector import saved
from tests.conftest import striped_faces

TRAINING, TESTING = striped_faces(20, seed=1), striped_faces(24)


def learnt(folder: Path, *forgeries: str, path: str = "/nowhere") -> SavedDetector:
    """The detector of a folder, said to be trained on these types of the training images."""
    record = load_record(folder)
    assert record is not None
    said = TrainedOn("faces", path, forgeries).to_json()
    save_record(folder, replace(record, protocol={**record.protocol, TRAINED_ON: said}))
    save_trained_on(folder, TRAINING)
    return bonas.load_detector(folder, device="cpu")


@pytest.fixture
def folder(tmp_path: Path, cpu: Device) -> Path:
    """Of a detector that knows nothing and says nothing of its training."""
    saved(tmp_path / "detector", TRAINING, cpu, plain=True)
    return tmp_path / "detector"


def test_types_are_trained_on_in_the_data_set_of_the_training_alone(
    folder: Path, tmp_path: Path
) -> None:
    here, there = tmp_path / "here", tmp_path / "there"
    moved = DataSet("any", {Split.TRAIN: TRAINING, Split.TEST: TESTING})
    foreign = DataSet("faces", {Split.TEST: TESTING})
    untold = bonas.load_detector(folder, device="cpu")
    assert trained_types(untold, moved, here) is None
    detector = learnt(folder, "swap", path=str(here))
    assert trained_types(detector, foreign, here) == ("swap",)
    assert trained_types(detector, moved, there) == ("swap",)
    assert trained_types(detector, foreign, there) == ()
    (folder / "trained_on.safetensors").unlink()
    assert trained_types(detector, foreign, there) is None


def test_clean_holds_what_was_trained_on_and_nothing_else() -> None:
    clean, unseen = DataPart(TESTING, "d", "test", ("swap", "other")).divided()
    assert clean is not None
    assert clean.forgeries == ("swap",)
    assert {name: faces.forgeries for name, faces in unseen.items()} == {
        "synthesis": ("synthesis",)
    }
    clean, unseen = DataPart(TESTING, "d", "test", ()).divided()
    assert clean is None
    assert list(unseen) == ["swap", "synthesis"]
    clean, unseen = DataPart(TESTING, "d", "test").divided()
    assert (clean, unseen) == (TESTING, {})


def test_a_type_that_can_name_no_condition_is_told() -> None:
    domains = tuple("clean" if d == "swap" else d for d in TESTING.domains)
    with pytest.raises(DataError, match="forgery type 'clean' cannot name a condition"):
        DataPart(replace(TESTING, domains=domains), "d", "test", ()).divided()


@pytest.mark.parametrize("trained", [(), ("swap",)])
def test_the_score_weighs_as_clean_only_what_was_trained_on(
    folder: Path, trained: tuple[str, ...]
) -> None:
    detector = learnt(folder, *trained)
    protocol = Protocol(corruptions=(Corruption.BLUR,), severities=(1,))
    part = DataPart(TESTING, "d", "test", trained)
    found = evaluate_detector(detector, part, protocol, draws=100, check_gradients=True)
    assert found.score is not None
    assert (CLEAN in found.score.aucs) == bool(trained)
    unseen = {c.name for c in found.frames if c.group is Group.UNSEEN}
    assert unseen == {"swap", "synthesis"} - set(trained)
    assert {c.group for c in found.frames} >= {Group.CORRUPTION, Group.ATTACK}
    assert found.gradients is not None
    unknown = evaluate_detector(detector, replace(part, trained=None), protocol, draws=100)
    whole = found.to_json()["frames"]["all"]
    assert whole == unknown.to_json()["frames"]["clean"], "no number disappears"


def test_the_command_says_what_was_trained_on(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    both: Faces = TESTING
    data = write_data(tmp_path / "data", both)
    command = ["evaluate", str(folder), str(data), "--device", "cpu"]

    def shown() -> str:
        assert main(command) == 0
        return " ".join(capsys.readouterr().out.split())

    assert "was not kept with it: all of them count as clean" in shown()
    learnt(folder, "swap", path=str(data.resolve()))
    said = shown()
    assert "trained on swap: clean; not on synthesis: unseen" in said
    for row in ("all, swap", "all, synthesis", "unseen/synthesis"):
        assert row in said
    learnt(folder, "swap")
    assert "trained on none of swap, synthesis: all are unseen" in shown()
    assert main([*command, "--json"]) == 0
    (result,) = json.loads(capsys.readouterr().out)
    assert result["protocol"]["data"]["forgeries_trained_on"] == []
    assert set(result["frames"]) == {"all", "unseen/swap", "unseen/synthesis"}
