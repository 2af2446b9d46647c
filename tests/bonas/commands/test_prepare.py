"""`bonas prepare`: exit codes, resumption, and what can be read of its results."""

import csv
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from bonas.cli import main
from bonas.data.attributes import attributes_of
from bonas.data.layouts.contents import Contents
from bonas.data.layouts.named import list_data
from bonas.data.layouts.records import Settings
from bonas.data.preparation.boxes import FoundFace
from bonas.data.preparation.cutting import Cut
from bonas.data.preparation.prepare import prepare
from bonas.data.source import read_data
from tests.bonas.commands.conftest import PEOPLE
from tests.bonas.data.layouts import test_celeb_df as celeb_df
from tests.bonas.data.layouts import test_faceforensics as faceforensics
from tests.bonas.data.pictures import picture, video
from tests.bonas.data.preparation.yunet import CELL, POINTS, write_network

pytest.importorskip("cv2", reason="OpenCV, of the extra [prepare], is not installed")

DONE = 4  # files of an interrupted run
INTERRUPTED = f"""
import time
from bonas.cli import run
from bonas.data.preparation.ledger import Ledger

add, done = Ledger.add, 0

def add_and_wait(self, unit, outcome):
    global done
    add(self, unit, outcome)
    done += 1
    if done == {DONE}:
        time.sleep(600)  # until the signal comes, however slow the machine

Ledger.add = add_and_wait
run()
"""


def content(folder: Path) -> Mapping[str, bytes]:
    """Every file of a folder."""
    files = sorted(p for p in folder.rglob("*") if p.is_file())
    return {str(p.relative_to(folder)): p.read_bytes() for p in files}


def test_what_is_known_of_the_source_is_known_of_the_crops(portraits: Path, whole: Path) -> None:
    before = {
        r.path.relative_to(portraits).with_suffix("").as_posix(): r
        for r in list_data(portraits, "auto", Settings()).records
    }
    after = {
        r.path.relative_to(whole / "faces").with_suffix("").as_posix(): r
        for r in list_data(whole, "auto", Settings()).records
    }
    assert len(after) >= 1.5 * PEOPLE, "the cascade finds most drawn faces"
    assert set(after) <= set(before)
    for name, record in after.items():
        source = before[name]
        assert (record.label, record.original, record.split, record.forgery, record.video) == (
            (source.label, source.original, source.split, source.forgery, source.video)
        )
    assert all(f.images.shape[-1] == 64 for f in read_data(whole, 64).splits.values())
    assert main(["data", str(whole)]) == 0


def test_the_number_of_processes_changes_nothing(
    portraits: Path, whole: Path, tmp_path: Path
) -> None:
    dest = tmp_path / "d"
    assert main(["prepare", str(portraits), str(dest), "--size", "64", "--jobs", "3"]) == 0
    assert content(dest) == content(whole)


