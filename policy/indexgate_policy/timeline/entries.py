"""The timeline: changes, flags and events of a project in order, and what explains what."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import date
from math import isfinite

from msgspec import Struct
from msgspec.structs import replace
from packaging.utils import NormalizedName

from indexgate_policy.downloads.panel import Movement, Panel
from indexgate_policy.events import Event
from indexgate_policy.flags import Flag
from indexgate_policy.series.finding import Finding
from indexgate_policy.series.findings import findings
from indexgate_policy.signals import Unknown
from indexgate_policy.timeline.changes import SERIES_FLAGS, Change, change_of
from indexgate_policy.timeline.everybody import everybody
from indexgate_policy.timeline.explanation import Cause, explain


class Entry(Struct, frozen=True, kw_only=True):
    """An event on its day; `cause` says what it is to the change `of` (its place in `changes`).

    Both are None for an event that lies near no change.
    """

    event: Event
    of: int | None = None
    cause: Cause | None = None

    @property
    def day(self) -> date:
        """The day (UTC) it happened on."""
        return self.event.at.date()


class Timeline(Struct, frozen=True, kw_only=True):
    """What happened to a project from `first_day` to `last_day`, each in order of time.

    `changes` are those of the download history, with their explanations; `flags` the flags in force
    on the last day that are none of them; `entries` the events, each once, beside the change that
    it explains most of, else the nearest.
    """

    project: NormalizedName
    first_day: date
    last_day: date
    changes: tuple[Change, ...] = ()
    flags: tuple[Flag, ...] = ()
    entries: tuple[Entry, ...] = ()


def timeline(
    project: NormalizedName,
    panel: Panel | Unknown,
    movement: Movement | Unknown,
    *,
    events: Sequence[Event],
    flags: Sequence[Flag],
    first: date,
    last: date,
) -> Timeline:
    """Return the timeline of *project* from *first* to *last*.

    *panel* is of this one project, with a past before *first* where there is one, and its last day
    is the newest that was known on *last*; *flags* are those in force then. What is said rests on
    nothing after *last*.
    """
    if isinstance(panel, Unknown):
        known = _in_order(event for event in events if first <= event.at.date() <= last)
        return Timeline(
            project=project,
            first_day=first,
            last_day=last,
            flags=tuple(flags),
            entries=tuple(Entry(event=event) for event in known),
        )
    since = max(0, (first - panel.first_day).days)
    found = findings(panel, None if isinstance(movement, Unknown) else movement, first=since)
    return arranged(
        project, panel, movement, found, events=events, flags=flags, first=first, last=last
    )


def arranged(
    project: NormalizedName,
    panel: Panel,
    movement: Movement | Unknown,
    found: Sequence[Finding],
    *,
    events: Sequence[Event],
    flags: Sequence[Flag],
    first: date,
    last: date,
) -> Timeline:
    """Return the timeline as `timeline` does, of what was *found* in *panel*."""
    of_all = everybody(panel.first_day, min(last, panel.last_day), movement)
    events = _in_order([*(event for event in events if event.at.date() <= last), *of_all])
    grown = [a_week_on(finding, panel) for finding in found]
    changes = sorted(
        (
            change_of(finding, panel, explain(finding, panel, movement, events), flags)
            for finding in grown
        ),
        key=lambda change: (change.onset, change.told),
    )
    of_changes = {change.flag for change in changes if change.in_force}
    return Timeline(
        project=project,
        first_day=first,
        last_day=last,
        changes=tuple(changes),
        flags=tuple(flag for flag in flags if flag.check not in SERIES_FLAGS & of_changes),
        entries=tuple(_entries(changes, events, first)),
    )


def a_week_on(finding: Finding, panel: Panel) -> Finding:
    """Return a surge or a drop as it stood when its first week was over.

    When it could be told first, its week may still be half of what was before.
    """
    day = min(finding.onset + 6, panel.days - 1)
    if finding.why not in ("step", "drip", "stopped", "part") or day <= finding.day:
        return finding
    week = float(panel.consumers[finding.row, day - 6 : day + 1].sum())
    if not isfinite(week):
        return finding
    return replace(finding, day=day, now=week, explained=0.0, by="")


def _entries(changes: Sequence[Change], events: Sequence[Event], first: date) -> Iterator[Entry]:
    told = [
        (cause, place)
        for place, change in enumerate(changes)
        for cause in change.explanation.causes
    ]
    # What the history shows and no event tells is an event all the same.
    unnoted = {cause.event for cause, _ in told} - set(events)
    for event in _in_order([*events, *unnoted]):
        of_event = [pair for pair in told if pair[0].event == event]
        cause, place = max(
            of_event, key=lambda pair: (pair[0].carries, -abs(pair[0].lag)), default=(None, None)
        )
        # A holiday is worth a line only where it could explain something.
        if place is not None or (event.at.date() >= first and event.kind != "holiday"):
            yield Entry(event=event, of=place, cause=cause)


def _in_order(events: Iterable[Event]) -> list[Event]:
    return sorted(dict.fromkeys(events), key=lambda event: (event.at, event.kind, event.text))
