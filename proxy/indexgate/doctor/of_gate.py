"""Whether the gate that clients are pointed at is there, and is the one that is meant."""

import contextlib
import http.client
import json
import secrets
import ssl
from collections.abc import Iterator
from urllib.parse import urlsplit

from indexgate import state_folder
from indexgate.config import Settings
from indexgate.doctor.finding import Advice, Command, Finding, Place
from indexgate.doctor.machine import GateAddress
from indexgate.doctor.ways import finding
from indexgate.errors import GateError
from indexgate.run import own_gate
from indexgate.settings_table import BY_NAME
from indexgate.state_folder import StateFolder

_PATIENCE = 5.0
_LARGEST = 1_000_000


def local(settings: Settings) -> Iterator[Finding]:
    """Yield what is wrong with the gate of *settings* on this machine; nothing is made or changed.

    It proves itself by the secret in its state folder.
    """
    usual = BY_NAME["port"].default
    if settings.port and str(settings.port) != usual:
        what = f"the gate is looked for on port {settings.port}, clients mostly expect {usual}"
        cure = Advice(text="nothing, if clients are pointed there")
        yield finding("gate-other-port", what, Place(), cure)
    try:
        if (settings.state / "secret").is_file():
            state = state_folder.open_state(settings.state)
        else:  # no gate has kept its state there yet, so nobody has that secret
            state = StateFolder(path=settings.state, secret=secrets.token_hex(32))
        gate = own_gate.find(settings.port, state)
    except GateError as error:
        cure_ = Advice(text=error.hint or error.message)
        yield finding("gate-not-ours", error.message, Place(), cure_)
        return
    if gate is None:
        what = f"nobody listens on `{own_gate.HOST}` port {settings.port}"
        yield finding("gate-not-running", what, Place(), Command(words=("indexgate", "serve")))


def elsewhere(gate: GateAddress) -> Iterator[Finding]:
    """Yield what is wrong with the gate at an address that was named: it must say how it is."""
    root = gate.roots[0]
    parts = urlsplit(root)
    try:
        status, health = _health(parts.scheme, parts.netloc, parts.path)
    except (OSError, http.client.HTTPException) as error:
        told = str(error) or type(error).__name__
        what = f"`{root}` cannot be reached: {told.lower()}"
        cure = Advice(text="start the gate there, or name another with `--gate`")
        yield finding("gate-not-running", what, Place(), cure)
        return
    if "policy" not in health:
        what = f"`{root}` does not say that it is a gate (status {status} at `/-/health`)"
        cure = Advice(text="name the gate's root with `--gate`, such as `http://127.0.0.1:8503/`")
        yield finding("gate-not-ours", what, Place(), cure)


def _health(scheme: str, authority: str, path: str) -> tuple[int, dict[str, object]]:
    """Return status and report of the gate there, past any proxy."""
    connection: http.client.HTTPConnection
    if scheme == "https":
        context = ssl.create_default_context()
        connection = http.client.HTTPSConnection(authority, timeout=_PATIENCE, context=context)
    else:
        connection = http.client.HTTPConnection(authority, timeout=_PATIENCE)
    with contextlib.closing(connection):
        connection.request("GET", f"{path}-/health")
        response = connection.getresponse()
        body = response.read(_LARGEST)
    try:
        found = json.loads(body)
    except ValueError:
        found = {}
    return response.status, found if isinstance(found, dict) else {}
