"""Large bodies arrive whole, however they are sent, and hold no more than they may."""

import asyncio
import os
import shutil
import socket
import ssl
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import pytest

from indexgate.web.large_bodies import LEAST, MOST_BYTES, MOST_FILES, LargeBodies

HEAD = b"HTTP/1.1 200 OK\r\n\r\n"
BODY = bytes(range(256)) * (LEAST // 256)

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="elsewhere all is copied")


class Giving(asyncio.Protocol):
    """Sends as many bodies as it reads bytes; each of them after *before*."""

    def __init__(self, large: LargeBodies, body: bytes, before: bytes = b"") -> None:
        self._large = large
        self._body = body
        self._before = before

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        for _ in data:
            self.transport.write(self._before)
            self._large.send(self.transport, HEAD, self._body)


@asynccontextmanager
async def served(
    large: LargeBodies, body: bytes, before: bytes = b"", tls: ssl.SSLContext | None = None
) -> AsyncIterator[int]:
    server = await asyncio.get_running_loop().create_server(
        lambda: Giving(large, body, before), "127.0.0.1", 0, ssl=tls
    )
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()
        await server.wait_closed()
        large.close()


async def asked(port: int, times: int, size: int, tls: ssl.SSLContext | None = None) -> bytes:
    """Return what comes, read by a client that has little room for it."""
    plain = socket.socket()
    plain.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    plain.setblocking(False)
    await asyncio.get_running_loop().sock_connect(plain, ("127.0.0.1", port))
    name = None if tls is None else "127.0.0.1"
    reader, writer = await asyncio.open_connection(
        sock=plain, limit=4096, ssl=tls, server_hostname=name
    )
    writer.write(b"?" * times)
    try:
        return await reader.readexactly(size)
    finally:
        writer.close()
        await writer.wait_closed()


async def test_a_body_arrives_whole_and_once() -> None:
    large = LargeBodies()
    async with served(large, BODY) as port:
        assert await asked(port, 1, len(HEAD + BODY)) == HEAD + BODY
        assert len(large) == 1


async def test_a_client_with_little_room_gets_all_of_many() -> None:
    body = BODY * 40  # more than any connection takes at once
    async with served(LargeBodies(), body) as port:
        assert await asked(port, 3, 3 * len(HEAD + body)) == (HEAD + body) * 3


async def test_it_comes_behind_what_was_written_before() -> None:
    before = b"b" * 5_000_000
    async with served(LargeBodies(), BODY, before) as port:
        whole = before + HEAD + BODY
        assert await asked(port, 2, 2 * len(whole)) == whole * 2


@pytest.fixture
def certificate(tmp_path: Path) -> Path:
    """Return a file with a certificate and its key."""
    if shutil.which("openssl") is None:
        pytest.skip("there is no `openssl` command")
    command = "openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=a.test -keyout k -out c"
    subprocess.run(command.split(), cwd=tmp_path, check=True, capture_output=True)
    both = tmp_path / "both"
    both.write_bytes((tmp_path / "c").read_bytes() + (tmp_path / "k").read_bytes())
    return both


async def test_over_tls_it_is_copied(certificate: Path) -> None:
    ours = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    ours.load_cert_chain(certificate)
    trusting = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    trusting.check_hostname = False
    trusting.load_verify_locations(certificate)
    large = LargeBodies()
    async with served(large, BODY, tls=ours) as port:
        assert await asked(port, 1, len(HEAD + BODY), trusting) == HEAD + BODY
        assert len(large) == 0


async def test_without_files_in_memory_it_is_copied(monkeypatch: pytest.MonkeyPatch) -> None:
    def none_left(_name: str, _flags: int) -> int:
        raise OSError(24, "Too many open files")

    monkeypatch.setattr(os, "memfd_create", none_left)
    large = LargeBodies()
    async with served(large, BODY) as port:
        assert await asked(port, 1, len(HEAD + BODY)) == HEAD + BODY
        assert len(large) == 0


async def test_a_file_that_memory_has_no_room_for_is_not_used(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(os, "write", lambda _file, data: len(data) - 1)
    large = LargeBodies()
    async with served(large, BODY) as port:
        assert await asked(port, 1, len(HEAD + BODY)) == HEAD + BODY
    assert _files_in_memory() == 0


async def test_few_files_are_open_and_in_the_end_none() -> None:
    large = LargeBodies()
    bodies = [BODY + bytes([number]) for number in range(MOST_FILES + 5)]
    for body in bodies:
        async with _connected() as transport:
            large.send(transport, HEAD, body)
    assert len(large) == _files_in_memory() == MOST_FILES
    large.forget(bodies[-1])
    large.forget(bodies[0])
    assert len(large) == _files_in_memory() == MOST_FILES - 1
    large.close()
    assert _files_in_memory() == 0


async def test_what_they_hold_is_bounded() -> None:
    large = LargeBodies()
    some = MOST_BYTES // 3
    bodies = [bytes(some) + bytes([number]) for number in range(5)]
    for body in [*bodies, bytes(MOST_BYTES + 1)]:
        async with _connected() as transport:
            large.send(transport, HEAD, body)
    assert len(large) == 2
    large.close()


@asynccontextmanager
async def _connected() -> AsyncIterator[asyncio.Transport]:
    """Give a connection whose other end does not read."""
    ours, theirs = socket.socketpair()
    transport, _ = await asyncio.get_running_loop().create_connection(asyncio.Protocol, sock=ours)
    try:
        yield transport
    finally:
        transport.abort()
        theirs.close()
        await asyncio.sleep(0)


def _files_in_memory() -> int:
    found = 0
    for link in Path("/proc/self/fd").iterdir():
        with suppress(FileNotFoundError):  # the folder itself, which was open while it was read
            found += str(link.readlink()).startswith("/memfd:page")
    return found
