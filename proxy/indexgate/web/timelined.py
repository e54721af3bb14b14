"""The timeline of a project as of a day, made from what the store keeps and what the page lists.

Flags are computed anew, from nothing later than the day: what is told of a past day is what the
checks of this release say with what is kept of the time up to it.
"""

import asyncio
from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta

import numpy as np
from msgspec import Struct
from msgspec.structs import replace
from packaging.utils import NormalizedName

from indexgate.assessing import OURS, assessed
from indexgate.charts.view import View
from indexgate.config import Settings
from indexgate.errors import GateError
from indexgate.index.listing import Listing
from indexgate.index.protocol import NoSuchProject, UpstreamFailed
from indexgate.indexes import NO_PROJECT_HINT
from indexgate.logs import logger
from indexgate.past import Recalled
from indexgate.store.history import PANEL_DAYS
from indexgate.stored_past import EVENTS_SINCE, StoredPast
from indexgate.upstream_choice import UpstreamChoice
from indexgate.web.parts import Parts, open_parts
from indexgate_policy.assess import FORMULA
from indexgate_policy.downloads import breaks
from indexgate_policy.downloads.panel import Panel
from indexgate_policy.events import Event
from indexgate_policy.flags import Flag
from indexgate_policy.signals import Signal, Unknown
from indexgate_policy.timeline.entries import timeline

_ONLY_NOW = frozenset({"yanked", "quarantined", "malware"})
"""Flags on what the page or a third party says today, without saying since when."""

_NOT_ASKED = Unknown(reason="a timeline does not look at advisories")
_DAY = timedelta(days=1)


class _Then(Struct, frozen=True, kw_only=True):
    """A project as it was known at a moment: what is remembered, and the flags of that."""

    recalled: Recalled
    flags: tuple[Flag, ...] = ()
    notes: tuple[str, ...] = ()


async def timeline_of(
    settings: Settings,
    upstream: UpstreamChoice,
    name: NormalizedName,
    *,
    until: date | None,
    days: int,
) -> View:
    """Return the *days* days of *name* up to *until* (today). Raises GateError.

    Sources are not asked; the index is, for the page, and when it does not answer the store alone
    tells.
    """
    async with open_parts(settings, upstream, base="/") as parts:
        return await told(parts, name, until=until, days=days)


async def told(parts: Parts, name: NormalizedName, *, until: date | None, days: int) -> View:
    """Return the timeline of *name* by the open *parts* of a gate."""
    now = parts.clock()
    today = now.astimezone(UTC).date()
    is_past = until is not None and until < today
    until = until if until is not None and is_past else today
    moment = datetime.combine(until, time.max, UTC) if is_past else now
    try:
        listing = await parts.indexes.listing(name, asked=False)
    except (NoSuchProject, UpstreamFailed) as error:
        parts = parts.about(parts.known_by(name))
        then = await asyncio.to_thread(_by_store_alone, parts, name, moment)
        if not then.recalled.events and isinstance(then.recalled.history, Unknown):
            raise _nothing(error, parts, name) from error
    else:
        parts = parts.about(parts.indexes.gate_of(listing))
        then = await _by_page(parts, _as_of(listing, moment), moment, is_past=is_past)
    return await asyncio.to_thread(_view, parts, name, then, now=now, until=until, days=days)


def _view(
    parts: Parts,
    name: NormalizedName,
    then: _Then,
    *,
    now: datetime,
    until: date,
    days: int,
) -> View:
    first = until - (days - 1) * _DAY
    index_id, history = parts.gate.index_id, parts.store.history
    counted = history.panel(index_id, name, until, days)
    panel, movement = then.recalled.history, then.recalled.movement
    if not isinstance(panel, Unknown) and panel.last_day < first:
        counted = Unknown(reason=f"downloads are only known up to {panel.last_day}")
    if days > PANEL_DAYS and not isinstance(counted, Unknown):
        movement = history.movement(index_id, counted.first_day, counted.days)
        panel, movement = breaks.applied(counted, movement)
    line = timeline(
        name,
        panel,
        movement,
        events=then.recalled.events,
        flags=then.flags,
        first=first,
        last=until,
    )
    notes = [*then.notes]
    if not isinstance(counted, Unknown):
        notes += _about(counted, first, compared=not isinstance(movement, Unknown))
    if until < now.date():
        notes += _loaded_later(parts, first, until)
    return View(
        index=parts.indexes.url_of(index_id),
        at=now,
        until=until,
        formula=FORMULA,
        history=counted,
        timeline=line,
        notes=tuple(notes),
    )


