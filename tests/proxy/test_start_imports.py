"""What the start does without: it takes a tenth of a second and tens of megabytes."""

import subprocess
import sys

import pytest

HEAVY = ("numpy", "prometheus_client", "google.cloud", "pyarrow", "cryptography", "alembic")
_ASK = "import {module}, sys; print([name for name in {heavy!r} if name in sys.modules])"


@pytest.mark.parametrize("module", ["indexgate.web.app", "indexgate.web.refreshed"])
def test_nothing_heavy_is_imported_at_start(module: str) -> None:
    asked = _ASK.format(module=module, heavy=HEAVY)
    done = subprocess.run(
        [sys.executable, "-c", asked], capture_output=True, text=True, check=True, timeout=120
    )
    assert done.stdout.strip() == "[]"
