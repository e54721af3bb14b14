"""`serve`: what it says at start, and how it ends."""

import asyncio
import errno
import os
import signal
import socket
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from indexgate import config, state_folder
from indexgate.cli import serve
from indexgate.cli.start_banner import banner
from indexgate.config import Given, Settings
from indexgate.errors import GateError
from indexgate.listening import Listening
from indexgate.upstream_choice import UpstreamChoice

LISTENING = Listening(host="127.0.0.1", port=8503)
UPSTREAM = UpstreamChoice(
    url="https://index.example.test/simple/",
    index_id="0" * 16,
    public=True,
    origin="flag `--upstream`",
    notices=("extra index `https://x.test/` of pip (pip.conf) is not used by the gate",),
)


@dataclass(frozen=True, kw_only=True)
class Policy:
    rules: tuple[str, ...] = ("one", "two")
    notices: tuple[str, ...] = ()


def settings(**given: Given) -> Settings:
    return config.load(given, {}, lambda _path: b"", default_state=Path("home/state"))


def test_the_banner_names_each_of_several_indexes_in_their_order() -> None:
    private = UpstreamChoice(
        name="acme",
        url="https://acme.example.test/",
        index_id="1" * 16,
        public=False,
        origin="file",
        namespaces=("acme-*",),
        later=(replace(UPSTREAM, name="pypi"),),
    )
    lines = banner(settings(), private, Policy(), LISTENING).splitlines()
    assert lines[1:3] == [
        "  upstream 1    acme: https://acme.example.test/ (not public; alone has `acme-*`)",
        "  upstream 2    pypi: https://index.example.test/simple/ (public)",
    ]
    both = "acme (https://acme.example.test/), pypi (https://index.example.test/simple/)"
    assert f"requests to the upstreams ({both}) and for OSV's" in lines[6]


def test_the_banner_says_what_runs_where_and_what_leaves_the_machine() -> None:
    assert banner(settings(), UPSTREAM, Policy(), LISTENING) == (
        "indexgate listens on http://127.0.0.1:8503/\n"
        "  upstream      https://index.example.test/simple/ (flag `--upstream`)\n"
        "  policy        balanced (2 rules; default of `policy`)\n"
        "  state         home/state\n"
        "  presentation  explain\n"
        "  leaves here   requests to upstream (https://index.example.test/simple/) and for OSV's"
        " bulk file (https://osv-vulnerabilities.storage.googleapis.com/), which names no package;"
        " names of packages to deps-dev, scorecard, pypistats (`--sources none` to stop it)\n"
        "  note          extra index `https://x.test/` of pip (pip.conf) is not used by the gate\n"
        "\n"
        "Point an installer at it:\n"
        "  pip install --index-url http://127.0.0.1:8503/simple/ <package>\n"
        "  pip config set global.index-url http://127.0.0.1:8503/simple/\n"
        "  export UV_DEFAULT_INDEX=http://127.0.0.1:8503/simple\n"
        "  poetry source add --priority=primary gate http://127.0.0.1:8503/simple/\n"
        "  pdm config pypi.url http://127.0.0.1:8503/simple/\n"
        "\n"
        "Ctrl-C stops it."
    )


@pytest.mark.parametrize(
    ("given", "line"),
    [
        ({"offline": True}, "  leaves here   nothing (offline)"),
        ({"sources": "none"}, "; no third party is told what is asked for"),
        ({"host": "0.0.0.0"}, "; no third party is told what is asked for"),
        ({"osv_url": ""}, "no advisories are fetched"),
        ({"host": "0.0.0.0"}, "can be reached from other machines"),
        ({"host": "10.0.0.1"}, "set `--tls-cert` and `--tls-key`"),
        ({"public_url": "https://g.test/pypi"}, "export UV_DEFAULT_INDEX=https://g.test/pypi/simple"),
    ],
)  # fmt: skip
def test_the_banner_tells_what_differs(given: dict[str, Given], line: str) -> None:
    assert line in banner(settings(**given), UPSTREAM, Policy(), LISTENING)


