"""The gate's log: one line an event on stderr, for people or as JSON, without credentials.

Only the gate's own loggers are set up; those of libraries stay as they are.
"""

import json
import sys
from collections.abc import Callable, Mapping
from typing import Any, Literal, TextIO, cast

import msgspec
import structlog
from structlog.typing import EventDict, FilteringBoundLogger, WrappedLogger

from indexgate.index.trace import current
from indexgate.redact import redact


def configure(
    *,
    form: Literal["text", "json"],
    level: Literal["debug", "info", "warning", "error"],
    stream: TextIO | None = None,
    environ: Mapping[str, str],
) -> None:
    """Set up the log of this process. Colours only on a terminal and without `NO_COLOR`."""
    stream = stream or sys.stderr
    renderer: structlog.typing.Processor = structlog.processors.JSONRenderer(serializer=_as_json)
    if form == "text":
        colours = stream.isatty() and not environ.get("NO_COLOR")
        renderer = structlog.dev.ConsoleRenderer(
            colors=colours, exception_formatter=structlog.dev.plain_traceback
        )
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            with_request_id,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,  # as text: local variables stay out of it
            without_credentials,
            renderer,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.WriteLoggerFactory(file=stream),
        cache_logger_on_first_use=False,
    )


def _as_json(event: EventDict, **_: Any) -> str:
    """Return *event* as JSON, several times as fast as the standard library's encoder."""
    try:
        return msgspec.json.encode(event).decode()
    except (UnicodeEncodeError, TypeError):  # a client's bytes that are no text, say
        return json.dumps(event, default=str)


def logger(part: str) -> FilteringBoundLogger:
    """Return the logger of a part of the gate, such as `upstream`."""
    return cast(FilteringBoundLogger, structlog.get_logger(part=part))


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
    log = logger(part)

    def tell(event: str, text: str) -> None:
        log.warning(event, text=text) if event in _TROUBLE else log.info(event, text=text)

    return tell


def with_request_id(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    """Name the request that *event* happened in, or that began what it happened in."""
    trace = current()
    if trace is not None:
        event.setdefault("id", trace.id)
    return event


def without_credentials(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    """Redact every text of *event*, however deep it lies."""
    return {key: _redacted(value) for key, value in event.items()}


def _redacted(value: Any) -> Any:
    if isinstance(value, str):
        return redact(value)
    if isinstance(value, int | float | None):
        return value
    if isinstance(value, Mapping):
        return {key: _redacted(member) for key, member in value.items()}
    if isinstance(value, list | tuple):
        return [_redacted(member) for member in value]
    return redact(str(value))
