"""Every number names what it holds for."""

import json
from pathlib import Path
from typing import Any

import pytest

import bonas
from bonas.cli import main
from bonas.config import DataTable
from bonas.data.source import load_search_data
from bonas.protocol import ImagesUsed, images_of, line, search_protocol
from bonas.robustness.attacks.attack import Attack, attack_definition
from bonas.robustness.conditions import Condition, ConditionSet
from bonas.versions import versions
from tests.bonas.test_cli import TINY
from tests.conftest import striped_faces


def holds_for(document: dict[str, Any]) -> dict[str, Any]:
    """The protocol of a JSON document, with the parts that no number goes without."""
    protocol: dict[str, Any] = document["protocol"]
    assert protocol["version"] == bonas.__version__
    assert protocol["versions"] == versions()
    assert protocol["seed"] == 2
    assert "cpu" in protocol["device"]
    assert {"train", "val", "test", "val/reenactment", "test/reenactment"} == set(protocol["data"])
    for used in protocol["data"].values():
        assert len(used["digest"]) == 16
        assert used["images"] > used["forged"] > 0
    assert [terms["layout"] for terms in protocol["reading"]] == ["synthetic"]
    assert set(protocol["conditions"]["conditions"]) == {
        "clean", "unseen/reenactment", "corruption/noise-2", "attack/fgsm"
    }  # fmt: skip
    return protocol


@pytest.mark.slow
def test_search_train_compare_and_report_write_the_protocol(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    file, run = tmp_path / "tiny.toml", tmp_path / "run"
    file.write_text(TINY)

    def told(*arguments: str) -> Any:
        assert main([*arguments]) == 0
        return json.loads(capsys.readouterr().out)

    searched = holds_for(told("search", str(file), "--out", str(run), "--json"))
    (trained,) = told("train", str(run), "--json")
    tested = holds_for(trained)
    assert tested["data"] == searched["data"]
    assert tested["conditions"]["digest"] == trained["score"]["digest"]
    assert searched["conditions"]["digest"] != tested["conditions"]["digest"]
    assert tested["training"]["recipe"]["learning_rate"] == 4e-3
    assert tested["training"]["data"] == tested["data"]["train"]["digest"]
    for record in told("compare", str(run), "--json")["records"]:
        holds_for(record)
    written = json.loads((run / "comparison.json").read_text())
    assert all(holds_for(record) for record in written["records"])
    (reported,) = told("report", str(run), "--json")["runs"]
    assert reported["protocol"]["data"] == searched["data"]
    assert reported["test"]["protocol"]["0"]["conditions"] == tested["conditions"]
    page = (run / "report.html").read_text()
    for used in searched["data"].values():
        assert used["digest"] in page
    assert versions()["pillow"] in page

    for command in (["search", str(file), "--out", str(run)], ["train", str(run)]):
        assert main(command) == 0
        shown = capsys.readouterr().out
        assert searched["data"]["val"]["digest"] in shown
        assert f"bonas {bonas.__version__}" in shown


def test_images_are_named_by_their_use() -> None:
    table = DataTable(layout="synthetic", size=32, identities=40, unseen=("swap",))
    data = load_search_data(table, seed=0)
    used = images_of(data)
    assert used["train"]["digest"] == data.train.digest()
    assert used["test/swap"] == ImagesUsed.of(data.unseen_test["swap"]).to_json()
    assert used["train"]["frames_per_video"] is None
    assert images_of(load_search_data(table, seed=1))["val"] != used["val"]


def test_a_line_has_digests_and_frames_and_says_what_is_not_known() -> None:
    used = ImagesUsed.of(striped_faces(3)).to_json()
    shown = line({"version": "1", "data": {"name": "d", "split": "test", **used}})
    assert shown == f"data {used['digest']}; bonas 1; device not known"
    videos = {
        "a": used | {"frames_per_video": [3, 8]},
        "test/b": used | {"frames_per_video": [1, 5]},
    }
    shown = line({"version": "1", "data": videos | {"c": used}, "device": "cpu"})
    digest = used["digest"]
    assert shown == (
        f"data a {digest}; data test/b {digest}; data c {digest}; 1 - 8 frames per video; "
        "bonas 1; cpu"
    )
    early = search_protocol({"bonas.data.train": "abc", "bonas.conditions": "f" * 64})
    assert line(early | {"device": "cpu"}).startswith(f"data train abc; conditions {'f' * 16}")


def test_a_line_says_which_copy_was_read_and_how_strong_attacks_were() -> None:
    definition = attack_definition(Attack.FGSM, 8.0)
    conditions = ConditionSet.of({Condition.from_key("attack/fgsm"): definition})
    said = line(
        {
            "version": "1",
            "seed": 3,
            "device": "cpu",
            "reading": [{"compression": "c40"}, {"compression": None}],
            "conditions": conditions.to_json() | {"digest": conditions.digest},
        }
    )
    digest = conditions.digest[:16]
    assert said == f"compression c40; conditions {digest}; fgsm 8/255; seed 3; bonas 1; cpu"