async def _by_page(parts: Parts, listing: Listing, moment: datetime, *, is_past: bool) -> _Then:
    name, index_id = listing.project.name, parts.gate.index_id
    past = StoredPast(parts.store, index_id, _log)
    recalled = await past.recall(name, listing, moment)
    events = {(event.kind, event.text): event for event in _releases(listing)}
    events |= {(event.kind, event.text): event for event in recalled.events}
    known_then = tuple(event for event in events.values() if event.at <= moment)
    recalled = replace(
        recalled,
        events=tuple(sorted(known_then, key=lambda event: event.at)),
        signals=tuple(one for one in recalled.signals if one.observed_at <= moment),
    )
    kept = parts.store.assessments.current(index_id, name)
    signals = [] if kept is None else list(_told_by(kept.inputs, past.speaks_as, moment))
    assessment = await asyncio.to_thread(
        assessed,
        listing,
        signals,
        recalled,
        advisories=_NOT_ASKED,
        popular=parts.popular,
        others=parts.store.assessments,
        now=moment,
    )
    flags = tuple(one for one in assessment.flags if not (is_past and one.check in _ONLY_NOW))
    if not is_past:
        return _Then(recalled=recalled, flags=flags)
    note = "Facts seen later, and those of which only today's state is kept, are left out"
    return _Then(recalled=recalled, flags=flags, notes=(note,))


def _by_store_alone(parts: Parts, name: NormalizedName, moment: datetime) -> _Then:
    store, index_id = parts.store, parts.gate.index_id
    events = store.events.of(index_id, name, moment - EVENTS_SINCE)
    known = tuple(event for event in events if event.at <= moment)
    history = store.history.panel(index_id, name, moment.date())
    notes = ("The page cannot be had: flags are left out, releases are those noted before",)
    if isinstance(history, Unknown):
        return _Then(recalled=Recalled(events=known, history=history), notes=notes)
    movement = store.history.movement(index_id, history.first_day, history.days)
    history, movement = breaks.applied(history, movement)
    return _Then(recalled=Recalled(events=known, history=history, movement=movement), notes=notes)


def _as_of(listing: Listing, moment: datetime) -> Listing:
    """Return *listing* with the releases that were out at *moment*."""
    releases = tuple(
        release
        for release in listing.releases
        if not isinstance(release.released, datetime) or release.released <= moment
    )
    if len(releases) == len(listing.releases):
        return listing
    count = sum(not release.yanked for release in releases)
    project = replace(listing.project, releases=count)
    return replace(listing, project=project, releases=releases)


def _releases(listing: Listing) -> Iterator[Event]:
    first = listing.project.first_upload
    for release in listing.releases:
        if isinstance(release.released, datetime):
            begins = release.released == first
            yield Event(
                kind="first-release" if begins else "release",
                at=release.released,
                text=f"{'first release, ' if begins else 'release '}{release.version}",
                source="page",
            )


def _told_by(
    inputs: tuple[Signal, ...], remade: frozenset[str], moment: datetime
) -> Iterator[Signal]:
    """Yield what sources had said by *moment*; what is made anew is left out."""
    for signal in inputs:
        if signal.source != OURS and signal.source not in remade and signal.observed_at <= moment:
            yield signal


def _about(panel: Panel, first: date, *, compared: bool) -> Iterator[str]:
    """Say what the figures of *panel* from *first* on are not."""
    begin = max(0, (first - panel.first_day).days)
    consumers, bots = panel.consumers[0, begin:], panel.of_class("bot")[0, begin:]
    counted = np.isfinite(consumers)
    if counted.any() and (counted & ~np.isfinite(bots)).sum() * 2 > counted.sum():
        yield (
            "Who installs is bounded by systems and mirrors, since a service told no more: people,"
            " CI and pipelines are shares by rule, and bots are among them"
        )
    elif counted.any():
        yield "People, CI and pipelines are told apart by rule, not counted one by one"
    for known in breaks.BREAKS:
        if known.series == "log" and known.last is None and first < known.first <= panel.last_day:
            before = (
                "changes are told with the days before it brought to the same way"
                if compared
                else "the days before it are not compared with those after it"
            )
            yield f"Counted otherwise from {known.first} on; {before}"


def _loaded_later(parts: Parts, first: date, until: date) -> Iterator[str]:
    end = datetime.combine(until + _DAY, time(), UTC)
    later = sum(
        first <= day.day <= until and day.loaded_at >= end
        for day in parts.store.history.days(parts.gate.index_id)
    )
    if later:
        days = "1 of these days was" if later == 1 else f"{later} of these days were"
        yield f"{days} loaded, or loaded again, after {until}: a gate did not have them then"


def _nothing(error: Exception, parts: Parts, name: NormalizedName) -> GateError:
    if isinstance(error, UpstreamFailed):
        return GateError(
            "upstream-failed",
            f"upstream {error.reason}, and nothing is kept of `{name}`",
            "Try again when the index answers.",
        )
    return GateError(
        "no-such-project",
        f"{parts.indexes.without(name)}, and nothing is kept of it",
        NO_PROJECT_HINT,
    )


def _log(event: str, text: str) -> None:
    logger("timeline").warning(event, text=text)
