"""A power cut in the middle of everything: nothing half is served, no refusal is forgotten."""

import asyncio
from collections.abc import Iterator
from contextlib import AbstractContextManager
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

import aiohttp
import pytest

from indexgate.store.database import open_store
from tests.end_to_end.clients import Scratch
from tests.end_to_end.gate import Gate, serving
from tests.standins.faults import Stall
from tests.standins.packages import IndexedFile, project, wheel
from tests.standins.upstream import Upstream

pytestmark = pytest.mark.end_to_end

BIG = [wheel(f"big-{number}", "1.0", padding=3_000_000 + number) for number in range(11)]
AGAIN = BIG[:10]
"""What is asked for again after the restart; of the last only the leftover is looked at."""

EVIL = [wheel("evil-demo", f"{number}.0") for number in range(100)]
AT_ONCE = 8


@pytest.fixture(scope="module")
def upstream() -> Iterator[Upstream]:
    with Upstream(*(project(big.project, big) for big in BIG), project("evil-demo", *EVIL)) as it:
        yield it


@pytest.mark.parametrize("seen_before", [1, 50], ids=["at the first refusal", "among refusals"])
async def test_no_half_file_is_served_and_no_refusal_forgotten_after_a_kill(
    upstream: Upstream, refusing: Path, tmp_path: Path, seen_before: int
) -> None:
    state = tmp_path / "state"
    start = partial(_start, upstream, refusing, tmp_path)
    stalls = [Stall(after=1_500_000) for _ in BIG]
    for file, stall in zip(BIG, stalls, strict=True):
        upstream.fault(file.path, stall)
    with start() as gate:
        seen = await _cut_short(gate, upstream, stalls, seen_before)
    assert len(seen) >= seen_before
    assert list(state.glob("files/**/*.part")), "nothing was half there, so nothing is proven"

    upstream.heal()
    with start() as gate:
        async with aiohttp.ClientSession() as session:
            with upstream.down():
                for file in AGAIN:
                    async with session.get(_address(gate, upstream, file)) as response:
                        assert response.status == 424
            await asyncio.to_thread(gate.await_line, "upstream-back")
            for file in AGAIN:
                async with session.get(_address(gate, upstream, file)) as response:
                    assert await response.read() == file.content
    assert list(state.glob("files/**/*.part")) == []
    kept = _recorded(state)
    assert seen - kept == set()
    assert kept <= {file.filename for file in EVIL}


async def _cut_short(
    gate: Gate, upstream: Upstream, stalls: list[Stall], seen_before: int
) -> set[str]:
    """Download and be refused until so many refusals were seen, kill, and return the seen ones."""
    seen: set[str] = set()
    enough = asyncio.Event()
    turn = asyncio.Semaphore(AT_ONCE)
    async with aiohttp.ClientSession() as session:

        async def download(file: IndexedFile) -> None:
            async with session.get(_address(gate, upstream, file)) as response:
                assert response.status == 200
                await response.read()

        async def be_refused(file: IndexedFile) -> None:
            async with turn, session.get(_address(gate, upstream, file)) as response:
                assert response.status == 403
                assert "policy names evil-demo" in await response.text()
                seen.add(file.filename)
                if len(seen) >= seen_before:
                    enough.set()

        async with asyncio.timeout(120):  # a download that fails would be waited for in vain
            downloads = [asyncio.create_task(download(file)) for file in BIG]
            await asyncio.gather(*(stall.reached() for stall in stalls))
            refusals = [asyncio.create_task(be_refused(file)) for file in EVIL]
            await enough.wait()
        gate.kill()
        ends = await asyncio.gather(*downloads, *refusals, return_exceptions=True)
    assert [end for end in ends if end and not isinstance(end, aiohttp.ClientError)] == []
    assert all(isinstance(end, aiohttp.ClientError) for end in ends[: len(BIG)])
    return seen


def _start(upstream: Upstream, policy: Path, folder: Path) -> AbstractContextManager[Gate]:
    return serving(
        state=folder / "state",
        policy=policy,
        upstream=upstream.url,
        environment=Scratch(folder / "user").environment(),
    )


def _address(gate: Gate, upstream: Upstream, file: IndexedFile) -> str:
    """Return the file's address at the gate, as a lock file has it: the page is never opened."""
    return f"{gate.origin}/files/{upstream.file_url(file).replace('://', '/')}"


def _recorded(state: Path) -> set[str]:
    store = open_store(state / "indexgate.sqlite3", lambda: datetime.now(UTC))
    try:
        found = store.decisions.query(since=datetime.now(UTC) - timedelta(days=1))
    finally:
        store.close()
    return {decision.filename or "" for decision in found if decision.kind == "refused"}
