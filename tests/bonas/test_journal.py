from pathlib import Path

import optuna
import pytest

from bonas.journal import repair_journal
from bonas.study import journal_storage


def journal(folder: Path) -> Path:
    path = folder / "study.journal"
    study = optuna.create_study(storage=journal_storage(path), study_name="x")
    study.optimize(lambda trial: trial.suggest_float("a", 0, 1), n_trials=3)
    return path


def values(path: Path) -> list[float | None]:
    study = optuna.load_study(storage=journal_storage(path), study_name="x")
    return [trial.value for trial in study.trials]


def test_a_whole_journal_is_left_alone(tmp_path: Path) -> None:
    path = journal(tmp_path)
    before = path.read_bytes()
    assert repair_journal(path) is None
    assert path.read_bytes() == before


@pytest.mark.parametrize("torn", [b'{"op_code":4', b'{"op_code":4,"x":1}', b'{"half\n', b"\x00\n"])
def test_a_torn_end_is_cut_and_kept(
    tmp_path: Path, torn: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    path = journal(tmp_path)
    whole = path.read_bytes()
    path.write_bytes(whole + torn)
    kept = repair_journal(path)
    assert kept is not None
    assert kept.read_bytes() == torn
    assert path.read_bytes() == whole
    assert "torn line" in caplog.text
    assert not list(tmp_path.glob("*.lock"))


def test_a_study_goes_on_behind_a_repaired_journal(tmp_path: Path) -> None:
    path = journal(tmp_path)
    before = values(path)
    with path.open("ab") as file:
        file.write(b'{"op_code":4,"wor')
    study = optuna.load_study(storage=journal_storage(path), study_name="x")
    study.optimize(lambda trial: trial.suggest_float("a", 0, 1), n_trials=2)
    assert values(path)[:3] == before
    assert len(values(path)) == 5


def test_every_torn_end_gets_a_file_of_its_own(tmp_path: Path) -> None:
    path = journal(tmp_path)
    names = set()
    for _ in range(2):
        with path.open("ab") as file:
            file.write(b"{")
        kept = repair_journal(path)
        assert kept is not None
        names.add(kept.name)
    assert names == {"study.journal.torn-1", "study.journal.torn-2"}


def test_a_line_longer_than_a_block_is_found_whole(tmp_path: Path) -> None:
    path = tmp_path / "long"
    whole = b'{"a":"' + b"x" * 200_000 + b'"}\n'
    path.write_bytes(whole + whole + b"{")
    repair_journal(path)
    assert path.read_bytes() == whole + whole


def test_no_journal_is_nothing_to_repair(tmp_path: Path) -> None:
    assert repair_journal(tmp_path / "none") is None
    (tmp_path / "empty").write_bytes(b"")
    assert repair_journal(tmp_path / "empty") is None
