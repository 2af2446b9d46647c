"""Leases: who estimates a trial, and whether that process still lives.

Optuna's heartbeat serves relational storages and `Study.optimize` only; a lease is an attribute of
the trial and works on every storage.
"""

import os
import socket
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

DURATION = 60.0  # seconds; renewed well before by a living owner


@dataclass(frozen=True, slots=True)
class Owner:
    """A process, told apart from a later one that has the same number."""

    host: str
    process: int
    started: str

    @classmethod
    def here(cls) -> "Owner":
        """This process."""
        return cls(socket.gethostname(), os.getpid(), start_of(os.getpid()))

    def is_gone(self) -> bool:
        """Whether the process has certainly ended; unknown for another machine's."""
        if self.host != socket.gethostname():
            return False
        return not _runs(self.process) or start_of(self.process) != self.started


@dataclass(frozen=True, slots=True)
class Lease:
    """An owner's claim on a trial until a time, in seconds since the epoch."""

    owner: Owner
    expires: float

    @classmethod
    def now(cls) -> "Lease":
        """This process's claim from now on."""
        return cls(Owner.here(), time.time() + DURATION)

    @classmethod
    def ended(cls) -> "Lease":
        """What this process leaves behind of a claim that it gives up."""
        return cls(Owner.here(), 0.0)

    def is_dead(self) -> bool:
        """Whether the trial may be taken over."""
        return self.expires < time.time() or self.owner.is_gone()

    def to_attribute(self) -> dict[str, Any]:
        """The lease as an Optuna attribute."""
        owner = self.owner
        return {
            "host": owner.host,
            "process": owner.process,
            "started": owner.started,
            "expires": self.expires,
        }

    @classmethod
    def from_attribute(cls, value: Mapping[str, Any] | None) -> "Lease | None":
        """The lease that `to_attribute` wrote; `None` for a trial that has none."""
        if value is None:
            return None
        owner = Owner(str(value["host"]), int(value["process"]), str(value["started"]))
        return cls(owner, float(value["expires"]))


def _runs(process: int) -> bool:
    """Whether there is such a process, other than one that has ended and is not yet waited for."""
    if _status_of(process)[:1] in (["Z"], ["X"]):
        return False
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def start_of(process: int) -> str:
    """The process's start in clock ticks since boot, where the system tells it (Linux)."""
    status = _status_of(process)
    return status[19] if len(status) > 19 else ""


def _status_of(process: int) -> list[str]:
    """The fields of its state from the third on (Linux), or none."""
    try:
        # The second field is the command in brackets and may hold spaces; count from behind it.
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return []
