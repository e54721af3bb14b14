"""The gate that `indexgate run` starts: serves until no run needs it any more.

Run as a module. It reads the settings as JSON from stdin, says on stdout where it listens or why it
cannot, and logs to stderr.
"""

import asyncio
import json
import os
import signal
import sys
import threading
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from indexgate import certificates, event_loop, logs, state_folder
from indexgate.cli import serve, settings_options
from indexgate.config import Settings
from indexgate.errors import GateError
from indexgate.large_blocks import keep_large_blocks_apart
from indexgate.listening import Listening
from indexgate.run.held import held
from indexgate.run.own_gate import lease
from indexgate.upstream_choice import UpstreamChoice
from indexgate.web import app
from indexgate_policy.errors import Explained


def main() -> int:
    """Serve; return the exit code."""
    try:
        given: dict[str, Any] = json.load(sys.stdin)
        lists = {name: tuple(value) for name, value in given.items() if isinstance(value, list)}
        settings = settings_options.settings({**given, **lists})
        # That address is for the gate that stays, if there is one.
        settings = replace(settings, metrics_listen=None)
        upstream = settings_options.upstream(settings)
        keep_large_blocks_apart()
        logs.configure(form=settings.log_format, level=settings.log_level, environ=os.environ)
        certificates.check(settings, upstream)
        with event_loop.runner(settings.event_loop) as loop:
            loop.run(_serve(settings, upstream))
    except Explained as error:
        _say({"error": [error.reference, error.message, error.hint]})
        return 2
    except OSError as error:
        explained = serve.not_listening(settings, error)
        if explained is None:
            raise
        _say({"error": [explained.reference, explained.message, explained.hint]})
        return 2
    return 0


async def _serve(settings: Settings, upstream: UpstreamChoice) -> None:
    """Serve until a signal comes or the last run has let go of the lease."""
    loop = asyncio.get_running_loop()
    task = asyncio.current_task()
    if task is None or sys.platform == "win32":
        raise GateError("run-unsupported", "`run` cannot start a gate on this platform")
    for name in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(name, task.cancel)
    state = state_folder.open_state(settings.state)
    done = threading.Event()

    def until_unused() -> None:
        with held(lease(state)):
            loop.call_soon_threadsafe(task.cancel)
            done.wait()  # a run that comes now waits for this process to end

    def ready(listening: Listening) -> None:
        _say({"port": listening.port})
        threading.Thread(target=until_unused, daemon=True).start()

    try:
        await app.serve(settings, upstream, ready=ready)
    except asyncio.CancelledError:
        task.uncancel()


def _say(answer: Mapping[str, Any]) -> None:
    sys.stdout.write(json.dumps(answer) + "\n")
    sys.stdout.flush()
    nothing = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nothing, sys.stdout.fileno())  # whoever started the gate need not read on
    os.close(nothing)


if __name__ == "__main__":
    sys.exit(main())
