"""How every source stands: on or off and why, when it answered last, what it may still be asked."""

from collections.abc import Mapping
from datetime import datetime

from msgspec import Struct

from indexgate.config import Settings
from indexgate.source_choice import Standing
from indexgate.upstream_choice import UpstreamChoice
from indexgate.web.parts import Clock, Parts, open_parts, utc_now
from indexgate.web.sources import left_of


class SourceRow(Struct, frozen=True, kw_only=True):
    """One source. `left` is what its limits allow now, empty where there are none.

    `failure` is the last one, if nothing has succeeded since; `signals` the names of what it gives.
    """

    name: str
    on: bool
    why: str
    hint: str
    succeeded_at: datetime | None
    failed_at: datetime | None
    failure: str
    left: str
    gives: str
    signals: tuple[str, ...]
    learns: str
    costs: str


async def standings(
    settings: Settings,
    upstream: UpstreamChoice,
    *,
    clock: Clock = utc_now,
    addresses: Mapping[str, str] | None = None,
) -> tuple[SourceRow, ...]:
    """Return how every source stands; nobody is asked. Raises GateError, PolicyError."""
    async with open_parts(settings, upstream, base="/", clock=clock, addresses=addresses) as parts:
        signals = {s.about.name: s.about.gives for s in parts.gate.facts.observer.all}
        return tuple(
            _row(parts, standing, signals.get(standing.offer.name, ()), clock())
            for standing in parts.sources.standings
        )


def _row(parts: Parts, standing: Standing, signals: tuple[str, ...], now: datetime) -> SourceRow:
    offer = standing.offer
    entry = parts.sources.book.entry(offer.name)
    succeeded, failed, failure = entry.succeeded_at, entry.failed_at, entry.failure
    if offer.name == "osv":
        state = parts.store.advisories.feed_state()
        succeeded = None if state is None else state.fetched_at
    elif offer.daily:
        days = parts.store.history.days(parts.gate.index_id)
        read = [day.loaded_at for day in days if day.source == offer.name and day.complete]
        succeeded = max(read, default=None)
    since = succeeded is not None and failed is not None and succeeded >= failed
    return SourceRow(
        name=offer.name,
        on=standing.on,
        why=standing.why,
        hint=standing.hint,
        succeeded_at=succeeded,
        failed_at=failed,
        failure="" if since else failure,
        left=left_of(parts.sources, offer, now) if standing.on else "",
        gives=offer.gives,
        signals=signals,
        learns=offer.learns,
        costs=offer.costs,
    )
