"""The nginx configuration as it is shipped, with a real nginx between a client and a stand-in."""

import asyncio
import contextlib
import json
import re
import shutil
import ssl
import subprocess
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from tests.end_to_end.gate import free_port

CONFIGURATION = Path(__file__).parents[2] / "docker" / "nginx.conf"

pytestmark = pytest.mark.skipif(
    shutil.which("nginx") is None or shutil.which("openssl") is None,
    reason="nginx and openssl are not installed",
)


@dataclass
class StandIn:
    """What stands where the gate would: says `answer` to everything and keeps what it was asked.

    An empty `answer` is that of a gate that has just gone away.
    """

    port: int = 0
    answer: bytes = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"
    asked: list[bytes] = field(default_factory=list)
    connections: set[asyncio.StreamWriter] = field(default_factory=set)

    async def talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer one connection until either side closes it."""
        self.connections.add(writer)
        with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError):
            while True:
                self.asked.append(await reader.readuntil(b"\r\n\r\n"))
                if not self.answer:
                    break
                writer.write(self.answer)
                await writer.drain()
        await self.hang_up(writer)

    async def hang_up(self, writer: asyncio.StreamWriter) -> None:
        """Close one connection and wait until it is."""
        writer.close()
        with contextlib.suppress(ConnectionError):
            await writer.wait_closed()
        self.connections.discard(writer)


@pytest.fixture
async def gate() -> AsyncIterator[StandIn]:
    stand_in = StandIn()
    server = await asyncio.start_server(stand_in.talk, "127.0.0.1", 0)
    stand_in.port = server.sockets[0].getsockname()[1]
    yield stand_in
    server.close()
    for connection in list(stand_in.connections):
        await stand_in.hang_up(connection)


@dataclass(frozen=True)
class Front:
    """A running nginx."""

    port: int
    certificate: Path

    async def ask(
        self, path: str, *, host: str = "gate.example.test", agent: str = "uv/0.13.0"
    ) -> tuple[str, bytes]:
        """Return the protocol that TLS agreed on, and all bytes of the answer."""
        trust = ssl.create_default_context(cafile=str(self.certificate))
        trust.set_alpn_protocols(["h2", "http/1.1"])
        reader, writer = await asyncio.open_connection(
            "127.0.0.1", self.port, ssl=trust, server_hostname="gate.example.test"
        )
        writer.write(
            f"GET {path} HTTP/1.1\r\nHost: {host}\r\nUser-Agent: {agent}\r\n"
            "Connection: close\r\n\r\n".encode()
        )
        answer = await reader.read()
        agreed = writer.get_extra_info("ssl_object").selected_alpn_protocol()
        writer.close()
        await writer.wait_closed()
        return agreed, answer


@pytest.fixture(scope="module")
def tls(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with cert.pem and key.pem."""
    folder = tmp_path_factory.mktemp("tls")
    subprocess.run(
        [
            *("openssl", "req", "-x509", "-nodes", "-days", "2"),
            *("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1"),
            *("-subj", "/CN=gate.example.test", "-addext", "subjectAltName=DNS:gate.example.test"),
            *("-keyout", str(folder / "key.pem"), "-out", str(folder / "cert.pem")),
        ],
        check=True,
        capture_output=True,
    )
    return folder


@pytest.fixture
def front(gate: StandIn, tls: Path, tmp_path: Path) -> Iterator[Front]:
    """The shipped configuration; only addresses and folders are those of the test."""
    port = free_port()
    text = CONFIGURATION.read_text(encoding="utf-8")
    for shipped, here in {
        "listen 443 ssl": f"listen 127.0.0.1:{port} ssl",
        "server gate:8503": f"server 127.0.0.1:{gate.port}",
        "/tls/": f"{tls}/",
        "/var/cache/nginx/": f"{tmp_path}/",
        "/run/nginx.pid": f"{tmp_path}/nginx.pid",
        "/dev/stderr": f"{tmp_path}/error.log",
    }.items():
        assert shipped in text
        text = text.replace(shipped, here)
    (tmp_path / "nginx.conf").write_text(text, encoding="utf-8")
    nginx = ["nginx", "-p", str(tmp_path), "-e", str(tmp_path / "error.log"), "-c", "nginx.conf"]
    subprocess.run(nginx, check=True)  # it returns once it listens
    yield Front(port=port, certificate=tls / "cert.pem")
    subprocess.run([*nginx, "-s", "stop"], check=True)


