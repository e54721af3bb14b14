"""Memory that goes back to the system."""

import sys
from pathlib import Path

import pytest

from indexgate.large_blocks import give_back

BLOCK = 20_000
"""Bytes: too small to be taken from the system by itself."""


def held() -> int:
    """Return the bytes that this process has of the machine's memory."""
    lines = Path("/proc/self/smaps_rollup").read_text(encoding="ascii").splitlines()
    [told] = [line.split()[1] for line in lines if line.startswith("Rss:")]
    return int(told) * 1024


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="only /proc tells what is held")
def test_what_is_free_between_blocks_that_stay_is_given_back() -> None:
    blocks = [bytes(BLOCK) for _ in range(5_000)]
    stays = blocks[::10]
    blocks.clear()
    before = held()
    give_back()
    assert before - held() > BLOCK * 5_000 // 2
    assert len(stays) == 500
