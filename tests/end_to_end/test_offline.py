"""The gate's own network is taken away: what was installed through it still installs."""

import socketserver
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from functools import partial
from pathlib import Path
from threading import Thread

import pytest

from tests.end_to_end.clients import NEWEST_PIP, NEWEST_UV, Outcome, Scratch, write_project
from tests.end_to_end.gate import Gate, free_port, serving
from tests.standins.packages import project, sdist, wheel
from tests.standins.upstream import Upstream

pytestmark = pytest.mark.end_to_end

INSTALLED = {"app": "1.0", "big": "3.1"}

Start = Callable[[dict[str, str]], AbstractContextManager[Gate]]


@pytest.fixture(scope="module")
def upstream() -> Iterator[Upstream]:
    app = project("app", wheel("app", "1.0", requires=["big"]))
    big = project("big", wheel("big", "3.1", padding=3_000_000), sdist("big", "3.1"))
    with Upstream(app, big) as running:
        yield running


@pytest.fixture
def start(upstream: Upstream, allowing: Path, tmp_path: Path) -> Start:
    """Start a gate that wants to ask upstream about every page, with more variables set."""
    return partial(_start, upstream.url, allowing, tmp_path / "state", free_port())


def _start(
    upstream: str, policy: Path, state: Path, port: int, variables: dict[str, str]
) -> AbstractContextManager[Gate]:
    return serving(
        state=state,
        policy=policy,
        upstream=upstream,
        environment=Scratch(state.with_name("nobody")).environment() | variables,
        port=port,
        options=("--page-ttl", "0s"),
    )


def test_pip_install_of_the_same_requirements_succeeds_from_the_cache(
    start: Start, upstream: Upstream, tmp_path: Path
) -> None:
    def install(scratch: Scratch, gate: Gate) -> Outcome:
        (scratch.project / "requirements.txt").write_text("app\nbig==3.1\n", encoding="utf-8")
        arguments = ("install", "--target", scratch.target, "-r", "requirements.txt")
        return NEWEST_PIP.run(scratch, gate.url, *arguments)

    _installs_again_without_network(start, upstream, tmp_path, install)


def test_uv_sync_succeeds_from_the_cache_with_and_without_the_lock(
    start: Start, upstream: Upstream, tmp_path: Path
) -> None:
    def sync(scratch: Scratch, gate: Gate) -> Outcome:
        write_project(scratch, dependencies=["app", "big==3.1"])
        locked = NEWEST_UV.run(scratch, gate.url, "sync")
        if locked.exit_code != 0:
            return locked
        another = str(scratch.folder / "another-cache")
        arguments = ("sync", "--locked", "--reinstall", "--cache-dir", another)
        return NEWEST_UV.run(scratch, gate.url, *arguments)

    _installs_again_without_network(start, upstream, tmp_path, sync)


def _installs_again_without_network(
    start: Start,
    upstream: Upstream,
    folder: Path,
    install: Callable[[Scratch, Gate], Outcome],
) -> None:
    first, second = Scratch(folder / "first"), Scratch(folder / "second")
    with start({}) as gate:
        outcome = install(first, gate)
    assert outcome.exit_code == 0, outcome.output
    assert first.installed() == INSTALLED
    before = upstream.count()
    with _refusing_proxy() as (variables, refused), start(variables) as gate:
        again = install(second, gate)
        assert "upstream" in str(gate.health()["degraded"])
    assert again.exit_code == 0, again.output
    assert second.installed() == INSTALLED
    assert {line.split()[1] for line in refused} >= {upstream.page_url(name) for name in INSTALLED}
    assert upstream.count() == before, "the gate found a way round the proxy"


@contextmanager
def _refusing_proxy() -> Iterator[tuple[dict[str, str], list[str]]]:
    """Give the variables that name a proxy which refuses all, and the requests it refused."""
    refused: list[str] = []

    class Refusal(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            refused.append(self.rfile.readline().decode("ascii"))
            while self.rfile.readline().strip():
                pass
            self.wfile.write(
                b"HTTP/1.1 403 No way out\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
            )

    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Refusal) as server:
        thread = Thread(target=server.serve_forever, daemon=True)
        thread.start()
        address = f"http://127.0.0.1:{server.server_address[1]}"
        names = ("HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy")
        yield (dict.fromkeys(names, address) | {"no_proxy": "", "NO_PROXY": ""}, refused)
        server.shutdown()
        thread.join()
