"""Durations as a policy writes them: `"90m"`, `"24h"`, `"7d"`, `"2w"`, `"1d12h"`."""

import re
from datetime import UTC, datetime, timedelta

LONGEST = timedelta(days=36_500)
EXAMPLES = '`"90m"`, `"24h"`, `"7d"` or `"2w"`'

_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days", "w": "weeks"}
_WHOLE = re.compile(r"(?:[0-9]{1,9}[smhdw])+")
_PART = re.compile(r"([0-9]+)([smhdw])")


def parse(text: str) -> timedelta:
    """Return the duration that *text* says. Raises ValueError, also beyond 100 years."""
    if not _WHOLE.fullmatch(text):
        raise ValueError(f"not a duration: {text}")
    parts = ((int(number), _UNITS[unit]) for number, unit in _PART.findall(text))
    total = sum((_span(number, unit) for number, unit in parts), timedelta(0))
    if total > LONGEST:
        raise ValueError(f"not a duration: {text}")
    return total


def after(start: datetime, span: timedelta) -> datetime:
    """Return *start* + *span*, or the last moment there is."""
    try:
        return start + span
    except OverflowError:
        return datetime.max.replace(tzinfo=UTC)


def _span(number: int, unit: str) -> timedelta:
    try:
        return timedelta(**{unit: number})
    except OverflowError as error:
        raise ValueError(f"not a duration: {number} {unit}") from error
