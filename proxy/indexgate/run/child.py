"""The command itself: its terminal, its output, its signals and its exit code, all its own."""

import contextlib
import os
import shutil
import signal
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from types import FrameType

from indexgate.errors import GateError

_BY_TERMINAL = (signal.SIGINT, signal.SIGQUIT)
_FORWARDED = (signal.SIGTERM, signal.SIGHUP)


class NoCommand(GateError):
    """The command cannot be started; ends as a shell would."""

    exit_code = 127


class Signals:
    """What signals do while a command is run: they reach it, and this program goes on after it.

    A terminal sends its signals to the command and to this program alike, so these are only noted.
    Without one the command has a process group of its own, and every signal is passed on to it.
    """

    def __init__(self) -> None:
        self.told: int | None = None
        self._with_terminal = _has_terminal()
        self._child: subprocess.Popen[bytes] | None = None

    @contextlib.contextmanager
    def kept(self) -> Iterator[None]:
        """Keep this program alive while the block runs; what was ignored before stays ignored."""
        before = {}
        for name in (*_BY_TERMINAL, *_FORWARDED):
            if signal.getsignal(name) is not signal.SIG_IGN:
                before[name] = signal.signal(name, self._receive)
        try:
            yield
        finally:
            for name, handler in before.items():
                signal.signal(name, handler)

    def run(self, command: Sequence[str], environ: Mapping[str, str]) -> int:
        """Run *command* to its end; return its exit code, 128 and the number for a signal.

        Raises NoCommand.
        """
        if self.told is not None:
            return 128 + self.told
        try:
            with subprocess.Popen(  # noqa: S603 - to run it is what was asked for
                command, env=environ, process_group=None if self._with_terminal else 0
            ) as child:
                self._child = child
                if self.told is not None:
                    self._pass_on(self.told)
                code = child.wait()
        except OSError as error:
            reason = (error.strerror or type(error).__name__).lower()
            raise NoCommand("command-not-run", f"cannot run `{command[0]}`: {reason}") from error
        finally:
            self._child = None
        return code if code >= 0 else 128 - code

    def _receive(self, number: int, _frame: FrameType | None) -> None:
        self.told = number
        if self._child is not None and not (self._with_terminal and number in _BY_TERMINAL):
            self._pass_on(number)

    def _pass_on(self, number: int) -> None:
        if self._child is None or self._child.poll() is not None:
            return
        with contextlib.suppress(ProcessLookupError):
            if self._with_terminal:
                self._child.send_signal(number)
            else:
                os.killpg(self._child.pid, number)


def find(command: Sequence[str], environ: Mapping[str, str]) -> Path:
    """Return the program that *command* starts. Raises NoCommand."""
    found = shutil.which(command[0], path=environ.get("PATH"))
    if found is None:
        raise NoCommand("command-not-found", f"there is no command `{command[0]}`")
    return Path(found)


def _has_terminal() -> bool:
    """Tell whether this process is under a terminal that sends signals to its group."""
    try:
        os.close(os.open("/dev/tty", os.O_RDWR | os.O_NOCTTY))
    except OSError:
        return False
    return True
