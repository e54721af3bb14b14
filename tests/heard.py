"""What the gate told its log, as the events they were."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from io import StringIO
from typing import Any

from indexgate import logs
from indexgate.log_lines import Event


@contextmanager
def as_before() -> Iterator[None]:
    """Leave the log as it was: commands set it up for the process."""
    there = logs.log()
    try:
        yield
    finally:
        logs.use(there)


@contextmanager
def heard() -> Iterator[list[Mapping[str, Any]]]:
    """Give a list that gets every event there is within; nothing is written."""
    events: list[Event] = []

    def keep(event: Event) -> str:
        events.append(event)
        return ""

    with as_before():
        logs.use(logs.Log(keep, "debug", StringIO()))
        yield events
