"""Memory that large pages took goes back to the system as soon as they are gone.

A page of some megabytes is read, made into another one, and dropped, in one thread or another. By
itself the C library of most Linux systems keeps such blocks between the small ones that stay, in a
heap of its own for every thread: after a few hundred pages the gate held twice what it needed.
"""

import ctypes
import sys

_MMAP_THRESHOLD = -3
_ARENA_MAX = -8
_LARGE = 2**20  # bytes; what files are passed on in is smaller, and must not cost more for this


def keep_large_blocks_apart() -> None:
    """Have large blocks taken from the system and given back one by one, small ones from one heap.

    Call it before there are other threads. Where the C library knows no such thing it does nothing.
    """
    if not sys.platform.startswith("linux"):
        return
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (OSError, AttributeError):
        return
    mallopt(_MMAP_THRESHOLD, _LARGE)
    mallopt(_ARENA_MAX, 1)
