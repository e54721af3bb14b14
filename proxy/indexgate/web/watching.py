"""A second listener for those who watch the gate: metrics and health, nothing else.

Beyond this machine the gate's own port serves no metrics; a scraper elsewhere needs an address
that the operator opens for it.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from ssl import SSLContext

from aiohttp import web

from indexgate.errors import GateError
from indexgate.logs import logger
from indexgate.web.guard import guard, sign
from indexgate.web.health import Health
from indexgate.web.metrics import Metrics
from indexgate.web.not_http import server_log
from indexgate.web.request_counts import RequestCounts


def watching_application(
    metrics: Metrics, health: Health, *, hosts: frozenset[str], gate_id: str
) -> web.Application:
    """Return the application. Its own requests are in no metric: they are the watcher's."""
    app = web.Application(middlewares=[guard(hosts, gate_id, RequestCounts(), by_address=True)])
    app.on_response_prepare.append(sign)
    app.add_routes([*metrics.routes(), *health.routes()])
    return app


@asynccontextmanager
async def listening_to_watchers(
    app: web.Application, listen: str | None, tls: SSLContext | None
) -> AsyncIterator[None]:
    """Serve *app* at *listen* (`HOST:PORT`; None: nowhere) while the block runs.

    Raises GateError `metrics-listen` when that address cannot be had.
    """
    if listen is None:
        yield
        return
    host, _, port = listen.rpartition(":")
    runner = web.AppRunner(app, access_log=None, logger=server_log(), shutdown_timeout=1.0)
    await runner.setup()
    try:
        try:
            await web.TCPSite(runner, host.strip("[]"), int(port), ssl_context=tls).start()
        except OSError as error:
            raise GateError(
                "metrics-listen",
                f"cannot listen on `{listen}` for metrics: {error.strerror or error}",
                "Give a free address of this machine with `--metrics-listen HOST:PORT`.",
            ) from error
        places = [f"{host}:{port}" for host, port, *_ in runner.addresses]
        logger("metrics").info("metrics-listening", at=places)
        yield
    finally:
        await runner.cleanup()
