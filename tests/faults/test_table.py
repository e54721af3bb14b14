"""The table of faults, cell by cell: known and unknown pages and files, plain agents, pip, uv."""

import asyncio
import shutil
import ssl
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from packaging.utils import canonicalize_name

from indexgate.settings_table import BY_NAME
from indexgate.web.deadline import DEADLINE
from tests.end_to_end.clients import NEWEST, Installer, Scratch
from tests.faults import table
from tests.faults.table import JSON, ROWS, Row
from tests.proxy.web.running import Running, running
from tests.standins.faults import Hold, redirect
from tests.standins.packages import project, wheel
from tests.standins.upstream import Upstream

KNOWN, HALF, UNKNOWN = (wheel(name, "1.0") for name in ("known", "half", "unknown"))
OTHER_HASH = "sent a file with sha256"
ALLOWING = "version = 1\n"
UV, PIP = {**JSON, "User-Agent": "uv/0.13.9"}, {**JSON, "User-Agent": "pip/26.3 {}"}
troubled = pytest.mark.parametrize(
    "row", [row for row in ROWS if not row.works and not row.gone], ids=lambda row: row.name
)


@dataclass(frozen=True)
class Told:
    """An answer of the gate: `words` is all in which a reason may stand."""

    status: int
    words: str
    body: bytes
    stale: str


@dataclass(frozen=True)
class Spoilt:
    """A gate that knows the page and the file of `known`, the page of `half`, and no more."""

    gate: Running
    upstream: Upstream

    async def ask(self, path: str, headers: dict[str, str] = JSON) -> Told:
        """Ask as a plain agent does."""
        async with self.gate.client.get(path, headers=headers, allow_redirects=False) as answer:
            body = await answer.read()
            said = f"{answer.reason} {answer.headers.get('Content-Type')} "
            stale = answer.headers.get("Indexgate-Stale", "")
            return Told(answer.status, said + body.decode(errors="replace"), body, stale)

    async def install(self, client: Installer, name: str, folder: Path) -> tuple[bool, str]:
        """Install as a user does; return whether it worked, and what was printed."""
        scratch = Scratch(folder)
        url = str(self.gate.client.make_url("/simple/"))
        outcome = await asyncio.to_thread(client.install, scratch, url, name)
        return scratch.installed() == {name: "1.0"}, " ".join(outcome.output.split())

    def path_of(self, name: str) -> str:
        """Return the gate's address of the one file of a project."""
        authority = self.upstream.origin.removeprefix("http://")
        [file] = self.upstream.projects[canonicalize_name(name)].files
        return f"/files/http/{authority}{file.path}"


@asynccontextmanager
async def spoilt(row: Row, folder: Path) -> AsyncIterator[Spoilt]:
    """Run a gate that has seen a part of an upstream, which then goes wrong."""
    projects = [project(f.filename.partition("-")[0], f) for f in (KNOWN, HALF, UNKNOWN)]
    settings: dict[str, Any] = {"upstream_timeout": "1s", **row.settings}
    async with (
        AsyncExitStack() as stack,
        Upstream(*projects, compress=False) as upstream,
        running(upstream, folder, ALLOWING, **settings) as gate,
    ):
        world = Spoilt(gate, upstream)
        for path in ("/simple/known/", "/simple/half/", world.path_of("known")):
            assert (await world.ask(path)).status == 200
        metadata = await world.ask(world.path_of("known") + ".metadata")
        assert metadata.status == 200
        gate.clock.turn(timedelta(hours=1))
        if row.uncertified:
            away = await stack.enter_async_context(Upstream(tls=await _uncertified(folder)))
            upstream.fault("*", redirect(f"{away.url}x/"))
        elif row.spoils is None:
            await upstream.stop()
        else:
            row.spoils(upstream)
        try:
            yield world
        finally:
            for hold in (switch.fault for switch in upstream._switches):
                if isinstance(hold, Hold):
                    hold.release()


