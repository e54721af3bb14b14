"""The gate as a process of its own, as users start it."""

import json
import re
import signal
import socket
import ssl
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.request import HTTPSHandler, ProxyHandler, build_opener

_START_SECONDS = 60
_STOP_SECONDS = 10
_READY = re.compile("listen(s|ing) on ")


class Gate:
    """A running gate: where it listens, and what it has written so far."""

    def __init__(self, process: "subprocess.Popen[str]", port: int, ca: Path | None) -> None:
        self.port = port
        self._process = process
        self._ca = ca
        self._lines: list[str] = []
        self._spoke = threading.Condition()
        self._ended = False
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    @property
    def origin(self) -> str:
        """Scheme and authority, without a slash at the end."""
        return f"{'https' if self._ca else 'http'}://127.0.0.1:{self.port}"

    @property
    def process(self) -> int:
        """The number of its process."""
        return self._process.pid

    @property
    def url(self) -> str:
        """The simple index to point clients at."""
        return f"{self.origin}/simple/"

    @property
    def pid(self) -> int:
        """The id of its process."""
        return self._process.pid

    @property
    def output(self) -> str:
        """Everything it wrote, both streams."""
        return "".join(self._lines)

    def await_ready(self) -> None:
        """Return once it says that it listens and its health page answers 200."""
        self.await_line(_READY)
        assert self.health()["live"] is True, self.output

    def await_line(self, pattern: str | re.Pattern[str]) -> None:
        """Return once it has written a line that *pattern* is found in."""
        wanted = re.compile(pattern)
        with self._spoke:
            self._spoke.wait_for(
                lambda: self._ended or any(map(wanted.search, self._lines)), _START_SECONDS
            )
            if not any(map(wanted.search, self._lines)):
                raise AssertionError(f"the gate never said {wanted.pattern!r}:\n{self.output}")

    def health(self) -> dict[str, Any]:
        """Return its health page; raises urllib.error.HTTPError unless it answers 200."""
        trusting = ssl.create_default_context(cafile=self._ca)
        opener = build_opener(ProxyHandler({}), HTTPSHandler(context=trusting))
        with opener.open(f"{self.origin}/-/health", timeout=30) as page:
            report: dict[str, Any] = json.load(page)
        return report

    def stop(self) -> None:
        """End it as a service manager would, and wait."""
        try:
            self.tell(signal.SIGTERM, seconds=30)
        except subprocess.TimeoutExpired:
            self.kill()
            raise
        finally:
            self._reader.join()

    def tell(self, name: signal.Signals, *, seconds: float = _STOP_SECONDS) -> int:
        """Send it a signal, wait for its end, and return its exit code.

        Raises subprocess.TimeoutExpired when it is still there after so many *seconds*.
        """
        self._process.send_signal(name)
        return self._process.wait(timeout=seconds)

    def kill(self) -> None:
        """End it at once, as a power cut would, and wait."""
        self._process.kill()
        self._process.wait()

    def _read(self) -> None:
        stream = self._process.stdout
        assert stream is not None
        with stream:
            for line in stream:
                with self._spoke:
                    self._lines.append(line)
                    self._spoke.notify_all()
        with self._spoke:
            self._ended = True
            self._spoke.notify_all()


@contextmanager
def serving(
    *,
    state: Path,
    policy: Path | str,
    upstream: str | None,
    environment: Mapping[str, str],
    port: int | None = None,
    osv_url: str = "",
    ca: Path | None = None,
    options: tuple[str, ...] = (),
) -> Iterator[Gate]:
    """Run `indexgate serve` on loopback until the block ends.

    `policy` is a file or the name of a shipped policy. With an `upstream` the gate asks nobody
    else but `osv_url`; without one it chooses as it does for users, and reads advisories. `ca` is
    what certifies it, when the `options` make it speak TLS.
    """
    port = port or free_port()
    chosen = () if upstream is None else ("--upstream", upstream, "--osv-url", osv_url)
    process = subprocess.Popen(
        (*command(state=state, policy=policy, port=port), *chosen, *options),
        env=dict(environment) | {"PYTHONUNBUFFERED": "1"},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    gate = Gate(process, port, ca)
    try:
        gate.await_ready()
        yield gate
    finally:
        gate.stop()


def command(*, state: Path, policy: Path | str, port: int) -> tuple[str, ...]:
    """Return the command that runs a gate on loopback."""
    return (
        *(sys.executable, "-m", "indexgate", "serve"),
        *("--host", "127.0.0.1", "--port", str(port)),
        *("--state", str(state), "--policy", str(policy)),
    )


def free_port() -> int:
    """Return a loopback port that nobody listens on right now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port
