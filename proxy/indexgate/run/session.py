"""One run from its start to its summary."""

import secrets
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from msgspec import Struct
from msgspec.structs import replace

from indexgate import pip_settings, state_folder, web_address
from indexgate.config import Settings
from indexgate.errors import GateError
from indexgate.index_tables import PYPI
from indexgate.locks.swap import Swap
from indexgate.run import (
    child,
    lock_files,
    other_indexes,
    own_gate,
    poetry,
    project_sources,
    summary,
    uv_settings,
)
from indexgate.run.child import Signals
from indexgate.run.clients import Client, client_of, variables
from indexgate.run.configured import Configured
from indexgate.run.held import POSSIBLE, held
from indexgate.run.lock_files import Notes
from indexgate.run.other_indexes import Surroundings
from indexgate.run.own_gate import OwnGate
from indexgate.run.summary import Told
from indexgate.state_folder import StateFolder
from indexgate.web_address import WebAddress

_LARGEST = 64_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What a run was asked to do.

    `start` is the command that starts a gate, `given` the settings that it reads. `tell` prints a
    line for the user, apart from the command's output. `break_glass` is who wants what is refused
    let in, and why.
    """

    command: tuple[str, ...]
    settings: Settings
    start: Sequence[str]
    given: Mapping[str, object]
    keep_indexes: bool
    break_glass: tuple[str, str] | None = None
    environ: Mapping[str, str] = field(repr=False)
    folder: Path
    home: Path
    public_index: str
    tell: Callable[[str], None]


class Ended(Struct, frozen=True, kw_only=True):
    """How a run ended: the command's own exit code, and what the gate did in it.

    `policy` is the gate's; `trouble` says what its record may lack, `untold` why nothing can be
    told, if so.
    """

    code: int
    policy: str
    things: tuple[Told, ...] = ()
    trouble: str | None = None
    untold: str | None = None


def run(asked: Asked) -> Ended:
    """Run the command behind the gate. Raises GateError."""
    if not POSSIBLE:
        raise GateError("run-unsupported", f"`run` does not work on `{sys.platform}` yet")
    client = client_of(asked.command)
    program = child.find(asked.command, asked.environ)
    state = state_folder.open_state(asked.settings.state)
    notes = Notes(folder=state.run / "swapped")
    for notice in state.notices:
        asked.tell(f"note: {notice}")
    for path in notes.mend():
        asked.tell(f"note: `{path}` held the gate's addresses since a run was killed; mended")
    with held(own_gate.lease(state), shared=True):
        gate = _gate(asked, state)
        swap = Swap(gate=gate.root, upstream=gate.upstream)
        paths: tuple[Path, ...] = ()
        if client.in_project:
            place = uv_settings.project_folder(client, asked.folder)
            paths = lock_files.lock_files(place, client.arguments)
        frozen = "--frozen" in client.arguments or bool(asked.environ.get("UV_FROZEN"))
        locked = lock_files.past_the_gate(paths, swap, frozen=frozen)
        found = (*_configured(asked, client, program), *locked)
        _check_others(asked, gate, found)
        token = f"run-{secrets.token_hex(8)}"
        changes = _changes(asked, client, program, gate, found, token)
        changes |= variables(
            client,
            gate.index(token),
            asked.environ,
            keep_indexes=asked.keep_indexes,
            slash=lock_files.ends_with_slash(paths, swap),
            named=_renamed(found, gate),
        )
        signals = Signals()
        glass = _broken_glass(asked, gate, token)
        with glass, signals.kept(), notes.swapped(paths, swap):
            code = signals.run(asked.command, _changed(asked.environ, changes))
        return _ended(gate, token, code)


def _gate(asked: Asked, state: StateFolder) -> OwnGate:
    """Return the gate on the port, or one that is started; one run looks at a time."""
    settings = asked.settings
    if settings.tls_cert is not None:
        raise GateError(
            "run-over-tls",
            f"{settings.origins['tls_cert']} is set, and `run` speaks to its gate in plain http",
            "Leave it out for `run`: its gate is reached from this machine only.",
        )
    with held(state.run / "start.lock"):
        gate = own_gate.find(settings.port, state) if settings.port else None
        if gate is None:
            return own_gate.start(asked.start, asked.given, state, asked.environ)
    _check_same(asked, gate)
    return gate


def _check_same(asked: Asked, gate: OwnGate) -> None:
    """Raise GateError if flags ask for another gate than the one that runs."""
    settings = asked.settings
    wrong = None
    if settings.origins["policy"].place == "flag" and settings.policy != gate.policy:
        wrong = f"{settings.origins['policy']} is `{settings.policy}`, not its `{gate.policy}`"
    if settings.upstream is not None and settings.origins["upstream"].place == "flag":
        url = web_address.parse(settings.upstream).url
        if (url,) != gate.upstreams:
            has = ", ".join(f"`{each}`" for each in gate.upstreams)
            wrong = f"{settings.origins['upstream']} is `{url}`, not its {has}"
    if settings.indexes and settings.origins["config"].place == "flag":
        urls = (asked.public_index if one.url == PYPI else one.url for one in settings.indexes)
        if tuple(web_address.parse(url).url for url in urls) != gate.upstreams:
            wrong = f"`{settings.config}` names other indexes than it has"
    if wrong is not None:
        raise GateError(
            "another-gate",
            f"a gate runs on port {gate.port} already, but {wrong}",
            "Leave the flag out, or give another port with `--port`.",
        )


def _configured(asked: Asked, client: Client, program: Path) -> tuple[Configured, ...]:
    places = replace(pip_settings.places(), site=(program.parent.parent / "pip.conf",))
    config = asked.environ.get("XDG_CONFIG_HOME")
    around = Surroundings(
        environ=asked.environ,
        folder=asked.folder,
        config=Path(config) if config else asked.home / ".config",
        pip=places,
        read_file=_read,
    )
    return other_indexes.configured(client, around)


def _read(path: Path) -> bytes:
    """Return what is in *path*; a lock has megabytes, and endless files are cut. Raises OSError."""
    with path.open("rb") as file:
        return file.read(_LARGEST)


def _check_others(asked: Asked, gate: OwnGate, found: Sequence[Configured]) -> None:
    others = other_indexes.others(
        found,
        gate=lambda address: _is(gate, address),
        covered=(*gate.upstreams, web_address.parse(asked.public_index).url),
    )
    if not asked.keep_indexes:
        other_indexes.refuse(others)
    for index in others:
        asked.tell(f"note: {other_indexes.describe(index)}")


def _is(gate: OwnGate, address: WebAddress) -> bool:
    return address.port == gate.port and address.host in {"127.0.0.1", "localhost", "::1"}


def _changes(  # noqa: PLR0917 - each of them is a step of its own
    asked: Asked,
    client: Client,
    program: Path,
    gate: OwnGate,
    found: Sequence[Configured],
    token: str,
) -> dict[str, str | None]:
    """Return the variables that rest on the project, and say what cannot be led to the gate."""
    if client.name == "poetry":
        # A lock names no source; only a source of the project leads Poetry to the gate.
        gates = [index for index in found if index.name is not None and _leads_to(index, gate)]
        poetry.check(program, asked.folder, gates)
        return dict(poetry.logins(gates, token))
    if client.name == "pip" and "--isolated" in client.arguments:
        raise GateError(
            "pip-isolated", "`--isolated` keeps pip from the variables that point it at the gate"
        )
    if client.name == "pipenv" and client.subcommand is not None:
        project_sources.check_pipfile(asked.folder, asked.environ)
    if client.name == "other":
        asked.tell(
            f"note: `{asked.command[0]}` is not a client that indexgate knows;"
            " pip and uv inside it use the gate"
        )
    return {}


@contextmanager
def _broken_glass(asked: Asked, gate: OwnGate, token: str) -> Iterator[None]:
    """Have refusals turned into warnings while the command runs, if that was asked for, loudly."""
    if asked.break_glass is None:
        yield
        return
    by, reason = asked.break_glass
    gate.break_glass(token, by=by, reason=reason)
    asked.tell(
        f"indexgate: BREAK-GLASS by {by} ({reason}): what this run is refused is let in and written"
        " down; malware is refused all the same"
    )
    try:
        yield
    finally:
        mended = gate.mend_glass(token)
        end = "is over" if mended else "ends within 12 hours, since the gate does not answer"
        asked.tell(f"indexgate: BREAK-GLASS {end}; its warnings: indexgate log --run {token}")


def _leads_to(index: Configured, gate: OwnGate) -> bool:
    try:
        return _is(gate, web_address.parse(index.url))
    except ValueError:
        return False


def _renamed(found: Sequence[Configured], gate: OwnGate) -> list[str]:
    """Return the names of a project's indexes that are upstream, for uv to ask at the gate."""
    names: list[str] = []
    for index in found:
        try:
            same = web_address.parse(index.url).url in gate.upstreams
        except ValueError:
            same = False
        if same and index.replaced and index.name is not None and index.name != "default":
            names.append(index.name)
    return names


def _changed(environ: Mapping[str, str], changes: Mapping[str, str | None]) -> dict[str, str]:
    merged = {**environ, **changes}
    return {name: value for name, value in merged.items() if value is not None}


def _ended(gate: OwnGate, token: str, code: int) -> Ended:
    """Return what the gate did in this run; that it cannot be told does not change the code."""
    try:
        report = gate.report(token)
    except GateError as error:
        return Ended(code=code, policy=gate.policy, untold=error.message)
    return Ended(
        code=code,
        policy=gate.policy,
        things=summary.told(report),
        trouble=report.get("trouble"),
    )
