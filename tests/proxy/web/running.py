"""A whole gate on loopback in the test's own process, with a clock that the test turns."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from aiohttp.test_utils import TestClient, TestServer
from aiohttp.web import Application, BaseRunner, Request

from indexgate import config
from indexgate.pip_settings import PipSettings
from indexgate.repeated_line import Gathered
from indexgate.upstream_choice import choose
from indexgate.web.app import application
from indexgate.web.parts import Parts, open_parts
from indexgate.web.verbatim import Verbatim
from indexgate.web.verbatim_server import VerbatimRunner
from tests.standins.upstream import Upstream

NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
JSON = {"Accept": "application/vnd.pypi.simple.v1+json"}
HTML = {"Accept": "text/html"}
BASE = "http://gate.example.test/"

TOO_NEW = """\
version = 1

[[rule]]
id = "too-new"
action = "refuse"
when = { release_age = { below = "7d" } }
unknown = "allow"

[[rule]]
id = "evil-name"
action = "refuse"
when = { project = ["evil-*"] }
"""


class Served(TestServer):
    """An application served as the gate serves it: what is asked again is answered verbatim."""

    def __init__(self, app: Application, verbatim: Verbatim) -> None:
        super().__init__(app)
        self._verbatim = verbatim

    async def _make_runner(self, **given: Any) -> BaseRunner:
        return VerbatimRunner(self.app, self._verbatim, **given)


class Clock:
    """A clock that stands still until it is turned."""

    def __init__(self) -> None:
        self.now = NOW

    def __call__(self) -> datetime:
        return self.now

    def turn(self, by: timedelta) -> None:
        self.now += by


@dataclass(frozen=True)
class Running:
    """A running gate: a client that follows no redirect, its parts, and what steers it."""

    client: TestClient[Request, Application]
    parts: Parts
    clock: Clock
    policy: Path
    state: Path
    verbatim: Verbatim

    async def json(self, path: str, **headers: str) -> dict[str, Any]:
        """Return the JSON page at *path*, which must answer 200."""
        async with self.client.get(path, headers={**JSON, **headers}) as response:
            assert response.status == 200, await response.text()
            return dict(await response.json(content_type=None))

    async def status(self, path: str, **headers: str) -> int:
        """Return the status of a GET."""
        async with self.client.get(path, headers=headers, allow_redirects=False) as response:
            return response.status

    async def file_path(self, project: str, filename: str) -> str:
        """Return the address of a listed file, as a path."""
        page = await self.json(f"/simple/{project}/")
        [url] = [file["url"] for file in page["files"] if file["filename"] == filename]
        return str(url).removeprefix("../..").removeprefix(BASE.rstrip("/"))


@asynccontextmanager
async def running(
    upstream: Upstream,
    folder: Path,
    policy: str = TOO_NEW,
    *,
    clock: Clock | None = None,
    addresses: Mapping[str, str] | None = None,
    tables: str = "",
    **given: str | bool | tuple[str, ...],
) -> AsyncIterator[Running]:
    """Run a gate in front of *upstream*; *given* are settings as flags would give them.

    With *tables*, the text of `[[index]]` tables, it stands in front of those instead. *addresses*
    are those of third parties; the documented ones cannot be reached from a test.
    """
    clock = clock or Clock()
    document = folder / "policy.toml"
    if not document.exists():
        document.write_text(policy, encoding="utf-8")
    ahead = {"upstream": upstream.url}
    if tables:
        (folder / "gate.toml").write_text(tables, encoding="utf-8")
        ahead = {"config": str(folder / "gate.toml")}
    settings = config.load(
        {"policy": str(document), "osv_url": "", **ahead, **given},
        {},
        config.read_bounded,
        default_state=folder / "state",
    )
    choice = choose(
        settings,
        kept=None,
        pip=PipSettings(),
        login=lambda _host: None,
        public_index="https://index.example.test/simple/",
    )
    async with open_parts(settings, choice, base=BASE, clock=clock, addresses=addresses) as parts:
        app = application(parts, settings, base=BASE)
        lines = Gathered.here()
        verbatim = Verbatim(parts.requests, lines.write, asyncio.get_running_loop().call_soon)
        async with TestClient(Served(app, verbatim)) as client:
            yield Running(
                client=client,
                parts=parts,
                clock=clock,
                policy=document,
                state=settings.state,
                verbatim=verbatim,
            )
            verbatim.close()
            lines.flush()
