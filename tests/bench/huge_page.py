"""How long the page of very many files takes, cold, and what it costs other pages meanwhile.

    python -m tests.bench.huge_page [FILES]

Prints wall and processor seconds of the gate (a machine with other work to do shows the latter),
its memory at most, and the latency of another page, warm, before and while the huge one is made.
"""

import asyncio
import gzip
import sys
import tempfile
import time
from pathlib import Path
from statistics import median

import aiohttp

from tests.bench.invented_page import invented_page
from tests.end_to_end.clients import Scratch
from tests.end_to_end.gate import Gate, serving
from tests.standins.faults import Status
from tests.standins.packages import project, wheel
from tests.standins.pages import JSON_TYPE
from tests.standins.upstream import Upstream

FILES_A_VERSION = 20
UV = {"Accept": JSON_TYPE, "User-Agent": "uv/0.13.9", "Accept-Encoding": "gzip"}


async def measure(gate: Gate, process: int) -> None:
    """Ask for the huge page, twice, and for another one all the while."""
    async with aiohttp.ClientSession(auto_decompress=False) as session:

        async def seconds(path: str) -> tuple[float, int]:
            began = time.perf_counter()
            async with session.get(gate.origin + path, headers=UV) as answer:
                await answer.read()
                return time.perf_counter() - began, answer.status

        async def beside(latencies: list[float]) -> None:
            while True:
                latencies.append((await seconds("/simple/demo/"))[0])
                await asyncio.sleep(0.005)

        await seconds("/simple/demo/")
        alone = [(await seconds("/simple/demo/"))[0] for _ in range(200)]
        print("another page, before:    ", _told(alone))
        meanwhile: list[float] = []
        others = asyncio.create_task(beside(meanwhile))
        for turn in ("cold", "again"):
            began = _processor(process)
            wall, status = await seconds("/simple/huge/")
            used = _processor(process) - began
            print(f"{turn}: {status}, {wall:.2f} s, {used:.2f} s of the processor")
        others.cancel()
        print("another page, meanwhile: ", _told(meanwhile))
        print("memory at most:", _status(process, "VmHWM"))


def _told(latencies: list[float]) -> str:
    ordered = sorted(latencies)
    worst, late = ordered[-1], ordered[int(len(ordered) * 0.99)]
    return f"p50 {median(ordered) * 1e3:.1f}, p99 {late * 1e3:.1f}, worst {worst * 1e3:.1f} ms"


def _processor(process: int) -> float:
    fields = Path(f"/proc/{process}/stat").read_text(encoding="utf-8").split()
    return (int(fields[13]) + int(fields[14])) / 100


def _status(process: int, name: str) -> str:
    lines = Path(f"/proc/{process}/status").read_text(encoding="utf-8").splitlines()
    return next(line.partition(":")[2].strip() for line in lines if line.startswith(name))


def main() -> None:
    """Measure."""
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 200_000
    folder = Path(tempfile.mkdtemp())
    with Upstream(project("demo", wheel("demo", "1.0")), compress=False) as upstream:
        plain = invented_page(upstream.origin, "huge", count, a_version=FILES_A_VERSION)
        print(f"{count:,} files, {len(plain) / 1e6:.0f} MB")
        packed = Status(
            status=200,
            body=gzip.compress(plain, 1),
            content_type=JSON_TYPE,
            headers={"Content-Encoding": "gzip"},
        )
        upstream.fault("/simple/huge/", packed)
        with serving(
            state=folder / "state",
            policy="balanced",
            upstream=upstream.url,
            environment=Scratch(folder / "user").environment(),
        ) as gate:
            asyncio.run(measure(gate, gate.process))


if __name__ == "__main__":
    main()
