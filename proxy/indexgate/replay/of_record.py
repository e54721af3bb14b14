"""The recorded traffic of a gate, replayed from its state folder alone: nothing is asked of anyone.

It reads what a running gate writes and disturbs none. Memory is bounded by the busiest project.
"""

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta

from indexgate.replay import traffic
from indexgate.replay.kept_pages import KeptPages
from indexgate.replay.remembered import recall
from indexgate.replay.replayed import Replayed
from indexgate.replay.replaying import Replaying
from indexgate_policy.rules.replay import Ask


def replay_record(
    pages: KeptPages,
    replaying: Replaying,
    *,
    places: tuple[str, str],
    since: datetime,
    now: datetime,
    begin: Callable[[int], None] = lambda _total: None,
    step: Callable[[], None] = lambda: None,
) -> Replayed:
    """Try both policies on what was asked for from *since* to *now*. Raises StoreFailed.

    *begin* is told how many projects there are, *step* is called after each.
    """
    kept = pages.kept
    names = traffic.names(kept, since)
    begin(len(names))
    first: datetime | None = None
    for name in names:
        asks = traffic.asks(kept, name, since, now)
        if asks:
            first = asks[0].at if first is None else min(first, asks[0].at)
            _project(pages, replaying, name, asks, now)
        step()
    return replaying.result(
        source="record",
        of_what="what the gate recorded",
        since=since,
        until=now,
        places=places,
        notes=_notes(first, since),
    )


def _project(
    pages: KeptPages, replaying: Replaying, name: traffic.Name, asks: list[Ask], now: datetime
) -> None:
    if not pages.configured(name[0]):
        replaying.leave_out(asks)
        return
    recalled = recall(
        pages.kept,
        *name,
        page=pages.of(name),
        asks=asks,
        public=pages.public(name[0]),
        now=now,
    )
    replaying.project(recalled, asks)


def _notes(first: datetime | None, since: datetime) -> Iterator[str]:
    if first is not None and first - since > timedelta(days=1):
        yield f"The record begins on {first:%Y-%m-%d}: there is nothing of the days before"
