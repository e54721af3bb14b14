"""The gate that a run uses: found on its port and proven to be ours, or started for the run.

A gate that is started for runs is a process of its own, so that a second run can use it when the
first is done. It lives for as long as any run holds the lease in the state folder; the lease ends
with a run's process, so no gate stays behind, however the runs end.
"""

import contextlib
import hmac
import http.client
import json
import secrets
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from indexgate.errors import GateError
from indexgate.proving import glass_key, proof, report_key
from indexgate.state_folder import StateFolder

HOST = "127.0.0.1"
_PATIENCE = 15.0
_LARGEST_ANSWER = 50_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnGate:
    """A gate that has proven itself: where it listens, and what it stands in front of.

    `upstreams` are the addresses of all its indexes, in order; `upstream` is the main one of them.
    """

    port: int
    upstream: str
    upstreams: tuple[str, ...]
    policy: str
    secret: str = field(repr=False)

    @property
    def root(self) -> str:
        """The gate's address, with a slash at the end."""
        return f"http://{HOST}:{self.port}/"

    def index(self, token: str) -> str:
        """Return the simple index for the run *token*; pip would ask for a password if none was."""
        return f"http://{token}:x@{HOST}:{self.port}/simple/"

    def report(self, token: str) -> dict[str, Any]:
        """Return what the gate decided in the run *token*. Raises GateError."""
        key = report_key(self.secret, token)
        try:
            status, answer = _ask(self.port, f"/-/runs/{token}", {"Authorization": f"Bearer {key}"})
        except (OSError, http.client.HTTPException, ValueError):
            status, answer = 0, {}
        if status != 200:
            raise GateError(
                "run-not-told", "the gate does not tell what it refused in this run any more"
            )
        return answer

    def break_glass(self, token: str, *, by: str, reason: str) -> None:
        """Have refusals in the run *token* turned into warnings. Raises GateError."""
        said = json.dumps({"by": by, "reason": reason})
        status, answer = self._about_glass("POST", token, said)
        if status != 200:
            raise GateError(
                "glass-not-broken",
                f"the gate does not break the glass: {answer.get('error', 'it does not know how')}",
                "Ask for an exemption instead: `indexgate exempt request`.",
            )

    def mend_glass(self, token: str) -> bool:
        """End what `break_glass` began; tell whether the gate says so."""
        return self._about_glass("DELETE", token)[0] == 200

    def _about_glass(self, method: str, token: str, body: str = "") -> tuple[int, dict[str, Any]]:
        key = {"Authorization": f"Bearer {glass_key(self.secret, token)}"}
        try:
            return _ask(self.port, f"/-/runs/{token}/break-glass", key, method=method, body=body)
        except (OSError, http.client.HTTPException, ValueError):
            return 0, {"error": "it does not answer"}


def lease(state: StateFolder) -> Path:
    """Return the lock that every run shares, and that a gate for runs waits to have alone."""
    return state.run / "runs.lock"


def find(port: int, state: StateFolder) -> OwnGate | None:
    """Return our gate on *port*; None when nobody listens there.

    Raises GateError `not-our-gate` when somebody else does.
    """
    match _whose(port, state.secret):
        case "nobody's":
            return None
        case "another's":
            raise GateError(
                "not-our-gate",
                f"a program on `{HOST}` port {port} cannot prove that it is this user's gate",
                "End it, or give another port with `--port`. A gate that keeps its state elsewhere"
                " is found with the same `--state` as its own.",
            )
        case "ours":
            return _described(port, state)


def start(
    command: Sequence[str],
    given: Mapping[str, object],
    state: StateFolder,
    environ: Mapping[str, str],
) -> OwnGate:
    """Start a gate by *command*, which reads its settings *given* from stdin. Raises GateError."""
    log = state.run / "gate.log"
    with log.open("wb") as errors:
        log.chmod(0o600)
        process = subprocess.Popen(  # noqa: S603 - this program itself
            command,
            env=dict(environ),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=errors,
            start_new_session=True,  # the terminal's signals are for the command
        )
    answer = _exchange(process, json.dumps(given).encode())
    if "port" in answer:
        return _described(int(answer["port"]), state)
    if "error" in answer:
        raise GateError(*(str(part) for part in answer["error"]))
    raise GateError(
        "gate-not-started", "the gate for this run did not start", f"Its log is `{log}`."
    )


def _exchange(process: "subprocess.Popen[bytes]", question: bytes) -> dict[str, Any]:
    """Hand *question* to *process* and wait for its line of JSON, empty when it ends without."""
    if process.stdin is None or process.stdout is None:
        return {}
    with process.stdout as answers:
        with contextlib.suppress(BrokenPipeError), process.stdin as asking:
            asking.write(question)
        try:
            return dict(json.loads(answers.readline()))
        except ValueError:
            return {}


def _described(port: int, state: StateFolder) -> OwnGate:
    try:
        _, health = _ask(port, "/-/health", {})
        upstream, policy = str(health["upstream"]["url"]), str(health["policy"]["place"])
        upstreams = tuple(str(index["url"]) for index in health["indexes"])
    except (OSError, http.client.HTTPException, ValueError, KeyError, TypeError) as error:
        raise GateError(
            "gate-not-well", f"the gate on port {port} does not tell how it is"
        ) from error
    return OwnGate(
        port=port, upstream=upstream, upstreams=upstreams, policy=policy, secret=state.secret
    )


def _whose(port: int, secret: str) -> Literal["nobody's", "another's", "ours"]:
    nonce = secrets.token_hex(32)
    try:
        _, answer = _ask(port, f"/-/proof/{nonce}", {})
        given = str(answer.get("proof", ""))
    except ConnectionRefusedError:
        return "nobody's"
    except (OSError, http.client.HTTPException, ValueError, AttributeError):
        return "another's"
    right = proof(secret, nonce, HOST, port)
    return "ours" if hmac.compare_digest(given.encode(), right.encode()) else "another's"


def _ask(
    port: int, path: str, headers: Mapping[str, str], *, method: str = "GET", body: str = ""
) -> tuple[int, dict[str, Any]]:
    """Return status and JSON of a request on this machine, past any proxy."""
    connection = http.client.HTTPConnection(HOST, port, timeout=_PATIENCE)
    try:
        connection.request(method, path, body=body.encode() or None, headers=dict(headers))
        response = connection.getresponse()
        answer = response.read(_LARGEST_ANSWER)
        wanted = response.status == 200 or method != "GET"
        return response.status, json.loads(answer) if wanted else {}
    finally:
        connection.close()
