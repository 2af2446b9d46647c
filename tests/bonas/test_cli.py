"""Bad input gets a clear error and exit code 2, without a traceback."""

import importlib
import inspect
import json
import logging
import re
import subprocess
import sys
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from bonas.cli import COMMANDS, main
from bonas.config import ConfigError
from bonas.data.source import read_data
from bonas.estimation.estimator import EstimationFailed
from bonas.report.facts import read_run
from bonas.run_folder import RunFolder
from bonas.search_cost import TIME_LIMIT
from bonas.step_time import Stopwatch
from tests.bonas.data.pictures import picture, renamed_to_latin
from tests.bonas.networks.test_every_builder import EXAMPLE

TINY = """
seed = 2
[space]
width = 4
level_width = 8
[data]
layout = "synthetic"
identities = 40
size = 32
unseen = ["reenactment"]
[search]
trials = 2
[supernet]
epochs = 1
batch_size = 4
calibration_images = 64
[training]
epochs = 1
batch_size = 4
[score]
corruptions = ["noise"]
severities = [2]
[device]
name = "cpu"
threads = 1
"""


def faces(folder: Path, labels: str = "REAL,FAKE", splits: str = "train,val,test") -> Path:
    (folder / "faces").mkdir(parents=True)
    rows = ["path,label,original,split"]
    rng = np.random.default_rng(0)
    for split in splits.split(","):
        for person in range(6):
            for label in labels.split(","):
                name = f"faces/{split}{person}{label}.png"
                pixels = rng.integers(0, 255, (32, 32, 3), dtype=np.uint8)
                Image.fromarray(pixels).save(folder / name)
                rows.append(f"{name},{label},{split}{person},{split}")
    (folder / "metadata.csv").write_text("\n".join(rows) + "\n")
    return folder


def config(folder: Path, data: Path) -> Path:
    file = folder / "config.toml"
    table = f'layout = "metadata.csv"\npath = "{data}"\nsize = 32\n'
    start, end = TINY.index("layout"), TINY.index("[search]")
    file.write_text(TINY[:start] + table + TINY[end:])
    return file