async def _uncertified(folder: Path) -> ssl.SSLContext:
    """Return what speaks TLS with a certificate that vouches for itself alone."""
    if (openssl := shutil.which("openssl")) is None:
        pytest.skip("there is no `openssl` command")
    key, certificate = folder / "own.key", folder / "own.pem"
    arguments = ["req", "-x509", "-nodes", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"]
    arguments += [
        "-subj",
        "/CN=nobody",
        "-days",
        "2",
        "-keyout",
        str(key),
        "-out",
        str(certificate),
    ]
    made = await asyncio.create_subprocess_exec(
        openssl, *arguments, stderr=asyncio.subprocess.DEVNULL
    )
    assert await made.wait() == 0
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificate, key)
    return context


@troubled
async def test_what_is_known_is_served_whatever_upstream_does(row: Row, tmp_path: Path) -> None:
    async with spoilt(row, tmp_path) as world:
        page = await world.ask("/simple/known/")
        assert (page.status, b"known-1.0" in page.body) == (200, True)
        assert page.stale.startswith("upstream ")
        file = await world.ask(world.path_of("known"))
        assert (file.status, file.body) == (200, KNOWN.content)
        if row.holds:  # nothing had come to an end: the answer is not upstream's
            assert world.upstream.count("/simple/known/") == 1
            assert page.stale == "upstream is slow to answer"


@troubled
async def test_an_unknown_page_is_told_in_words(row: Row, tmp_path: Path) -> None:
    async with spoilt(row, tmp_path) as world:
        plain = await world.ask("/simple/unknown/")
        assert plain.status == row.status
        uv = await world.ask("/simple/unknown/", UV)
        assert uv.status == 424
        pip = await world.ask("/simple/unknown/", PIP)
        assert (pip.status, pip.body) == (200, b"")
        for told in (plain, uv, pip):
            assert row.page in told.words
            assert "not in the local cache" in told.words


@troubled
async def test_an_unknown_file_is_told_in_words(row: Row, tmp_path: Path) -> None:
    async with spoilt(row, tmp_path) as world:
        for agent in (JSON, UV, PIP):
            told = await world.ask(world.path_of("half"), agent)
            assert told.status == 424
            assert row.file in told.words
            if row.holds:
                break  # one wait is enough


@pytest.mark.end_to_end
@troubled
async def test_pip_and_uv_print_the_reason_and_install_what_is_known(
    row: Row, tmp_path: Path
) -> None:
    folder = tmp_path / "gate"
    folder.mkdir()
    async with spoilt(row, folder) as world:
        runs = [(client, name) for client in NEWEST for name in ("known", "half", "unknown")]
        done = await asyncio.gather(
            *(
                world.install(client, name, tmp_path / f"{client.name}-{name}")
                for client, name in runs
            )
        )
        for (_, name), (installed, printed) in zip(runs, done, strict=True):
            assert installed == (name == "known"), printed
            if name == "half":  # its metadata, of which an index tells the hash and no size
                # An index that is left alone by then is so for the page that was asked for first.
                assert any(said in printed for said in (row.file, row.page, OTHER_HASH))
            if name == "unknown":
                assert row.page in printed


async def test_a_project_that_upstream_says_is_gone_is_gone(tmp_path: Path) -> None:
    [row] = [row for row in ROWS if row.gone]
    async with spoilt(row, tmp_path) as world:
        for agent in (JSON, UV, PIP):
            told = await world.ask("/simple/unknown/", agent)
            assert (told.status, row.page in told.words) == (404, True)
            assert (await world.ask("/simple/known/", agent)).status == 404
            refused = await world.ask(world.path_of("known"), agent)
            assert refused.status in {403, 404}


async def test_a_clock_that_is_off_spoils_nothing_and_health_says_so(tmp_path: Path) -> None:
    [row] = [row for row in ROWS if row.works]
    async with spoilt(row, tmp_path) as world:
        for path in ("/simple/unknown/", "/simple/known/", world.path_of("unknown")):
            told = await world.ask(path)
            assert (told.status, told.stale) == (200, "")
        assert "clock: " in (await world.ask("/-/health")).words


def test_nothing_takes_longer_than_clients_wait() -> None:
    default = BY_NAME["upstream_timeout"].default
    assert str(default) in {"10s", "0:00:10"}
    assert DEADLINE <= 12


def test_the_docs_show_the_table() -> None:
    docs = Path(__file__).parents[2] / "docs" / "reference" / "faults.md"
    assert docs.read_text(encoding="utf-8") == table.markdown()
