"""The process that starts the workers knows when one of them has ended."""

from pathlib import Path

import pytest

from indexgate.errors import GateError
from indexgate.workers import crew
from tests.proxy.cli.test_serve import UPSTREAM, settings

_NEVER_ENDS = "import os, sys, time; os.close(int(sys.argv[1])); time.sleep(3600)"


async def test_a_worker_that_left_and_does_not_end_is_ended(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(crew, "_WORKER", ("-c", _NEVER_ENDS))
    monkeypatch.setattr(crew, "_STOP_WITHIN", 0.05)
    with pytest.raises(GateError, match="was ended by signal 15"):
        await crew.serve(
            settings(state=str(tmp_path), port="0", workers="2"),
            UPSTREAM,
            ready=lambda _listening: None,
        )
