"""What a service told, made fit to be a signal: bounded, printable, and unknown where untold."""

from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime

from indexgate.sources.protocol import About
from indexgate_policy.signals import Signal, Unknown, Value

LONGEST = 500
MOST_TEXTS = 500

_MOST = 2**53
"""No count that a service can mean is larger; JSON has no larger whole numbers either."""


def signals(about: About, values: Mapping[str, Value | Unknown], now: datetime) -> Iterator[Signal]:
    """Yield a signal for every name in `about.gives`; those without a value are `Unknown`."""
    for name in about.gives:
        untold = Unknown(reason=f"{about.title or about.name} does not tell it")
        yield Signal(
            name=name,
            value=values.get(name, untold),
            source=about.name,
            observed_at=now,
            licence=about.licence,
        )


def line(text: str) -> str:
    """Return the first line of *text*, bounded and without control characters."""
    first = next(iter(text.strip()[:LONGEST].splitlines()), "")
    return "".join(c if c.isprintable() else " " for c in first).strip()


def lines(told: Iterable[str]) -> tuple[str, ...]:
    """Return the texts in their order, each once, as one line each; empty ones are left out."""
    return tuple(dict.fromkeys(fit for text in told if (fit := line(text))))[:MOST_TEXTS]


def count(told: int | None, untold: str) -> int | Unknown:
    """Return a count; what is missing or cannot be one is unknown because of *untold*."""
    if told is None or not 0 <= told <= _MOST:
        return Unknown(reason=untold)
    return told


def share(told: float | None, most: float, untold: str) -> float | Unknown:
    """Return a number in 0..*most*; anything else is unknown because of *untold*."""
    if told is None or not 0 <= told <= most:
        return Unknown(reason=untold)
    return told


def moment(text: str | None) -> datetime | None:
    """Return the aware UTC time that *text* (ISO 8601 with an offset) means, None when none."""
    try:
        time = datetime.fromisoformat(text or "")
        return time.astimezone(UTC) if time.tzinfo is not None else None
    except (ValueError, OverflowError):  # in UTC it may lie before the year 1
        return None


def day(text: str | None, untold: str) -> str | Unknown:
    """Return the UTC day of a time, or a plain day, as ISO text; unknown because of *untold*."""
    if (time := moment(text)) is not None:
        return time.date().isoformat()
    try:
        return datetime.strptime(text or "", "%Y-%m-%d").replace(tzinfo=UTC).date().isoformat()
    except ValueError:
        return Unknown(reason=untold)
