"""Half an hour of everything at once, and every answer compared with the one that is right.

`python -m tests.bench.load --minutes 30` runs a real gate in front of an upstream of invented
projects that fails one answer in twenty. Clients ask for pages in every form, files, parts of them,
metadata and refusals; the policy changes every minute. It prints how often each was answered how,
every wrong answer, and the memory of the gate over time. The exit code is 1 for any wrong answer.
"""

import argparse
import asyncio
import gzip
import json
import os
import random
import sys
import tempfile
import time
from collections import Counter, deque
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import Any
from urllib.parse import urljoin

import aiohttp
from aiohttp import web
from yarl import URL

from tests.end_to_end.gate import Gate, serving
from tests.standins.faults import CutOff, Fault, Honest, Status, captive_portal, garbage
from tests.standins.packages import IndexedFile, IndexedProject, project, sdist, wheel
from tests.standins.upstream import Upstream

JSON = "application/vnd.pypi.simple.v1+json"
GRACE = 2.0
"""Seconds around an edit of the policy in which either policy may speak."""

_POLICIES = ("2", "3")
_ANSWERED = frozenset({200, 206, 302, 304, 404})
_TROUBLE = frozenset({424, 502, 503, 504})


@dataclass(frozen=True, slots=True, kw_only=True)
class Sometimes:
    """Fails a share of the answers, each time in another way."""

    share: float
    chance: random.Random
    ways: tuple[Fault, ...] = (
        Status(status=500),
        Status(status=503),
        Status(status=429, headers={"Retry-After": "1"}),
        Status(status=403),
        CutOff(after=60),
        garbage(),
        captive_portal(),
    )

    async def answer(self, request: web.Request, honest: Honest) -> web.StreamResponse:
        """Answer honestly, or not."""
        if self.chance.random() >= self.share:
            return await honest()
        return await self.chance.choice(self.ways).answer(request, honest)


def invented(projects: int) -> list[IndexedProject]:
    """Return projects of four versions, with a wheel and an sdist each, some of them large."""
    made = []
    for number in range(projects):
        name = f"load-{number}"
        files: list[IndexedFile] = []
        for version in ("1.0", "2.0", "3.0", "4.0"):
            padding = 3_000_000 if number % 10 == 0 and version == "1.0" else 200 * number
            files += [
                wheel(name, version, requires=["other>=1"], padding=padding),
                sdist(name, version, requires=["other>=1"]),
            ]
        made.append(project(name, *files))
    return made


