import json
from dataclasses import replace
from pathlib import Path

import pytest

from bonas.assembly import Components
from bonas.cli import main
from bonas.config_file import parse_config
from bonas.data.faces import DataError
from bonas.estimation.rotation import RotatedEstimator
from bonas.rotation import folds, rotated_estimator
from bonas.run_folder import RunFolder
from tests.bonas.networks.test_networks import drawn

SETTINGS = {
    "space": {"width": 4, "level_width": 8},
    "data": {"layout": "synthetic", "identities": 40, "size": 32, "rotate": True},
    "search": {"trials": 2},
    "supernet": {"epochs": 1, "batch_size": 4, "calibration_images": 64},
    "training": {"epochs": 1, "batch_size": 4},
    "score": {"corruptions": ["noise"], "severities": [2]},
    "device": {"name": "cpu", "threads": 1},
}


@pytest.fixture
def folder(tmp_path: Path) -> RunFolder:
    return RunFolder.create(tmp_path / "run", parse_config(SETTINGS, "test"))


def test_every_type_is_unseen_once_and_trained_on_otherwise(folder: RunFolder) -> None:
    parts = Components.of(folder)
    found = folds(parts)
    types = parts.train.forgeries
    assert tuple(found) == types
    assert len(types) == 4
    for name, fold in found.items():
        assert name not in fold.train.forgeries
        assert name not in fold.data.val.forgeries
        assert set(fold.train.forgeries) | {name} == set(types)
        assert fold.data.unseen_val[name].forgeries == (name,)
        assert fold.data.test is parts.data.test, "what is found is tested on all types"


def test_an_estimate_is_the_mean_of_the_folds(folder: RunFolder) -> None:
    parts = Components.of(folder)
    told: list[str] = []

    def progress(name: str, steps: int) -> object:
        told.append(name)
        return lambda step, loss: None

    estimator = rotated_estimator(parts, folder, progress)  # type: ignore[arg-type]
    assert told == [f"supernet without {name}" for name in estimator.folds]
    (architecture,) = drawn(1)
    single = {n: f.estimate(architecture, seed=0) for n, f in estimator.folds.items()}
    whole = estimator.estimate(architecture, seed=0)
    assert whole.value == pytest.approx(sum(o.value or 0.0 for o in single.values()) / 4)
    for name, observation in single.items():
        assert whole.aucs[f"unseen/{name}"] == observation.aucs[f"unseen/{name}"]
    clean = [o.aucs["clean"] for o in single.values()]
    assert whole.aucs["clean"] == pytest.approx(sum(clean) / 4)
    assert len(set(clean)) > 1, "the folds' supernets are one"
    errors = [sum(x * x for x in o.error_loadings) for o in single.values()]
    assert sum(x * x for x in whole.error_loadings) == pytest.approx(sum(errors) / 4)
    fewer = RotatedEstimator(dict(list(estimator.folds.items())[:3]))
    assert fewer.digest != estimator.digest


def test_a_search_rotates_resumes_and_is_reported(
    folder: RunFolder, capsys: pytest.CaptureFixture[str]
) -> None:
    file, run = folder.path / "config.toml", str(folder.path)
    assert main(["search", str(file), "--out", run, "--trials", "1", "--json"]) == 0
    capsys.readouterr()
    assert main(["search", str(file), "--out", run, "--trials", "2", "--json"]) == 0
    result = json.loads(capsys.readouterr().out)
    assert result["trials"] == 2
    assert sum(key.startswith("unseen/") for key in result["best"][0]["aucs"]) == 4
    assert main(["report", run]) == 0
    page = (folder.path / "report.html").read_text()
    assert "held back from one fold" in page


def test_one_type_cannot_rotate(folder: RunFolder) -> None:
    parts = Components.of(folder)
    one = replace(parts, train=parts.train.of_domains(parts.train.forgeries[:1]))
    with pytest.raises(DataError, match=r"data.rotate needs at least two types"):
        folds(one)


def test_a_fold_that_cannot_be_scored_is_told_before_anything_is_trained(
    folder: RunFolder,
) -> None:
    parts = Components.of(folder)
    *others, last = parts.train.forgeries
    few = replace(parts, data=replace(parts.data, val=parts.data.val.of_domains(others)))
    with pytest.raises(DataError, match=f"holds '{last}' back, and val of this type alone has"):
        folds(few)
    alone = replace(parts, data=replace(parts.data, val=parts.data.val.of_domains(others[:1])))
    with pytest.raises(DataError, match=f"holds '{others[0]}' back, and val without it has forged"):
        folds(alone)


def test_what_excludes_rotation_is_named(
    folder: RunFolder, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    file = str(folder.path / "config.toml")
    for setting, message in {
        "data.unseen=['swap']": "rotate holds back every forgery type in turn, unseen always",
        "search.strategy=darts": "data.rotate is set, but the strategy 'darts' trains one",
    }.items():
        code = main(["search", file, "--out", str(tmp_path / "other"), "--set", setting])
        assert code == 2
        assert message in " ".join(capsys.readouterr().err.split())
