"""Long work that lets a gate on the same machine go first."""

import os
import sys
import threading

import pytest

from indexgate.cli.stepping_back import stepping_back

pytestmark = pytest.mark.skipif(
    sys.platform != "linux", reason="elsewhere a process cannot come forward again"
)


def test_within_the_block_all_others_go_first_and_afterwards_as_before() -> None:
    before, seen = os.sched_getscheduler(0), []
    thread = threading.Thread(target=lambda: seen.append(os.sched_getscheduler(0)))
    with stepping_back():
        assert os.sched_getscheduler(0) == os.SCHED_IDLE
        thread.start()
        thread.join()
    assert seen == [os.SCHED_IDLE]
    assert os.sched_getscheduler(0) == before


def test_it_comes_forward_again_whatever_happens() -> None:
    before = os.sched_getscheduler(0)
    with pytest.raises(ValueError, match="stopped"), stepping_back():
        raise ValueError("stopped")
    assert os.sched_getscheduler(0) == before
