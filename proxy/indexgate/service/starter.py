"""What starts services at log-in on this platform: where it reads them, and how it is told."""

import shlex
import subprocess
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Literal, TypeAlias

from msgspec import Struct

from indexgate.errors import GateError
from indexgate.service import launchd, systemd

Command: TypeAlias = tuple[str, ...]
_PATIENCE = 60.0


class Starter(Struct, frozen=True, kw_only=True):
    """A service manager.

    `path` is the file that it reads, `text` what stands in it for a command line. `fresh` is run
    before the file is written anew, `start` after, `stop` before it is removed, `removed` after.
    `links` are what starting it leaves behind. `logs` is where to look when the gate does not come.
    """

    name: Literal["systemd", "launchd"]
    path: Path
    text: Callable[[Sequence[str]], str]
    start: tuple[Command, ...]
    stop: tuple[Command, ...]
    logs: str
    fresh: tuple[Command, ...] = ()
    removed: tuple[Command, ...] = ()
    links: tuple[Path, ...] = ()
    hint: str = ""


class Answer(Struct, frozen=True, kw_only=True):
    """How a command ended, and what it wrote."""

    code: int
    output: str


Runner: TypeAlias = Callable[[Command], Answer]


def starter(
    platform: str, *, config: Path, home: Path, state: Path, user: int, has: Callable[[str], bool]
) -> Starter | None:
    """Return the starter of *platform* (as `sys.platform` says it), None where none is known.

    *config* is the user's configuration folder, *has* tells whether there is a program.
    """
    if platform == "darwin":
        log = state / "service.log"
        return Starter(
            name="launchd",
            path=launchd.place(home),
            text=lambda command: launchd.agent(command, log),
            fresh=launchd.stop(user),
            start=launchd.start(launchd.place(home), user),
            stop=launchd.stop(user),
            logs=f"`{log}`",
        )
    if platform.startswith("linux") and has("systemctl"):
        return Starter(
            name="systemd",
            path=systemd.place(config),
            text=systemd.unit,
            start=systemd.INSTALL,
            stop=systemd.STOP,
            removed=systemd.REMOVED,
            links=(systemd.link(config),),
            logs=f"`journalctl --user -u {systemd.NAME}`",
            hint="it runs while you are logged in; `loginctl enable-linger` lets it run always",
        )
    return None


def run(command: Command) -> Answer:
    """Run *command* of the service manager."""
    try:
        done = subprocess.run(  # noqa: S603 - its words are ours
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            timeout=_PATIENCE,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        return Answer(code=127, output=str(error))
    return Answer(code=done.returncode, output=done.stdout.strip())


def run_all(commands: Sequence[Command], runner: Runner) -> None:
    """Run *commands* until one fails. Raises GateError."""
    for command in commands:
        answer = runner(command)
        if answer.code:
            said = answer.output.partition("\n")[0] or f"exit code {answer.code}"
            raise GateError(
                "service-manager", f"`{shlex.join(command)}` failed: {ascii(said)[1:-1]}"
            )


def standing(starter: Starter, user: int, runner: Runner) -> tuple[bool, bool]:
    """Return whether the service is started at log-in, and whether it runs now."""
    if starter.name == "systemd":
        enabled = runner(systemd.IS_ENABLED).code == 0
        return enabled, runner(systemd.IS_RUNNING).code == 0
    answer = runner(launchd.described(user))
    return answer.code == 0, "state = running" in answer.output
