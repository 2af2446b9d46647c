"""Units cut by several processes, their outcomes in the order of the units.

Processes are started anew (`spawn`): the parent has torch and its threads loaded, which do not
survive a fork. A worker that dies is an error; a worker whose parent dies ends.
"""

import os
import signal
import threading
from collections import deque
from collections.abc import Generator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from itertools import islice
from multiprocessing import get_context, parent_process
from pathlib import Path

from bonas.data.preparation.cutting import Cut, Outcome, Unit, cut
from bonas.data.preparation.detectors import FaceDetector, MakeDetector

AHEAD = 4
"""Units under way or done per worker before the first of them is taken: one may take long."""


@dataclass(frozen=True, slots=True)
class Job:
    """What every worker is told once."""

    folder: Path
    how: Cut
    make_detector: MakeDetector | None


@dataclass(slots=True)
class _Worker:
    """What a worker process keeps; there is one per process."""

    job: Job | None = None
    detector: FaceDetector | None = None


_WORKER = _Worker()


def outcomes(units: Sequence[Unit], job: Job, workers: int) -> Generator[Outcome]:
    """What comes of each unit, in their order, whatever the number of workers.

    Raises:
        RuntimeError: a worker died, or failed; names the file.
    """
    if not units:
        return
    left = iter(units)
    pending: deque[tuple[Unit, Future[Outcome]]] = deque()
    pool = ProcessPoolExecutor(
        min(workers, len(units)), get_context("spawn"), initializer=_begin, initargs=(job,)
    )
    try:
        for unit in islice(left, AHEAD * workers):
            pending.append((unit, pool.submit(_cut, unit)))
        while pending:
            unit, future = pending.popleft()
            outcome = future.result()
            yield outcome
            for following in islice(left, 1):
                pending.append((following, pool.submit(_cut, following)))
    except BrokenProcessPool as error:
        raise RuntimeError(
            f"a worker process died at or after {unit.files[0]}: it was killed, ran out of memory "
            "or crashed. What is done stays done: the same command goes on, and with --jobs 1 it "
            "needs the least memory."
        ) from error
    finally:
        pool.shutdown(cancel_futures=True)


def _begin(job: Job) -> None:
    """What each worker does first."""
    # An interrupt from the keyboard reaches every process; the parent ends the workers.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_parent, daemon=True).start()
    _WORKER.job = job
    _WORKER.detector = None if job.make_detector is None else job.make_detector()


def _end_with_parent() -> None:
    """End at once when the parent is killed; a queue of work would be waited for for ever."""
    parent = parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


def _cut(unit: Unit) -> Outcome:
    assert _WORKER.job is not None
    try:
        return cut(unit, _WORKER.job.folder, _WORKER.job.how, _WORKER.detector)
    except Exception as error:
        raise RuntimeError(f"{unit.files[0]}: {type(error).__name__}: {error}") from error
