"""What is no HTTP is turned away, and told in one line."""

import asyncio
import logging

import pytest
from aiohttp import web

from indexgate.web.not_http import server_log


@pytest.mark.parametrize(
    "sent",
    [
        b"GET / HTTP/1.1\r\nHost: localhost\r\nX: " + b"a" * 20_000 + b"\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n",
        b"GET /a b HTTP/1.1\r\nHost: localhost\r\n\r\n",
    ],
)
async def test_a_request_that_is_no_http_leaves_one_line_and_no_traceback(
    sent: bytes, capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    runner = web.AppRunner(web.Application(), access_log=None, logger=server_log())
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        reader, writer = await asyncio.open_connection(*runner.addresses[0][:2])
        writer.write(sent)
        assert (await reader.read()).startswith(b"HTTP/1.0 400 ")
        writer.close()
    finally:
        await runner.cleanup()
    assert caplog.records == []
    told = [line for line in capsys.readouterr().err.splitlines() if "not-http" in line]
    assert len(told) == 1
    assert len(told[0]) < 300


def test_any_other_record_passes(caplog: pytest.LogCaptureFixture) -> None:
    server_log().error("a fault", exc_info=ZeroDivisionError("by nothing"))
    assert [record.levelno for record in caplog.records] == [logging.ERROR]
