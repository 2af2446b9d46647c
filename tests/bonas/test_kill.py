"""A search killed with SIGKILL and started again is the search that was never killed."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from bonas.strategies.random import RandomSampler
from bonas.study import Study, Told, journal_storage
from spaces.nasbench201 import NASBENCH201
from tests.bonas.test_cli import TINY

TRIALS = 11  # three beyond the initial ones, so that the surrogate proposes
EPOCHS = 13  # 117 steps: a checkpoint on the way
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(sys.platform == "win32", reason="there is no SIGKILL on Windows"),
]


def start(config: Path, run: Path) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "-m", "bonas", "search", str(config), "--out", str(run)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        env=os.environ | {"OMP_NUM_THREADS": "1"},
    )


def finish(config: Path, run: Path) -> None:
    process = start(config, run)
    _, error = process.communicate(timeout=300)
    assert process.returncode == 0, error.decode()


def kill_when(config: Path, run: Path, reached: Callable[[], bool]) -> None:
    """Start the search and kill it as soon as a state is reached."""
    process = start(config, run)
    try:
        deadline = time.monotonic() + 300
        while not reached():
            assert process.poll() is None, "the search ended before it could be killed"
            assert time.monotonic() < deadline
            time.sleep(0.005)
    finally:
        process.send_signal(signal.SIGKILL)
        process.communicate()
    assert process.returncode == -signal.SIGKILL


def told(run: Path) -> list[Told]:
    storage = journal_storage(run / "study.journal")
    return Study(NASBENCH201, RandomSampler(NASBENCH201), storage=storage).told()


def results(run: Path) -> list[tuple[object, ...]]:
    """All that must repeat bit for bit: all but the seconds."""
    return [
        (t.number, t.architecture, t.observation.value, dict(t.observation.aucs)) for t in told(run)
    ]


def test_a_killed_search_goes_on_as_if_nothing_had_happened(tmp_path: Path) -> None:
    config = tmp_path / "tiny.toml"
    config.write_text(
        TINY.replace("level_width = 8", 'name = "nasbench201"\ncells = 1')
        .replace("trials = 2", f"trials = {TRIALS}")
        .replace("[supernet]\nepochs = 1", f"[supernet]\nepochs = {EPOCHS}")
    )
    whole, cut = tmp_path / "whole", tmp_path / "cut"
    finish(config, whole)
    assert len(results(whole)) == TRIALS
    journal = cut / "study.journal"

    def said(text: str, times: int) -> bool:
        return journal.is_file() and journal.read_text().count(text) >= times

    kill_when(config, cut, lambda: (cut / "supernet.checkpoint").is_file())
    # The lease is the first thing written of a trial, its key the last before the estimate.
    kill_when(config, cut, lambda: said("bonas.lease", 3))
    kill_when(config, cut, lambda: said("bonas.key", 6))
    with journal.open("ab") as file:
        file.write(b'{"op_code":5,"worker_id":"torn')
    kill_when(config, cut, lambda: said("bonas.auc.clean", 10))
    finish(config, cut)
    assert results(cut) == results(whole)
    assert (cut / "study.journal.torn-1").read_bytes().endswith(b"torn")
    first, second = ((r / "supernet.safetensors").read_bytes() for r in (whole, cut))
    assert first == second
