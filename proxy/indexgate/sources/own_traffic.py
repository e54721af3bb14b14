"""What this gate's own clients ask for, as signals: the demand that no public log shows.

A company's mirror stands in the public log as one client; its gate sees who is behind it. And it
alone knows which names were asked for before anybody had made them.
"""

from collections.abc import Iterator
from datetime import datetime, timedelta

from indexgate.store.asked import Counts
from indexgate.store.missing_names import KEPT, WaitedFor
from indexgate_policy.signals import Signal, Unknown, Value
from indexgate_policy.subject import Project

SOURCE = "own-traffic"
"""The source of these signals. None of them is for others: not in snapshots, not to services."""

DAYS = 30
"""Of how many days, the running one among them, requests are counted."""

_LAG = timedelta(hours=1)
"""A name that has just been made may be answered as missing for a little while."""

_NOT_THERE = Unknown(reason="this gate was not there before the first upload")
_BEFORE_AND_AFTER = Unknown(
    reason="it was asked for before its first upload, and again when it was missing later"
)


def signals(
    project: Project,
    counts: Counts,
    waited_for: WaitedFor | None,
    *,
    watched_since: datetime,
    now: datetime,
) -> Iterator[Signal]:
    """Yield what *counts* (of `DAYS` days) and *waited_for* say of *project* at *now*.

    *watched_since* is when this gate began to keep them. Systems are counted but are no signal:
    machines that fetch everything say nothing of one project.
    """
    values: dict[str, Value | Unknown] = {
        "asked_here_by_people": counts.people,
        "asked_here_by_ci": counts.ci,
    }
    first = project.first_upload
    if project.public and (isinstance(first, Unknown) or now - first < KEPT):
        values["asked_before_it_existed"] = _before(first, waited_for, watched_since)
    for name, value in values.items():
        yield Signal(name=name, value=value, source=SOURCE, observed_at=now)


def _before(
    first_upload: datetime | Unknown, waited_for: WaitedFor | None, watched_since: datetime
) -> int | Unknown:
    """Return in how many hours the name was asked for before there was a project."""
    if isinstance(first_upload, Unknown):
        return first_upload
    if waited_for is None or waited_for.first >= first_upload:
        return 0 if watched_since <= first_upload else _NOT_THERE
    if waited_for.last > first_upload + _LAG:
        return _BEFORE_AND_AFTER
    return waited_for.hours