class PolicyFile:
    """The policy that refuses versions `2.*`, then `3.*`, and so on; and when it was changed."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._edits: deque[tuple[float, str]] = deque(maxlen=10)
        self._turn = 0
        self.change()

    def change(self) -> None:
        """Refuse the other version from now on."""
        refused = _POLICIES[self._turn % 2]
        self._turn += 1
        text = (
            f'version = 1\n\n[[rule]]\nid = "no-{refused}"\naction = "refuse"\n'
            f'when = {{ version = "=={refused}.*" }}\nunknown = "allow"\n'
        )
        new = self.path.with_suffix(".new")
        new.write_text(text, encoding="utf-8")
        new.replace(self.path)
        self._edits.append((time.monotonic(), refused))

    def refused(self, since: float, until: float) -> frozenset[str]:
        """Return the major versions either of which may be refused between the two moments."""
        found = {self._edits[0][1]}
        for moment, refused in self._edits:
            if moment + GRACE <= since:
                found = {refused}
            elif moment <= until:
                found.add(refused)
        return frozenset(found)


@dataclass(slots=True)
class Told:
    """What was asked and how it was answered; what was wrong."""

    counts: Counter[tuple[str, str]] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)
    memory: list[tuple[float, float]] = field(default_factory=list)


class Wrong(Exception):
    """An answer that is not the right one."""


def _check(right: bool, what: str) -> None:
    if not right:
        raise Wrong(what)


class Load:
    """Clients of a running gate."""

    def __init__(
        self,
        gate: Gate,
        projects: list[IndexedProject],
        policy: PolicyFile,
        chance: random.Random,
    ) -> None:
        self._gate = gate
        self._projects = projects
        self._policy = policy
        self._chance = chance
        self._etags: dict[tuple[str, str, str], str] = {}
        self._addresses: dict[str, str] = {}
        self._known: set[str] = set()
        self.told = Told()

    async def run(self, seconds: float, clients: int) -> None:
        """Ask for so many *seconds*, with so many *clients* at once."""
        end = time.monotonic() + seconds
        connector = aiohttp.TCPConnector(limit=0)
        async with aiohttp.ClientSession(connector=connector, auto_decompress=False) as session:
            async with asyncio.TaskGroup() as group:
                group.create_task(self._watch(end))
                for _ in range(clients):
                    group.create_task(self._ask_until(end, session))

    async def _watch(self, end: float) -> None:
        began, edited = time.monotonic(), time.monotonic()
        while (now := time.monotonic()) < end:
            self.told.memory.append((now - began, resident(self._gate.pid)))
            if now - edited >= 60:
                self._policy.change()
                edited = now
            await asyncio.sleep(min(5.0, max(0.0, end - now)))

    async def _ask_until(self, end: float, session: aiohttp.ClientSession) -> None:
        asks = (self._page, self._page, self._page, self._file, self._part, self._metadata)
        while time.monotonic() < end:
            ask, of = self._chance.choice(asks), self._chance.choice(self._projects)
            name = ask.__name__.removeprefix("_")
            try:
                outcome = await ask(session, of)
            except Wrong as error:
                outcome = "WRONG"
                self.told.wrong.append(f"{name} of {of.name}: {error}")
            except (aiohttp.ClientError, TimeoutError) as error:
                outcome = "WRONG"
                self.told.wrong.append(f"{name} of {of.name}: {type(error).__name__}: {error}")
            self.told.counts[name, outcome] += 1

    async def _get(
        self, session: aiohttp.ClientSession, path: str, headers: Mapping[str, str]
    ) -> tuple[int, Mapping[str, str], bytes, frozenset[str]]:
        began = time.monotonic()
        url = URL(self._gate.origin + path, encoded=True)
        timeout = aiohttp.ClientTimeout(total=60)
        async with session.get(
            url, headers=headers, allow_redirects=False, timeout=timeout
        ) as response:
            body = await response.read()
            refused = self._policy.refused(began, time.monotonic())
            _check(response.status in _ANSWERED | _TROUBLE, f"status {response.status}")
            return response.status, response.headers, body, refused

    async def _page(self, session: aiohttp.ClientSession, of: IndexedProject) -> str:
        form = self._chance.choice((JSON, JSON, "text/html"))
        coding = self._chance.choice(("identity", "gzip"))
        headers = {"Accept": form, "Accept-Encoding": coding}
        key = (of.name, form, coding)
        if key in self._etags and self._chance.random() < 0.5:
            headers["If-None-Match"] = self._etags[key]
        path = f"/simple/{of.normalized}/"
        status, answered, body, refused = await self._get(session, path, headers)
        if status in _TROUBLE:
            _check(of.name not in self._known, f"{status} though the page is known")
            _check(b"upstream" in body, "trouble without a reason")
            return "trouble"
        if status == 304:
            _check("If-None-Match" in headers, "304 that nobody asked for")
            return "not modified"
        _check(status == 200, f"status {status}")
        self._known.add(of.name)
        self._etags[key] = answered["ETag"]
        text = gzip.decompress(body) if answered.get("Content-Encoding") == "gzip" else body
        if form == JSON:
            self._check_page(of, json.loads(text), refused)
        else:
            for file in of.files:
                _check(file.sha256.encode() in text, f"{file.filename} is not on the page")
        return "stale" if "Indexgate-Stale" in answered else "page"

    def _check_page(
        self, of: IndexedProject, page: dict[str, Any], refused: frozenset[str]
    ) -> None:
        listed = {file["filename"]: file for file in page["files"]}
        _check(set(listed) == {file.filename for file in of.files}, "other files than upstream's")
        for file in of.files:
            entry = listed[file.filename]
            self._addresses[file.filename] = urljoin(f"/simple/{of.normalized}/", entry["url"])
            _check(entry["hashes"] == {"sha256": file.sha256}, "another hash")
            _check(entry["size"] == len(file.content), "another size")
            marked = str(entry.get("yanked", "")).startswith("blocked by indexgate")
            major = file.version[0]
            _check(marked or refused != {major}, f"{file.filename} is not marked")
            _check(not marked or major in refused, f"{file.filename} is marked")

    def _any_file(self, of: IndexedProject) -> tuple[IndexedFile, str] | None:
        file = self._chance.choice(of.files)
        address = self._addresses.get(file.filename)
        return None if address is None else (file, address)

    async def _file(self, session: aiohttp.ClientSession, of: IndexedProject) -> str:
        return await self._bytes(session, of, "", {}, lambda file: file.content)

    async def _metadata(self, session: aiohttp.ClientSession, of: IndexedProject) -> str:
        return await self._bytes(session, of, ".metadata", {}, lambda file: file.metadata or b"")

    async def _part(self, session: aiohttp.ClientSession, of: IndexedProject) -> str:
        headers = {"Range": "bytes=100-299"}
        return await self._bytes(session, of, "", headers, lambda file: file.content[100:300])

    async def _bytes(
        self,
        session: aiohttp.ClientSession,
        of: IndexedProject,
        side: str,
        headers: Mapping[str, str],
        right: Callable[[IndexedFile], bytes],
    ) -> str:
        found = self._any_file(of)
        if found is None:
            return "not listed yet"
        file, address = found
        asked = {"Accept-Encoding": "identity", **headers}
        status, answered, body, refused = await self._get(session, address + side, asked)
        major = file.version[0]
        if status == 302:
            _check(major in refused, f"{file.filename} is refused")
            _check("/blocked/" in answered["Location"], "led elsewhere")
            return "refused"
        if status in _TROUBLE:
            _check(status == 424, f"status {status} for a file")
            return "trouble"
        if status == 404:
            _check(not file.metadata and side != "", f"{file.filename} is missing")
            return "no such side file"
        _check(status == (206 if headers else 200), f"status {status}")
        _check(refused != {major}, f"{file.filename} was given out unjudged")
        _check(sha256(body).digest() == sha256(right(file)).digest(), "other bytes")
        return "served"


def resident(pid: int) -> float:
    """Return the memory of a process, in MB."""
    pages = int(Path(f"/proc/{pid}/statm").read_text(encoding="ascii").split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


def report(told: Told, minutes: float) -> bool:
    """Print what was told; return whether nothing was wrong."""
    total = sum(told.counts.values())
    print(f"{total:,} answers in {minutes:g} minutes")
    for (what, outcome), count in sorted(told.counts.items()):
        print(f"  {what:9} {outcome:18} {count:9,}")
    for text, count in Counter(told.wrong).most_common(20):
        print(f"WRONG {count}x {text}")
    settled = [(at, size) for at, size in told.memory if at >= 300] or told.memory
    tenth = max(1, len(settled) // 10)
    first = sorted(size for _, size in settled[:tenth])[tenth // 2]
    last = sorted(size for _, size in settled[-tenth:])[tenth // 2]
    print(
        f"memory: {told.memory[0][1]:.0f} MB at first, {first:.0f} MB once settled, {last:.0f} MB"
    )
    print(
        "  " + " ".join(f"{size:.0f}" for _, size in told.memory[:: max(1, len(told.memory) // 30)])
    )
    return not told.wrong


async def load(
    minutes: float, *, projects: int, clients: int, share: float, seed: int, folder: Path
) -> Told:
    """Run a gate and load it; return what was told."""
    chance = random.Random(seed)
    made = invented(projects)
    policy = PolicyFile(folder / "policy.toml")
    with Upstream(*made) as upstream:
        upstream.fault("*", Sometimes(share=share, chance=chance))
        gate = serving(
            state=folder / "state", policy=policy.path, upstream=upstream.url,
            environment=os.environ, options=("--page-ttl", "3s", "--sources", "none"),
        )  # fmt: skip
        with gate as running:
            clients_of_it = Load(running, made, policy, chance)
            with suppress(KeyboardInterrupt):
                await clients_of_it.run(minutes * 60, clients)
            return clients_of_it.told


def main() -> int:
    """Load a gate; return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0] if __doc__ else "")
    parser.add_argument("--minutes", type=float, default=30)
    parser.add_argument("--projects", type=int, default=60)
    parser.add_argument("--clients", type=int, default=6)
    parser.add_argument("--share", type=float, default=0.05, help="of upstream's answers that fail")
    parser.add_argument("--seed", type=int, default=1)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        told = asyncio.run(
            load(
                asked.minutes,
                projects=asked.projects,
                clients=asked.clients,
                share=asked.share,
                seed=asked.seed,
                folder=Path(folder),
            )
        )
    return 0 if report(told, asked.minutes) else 1


if __name__ == "__main__":
    sys.exit(main())
