"""What was told to be on the disk is on the disk, whatever happens to the process."""

import signal
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest

from indexgate.store.database import open_store
from tests.proxy.store.conftest import Clock

REFUSE_WITHOUT_END = """
import asyncio, os, sys
from datetime import UTC, datetime
from indexgate.store.database import open_store
from indexgate.store.records import Refusal

store = open_store(sys.argv[1], lambda: datetime.now(UTC))

async def client(number):
    for n in range(1_000_000):
        name = f"{number}-{n}"
        await store.decisions.refused(Refusal(
            at=datetime.now(UTC), index_id="i", project="foo", version="1", filename=name,
            rule="malware", reason="known malware", policy_digest="d",
        ))
        os.write(1, name.encode() + b"\\n")

async def main():
    await asyncio.gather(*(client(number) for number in range(20)))

asyncio.run(main())
"""


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="needs SIGKILL")
@pytest.mark.parametrize("lines", [1, 150, 700])
def test_every_refusal_that_was_answered_survives_a_kill(
    file: Path, clock: Clock, lines: int
) -> None:
    process = subprocess.Popen(
        [sys.executable, "-c", REFUSE_WITHOUT_END, str(file)], stdout=subprocess.PIPE
    )
    assert process.stdout is not None
    told = [process.stdout.readline() for _ in range(lines)]
    process.send_signal(signal.SIGKILL)
    told += process.stdout.readlines()
    process.stdout.close()
    assert process.wait() == -signal.SIGKILL

    store = open_store(file, clock)
    since = datetime(2000, 1, 1, tzinfo=UTC)
    kept = {decision.filename for decision in store.decisions.query(since=since, limit=10**6)}
    store.close()
    names = {line.decode().strip() for line in told if line.endswith(b"\n")}
    assert len(names) >= lines
    assert names <= kept
