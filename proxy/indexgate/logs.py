"""The gate's log: one line an event on stderr, for people or as JSON, without credentials.

A small log of its own: libraries for it bring tens of megabytes that colour tracebacks, and every
answer of the gate waits for its line. Loggers of libraries stay as they are.
"""

import sys
import traceback
from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import UTC, datetime
from threading import Lock
from typing import Any, Literal, TextIO, TypeAlias

from msgspec import Struct

from indexgate.index.trace import current
from indexgate.log_lines import Render, as_coloured_text, as_json, as_text
from indexgate.redact import redact

Level: TypeAlias = Literal["debug", "info", "warning", "error"]

_LEVELS: Mapping[Level, int] = {"debug": 0, "info": 1, "warning": 2, "error": 3}


class Log:
    """What becomes of events: from which level on they are told, how a line looks, and where."""

    def __init__(self, render: Render, level: Level = "info", stream: TextIO | None = None) -> None:
        self._render = render
        self._least = _LEVELS[level]
        self._stream = stream
        self._lock = Lock()

    def takes(self, level: Level) -> bool:
        """Tell whether events of *level* are told."""
        return _LEVELS[level] >= self._least

    def line(
        self, level: Level, event: str, told: Mapping[str, Any], moment: str | None = None
    ) -> str:
        """Return the line of an *event* of a *moment* (None: now), without credentials."""
        whole = {**told, "event": event, "level": level}
        failure = whole.pop("exc_info", None)
        trace = current()
        if trace is not None:  # the request that it happened in, or that began what it happened in
            whole.setdefault("id", trace.id)
        whole["timestamp"] = moment or datetime.now(UTC).isoformat().replace("+00:00", "Z")
        if failure is not None:  # as text: local variables stay out of it
            whole["exception"] = "".join(traceback.format_exception(failure)).removesuffix("\n")
        return self._render({key: _redacted(value) for key, value in whole.items()})

    def write(self, lines: str) -> None:
        """Write *lines*. What is told of does not fail because nobody can be told."""
        stream = self._stream or sys.stderr
        with self._lock, suppress(OSError, ValueError):
            stream.write(f"{lines}\n")
            stream.flush()


_log = Log(as_text)


def configure(
    *,
    form: Literal["text", "json"],
    level: Level,
    stream: TextIO | None = None,
    environ: Mapping[str, str],
) -> None:
    """Set up the log of this process. Colours only on a terminal and without `NO_COLOR`."""
    render = as_json
    if form == "text":
        coloured = (stream or sys.stderr).isatty() and not environ.get("NO_COLOR")
        render = as_coloured_text if coloured else as_text
    use(Log(render, level, stream))


def use(other: Log) -> None:
    """Tell events to *other* from now on, whatever their loggers."""
    global _log  # noqa: PLW0603 - there is one log in a process, as there is one stderr
    _log = other


def log() -> Log:
    """Return the log as it is set up now."""
    return _log


class Logger(Struct, frozen=True):
    """Tells events to the log; each line also has what is *always* told."""

    always: Mapping[str, Any]

    def debug(self, event: str, **told: Any) -> None:
        """Tell what only those want to know who look for a fault."""
        self._tell("debug", event, told)

    def info(self, event: str, **told: Any) -> None:
        """Tell what goes its usual way."""
        self._tell("info", event, told)

    def warning(self, event: str, **told: Any) -> None:
        """Tell of trouble that the gate can live with."""
        self._tell("warning", event, told)

    def error(self, event: str, **told: Any) -> None:
        """Tell of a failure."""
        self._tell("error", event, told)

    def exception(self, event: str, **told: Any) -> None:
        """Tell of a failure with the traceback of the exception that is being handled."""
        self._tell("error", event, {**told, "exc_info": sys.exception()})

    def _tell(self, level: Level, event: str, told: Mapping[str, Any]) -> None:
        if _log.takes(level):
            _log.write(_log.line(level, event, {**self.always, **told}))


def logger(part: str | None = None) -> Logger:
    """Return the logger of a part of the gate, such as `upstream`, or of the gate as a whole."""
    return Logger({} if part is None else {"part": part})


_TROUBLE = {
    "page-failed",
    "upstream-left-alone",
    "page-not-kept",
    "list-failed",
    "owner-changed",
    "owner-not-kept",
    "policy-broken",
    "store-failed",
    "cache-trouble",
    "feed-failed",
    "day-failed",
    "relating-failed",
    "releases-failed",
    "source-fault",
    "tidy-failed",
}


def say(part: str) -> Callable[[str, str], None]:
    """Return what logs an event of *part* with its text: trouble as a warning, all else as news."""
    part_log = logger(part)

    def tell(event: str, text: str) -> None:
        if event in _TROUBLE:
            part_log.warning(event, text=text)
        else:
            part_log.info(event, text=text)

    return tell


def _redacted(value: Any) -> Any:
    """Return *value* with every text in it redacted, however deep it lies."""
    if isinstance(value, str):
        return redact(value)
    if isinstance(value, int | float | None):
        return value
    if isinstance(value, Mapping):
        return {key: _redacted(member) for key, member in value.items()}
    if isinstance(value, list | tuple):
        return [_redacted(member) for member in value]
    return redact(str(value))
