"""Whom the connection to an index trusts, and when that is read."""

import shutil
import ssl
import subprocess
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from aiohttp import web

from indexgate.index import connection
from indexgate.index.connection import Connection
from indexgate.index.protocol import UpstreamFailed
from indexgate.index.upstream_settings import UpstreamSettings

_SERVER = """\
[req]
distinguished_name = subject
prompt = no
[subject]
CN = index
[server]
basicConstraints = critical, CA:TRUE
subjectAltName = IP:127.0.0.1
"""


@dataclass(frozen=True, kw_only=True)
class Certificate:
    path: Path
    key: Path


@pytest.fixture
def certificate(tmp_path: Path) -> Certificate:
    """Return a certificate that is its own authority."""
    if shutil.which("openssl") is None:
        pytest.skip("there is no `openssl` command")
    (tmp_path / "openssl.cnf").write_text(_SERVER, encoding="utf-8")
    command = "openssl req -x509 -config openssl.cnf -extensions server -newkey rsa:2048 -nodes"
    words = f"{command} -days 2 -keyout index.key -out index.pem"
    subprocess.run(words.split(), cwd=tmp_path, check=True, capture_output=True)
    return Certificate(path=tmp_path / "index.pem", key=tmp_path / "index.key")


@asynccontextmanager
async def index(of: Certificate | None = None) -> AsyncIterator[str]:
    """Serve a page by TLS, or without; give its address."""
    tls = None
    if of is not None:
        tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        tls.load_cert_chain(of.path, of.key)

    async def page(_: web.Request) -> web.Response:
        return web.Response(text="here")

    app = web.Application()
    app.router.add_get("/", page)
    runner = web.AppRunner(app)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0, ssl_context=tls).start()
        scheme = "http" if of is None else "https"
        yield f"{scheme}://127.0.0.1:{runner.addresses[0][1]}/"
    finally:
        await runner.cleanup()


def to(root: str, ca_file: str | None = None) -> Connection:
    settings = UpstreamSettings(index_id="0" * 16, root=root, public=False, ca_file=ca_file)
    return Connection(settings, gate_id="abc")


async def text(opened: Connection, url: str) -> str:
    async with opened.get(url, {}) as response:
        return await response.text()


async def test_a_named_authority_is_trusted_and_no_other(certificate: Certificate) -> None:
    async with index(certificate) as url:
        async with to(url, str(certificate.path)) as opened:
            assert await text(opened, url) == "here"
            assert await text(opened, url) == "here"
        async with to(url) as opened:
            with pytest.raises(UpstreamFailed) as failed:
                await text(opened, url)
    assert failed.value.kind == "certificate"


async def test_a_plain_index_may_lead_to_one_by_tls(certificate: Certificate) -> None:
    async with (
        index(certificate) as url,
        to("http://127.0.0.1:9/", str(certificate.path)) as opened,
    ):
        assert await text(opened, url) == "here"


async def test_where_there_is_no_tls_nothing_waits_for_authorities(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    read = threading.Event()

    def reading(_settings: UpstreamSettings) -> ssl.SSLContext:
        if not read.wait(10):
            raise OSError("somebody waits for it")
        return ssl.create_default_context()

    monkeypatch.setattr(connection, "_tls", reading)
    async with index() as url, to(url) as opened:
        assert await text(opened, url) == "here"
        assert not read.is_set()
        read.set()


async def test_authorities_that_cannot_be_read_are_a_failure_of_the_index(tmp_path: Path) -> None:
    async with to("https://127.0.0.1:9/", str(tmp_path / "gone")) as opened:
        for _ in range(2):
            with pytest.raises(UpstreamFailed) as failed:
                await text(opened, "https://127.0.0.1:9/")
            assert failed.value.kind == "certificate"
            assert "cannot read a certificate file" in failed.value.reason
    async with to("https://127.0.0.1:9/", str(tmp_path / "gone")):
        pass  # nobody asked
