import os
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest

from bonas.lease import DURATION, Lease, Owner, start_of


def test_this_process_lives() -> None:
    assert not Lease.now().is_dead()


def test_an_ended_process_is_gone() -> None:
    ended = subprocess.run(
        [sys.executable, "-c", "import os; print(os.getpid())"], capture_output=True, check=True
    )
    owner = replace(Owner.here(), process=int(ended.stdout))
    assert owner.is_gone()
    assert Lease(owner, time.time() + DURATION).is_dead()


@pytest.mark.skipif(not Path("/proc/self/stat").is_file(), reason="the system has no /proc")
def test_a_process_that_ended_and_is_not_waited_for_is_gone() -> None:
    """As a killed one in a container whose first process does not wait for its children."""
    with subprocess.Popen(
        [sys.executable, "-c", "input()"], stdin=subprocess.PIPE, stdout=subprocess.DEVNULL
    ) as child:
        owner = Owner(Owner.here().host, child.pid, start_of(child.pid))
        assert not owner.is_gone()
        child.kill()
        os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)  # leaves it unreaped
        os.kill(child.pid, 0)  # still has its number
        assert owner.is_gone()


def test_another_process_with_a_reused_number_is_not_the_owner() -> None:
    assert replace(Owner.here(), started="1").is_gone()


def test_another_machines_process_is_judged_by_the_expiry_alone() -> None:
    owner = Owner("elsewhere", 1, "1")
    assert not Lease(owner, time.time() + 5).is_dead()
    assert Lease(owner, time.time() - 5).is_dead()


def test_an_attribute_round_trips() -> None:
    lease = Lease.now()
    assert Lease.from_attribute(lease.to_attribute()) == lease
    assert Lease.from_attribute(None) is None
