"""How the gate grows: with the projects it keeps, and with the files of a page.

    python -m tests.bench.growth [--projects 1,10,100,1000,10000] [--files 10,1000,100000]

For each number of projects a fresh gate is asked for each once. Printed: its memory (PSS) and the
bytes of its state folder; how long it then takes to start anew until it answers; and the median of
a page that it had to read from the disk, and of one at hand. For each number of files: processor
time of the gate for the page, cold, and what that is per file. Linux only: it reads `/proc`.
"""

import argparse
import asyncio
import gzip
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractContextManager, asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from statistics import median

import aiohttp
from aiohttp import web

from tests.bench.invented_page import invented_page
from tests.end_to_end.clients import Scratch
from tests.end_to_end.gate import Gate, serving
from tests.standins.pages import JSON_TYPE

FILES = 60
"""Files of each of the many projects, as the median project that is installed has."""

AT_ONCE = 16
OF_ONE_CLIENT = 2_500
"""Projects that one client may ask for in a burst: of more new names the gate asks nobody."""

PIP = {"Accept": JSON_TYPE, "Accept-Encoding": "gzip", "User-Agent": "pip/26.3"}
_OLD = timedelta(days=400)


class Index:
    """An index that has every project `grown-<number>`, and any page that is put into `pages`."""

    def __init__(self) -> None:
        self.pages: dict[str, bytes] = {}
        self.origin = ""
        self._pattern = b""

    @asynccontextmanager
    async def serving(self) -> AsyncIterator["Index"]:
        """Serve on loopback within the block."""
        app = web.Application()
        app.router.add_get("/simple/{name}/", self._page)
        runner = web.AppRunner(app, access_log=None)
        await runner.setup()
        try:
            await web.TCPSite(runner, "127.0.0.1", 0).start()
            self.origin = f"http://127.0.0.1:{runner.addresses[0][1]}"
            self._pattern = self.page("grown-number", FILES)
            yield self
        finally:
            await runner.cleanup()

    def page(self, name: str, files: int) -> bytes:
        """Return a page of old releases."""
        return invented_page(self.origin, name, files, a_version=5, newest=datetime.now(UTC) - _OLD)

    async def _page(self, request: web.Request) -> web.Response:
        name = request.match_info["name"]
        packed = self.pages.get(name)
        if packed is None:
            body = self._pattern.replace(b"grown_number", name.replace("-", "_").encode())
            body = body.replace(b"grown-number", name.encode())
            packed = await asyncio.to_thread(gzip.compress, body, 1)
        headers = {"Content-Encoding": "gzip", "Content-Type": JSON_TYPE}
        return web.Response(body=packed, headers=headers)


async def ask(session: aiohttp.ClientSession, gate: Gate, name: str) -> float:
    """Ask for a page; return the seconds. Raises AssertionError unless it is given."""
    began = time.perf_counter()
    async with session.get(f"{gate.origin}/simple/{name}/", headers=PIP) as answer:
        await answer.read()
        # pip is told of trouble by a page: one of HTML.
        assert (answer.status, answer.content_type) == (200, JSON_TYPE), answer.status
    return time.perf_counter() - began


async def ask_all(gate: Gate, names: list[str]) -> None:
    """Ask for each page once, some at a time, from as many addresses as that takes."""
    for number, start in enumerate(range(0, len(names), OF_ONE_CLIENT)):
        await ask_some(gate, names[start : start + OF_ONE_CLIENT], f"127.0.0.{number + 2}")


async def ask_some(gate: Gate, names: list[str], address: str) -> None:
    """Ask for each page once, as the client at that *address*."""
    left = iter(names)
    connector = aiohttp.TCPConnector(local_addr=(address, 0))
    async with aiohttp.ClientSession(auto_decompress=False, connector=connector) as session:

        async def some() -> None:
            for name in left:
                await ask(session, gate, name)

        await asyncio.gather(*(some() for _ in range(AT_ONCE)))


async def in_turn(gate: Gate, names: list[str]) -> float:
    """Return the median seconds of the pages, asked for one after the other."""
    async with aiohttp.ClientSession(auto_decompress=False) as session:
        return median([await ask(session, gate, name) for name in names])


def memory(process: int) -> float:
    """Return the megabytes that are the process's own, or its share of (PSS)."""
    lines = Path(f"/proc/{process}/smaps_rollup").read_text(encoding="ascii").splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("Pss:")) / 1024


def processor(process: int) -> float:
    """Return the processor seconds that the process has used."""
    fields = Path(f"/proc/{process}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / 100


def on_disk(folder: Path) -> float:
    """Return the megabytes of all files in *folder*."""
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file()) / 1e6


async def with_projects(index: Index, counts: list[int]) -> None:
    """Print how the gate grows with the projects that it keeps."""
    print(f"projects of {FILES} files each", flush=True)
    print("  number  memory MB  disk MB  start s  from disk ms  at hand ms", flush=True)
    for count in counts:
        folder = Path(tempfile.mkdtemp())
        names = [f"grown-{number}" for number in range(count)]
        start = gate_of(index, folder)
        with start() as gate:
            await ask_all(gate, names)
            used = memory(gate.process)
        disk = on_disk(folder / "state")
        began = time.perf_counter()
        with start() as gate:
            started = time.perf_counter() - began
            await in_turn(gate, ["another"])  # what is imported late is there now
            sample = names[:: max(1, count // 200)]
            from_disk = await in_turn(gate, sample)
            at_hand = await in_turn(gate, sample)
        print(
            f"  {count:>6,} {used:>10.0f} {disk:>8.1f} {started:>8.2f}"
            f" {from_disk * 1e3:>13.2f} {at_hand * 1e3:>11.2f}",
            flush=True,
        )


async def with_files(index: Index, counts: list[int]) -> None:
    """Print how a cold page grows with its files."""
    print("page of", flush=True)
    print("    files  processor s  us a file  wall s", flush=True)
    for count in counts:
        index.pages["large"] = gzip.compress(index.page("large", count), 1)
        with gate_of(index, Path(tempfile.mkdtemp()))() as gate:
            await ask_all(gate, ["grown-0"])  # so that what is imported late is there
            before, began = processor(gate.process), time.perf_counter()
            await ask_all(gate, ["large"])
            wall, spent = time.perf_counter() - began, processor(gate.process) - before
        each = spent / count * 1e6
        print(f"  {count:>7,} {spent:>12.2f} {each:>10.0f} {wall:>7.2f}", flush=True)


def gate_of(index: Index, folder: Path) -> Callable[[], AbstractContextManager[Gate]]:
    """Return what starts a gate in front of *index*, each time with the same state."""
    user = Scratch(folder / "user").environment()
    return lambda: serving(
        state=folder / "state",
        policy="balanced",
        upstream=f"{index.origin}/simple/",
        environment=user,
    )


async def measure(projects: list[int], files: list[int]) -> None:
    """Measure."""
    async with Index().serving() as index:
        await with_projects(index, projects)
        await with_files(index, files)


def main() -> None:
    """Measure what the command line names."""
    if sys.platform != "linux":
        raise SystemExit("this reads /proc, which only Linux has")
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--projects", default="1,10,100,1000,10000")
    parser.add_argument("--files", default="10,1000,100000")
    given = parser.parse_args()
    numbers = ([int(each) for each in text.split(",") if each] for text in vars(given).values())
    asyncio.run(measure(*numbers))


if __name__ == "__main__":
    main()