def test_a_finished_folder_is_left_as_it_is(
    portraits: Path, whole: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = content(whole)
    assert main(["prepare", str(portraits), str(whole), "--size", "64", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["done_before"] == 2 * PEOPLE
    assert content(whole) == before


@pytest.mark.skipif(sys.platform == "win32", reason="there are no such signals on Windows")
@pytest.mark.parametrize("name", ["SIGKILL", "SIGINT"])
def test_an_interrupted_run_goes_on_and_ends_with_the_same_bytes(
    portraits: Path, whole: Path, tmp_path: Path, name: str
) -> None:
    dest = tmp_path / "d"
    arguments = ["prepare", str(portraits), str(dest), "--size", "64"]
    process = subprocess.Popen(
        [sys.executable, "-c", INTERRUPTED, *arguments, "--jobs", "1"],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        start_new_session=True,
        # Whoever starts the tests in the background may have it ignored.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )
    journal, deadline = dest / "prepare.jsonl", time.monotonic() + 300
    while not journal.is_file() or journal.read_bytes().count(b"\n") < DONE:
        assert process.poll() is None, "it ended before it could be interrupted"
        assert time.monotonic() < deadline
        time.sleep(0.01)
    if name == "SIGINT":  # as the keyboard sends it: to all processes
        os.killpg(process.pid, signal.SIGINT)
    else:
        process.kill()
    _, error = process.communicate(timeout=300)
    assert process.returncode == (130 if name == "SIGINT" else -signal.SIGKILL)
    assert b"Traceback" not in error
    assert (b"The same command continues" in error) == (name == "SIGINT")
    assert f"videos and pictures: 0/{2 * PEOPLE} after".encode() in error
    assert not (dest / "metadata.csv").exists()
    while group_lives(process.pid):
        assert time.monotonic() < deadline, "a worker outlives its parent"
        time.sleep(0.01)
    assert journal.read_bytes().count(b"\n") == DONE
    with journal.open("ab") as file:
        file.write(b'{"unit": "faces/torn')
    assert main([*arguments, "--jobs", "1"]) == 0
    assert content(dest) == content(whole)


def group_lives(group: int) -> bool:
    try:
        os.killpg(group, 0)
    except ProcessLookupError:
        return False
    return True


def test_crops_that_are_gone_or_whose_source_changed_are_made_again(
    portraits: Path, tmp_path: Path
) -> None:
    source, dest = tmp_path / "s", tmp_path / "d"
    for path in portraits.rglob("*.png"):
        (source / path.relative_to(portraits).parent).mkdir(parents=True, exist_ok=True)
        (source / path.relative_to(portraits)).write_bytes(path.read_bytes())
    arguments = ["prepare", str(source), str(dest), "--whole", "--size", "16", "--jobs", "1"]
    assert main(arguments) == 0
    before = content(dest)
    first, second, *_ = sorted(dest.rglob("faces/**/*.png"))
    first.unlink()
    changed = source / second.relative_to(dest / "faces")
    Image.new("RGB", (8, 8), (1, 2, 3)).save(changed)
    assert main(arguments) == 0
    after = content(dest)
    assert {name for name in before if before[name] != after[name]} == {
        str(second.relative_to(dest)),
        "prepare.jsonl",
    }
    with Image.open(second) as image:
        assert image.getpixel((5, 5)) == (1, 2, 3)


@pytest.mark.parametrize(
    ("option", "said"),
    [
        (["--size", "32"], "size = 64, here it is 32"),
        (["--enlarge", "2"], "enlarge = 1.3, here it is 2.0"),
        (["--frames", "8"], "frames = 32, here it is 8"),
        (["--jpeg", "90"], "quality = None, here it is 90"),
        (["--whole"], "whole = False, here it is True"),
        (["--split-seed", "1"], "split_seed = 0, here it is 1"),
    ],
)
def test_other_settings_in_the_same_folder_are_wrong_use_and_are_named(
    portraits: Path, whole: Path, capsys: pytest.CaptureFixture[str], option: list[str], said: str
) -> None:
    before = content(whole)
    assert main(["prepare", str(portraits), str(whole), "--size", "64", *option]) == 2
    assert said in capsys.readouterr().err
    assert content(whole) == before


def test_wrong_places_and_settings_are_wrong_use(
    portraits: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "mine.txt").write_text("mine")
    source, new = str(portraits), str(tmp_path / "new")
    for arguments, said in (
        ([str(tmp_path / "empty"), new], "has no layout that is known"),
        ([str(tmp_path / "nowhere"), new], "does not exist"),
        ([source, str(tmp_path / "full")], "was not begun by `bonas prepare`"),
        ([source, str(tmp_path / "full" / "mine.txt")], "is no folder"),
        ([source, str(portraits / "real" / "crops")], "lie in one another"),
        ([source, str(portraits.parent)], "lie in one another"),
        ([source, new, "--layout", "none"], "--layout is 'none'"),
        ([source, new, "--compression", "c1"], "--compression is 'c1'"),
        ([source, new, "--detector", new], "which is no file|is no file"),
        ([source, new, "--jobs", "0"], "jobs"),
    ):
        assert main(["prepare", *arguments]) == 2, arguments
        error = " ".join(capsys.readouterr().err.split())
        assert any(part in error for part in said.split("|")), (arguments, error)
    assert not Path(new).exists()
    assert (tmp_path / "full" / "mine.txt").read_text() == "mine"


def test_skipped_files_are_counted_with_their_reason(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    source, dest = tmp_path / "s", tmp_path / "d"
    for kind in ("real", "fake"):
        for name in ("anna", "berta", "carla"):
            file = source / kind / f"{name}_1.png"
            file.parent.mkdir(parents=True, exist_ok=True)
            Image.new("RGB", (64, 64), (200, 10, 10)).save(file)
    (source / "fake" / "anna_1.png").write_bytes(b"torn")
    arguments = ["prepare", str(source), str(dest), "--jobs", "1"]
    assert main([*arguments, "--json"]) == 1, "no face in any of them"
    printed = capsys.readouterr()
    found = json.loads(printed.out)
    reasons = [skip["reason"] for skip in found["skipped"]]
    assert sorted(reasons) == ["no face found"] * 5 + ["unreadable"]
    assert found["faces"] == 0
    assert "--whole" in printed.err
    assert not (dest / "metadata.csv").exists()
    assert main([*arguments[:2], str(tmp_path / "w"), "--whole", "--jobs", "1"]) == 0
    assert "unreadable image" in capsys.readouterr().out


def test_videos_keep_their_pairs_splits_and_names(tmp_path: Path) -> None:
    source, dest = tmp_path / "ff", tmp_path / "d"
    source.mkdir()
    for split, pairs in faceforensics.PAIRS.items():
        (source / f"{split}.json").write_text(json.dumps(pairs))
        for a, b in pairs:
            video(source / "original_sequences/youtube/c23/videos" / f"{a}.mp4", [50] * 6)
            video(source / "manipulated_sequences/FaceSwap/c23/videos" / f"{a}_{b}.mp4", [90] * 6)
    options = ["--whole", "--frames", "3", "--size", "16", "--jobs", "2"]
    assert main(["prepare", str(source), str(dest), *options]) == 0
    before = Contents.of(list_data(source, "auto", Settings())).counts
    after = Contents.of(list_data(dest, "auto", Settings())).counts
    for domain, splits in before.items():
        for split, count in splits.items():
            prepared = after[domain][split]
            assert replace(prepared, images=0) == replace(count, images=0)
            assert prepared.images == 3 * count.videos
    people = {r.people for r in list_data(source, "auto", Settings()).records}
    assert {r.people for r in list_data(dest, "auto", Settings()).records} == people
    assert ("000", "003") in people


def test_landmarks_are_written_beside_the_table(tmp_path: Path) -> None:
    source, dest = tmp_path / "s", tmp_path / "d"
    for kind in ("real", "fake"):
        for name in ("anna", "berta", "carla"):
            pixels = np.zeros((128, 128, 3), dtype=np.uint8)
            pixels[CELL : 2 * CELL, 2 * CELL : 3 * CELL] = 255
            file = source / kind / f"{name}.png"
            file.parent.mkdir(parents=True, exist_ok=True)
            Image.fromarray(pixels).save(file)
    network = write_network(tmp_path / "n.onnx")
    options = ["--detector", str(network), "--enlarge", "1", "--size", "64", "--jobs", "1"]
    assert main(["prepare", str(source), str(dest), *options]) == 0
    with (dest / "landmarks.csv").open(newline="") as table:
        rows = list(csv.DictReader(table))
    assert [row["path"] for row in rows] == [
        str(r.path.relative_to(dest)) for r in list_data(dest, "auto", Settings()).records
    ]
    expected = dict(zip(("right_eye", "left_eye", "nose"), POINTS[:3], strict=True))
    for name, (x, y) in expected.items():
        assert float(rows[0][f"{name}_x"]) == pytest.approx(64 * x, abs=1)
        assert float(rows[0][f"{name}_y"]) == pytest.approx(64 * y, abs=1)


class Deadly:
    """A detector that takes its process with it."""

    def faces(self, picture: np.ndarray) -> list[FoundFace]:
        os._exit(7)


class Broken:
    """A detector that fails."""

    def faces(self, picture: np.ndarray) -> list[FoundFace]:
        raise ZeroDivisionError("of nothing")


@pytest.mark.parametrize(
    ("make", "said"),
    [(Deadly, "worker process died"), (Broken, r"0_\d\.png: ZeroDivisionError: of nothing")],
)
def test_a_worker_that_dies_or_fails_is_an_error(
    portraits: Path, tmp_path: Path, make: type[Deadly | Broken], said: str
) -> None:
    listing = list_data(portraits, "auto", Settings())
    how = Cut(size=16, frames=4, enlarge=1.3, whole=False, quality=None)
    with pytest.raises(RuntimeError, match=said):
        prepare(listing, portraits, tmp_path / "d", how, {}, {}, make_detector=make, jobs=2)
    assert not (tmp_path / "d" / "metadata.csv").exists()


def test_people_whom_a_published_split_shares_are_a_warning_before_and_after(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Of a table of one's own they are a leak, also where it was prepared."""
    published, dest, again = (tmp_path / name for name in ("celeb", "prepared", "again"))
    celeb_df.written(published)
    options = ["--whole", "--size", "8", "--jobs", "1"]
    assert main(["prepare", str(published), str(dest), *options]) == 0
    own = tmp_path / "own"
    shutil.copytree(dest, own)
    (own / "prepare.json").unlink()
    assert main(["prepare", str(own), str(again), *options]) == 0
    for folder, verdict in (
        (published, "warning"),
        (dest, "warning"),
        (own, "leak"),
        (again, "leak"),
    ):
        capsys.readouterr()
        main(["audit", str(folder), "--fast", "--json"])
        findings = json.loads(capsys.readouterr().out)["findings"]
        (shared,) = (f for f in findings if f["name"] == "identity in two splits")
        assert (folder.name, shared["verdict"]) == (folder.name, verdict)


def test_attributes_of_the_source_are_those_of_the_crops(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """A table that the folder has already is its own."""
    source, dest = tmp_path / "people", tmp_path / "prepared"
    for number in range(6):
        for kind in ("real", "fake"):
            picture(source / kind / f"Anna{number}_1.png", number)
    table = "original,skin\n" + "".join(f"Anna{n},{n % 2}\n" for n in range(6))
    (source / "attributes.csv").write_text(table)
    command = ["prepare", str(source), str(dest), "--whole", "--size", "8", "--jobs", "1"]
    assert main(command) == 0
    assert (dest / "attributes.csv").read_text() == table
    assert attributes_of(dest, read_data(dest, 32))["anna3"] == {"skin": "1"}
    assert not caplog.messages
    (dest / "attributes.csv").write_text("original,age\nanna3,old\n")
    assert main(command) == 0
    assert attributes_of(dest, read_data(dest, 32)) == {"anna3": {"age": "old"}}
    assert any("was left as it is" in told for told in caplog.messages)