def failure(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    """The error of a command that must end with exit code 2 and without a traceback."""
    code = main(list(arguments))
    error = capsys.readouterr().err
    assert code == 2, error
    assert "Traceback" not in error
    return " ".join(error.split())


def search(capsys: pytest.CaptureFixture[str], folder: Path, data: Path, *arguments: str) -> str:
    file = config(folder, data)
    return failure(capsys, "search", str(file), "--out", str(folder / "run"), *arguments)


def test_an_unknown_key_is_named_with_the_nearest(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    error = search(capsys, tmp_path, faces(tmp_path / "d"), "--set", "supernet.epoch=3")
    assert "unknown key 'supernet.epoch'; did you mean 'epochs'?" in error
    assert not (tmp_path / "run").exists()


def test_an_unknown_search_space_is_named(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    error = search(capsys, tmp_path, faces(tmp_path / "d"), "--set", "space.name=forgry")
    assert "space.name is 'forgry': it must be one of forgery, forgery_cascade" in error
    assert "did you mean 'forgery'?" in error


def test_an_unknown_strategy_is_named(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    error = search(capsys, tmp_path, faces(tmp_path / "d"), "--set", "search.strategy=magic")
    assert "search.strategy is 'magic'; it must be one of bayesian" in error


def test_a_refused_first_start_does_not_block_the_run_folder(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def begun(*arguments: object, **named: object) -> None:
        raise ConfigError("the search begins")

    monkeypatch.setattr("bonas.commands.search.run_search", begun)
    data = faces(tmp_path / "d")
    assert "search.strategy" in search(capsys, tmp_path, data, "--strategy", "baysian")
    assert "has no metadata.csv" in search(capsys, tmp_path, tmp_path / "d" / "faces")
    assert "the search begins" in search(capsys, tmp_path, data)


@pytest.mark.parametrize("command", ["search", "data"])
def test_an_interrupted_command_says_so_and_whether_it_can_be_continued(
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    command: str,
) -> None:
    def interrupted(*arguments: object, **named: object) -> None:
        raise KeyboardInterrupt

    place = {"search": "search.load_config", "data": "data.list_data"}[command]
    monkeypatch.setattr(f"bonas.commands.{place}", interrupted)
    assert main([command, str(faces(tmp_path / "d"))]) == 130
    told = capsys.readouterr().err.splitlines()[-1]
    continued = " The same command continues where it stopped." if command == "search" else ""
    assert told == f"Interrupted.{continued}"


def test_a_space_without_a_relaxation_is_named_before_data_are_read(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    file = config(tmp_path, tmp_path / "nowhere")
    file.write_text(file.read_text().replace("level_width = 8\n", 'name = "macro"\n'))
    run = str(tmp_path / "run")
    error = failure(capsys, "search", str(file), "--out", run, "--strategy", "darts")
    assert "gradient strategies need operations to choose from" in error


def test_an_empty_data_folder_is_named(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    (tmp_path / "d").mkdir()
    assert "has no metadata.csv (found: nothing)" in search(capsys, tmp_path, tmp_path / "d")


def test_data_of_one_class_are_refused(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    error = search(capsys, tmp_path, faces(tmp_path / "d", labels="REAL"))
    assert "images of the split 'train' are real" in error


@pytest.mark.parametrize("splits", ["train,val", "train,val,test"])
def test_a_search_whose_result_could_not_be_tested_does_not_begin(
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    splits: str,
) -> None:
    def begun(*arguments: object, **named: object) -> None:
        raise ConfigError("the search begins")

    monkeypatch.setattr("bonas.commands.search.run_search", begun)
    error = search(capsys, tmp_path, faces(tmp_path / "d", splits=splits))
    lacking = splits == "train,val"
    assert ("the data have no split 'test'" in error) == lacking
    assert ("the search begins" in error) != lacking


def test_a_search_that_was_to_train_and_found_nothing_fails(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = config(tmp_path, faces(tmp_path / "d"))
    arguments = ["search", str(file), "--out", str(tmp_path / "run"), "--time-limit", "0"]
    assert main(arguments) == 0
    assert main([*arguments, "--train", "1"]) == 1
    assert "nothing to train yet" in capsys.readouterr().err


def test_one_command_ends_with_a_detector(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file, run = config(tmp_path, faces(tmp_path / "d")), tmp_path / "run"
    arguments = ["search", str(file), "--out", str(run), "--train", "2", "--json"]
    assert main(arguments) == 0
    found = json.loads(capsys.readouterr().out)
    first, second = found["detectors"]
    assert [first["seed"], second["seed"]] == [0, 1]
    assert first["choices"] == found["best"][0]["choices"]
    key = found["best"][0]["key"]
    weights = run / "detectors" / key / "detector.safetensors"
    before = weights.stat().st_mtime_ns
    assert main([*arguments[:-2], "1"]) == 0
    assert f"Test of {key}" in capsys.readouterr().out
    assert weights.stat().st_mtime_ns == before, "what is trained is not trained again"


def test_a_file_in_the_place_of_a_data_folder_is_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "file").write_text("")
    assert "file' is a file; name the folder" in search(capsys, tmp_path, tmp_path / "file")


def test_a_split_without_images_is_named(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    error = search(capsys, tmp_path, faces(tmp_path / "d", splits="train,test"))
    assert "no images in the split 'val', needed for the search" in error


def test_a_split_too_small_to_be_scored_is_named(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    data = faces(tmp_path / "d")
    lines = (data / "metadata.csv").read_text().splitlines()
    kept = [line for line in lines if not line.endswith("val") or "val0," in line]
    (data / "metadata.csv").write_text("\n".join(kept) + "\n")
    error = search(capsys, tmp_path, data)
    assert "(val) has real images of 1 original(s)" in error


def test_a_corrupt_image_is_named_and_skipped_only_on_request(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    data = faces(tmp_path / "d")
    (data / "faces" / "train0REAL.png").write_bytes(b"\x89PNG torn")
    assert "row 2" in search(capsys, tmp_path, data)
    file = config(tmp_path, data)
    settings = ("--set", "data.on_bad_image=skip", "--set", "seed=2")
    assert main(["search", str(file), "--out", str(tmp_path / "other"), *settings]) == 0
    assert "left out" in capsys.readouterr().err


@pytest.mark.parametrize("command", ["data", "audit"])
def test_names_that_are_not_in_utf_8_are_read_and_shown(
    capsys: pytest.CaptureFixture[str],
    caplog: pytest.LogCaptureFixture,
    tmp_path: Path,
    command: str,
) -> None:
    caplog.set_level(logging.CRITICAL)  # a report with such names cannot be sent between processes
    folder = tmp_path / "data"
    for person in ("anna", "berta", "clara", "dora"):
        picture(folder / "real" / f"{person}.png")
        picture(folder / "fake" / f"{person}.png", 1)
    torn = renamed_to_latin(picture(folder / "real" / "x.png"), "jürgen_1.png")
    torn.write_bytes(b"torn")
    folder = renamed_to_latin(folder, "gesammelt für bonas")
    main([command, str(folder)])
    said = capsys.readouterr()
    assert "error" not in said.err
    assert {"data": "5 groups", "audit": r"j\udcfcrgen_1.png"}[command] in said.out
    picture(folder / "real" / torn.name)
    assert len(read_data(folder, 32).splits) == 3


def test_a_missing_configuration_is_named(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    assert "does not exist" in failure(capsys, "search", str(tmp_path / "no.toml"))


@pytest.mark.parametrize("command", ["train", "compare", "report", "dashboard"])
def test_a_folder_without_a_run_is_named(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, command: str
) -> None:
    assert "is no run folder" in failure(capsys, command, str(tmp_path))


@pytest.mark.parametrize("name", COMMANDS)
def test_the_list_of_commands_says_what_each_says_of_itself(name: str) -> None:
    command = getattr(importlib.import_module(f"bonas.commands.{name}"), name)
    said = inspect.getdoc(command)
    assert said is not None
    assert said.split("\n\n")[0] == COMMANDS[name]


@pytest.mark.parametrize("given", [["--help"], ["--version"], ["serch"]], ids=str)
def test_what_needs_no_torch_does_not_wait_for_it(given: list[str]) -> None:
    code = "import sys; from bonas.cli import main; main(sys.argv[1:]); "
    code += "assert 'torch' not in sys.modules"
    subprocess.run([sys.executable, "-c", code, *given], check=True, capture_output=True)


def test_an_unknown_command_and_option_are_wrong_use(
    capsys: pytest.CaptureFixture[str],
) -> None:
    failure(capsys, "serach")
    failure(capsys, "search", "--trails", "3", "x.toml")


def test_a_head_for_regions_needs_masks_and_a_pyramid(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    data = faces(tmp_path / "d")
    error = search(capsys, tmp_path, data, "--set", "space.localisation=0.5")
    assert "no forged training image has a mask" in error
    macro = ["--set", "space.name=macro", "--set", "space.localisation=0.5"]
    assert "no setting of the space 'macro'" in search(capsys, tmp_path, data, *macro)


def test_a_device_that_is_not_there_is_named(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    error = search(capsys, tmp_path, faces(tmp_path / "d"), "--set", "device.name=cuda:7")
    assert "cuda:7" in error


def test_a_device_that_does_not_exist_is_answered_with_those_that_do(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    error = search(capsys, tmp_path, faces(tmp_path / "d"), "--set", "device.name=gpu")
    assert "error: device.name is 'gpu'; it must be auto, cpu, cuda, or cuda:N" in error


@pytest.mark.parametrize(
    "settings",
    [
        ["space.name=forgery_cascade", "space.level_width=8"],
        ["space.name=nasbench201", "space.cells=1"],
        ["space.name=darts", "space.cells=3"],
        ["space.name=macro", "supernet.tuning_epochs=1"],
        ["supernet.tuning_epochs=1"],
        [f"space.name={EXAMPLE}:ChainBuilder", "space.width=16"],
    ],
    ids=lambda settings: settings[0].replace(str(EXAMPLE.parent), ""),
)
def test_every_space_is_searched_trained_and_reported(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, settings: list[str]
) -> None:
    file, run = tmp_path / "tiny.toml", str(tmp_path / "run")
    file.write_text(TINY.replace("level_width = 8\n", ""))
    chosen = [argument for setting in settings for argument in ("--set", setting)]
    assert main(["search", str(file), "--out", run, "--json", *chosen]) == 0
    assert json.loads(capsys.readouterr().out)["trials"] == 2
    assert main(["train", run, "--json"]) == 0
    (record,) = json.loads(capsys.readouterr().out)
    assert 0 <= record["score"]["value"] <= 1
    assert main(["report", run]) == 0


def test_the_space_of_stages_is_limited_by_what_is_counted(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    file = tmp_path / "tiny.toml"
    file.write_text(TINY.replace("level_width = 8\n", 'name = "macro"\n'))
    for limit, message in [
        ("step_time = 2.0", "search.limits.step_time is not available in the space 'macro'"),
        ("parameters = 10", "search.limits.parameters is 10, but a network without"),
        ("flops = 10", "tiny.toml: search.limits names 'flops'; costs are parameters"),
    ]:
        out = ("--out", str(tmp_path / limit.split()[0]))
        settings = ("--set", f"search.limits={{{limit}}}")
        assert message in failure(capsys, "search", str(file), *out, *settings)
    timed = ("--out", str(tmp_path / "timed"), "--set", 'search.minimise=["step_time"]')
    error = failure(capsys, "search", str(file), *timed)
    assert "search.minimise = step_time is not available in the space 'macro'" in error
    error = failure(capsys, "search", str(file), *timed, "--set", "space.name=darts")
    assert "search.minimise = step_time is not available in the space 'darts'" in error
    settings = ("--out", str(tmp_path / "run"), "--set", "search.limits={parameters = 12000}")
    assert main(["search", str(file), "--json", *settings]) == 0
    found = json.loads(capsys.readouterr().out)
    assert all(b["cost"]["parameters"] <= 12_000 for b in found["best"])


def test_a_search_whose_shared_weights_learned_nothing_says_so(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    file, run = tmp_path / "tiny.toml", str(tmp_path / "run")
    file.write_text(TINY)
    assert main(["search", str(file), "--out", run, "--trials", "8"]) == 0
    said = capsys.readouterr()
    assert "no ranking" in said.err
    assert "supernet.epochs" in said.err
    assert main(["search", str(file), "--out", run, "--trials", "8", "--json"]) == 0
    low, high = json.loads(capsys.readouterr().out)["at_chance"]["interval"]
    assert low <= 0.5 < high


def test_a_search_without_any_estimate_says_what_to_do_and_names_no_next_step(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    file, run = tmp_path / "tiny.toml", str(tmp_path / "run")
    file.write_text(TINY)
    assert main(["search", str(file), "--out", run, "--time-limit", "0"]) == 0
    shown = capsys.readouterr()
    assert shown.out == ""
    assert "no estimate was made in the 0 s of --time-limit" in shown.err
    assert "The same command goes on" in shown.err
    assert "Next:" not in shown.err

    def fail(*arguments: object, **named: object) -> None:
        raise EstimationFailed("out of memory")

    monkeypatch.setattr("bonas.estimation.supernet.SupernetEstimator.estimate", fail)
    assert main(["search", str(file), "--out", run]) == 0
    shown = capsys.readouterr()
    assert shown.out == ""
    assert "every estimate failed (2)" in shown.err
    assert "Next:" not in shown.err


def test_the_whole_way_and_what_may_follow_it(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    file, run = tmp_path / "tiny.toml", str(tmp_path / "run")
    file.write_text(TINY)
    assert main(["search", str(file), "--out", run, "--time-limit", "0", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["trials"] == 0, "only the supernet was trained"
    assert read_run(RunFolder.open(tmp_path / "run")).attributes[TIME_LIMIT] == 0

    assert main(["search", str(file), "--out", run, "--json"]) == 0
    first = json.loads(capsys.readouterr().out)
    assert first["trials"] == 2
    assert set(first["best"][0]["aucs"]) == {
        "clean", "unseen/reenactment", "corruption/noise-2", "attack/fgsm"
    }  # fmt: skip

    assert main(["search", str(file), "--out", run, "--trials", "3", "--json"]) == 0
    more = json.loads(capsys.readouterr().out)
    assert more["trials"] == 3, "the run is continued"
    assert read_run(RunFolder.open(tmp_path / "run")).attributes[TIME_LIMIT] is None
    assert more["at_chance"] is None, "three estimates are too few to tell"
    assert more["ties"]["others"] == 2
    assert more["best"][0]["less_best"] is None, "the best itself"
    less = more["best"][2]["less_best"]
    low, high = less["interval"]
    assert low < less["value"] == more["best"][2]["value"] - more["best"][0]["value"] < high

    assert main(["train", run, "--json"]) == 0
    (record,) = json.loads(capsys.readouterr().out)
    assert record["name"] == more["best"][0]["key"]
    detector = tmp_path / "run" / "detectors" / record["name"]
    names = {"detector.safetensors", "architecture.json", "metrics.json", "calibration.json"}
    kept = ("trained_on", "selected_on", "calibrated_on", "contributions")
    kept_files = {f"{name}.safetensors" for name in kept}
    assert {f.name for f in detector.iterdir()} == names | kept_files
    chosen = json.loads((detector / "calibration.json").read_text())["data"]
    assert chosen["digest"] == record["protocol"]["data"]["val"]["digest"]
    assert chosen["reading"] == record["protocol"]["reading"]
    assert chosen["device"] == record["protocol"]["device"]
    assert (chosen["detector"]["name"], chosen["detector"]["seed"]) == (record["name"], 0)

    assert main(["compare", run, "--json"]) == 0
    compared = json.loads(capsys.readouterr().out)
    scores = {r["name"]: r["score"]["value"] for r in compared["records"]}
    assert list(scores) == ["found", "random", "plain"]
    for rival, difference in compared["differences"].items():
        whole = difference["score"]
        assert whole["value"] == pytest.approx(scores["found"] - scores[rival])
        assert whole["interval"][0] < whole["value"] < whole["interval"][1]
        assert set(difference["groups"]) == {"clean", "unseen", "corruption", "attack"}

    few = "real ones of 8 originals only"
    assert any(few in flag for flag in more["flags"]["clean"])
    assert any(few in flag for flag in record["protocol"]["flags"]["corruption/noise-2"])
    for command in (
        ["search", str(file), "--out", run, "--trials", "3"],
        ["train", run],
        ["compare", run],
    ):
        assert main(command) == 0
        shown = capsys.readouterr().out
        assert few in shown, "tiny groups are told"
        assert re.search(r"0\.\d{3} ?- ?[01]\.\d{3}", shown), "intervals are told"
    assert "found minus rival" in shown
    assert "Each was trained once: these intervals are over images" in shown
    assert re.search(r"[+-][01]\.\d{3} to \+[01]\.\d{3}", shown), "also of differences"

    assert main(["report", run]) == 0
    assert (tmp_path / "run" / "report.html").stat().st_size > 10_000
    capsys.readouterr()

    comparison = (tmp_path / "run" / "comparison.json").read_text()
    assert main(["compare", run, "--against", "plain", "--json"]) == 0
    asked = json.loads(capsys.readouterr().out)
    assert [r["name"] for r in asked["records"]] == ["found", "plain"]
    kept = (tmp_path / "run" / "comparison.json").read_text()
    assert kept == comparison, "a narrower comparison takes nothing away"
    longer = failure(capsys, "compare", run, "--seeds", "2", "--set", "training.epochs=2")
    assert "is of trainings of 9 steps, and the recipe now makes 18" in longer
    other = failure(capsys, "compare", run, "--set", "training.learning_rate=1e-9")
    assert "recipe.learning_rate: 0.004 | 1e-09" in other
    assert (tmp_path / "run" / "comparison.json").read_text() == comparison

    again = failure(capsys, "train", run, "--set", "training.epochs=2")
    assert "holds a training on other terms (there | here): recipe.steps: 9 | 18" in again
    again = failure(capsys, "train", run, "--set", "training.learning_rate=1e-9")
    assert "recipe.learning_rate: 0.004 | 1e-09" in again

    other = failure(capsys, "search", str(file), "--out", run, "--set", "seed=3")
    assert "holds a run of another configuration" in other
    assert "seed: 2 | 3" in other
    assert "fits 0 architectures" in failure(capsys, "train", run, "--architecture", "zz")


def test_training_before_searching_is_named(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    (tmp_path / "config.toml").write_text(TINY)
    assert "run `bonas search` first" in failure(capsys, "train", str(tmp_path))
    assert "has no study yet" in failure(capsys, "dashboard", str(tmp_path))


def test_step_times_are_measured_once_and_repeat_a_search_elsewhere(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    # Any times will do, as long as they repeat; a table of times from too few steps is one.
    monkeypatch.setattr("bonas.assembly.Stopwatch", partial(Stopwatch, rounds=1))
    monkeypatch.setattr("bonas.assembly.OPTION_STEPS", 2)
    monkeypatch.setattr("bonas.assembly.OPTION_WARM_STEPS", 1)
    file = tmp_path / "tiny.toml"
    few = TINY.replace("level_width = 8", 'name = "nasbench201"\ncells = 1')
    file.write_text(few.replace("trials = 2", "trials = 1\nlimits = {step_time = 20.0}"))
    assert main(["search", str(file), "--out", str(tmp_path / "run")]) == 0
    table = (tmp_path / "run" / "step_times.json").read_bytes()
    (tmp_path / "table.json").write_bytes(table)
    given = file.read_text().replace("trials = 1", 'trials = 2\nstep_times = "table.json"')
    (tmp_path / "given.toml").write_text(given)
    capsys.readouterr()
    results = []
    for name in ("run", "again"):
        config = "tiny.toml" if name == "run" else "given.toml"
        out = str(tmp_path / name)
        assert (
            main(["search", str(tmp_path / config), "--out", out, "--trials", "2", "--json"]) == 0
        )
        found = json.loads(capsys.readouterr().out)
        results.append([(b["choices"], b["value"]) for b in found["best"]])
    assert results[0] == results[1]
    assert (tmp_path / "run" / "step_times.json").read_bytes() == table, "measured again"

    # A later training has batches of its own; the table belongs to the search.
    more = ["--set", "training.batch_size=8", "--json"]
    assert main(["train", str(tmp_path / "run"), *more]) == 0
    capsys.readouterr()
    other = ["--out", str(tmp_path / "other"), "--set", "training.batch_size=8"]
    said = failure(capsys, "search", str(tmp_path / "given.toml"), *other)
    assert "measured_on.batch_size is 4, here it is 8. Set training.batch_size" in said

    quick = ["--set", "search.limits={}", "--set", 'search.minimise=["step_time"]']
    out = str(tmp_path / "quick")
    assert main(["search", str(tmp_path / "given.toml"), "--out", out, "--json", *quick]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["minimise"] == ["step_time"]
    document = json.loads(table)
    for told in [*found["best"], *found["front"]]:
        at_most = document["skeleton"] + sum(max(o.values()) for o in document["options"].values())
        assert document["skeleton"] <= told["cost"]["step_time"] <= at_most + 1e-9

    low = failure(
        capsys, "search", str(tmp_path / "given.toml"), "--out", str(tmp_path / "low"),
        "--set", "search.limits={step_time = 1e-9}",
    )  # fmt: skip
    assert "search.limits.step_time is 1e-09, but a network without" in low


@pytest.mark.parametrize(
    ("strategy", "settings"),
    [
        ("darts", {"name": "forgery", "level_width": "8"}),
        ("pdarts", {"name": "forgery_cascade", "level_width": "8"}),
        ("pdarts", {"name": "nasbench201", "cells": "2"}),
        pytest.param("pdarts", {"name": "darts", "cells": "4"}, marks=pytest.mark.slow),
    ],
    ids=str,
)
def test_a_search_by_gradient_ends_in_a_run_like_any_other(
    strategy: str, settings: dict[str, str], capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    file, run = tmp_path / "tiny.toml", str(tmp_path / "run")
    tiny = TINY.replace("level_width = 8\n", "")
    file.write_text(tiny + "[gradient]\nepochs = 1\nbatch_size = 4\n")
    named = [a for key, value in settings.items() for a in ("--set", f"space.{key}={value}")]
    arguments = ["search", str(file), "--strategy", strategy, "--out", run, "--json", *named]
    assert main([*arguments, "--time-limit", "1"]) == 0
    first, told = capsys.readouterr()
    found = json.loads(first)
    steps = json.loads((tmp_path / "run" / "gradient.json").read_text())["steps"]
    assert f"{steps:,} steps" in told
    assert "of the strongest operations" in told
    assert found["gradient"]["steps"] == steps
    assert 0 < found["gradient"]["seconds"] < found["seconds"]
    counts = found["gradient"]["skips_by_cell"].values()
    assert found["gradient"]["collapsed"] == any(skips >= 0.6 * all_ for skips, all_ in counts)
    assert found["multiply_adds"] > found["gradient"]["multiply_adds"] > 0
    (tmp_path / "run" / "supernet.safetensors").unlink()
    (tmp_path / "run" / "study.journal").unlink()
    assert main(arguments) == 0
    again, _ = capsys.readouterr()
    assert json.loads(again)["trials"] == 1
    values = [[(b["choices"], b["value"]) for b in json.loads(o)["best"]] for o in (first, again)]
    assert values[0] == values[1], "a continued run makes the same steps"
    assert main(arguments) == 0, "a finished run is read"
    read = json.loads(capsys.readouterr().out)
    assert read["best"] == json.loads(again)["best"]
    assert read["gradient"] == json.loads(again)["gradient"]
    assert main(["train", run, "--json"]) == 0
    assert main(["report", run]) == 0
    capsys.readouterr()
    limited = failure(
        capsys, "search", str(file), "--strategy", strategy, "--out", str(tmp_path / "limited"),
        "--set", "search.limits={parameters = 1e6}",
    )  # fmt: skip
    assert f"the strategy '{strategy}' cannot keep limits" in limited
    if strategy == "pdarts":
        second = failure(
            capsys, "search", str(file), "--strategy", strategy, "--out", str(tmp_path / "second"),
            "--set", "gradient.order=2",
        )  # fmt: skip
        assert "gradient.order is 2, but P-DARTS" in second
