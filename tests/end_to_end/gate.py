"""The gate as a process of its own, as users start it."""

import json
import re
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.request import ProxyHandler, build_opener

_START_SECONDS = 60
_READY = re.compile("listen(s|ing) on ")


class Gate:
    """A running gate: where it listens, and what it has written so far."""

    def __init__(self, process: "subprocess.Popen[str]", port: int) -> None:
        self.port = port
        self._process = process
        self._lines: list[str] = []
        self._spoke = threading.Event()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    @property
    def origin(self) -> str:
        """Scheme and authority, without a slash at the end."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def url(self) -> str:
        """The simple index to point clients at."""
        return f"{self.origin}/simple/"

    @property
    def output(self) -> str:
        """Everything it wrote, both streams."""
        return "".join(self._lines)

    def await_ready(self) -> None:
        """Return once it says that it listens and its health page answers 200."""
        self._spoke.wait(_START_SECONDS)
        if self._process.poll() is not None or not _READY.search(self.output):
            raise AssertionError(f"the gate did not start:\n{self.output}")
        assert self.health()["live"] is True, self.output

    def health(self) -> dict[str, Any]:
        """Return its health page; raises urllib.error.HTTPError unless it answers 200."""
        with build_opener(ProxyHandler({})).open(f"{self.origin}/-/health", timeout=30) as page:
            report: dict[str, Any] = json.load(page)
        return report

    def stop(self) -> None:
        """End it as a service manager would, and wait."""
        self._process.terminate()
        try:
            self._process.wait(timeout=30)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
            raise
        finally:
            self._reader.join()

    def kill(self) -> None:
        """End it at once, as a power cut would, and wait."""
        self._process.kill()
        self._process.wait()

    def _read(self) -> None:
        stream = self._process.stdout
        assert stream is not None
        with stream:
            for line in stream:
                self._lines.append(line)
                if _READY.search(line):
                    self._spoke.set()
        self._spoke.set()


@contextmanager
def serving(
    *,
    state: Path,
    policy: Path | str,
    upstream: str | None,
    environment: Mapping[str, str],
    port: int | None = None,
    options: tuple[str, ...] = (),
) -> Iterator[Gate]:
    """Run `indexgate serve` on loopback until the block ends.

    `policy` is a file or the name of a shipped policy. With an `upstream` the gate asks nobody
    else; without one it chooses as it does for users, and reads advisories.
    """
    port = port or free_port()
    chosen = () if upstream is None else ("--upstream", upstream, "--osv-url", "")
    process = subprocess.Popen(
        (
            *(sys.executable, "-m", "indexgate", "serve"),
            *("--host", "127.0.0.1", "--port", str(port)),
            *("--state", str(state), "--policy", str(policy)),
            *chosen,
            *options,
        ),
        env=dict(environment) | {"PYTHONUNBUFFERED": "1"},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    gate = Gate(process, port)
    try:
        gate.await_ready()
        yield gate
    finally:
        gate.stop()


def free_port() -> int:
    """Return a loopback port that nobody listens on right now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port
