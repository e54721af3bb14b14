"""A gate has one heap: what its threads take and give back is not kept apart for each."""

import ctypes
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="only Linux has glibc's heaps")

# A gate that ends before it would listen, once the thread beside its imports has worked.
_SERVE = """
import ctypes
from pathlib import Path
from indexgate.cli import serve

def told(*_: object) -> None:
    ctypes.CDLL(None).malloc_stats()

serve.start = told
serve.certificates.check = lambda *_: bytearray(100_000)
serve.command.main(["--state", "STATE", "--upstream", "http://127.0.0.1:9/simple/"],
                   standalone_mode=False)
"""


def test_threads_take_from_the_one_heap(tmp_path: Path) -> None:
    if not hasattr(ctypes.CDLL(None), "malloc_stats"):
        pytest.skip("another C library")
    code = _SERVE.replace("STATE", str(tmp_path))
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60
    )
    assert "Arena 0" in done.stderr
    assert "Arena 1" not in done.stderr
