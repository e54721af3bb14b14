"""Long work beside a gate that serves: it has the processor when nobody else wants it."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress

_NICEST = 19


@contextmanager
def stepping_back() -> Iterator[None]:
    """Let everything else on this machine go first, within the block and in threads begun there.

    On Linux to be nice is not enough: a gate that wakes up for a request would wait for a slice of
    the nice one to end, several times as long as the answer takes. Other systems have no way back
    from being nice, so there it outlives the block. Windows knows neither.
    """
    if sys.platform == "linux":
        before = os.sched_getscheduler(0), os.sched_getparam(0)
        # A sandbox may not allow it. Then the work is done all the same, only not behind others.
        with suppress(OSError):
            os.sched_setscheduler(0, os.SCHED_IDLE, os.sched_param(0))
        try:
            yield
        finally:
            with suppress(OSError):
                os.sched_setscheduler(0, *before)
        return
    if sys.platform != "win32":
        os.nice(_NICEST)
    yield