def test_the_banner_says_that_a_private_upstream_has_no_public_advisories() -> None:
    text = banner(settings(), replace(UPSTREAM, public=False), Policy(), LISTENING)
    assert "no advisories are fetched, since" in text
    assert "bulk file" not in text


def test_the_banner_has_every_notice() -> None:
    given = config.load({}, {"INDEXGATE_PROT": "1"}, lambda _path: b"", default_state=Path("state"))
    text = banner(given, UPSTREAM, Policy(notices=("the policy has no rules",)), LISTENING)
    assert "INDEXGATE_PROT" in text
    assert "the policy has no rules" in text


@pytest.mark.parametrize(
    ("listening", "url"),
    [
        (Listening(host="0.0.0.0", port=1), "http://127.0.0.1:1/"),
        (Listening(host="::", port=1), "http://[::1]:1/"),
        (Listening(host="gate.test", port=1, tls=True), "https://gate.test:1/"),
    ],
)
def test_the_address_is_one_that_a_client_can_use(listening: Listening, url: str) -> None:
    assert listening.url == url


def stopping_by(name: signal.Signals) -> serve.Server:
    async def server(
        settings: Settings, upstream: UpstreamChoice, *, ready: Callable[[Listening], None]
    ) -> None:
        ready(Listening(host=settings.host, port=4711))
        os.kill(os.getpid(), name)
        await asyncio.Event().wait()

    return server


def failing_with(error: BaseException) -> serve.Server:
    async def server(
        settings: Settings, upstream: UpstreamChoice, *, ready: Callable[[Listening], None]
    ) -> None:
        raise error

    return server


@pytest.mark.parametrize("name", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_it_cleanly(
    name: signal.Signals, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    serve.start(settings(state=str(tmp_path / "s")), UPSTREAM, Policy(), stopping_by(name))
    output = capsys.readouterr()
    assert output.out == ""
    assert "http://127.0.0.1:4711/simple/" in output.err
    assert (tmp_path / "s" / "secret").exists()


def test_pips_index_is_kept_once_the_gate_listens(tmp_path: Path) -> None:
    chosen = UpstreamChoice(
        url="https://corp.test/simple/",
        index_id="1" * 16,
        public=False,
        origin="pip's `global.index-url`",
        keep=True,
    )
    given = settings(state=str(tmp_path / "s"))
    with pytest.raises(ValueError, match="fault"):
        serve.start(given, chosen, Policy(), failing_with(ValueError("fault")))
    assert state_folder.kept_upstream(given.state) is None
    serve.start(given, chosen, Policy(), stopping_by(signal.SIGTERM))
    assert state_folder.kept_upstream(given.state) == "https://corp.test/simple/"


@pytest.mark.parametrize(
    ("error", "reference"),
    [
        (OSError(errno.EADDRINUSE, "in use"), "port-in-use"),
        (OSError(errno.EADDRNOTAVAIL, "not here"), "host-unknown"),
        (PermissionError(errno.EACCES, "no"), "port-forbidden"),
        (socket.gaierror(socket.EAI_NONAME, "no name"), "host-unknown"),
    ],
)
def test_an_address_that_cannot_be_listened_on_is_explained(
    error: OSError, reference: str, tmp_path: Path
) -> None:
    with pytest.raises(GateError) as raised:
        serve.start(settings(state=str(tmp_path / "s")), UPSTREAM, Policy(), failing_with(error))
    assert raised.value.reference == reference
    assert "127.0.0.1" in raised.value.message


def test_another_failure_is_not_mistaken_for_the_address(tmp_path: Path) -> None:
    error = PermissionError(errno.EACCES, "no", "some/file")
    with pytest.raises(PermissionError):
        serve.start(settings(state=str(tmp_path / "s")), UPSTREAM, Policy(), failing_with(error))


def test_a_cancellation_that_nobody_asked_for_is_not_swallowed(tmp_path: Path) -> None:
    error = asyncio.CancelledError()
    with pytest.raises(asyncio.CancelledError):
        serve.start(settings(state=str(tmp_path / "s")), UPSTREAM, Policy(), failing_with(error))
