"""`indexgate service install` and `remove`: the file of the service manager, and telling it so."""

import os
import shlex
import shutil
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path

import click

from indexgate import certificates, event_loop, state_folder
from indexgate.cli import settings_options
from indexgate.cli.configure_undo import print_diff, tell
from indexgate.config import Given, Settings
from indexgate.configure import change as changes
from indexgate.configure import disk, records
from indexgate.configure.edits import Edited
from indexgate.configure.records import Record
from indexgate.errors import GateError
from indexgate.redact import redact
from indexgate.run import own_gate
from indexgate.run.own_gate import OwnGate
from indexgate.service import starter as starters
from indexgate.service.starter import Command, Runner, Starter
from indexgate.setting_kinds import PATH
from indexgate.settings_table import BY_NAME
from indexgate.state_folder import StateFolder

_SECONDS = 20.0
_HERE = ("127.0.0.1", "localhost", "0.0.0.0", "::")  # noqa: S104 - to compare with
_SEEN_BY_THE_GATE = ("SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY")


def install(
    given: Mapping[str, Given],
    settings: Settings,
    *,
    dry_run: bool,
    runner: Runner = starters.run,
) -> None:
    """Write the service and start it. Raises GateError."""
    line = command_line(given, settings)
    _check(settings)
    starter = this_starter(settings)
    if starter is None:
        raise GateError(
            "service-unsupported",
            "no service manager that indexgate knows is here (systemd's, or launchd)",
            f"Have this started at log-in by what you use: {shlex.join(line)}",
        )
    known = _known(starter, settings.state)
    text = starter.text(line)
    wanted = Record(
        client="service",
        scope="user",
        form=starter.name,
        path=str(starter.path),
        url=f"http://127.0.0.1:{settings.port}/simple/",
        before=None,
        after="",
        hunks=(),
    )
    change = changes.make(wanted, lambda _: Edited(text=text), lambda _: changes.NO_VALUES, known)
    print_diff(change)
    commands = (*(starter.fresh if known else ()), *starter.start)
    if dry_run:
        _would(commands)
        return
    state = state_folder.open_state(settings.state)
    taken = known is None and _answering(settings, state) is not None
    upstream = settings_options.upstream(settings)
    if upstream.keep:
        state.keep_upstream(upstream.url)
    if known is not None:
        for command in starter.fresh:
            runner(command)
    changes.carry_out(change, state.path, known)
    _start(starter, runner)
    tell(f"The gate is started at log-in from now on, by `{starter.path}`")
    _await(settings, starter)
    if taken:
        tell(
            f"note: a gate of yours was on port {settings.port} before; end it, and the service"
            " takes its place within seconds"
        )
    for note in _notes(starter):
        tell(f"note: {note}")


def remove(settings: Settings, *, dry_run: bool, runner: Runner = starters.run) -> None:
    """Stop the service and remove what `install` made, and nothing else. Raises GateError."""
    starter = this_starter(settings)
    known = None if starter is None else _known(starter, settings.state)
    if starter is None or known is None:
        tell("Nothing to remove: no service was installed by `indexgate service install`")
        return
    change = changes.undo(known, lambda _: changes.NO_VALUES)
    print_diff(change)
    if dry_run:
        _would((*starter.stop, *starter.removed))
        return
    trouble = None
    try:
        starters.run_all(starter.stop, runner)
    except GateError as error:
        trouble = error.message  # the file goes all the same: without it nothing is started
    for link in starter.links:
        if link.is_symlink():
            disk.remove(link, (link.parent,))
    changes.carry_out(change, settings.state, known)
    for command in starter.removed:
        runner(command)
    tell(f"Removed `{starter.path}`; the gate is not started at log-in any more")
    if trouble is not None:
        tell(f"note: {trouble}; if the gate still runs, it ends with your log-out")


def this_starter(settings: Settings) -> Starter | None:
    """Return the service manager of this machine."""
    home = Path.home()
    config = os.environ.get("XDG_CONFIG_HOME")
    return starters.starter(
        sys.platform,
        config=Path(config) if config else home / ".config",
        home=home,
        state=settings.state,
        user=user_number(),
        has=lambda program: shutil.which(program) is not None,
    )


def user_number() -> int:
    """Return the number of this user; 0 on a platform where users have none."""
    return os.getuid() if hasattr(os, "getuid") else 0


