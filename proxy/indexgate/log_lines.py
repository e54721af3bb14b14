"""An event of the log as a line: for people, or as JSON for programs."""

import json
from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

import msgspec

Event: TypeAlias = Mapping[str, Any]
"""`event`, `level` and `timestamp`, and what else there is to tell; `exception` is a traceback."""

Render: TypeAlias = Callable[[Event], str]

_END, _BRIGHT, _DIM = "\x1b[0m", "\x1b[1m", "\x1b[2m"
_RED, _GREEN, _YELLOW, _MAGENTA, _CYAN = (f"\x1b[{code}m" for code in (31, 32, 33, 35, 36))
_OF_LEVEL = {"debug": _GREEN, "info": _GREEN, "warning": _YELLOW, "error": _RED}
_APART = frozenset({"event", "level", "timestamp", "exception"})
_QUOTED = frozenset(" =\"'")


def as_json(event: Event) -> str:
    """Return *event* as JSON, several times as fast as the standard library's encoder."""
    try:
        return msgspec.json.encode(event).decode()
    except (UnicodeEncodeError, TypeError):  # a client's bytes that are no text, say
        return json.dumps(event, default=str)


def as_text(event: Event) -> str:
    """Return *event* for people: when, how grave, what, and the rest in the order of its names."""
    return _text(event, lambda _style, text: text)


def as_coloured_text(event: Event) -> str:
    """Return what `as_text` does, coloured for a terminal."""
    return _text(event, lambda style, text: f"{style}{text}{_END}")


def _text(event: Event, paint: Callable[[str, str], str]) -> str:
    level = event["level"]
    words = [
        paint(_DIM, event["timestamp"]),
        f"[{paint(_OF_LEVEL[level] + _BRIGHT, level.ljust(9))}]",
        paint(_BRIGHT, event["event"].ljust(30)),
        *(
            f"{paint(_CYAN, name)}={paint(_MAGENTA, _shown(event[name]))}"
            for name in sorted(event.keys() - _APART)
        ),
    ]
    line = " ".join(words)
    return f"{line}\n{event['exception']}" if "exception" in event else line


def _shown(value: object) -> str:
    # A terminal would obey control characters that a client sent.
    plain = isinstance(value, str) and value.isprintable() and not _QUOTED & set(value)
    return str(value) if plain else repr(value)