@pytest.mark.parametrize(
    "status",
    [
        "403 Blocked by indexgate: released 2026-11-20, waits until 2026-11-21",
        "424 indexgate: upstream did not answer within 10 s; six is not in the local cache",
        "421 Misdirected Request: name this host with --allow-host",
        "451 Blocked by indexgate: not here",
        "502 indexgate: upstream sent nothing that can be read",
        "503 indexgate: the gate is offline",
    ],
)
async def test_the_status_line_and_the_problem_reach_the_client_as_the_gate_wrote_them(
    gate: StandIn, front: Front, status: str
) -> None:
    body = b'{"title": "Blocked by indexgate policy"}'
    gate.answer = (
        f"HTTP/1.1 {status}\r\nContent-Type: application/problem+json\r\n"
        f"Content-Length: {len(body)}\r\n\r\n"
    ).encode() + body
    _, answer = await front.ask("/files/https/files.example.test/a.whl")
    assert answer.startswith(f"HTTP/1.1 {status}\r\n".encode())
    assert b"\r\nContent-Type: application/problem+json\r\n" in answer
    assert answer.endswith(b"\r\n\r\n" + body)


async def test_a_refused_file_leads_on_to_where_the_gate_said(gate: StandIn, front: Front) -> None:
    location = b"../../../../blocked/a/1%2Bb/why?file=a-1%2Bb.whl"
    gate.answer = b"HTTP/1.1 302 Found\r\nLocation: " + location + b"\r\nContent-Length: 0\r\n\r\n"
    _, answer = await front.ask("/files/https/files.example.test/x/a-1%2Bb.whl")
    assert b"\r\nLocation: " + location + b"\r\n" in answer


@pytest.mark.parametrize(
    "path",
    [
        "/files/https/files.example.test:8443/x/a-1%2Blocal-py3-none-any.whl.metadata",
        "/files/https/files.example.test/x/a-1+local-py3-none-any.whl",
        "/blocked/a/1%212.0%2Bl/why?file=a-1%212.0%2Bl.whl",
        "/files/https/files.example.test//x//a%20b%7E.whl",
        "/simple/a%2Fb/",
        "/simple//a/",
    ],
)
async def test_a_path_reaches_the_gate_byte_for_byte(
    gate: StandIn, front: Front, path: str
) -> None:
    await front.ask(path)
    assert gate.asked[0].startswith(f"GET {path} HTTP/1.1\r\n".encode())


async def test_the_gate_hears_the_name_that_the_client_used(gate: StandIn, front: Front) -> None:
    await front.ask("/simple/a/", host="Elsewhere.example.test:8443")
    assert re.search(rb"\r\nHost: elsewhere\.example\.test\r\n", gate.asked[0])


async def test_http_2_is_not_agreed_on_as_it_has_no_reason_phrase(front: Front) -> None:
    agreed, _ = await front.ask("/simple/a/")
    assert agreed == "http/1.1"


async def test_nginx_does_not_ask_the_gate_to_close_the_connection(
    gate: StandIn, front: Front
) -> None:
    await front.ask("/simple/a/")
    assert b"\r\nconnection:" not in gate.asked[0].lower()


async def test_while_the_gate_is_away_pip_prints_so_of_a_page(gate: StandIn, front: Front) -> None:
    gate.answer = b""
    _, answer = await front.ask("/simple/a/", agent="pip/26.3 {}")
    assert answer.startswith(b"HTTP/1.1 200 OK\r\n")
    assert (
        b"\r\nContent-Type: text/plain; nginx answers, but indexgate behind it does not\r\n"
        in answer
    )
    assert b"\r\nCache-Control: no-store\r\n" in answer
    assert answer.endswith(b"\r\n\r\n")


@pytest.mark.parametrize(
    ("path", "agent"),
    [
        ("/simple/a/", "uv/0.13.0"),
        ("/simple/a/", "poetry/2.2"),
        ("/files/https/files.example.test/a.whl", "uv/0.13.0"),
        ("/files/https/files.example.test/simple/a.whl", "pip/26.3 {}"),
    ],
)
async def test_while_the_gate_is_away_all_else_fails_with_a_problem(
    gate: StandIn, front: Front, path: str, agent: str
) -> None:
    gate.answer = b""
    _, answer = await front.ask(path, agent=agent)
    head, _, body = answer.partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 502 ")
    assert b"\r\nContent-Type: application/problem+json" in head
    assert json.loads(body)["detail"] == "nginx answers, but indexgate behind it does not"


@pytest.mark.parametrize("path", ["/gate-away", "/gate-away/pip"])
async def test_nobody_can_ask_for_the_answers_of_a_gate_that_is_away(
    front: Front, path: str
) -> None:
    _, answer = await front.ask(path)
    assert answer.startswith(b"HTTP/1.1 404 ")