def command_line(given: Mapping[str, Given], settings: Settings) -> Command:
    """Return the command that serves by what was *given*, from whatever folder. Raises GateError.

    The state folder is always named: the variables that place it may be the shell's alone.
    """
    absolute: dict[str, Given] = dict(given)
    for name, value in given.items():
        if isinstance(value, str) and BY_NAME[name].kind is PATH:
            absolute[name] = str(Path(value).expanduser().absolute())
    policy = given.get("policy")
    if isinstance(policy, str) and Path(policy).expanduser().is_file():
        absolute["policy"] = str(Path(policy).expanduser().absolute())
    absolute["state"] = str(settings.state.absolute())
    flags = shlex.split(settings_options.as_flags(absolute, absolute))
    plain = [value for value in absolute.values() if isinstance(value, str)]
    if any(redact(value) != value for value in plain):
        raise GateError(
            "service-credentials",
            "an address was given with a login, which is not written into a service",
            "Put the login into a netrc file, or the address into a `--config` file that only you"
            " can read.",
        )
    return (sys.executable, "-P", "-m", "indexgate", "serve", *flags)


def _check(settings: Settings) -> None:
    """Raise what would end the service at its start."""
    from indexgate.policy_file import PolicyInForce

    if not settings.port:
        raise GateError(
            "service-port", "a service needs a port that stays", "Give one with `--port`."
        )
    certificates.check(settings, settings_options.upstream(settings))
    event_loop.must_be_installed(settings.event_loop)
    PolicyInForce(settings.policy, clock=lambda: datetime.now(UTC)).current()


def _known(starter: Starter, state: Path) -> Record | None:
    """Return what is recorded of the service's file. Raises GateError where it is not ours."""
    known = records.find(state, starter.path)
    now = disk.read(starter.path)
    if now is None:
        return known
    if known is None:
        raise GateError(
            "service-not-ours",
            f"`{starter.path}` is there, and nothing in `{state}` says that `indexgate service"
            " install` wrote it",
            "If it did, give the `--state` that it was installed with; else remove it by hand.",
        )
    if records.digest(now) != known.after:
        raise GateError(
            "service-changed",
            f"`{starter.path}` was changed since `indexgate service install` wrote it",
            "Keep what you changed elsewhere (for systemd: `systemctl --user edit indexgate`) and"
            " remove that file by hand.",
        )
    return known


def _start(starter: Starter, runner: Runner) -> None:
    try:
        starters.run_all(starter.start, runner)
    except GateError as error:
        raise GateError(
            "service-not-started",
            f"`{starter.path}` is written, but {error.message}",
            "Say `indexgate service install` again in a session of your own (a log-in, not `su`);"
            " `indexgate service remove` takes it away.",
        ) from error


def _await(settings: Settings, starter: Starter) -> None:
    """Return once the gate answers. Raises GateError."""
    if not _can_prove(settings):
        return
    end = time.monotonic() + _SECONDS
    state = state_folder.open_state(settings.state)
    while time.monotonic() < end:
        found = _answering(settings, state)
        if found is not None:
            tell(f"It answers on port {found.port} and stands in front of `{found.upstream}`")
            return
        time.sleep(0.2)
    raise GateError(
        "service-not-answering",
        f"the gate does not answer on port {settings.port} yet",
        f"It says why in {starter.logs}.",
    )


def _answering(settings: Settings, state: StateFolder) -> OwnGate | None:
    """Return our gate on the port, if there is one. Raises GateError where somebody else is."""
    return own_gate.find(settings.port, state) if _can_prove(settings) else None


def _can_prove(settings: Settings) -> bool:
    """Tell whether a gate by *settings* can be asked for its proof: in plain http, from here."""
    return settings.tls_cert is None and settings.host in _HERE


def _notes(starter: Starter) -> Iterator[str]:
    if starter.hint:
        yield starter.hint
    unseen = [
        name
        for name in sorted(os.environ)
        if name.startswith("INDEXGATE_") or name.upper() in _SEEN_BY_THE_GATE
    ]
    if unseen:
        yield (
            f"variables of this shell are not the service's: {', '.join(unseen)}; what it needs of"
            " them belongs into flags, or into a `--config` file"
        )


def _would(commands: Sequence[Command]) -> None:
    for command in commands:
        click.echo(f"would run: {shlex.join(command)}")
    tell("Nothing was written (--dry-run)")
