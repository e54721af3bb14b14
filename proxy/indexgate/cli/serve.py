"""`indexgate serve`: run the gate until it is told to stop."""

import asyncio
import errno
import importlib
import os
import signal
import socket
import sys
from collections.abc import Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import Any, Protocol

import click

from indexgate import certificates, event_loop, state_folder
from indexgate.cli import settings_options
from indexgate.cli.settings_options import settings_options as with_settings
from indexgate.cli.start_banner import ShownPolicy, banner
from indexgate.config import Given, Settings
from indexgate.errors import GateError
from indexgate.large_blocks import keep_large_blocks_apart
from indexgate.lean_import import lean
from indexgate.listening import Listening
from indexgate.settings_table import TABLE
from indexgate.upstream_choice import UpstreamChoice

_SERVER = "indexgate.web.app"
_SEVERAL = "indexgate.workers.crew"


class Server(Protocol):
    """What runs the gate: it calls *ready* once it listens, and goes on until it is cancelled."""

    def __call__(
        self,
        settings: Settings,
        upstream: UpstreamChoice,
        *,
        ready: Callable[[Listening], None],
    ) -> Coroutine[Any, Any, None]:
        """Serve *upstream* by *settings*."""


@click.command(
    name="serve",
    epilog="Example: indexgate serve --port 8503 --policy strict. Every flag can also be set as a"
    " variable (INDEXGATE_PORT) or as a key of the --config file (port = 8503); the flag wins, then"
    " the variable, then the file.",
)
@with_settings(setting.name for setting in TABLE)
def command(**given: Given) -> int:
    """Serve the index to installers, by policy."""
    settings = settings_options.settings(given)
    upstream = settings_options.upstream(settings)
    keep_large_blocks_apart()
    with ThreadPoolExecutor(1) as beside:
        # OpenSSL takes as long for a usual list of authorities as twenty modules do.
        checked = beside.submit(certificates.check, settings, upstream)
        with lean():  # `--help` does without all of these
            from indexgate import logs, policy_file

            server = importlib.import_module(_SERVER if settings.workers == 1 else _SEVERAL).serve
    logs.configure(form=settings.log_format, level=settings.log_level, environ=os.environ)
    checked.result()
    event_loop.must_be_installed(settings.event_loop)
    # A broken policy ends the start before the port is bound.
    policy = policy_file.PolicyInForce(settings.policy, clock=lambda: datetime.now(UTC)).current()
    start(settings, upstream, policy, server)
    return 0


def start(
    settings: Settings, upstream: UpstreamChoice, policy: ShownPolicy, server: Server
) -> None:
    """Run *server* in the opened state folder until a signal stops it. Raises GateError."""
    state = state_folder.open_state(settings.state)

    def ready(listening: Listening) -> None:
        if upstream.keep:
            state.keep_upstream(upstream.url)
        for notice in state.notices:
            click.echo(f"note: {notice}", err=True)
        click.echo(banner(settings, upstream, policy, listening), err=True)

    try:
        # Who only starts workers has nothing to gain by another loop than Python's own.
        with event_loop.runner(settings.event_loop if settings.workers == 1 else "asyncio") as loop:
            loop.run(_until_told(server(settings, upstream, ready=ready)))
    except OSError as error:
        explained = not_listening(settings, error)
        if explained is None:
            raise
        raise explained from error


async def _until_told(serving: Coroutine[Any, Any, None]) -> None:
    """Run *serving*; SIGINT and SIGTERM cancel it, and then its end is no failure."""
    task = asyncio.ensure_future(serving)
    told: list[signal.Signals] = []

    def stop(name: signal.Signals) -> None:
        told.append(name)
        task.cancel()

    if sys.platform != "win32":
        loop = asyncio.get_running_loop()
        for name in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(name, stop, name)
    try:
        await task
    except asyncio.CancelledError:
        if not told:
            raise


def not_listening(settings: Settings, error: OSError) -> GateError | None:
    """Say why the gate cannot listen; None when *error* is about something else."""
    place = f"`{settings.host}` port {settings.port}"
    if isinstance(error, socket.gaierror):
        return GateError("host-unknown", f"`{settings.host}` is not the name of an address here")
    if error.errno == errno.EADDRINUSE:
        return GateError(
            "port-in-use",
            f"cannot listen on {place}: another program does",
            "Is a gate running already? Otherwise give another port with `--port`.",
        )
    if error.errno == errno.EADDRNOTAVAIL:
        return GateError("host-unknown", f"`{settings.host}` is not an address of this machine")
    if error.errno == errno.EACCES and error.filename is None:
        return GateError(
            "port-forbidden",
            f"cannot listen on {place}: this user may not",
            "Ports below 1024 are often for the administrator; give another with `--port`.",
        )
    return None
