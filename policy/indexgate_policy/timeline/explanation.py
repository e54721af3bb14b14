"""What explains a change: each event near it, its distance in days, and the share it carries."""

from collections.abc import Sequence
from datetime import UTC, date, datetime, time, timedelta
from typing import Final, Literal, TypeAlias, cast

import numpy as np
from msgspec import Struct
from msgspec.structs import replace

from indexgate_policy.downloads.panel import Movement, Panel
from indexgate_policy.events import Event, EventKind
from indexgate_policy.series.explained import Explanations
from indexgate_policy.series.finding import EXPLAINED, Finding
from indexgate_policy.signals import Unknown
from indexgate_policy.timeline.causes import EVERYBODYS, MEASURED, REACH

Verdict: TypeAlias = Literal["explained", "partly explained", "unexplained"]

PARTLY: Final = 0.25
"""From this share on a change is partly explained (science fl-1)."""

_MEMORY = {"step": 14, "drip": 84}  # days that `Explanations` looks back for new dependents
_SERIES: Final[dict[EventKind, str]] = {
    "new-dependents": "inflow",
    "stars": "stars",
    "release": "releases",
}
_CALLED: Final[dict[EventKind, str]] = {
    "new-dependents": "new dependents",
    "stars": "new stars",
    "release": "releases",
}
_NOTED = "download history"  # the source of what no event tells but the history shows
_INFLOW_LASTS = 30


class Cause(Struct, frozen=True, kw_only=True):
    """An event near a change: `lag` days after its onset (before: negative), `carries` 0..1.

    `taken_out` says that the change is what remains without it: it happened to everybody.
    """

    event: Event
    lag: int
    carries: float
    taken_out: bool = False


class Explanation(Struct, frozen=True, kw_only=True):
    """How much of a change known events carry: `share` 0..1, and the events, heaviest first.

    `absent` names what was looked for and is not there, `not_known` what nobody has counted; both
    are of `new dependents`, `new stars` and `releases`, for a surge.
    """

    share: float = 0.0
    causes: tuple[Cause, ...] = ()
    absent: tuple[str, ...] = ()
    not_known: tuple[str, ...] = ()

    @property
    def verdict(self) -> Verdict:
        """Explained from .6 on, partly from .25 on."""
        if self.share >= EXPLAINED:
            return "explained"
        return "partly explained" if self.share >= PARTLY else "unexplained"

    @property
    def owners_changed(self) -> bool:
        """Whether the owners changed near it."""
        return any(cause.event.kind == "owner-change" for cause in self.causes)

    @property
    def says(self) -> str:
        """The verdict in words; a change of owners is told unless the change is explained."""
        if self.verdict == "explained" or not self.owners_changed:
            return self.verdict
        return f"{self.verdict}, and its owners changed"


def explain(
    finding: Finding, panel: Panel, movement: Movement | Unknown, events: Sequence[Event]
) -> Explanation:
    """Return what explains *finding* of *panel*, by what was known on the panel's last day.

    *events* are of the one project that *finding* is of. What happened to the whole index carries
    nothing where *movement* tells of that day: then it was taken out before the finding was made.
    """
    causes = [
        cause
        for event in events
        if event.kind not in MEASURED
        if (cause := _by_table(finding, panel, movement, event)) is not None
    ]
    causes.extend(_measured(finding, panel, events))
    total = sum(cause.carries for cause in causes)
    if finding.by and finding.explained > total + 0.005:
        kind = cast(EventKind, finding.by)
        event = _seen(kind, panel, finding.day, "the history shows what brought it")
        causes.append(_cause(event, finding, panel, finding.explained - total))
        total = finding.explained
    causes.sort(key=lambda cause: (-cause.carries, abs(cause.lag), cause.event.at))
    absent, not_known = _looked_for(finding, panel, causes)
    return Explanation(
        share=min(1.0, total), causes=tuple(causes), absent=absent, not_known=not_known
    )


def _by_table(
    finding: Finding, panel: Panel, movement: Movement | Unknown, event: Event
) -> Cause | None:
    reach = REACH[event.kind]
    lag = _lag(event, finding, panel)
    if not reach.reaches(lag):
        return None
    if event.kind in EVERYBODYS and _told(movement, event.at.date()):
        return Cause(event=event, lag=lag, carries=0.0, taken_out=True)
    return Cause(event=event, lag=lag, carries=reach.carries(finding.kind, lag))


def _measured(finding: Finding, panel: Panel, events: Sequence[Event]) -> list[Cause]:
    """Return new dependents, stars and releases near *finding*, their shares measured."""
    near = [
        event
        for event in events
        if event.kind in MEASURED and REACH[event.kind].reaches(_lag(event, finding, panel))
    ]
    told = with_events(panel, finding.row, near)
    causes: list[Cause] = []
    for kind, share in _shares(finding, told).items():
        of_kind = [event for event in near if event.kind.removeprefix("first-") == kind]
        bring = [event for event in of_kind if _could_bring(kind, event, finding, panel)]
        if share > 0 and not bring:
            of_kind = bring = [_unnoted(kind, told, finding)]
        weight = sum(event.size or 1.0 for event in bring)
        for event in of_kind:
            carried = share * (event.size or 1.0) / weight if event in bring else 0.0
            causes.append(_cause(event, finding, panel, carried))
    return causes


def _shares(finding: Finding, panel: Panel) -> dict[EventKind, float]:
    """Return the share of *finding* that each cause alone carries; they add up to 1 at most."""
    nothing: dict[EventKind, float] = dict.fromkeys(("new-dependents", "stars", "release"), 0.0)
    if finding.kind == "surge" and finding.why in _MEMORY:
        usual, week = finding.before, finding.now
        memory, kinds = _MEMORY[finding.why], tuple(nothing)
    elif finding.kind in ("installer", "region", "version"):
        # A mix that new dependents bring shifts by as much as they bring.
        days = slice(max(0, finding.day - 6), finding.day + 1)
        total = float(np.nansum(panel.consumers[finding.row, days]))
        usual, week = finding.before * total, finding.now * total
        memory, kinds = _MEMORY["step"], ("new-dependents",)
    else:
        return nothing
    for kind in kinds:
        only = Explanations(_told_only(panel, kind))
        nothing[kind], _ = only.of(finding.row, finding.day, usual, week, memory)
    total_share = sum(nothing.values())
    return {kind: share / max(1.0, total_share) for kind, share in nothing.items()}


def _looked_for(
    finding: Finding, panel: Panel, causes: Sequence[Cause]
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return what could have brought a surge: what is not there, and what is not known."""
    if finding.kind != "surge":
        return (), ()
    there = {cause.event.kind.removeprefix("first-") for cause in causes}
    absent: list[str] = []
    not_known: list[str] = []
    for kind, series in _SERIES.items():
        since = max(0, finding.day - _look_back(kind, finding))
        seen = getattr(panel, series)[finding.row, since : finding.day + 1]
        if kind not in there:
            (absent if np.isfinite(seen).any() else not_known).append(_CALLED[kind])
    return tuple(absent), tuple(not_known)


def _told_only(panel: Panel, kind: EventKind) -> Panel:
    """Return *panel* as if nothing were known of what could explain a rise but *kind*."""
    nothing = np.full_like(panel.stars, np.nan)
    return replace(
        panel,
        inflow=panel.inflow if kind == "new-dependents" else nothing,
        stars=panel.stars if kind == "stars" else nothing,
        releases=panel.releases if kind == "release" else nothing,
    )


def with_events(panel: Panel, row: int, events: Sequence[Event]) -> Panel:
    """Return *panel* with what *events* tell of its project *row* beside what it knows itself."""
    inflow, stars, releases = panel.inflow.copy(), panel.stars.copy(), panel.releases.copy()
    for event in events:
        day = (event.at.date() - panel.first_day).days
        if not 0 <= day < panel.days:
            continue
        if event.kind == "new-dependents" and event.size is not None:
            lasts = slice(day, day + _INFLOW_LASTS)
            inflow[row, lasts] = np.fmax(inflow[row, lasts], event.size / 7)
        elif event.kind == "stars" and event.size is not None:
            stars[row, day] = np.fmax(stars[row, day], event.size)
        elif event.kind in ("release", "first-release"):
            releases[row, day] = np.fmax(releases[row, day], 1)
    return replace(panel, inflow=inflow, stars=stars, releases=releases)


def _unnoted(kind: EventKind, panel: Panel, finding: Finding) -> Event:
    """Return as an event what the history shows and nobody noted: the day of its highest value."""
    first = max(0, finding.day - _look_back(kind, finding))
    series = getattr(panel, _SERIES[kind])[finding.row, first : finding.day + 1]
    day = first + int(np.nan_to_num(series).argmax())
    peak = float(np.nan_to_num(series).max(initial=0))
    says = {
        "new-dependents": f"new dependents bring {7 * peak:,.0f} downloads a week",
        "stars": f"{np.nansum(series):,.0f} new stars within two weeks",
        "release": "a release",
    }[kind]
    return _seen(kind, panel, day, says)


def _seen(kind: EventKind, panel: Panel, day: int, says: str) -> Event:
    at = datetime.combine(panel.first_day + timedelta(days=day), time(), UTC)
    return Event(kind=kind, at=at, text=says, source=_NOTED)


def _cause(event: Event, finding: Finding, panel: Panel, carries: float) -> Cause:
    return Cause(event=event, lag=_lag(event, finding, panel), carries=min(1.0, carries))


def _lag(event: Event, finding: Finding, panel: Panel) -> int:
    return (event.at.date() - panel.first_day).days - finding.onset


def _could_bring(kind: EventKind, event: Event, finding: Finding, panel: Panel) -> bool:
    """Tell whether *event* is among the days that the measure of its kind looks at."""
    since = finding.day - finding.onset - _lag(event, finding, panel)
    return 0 <= since <= _look_back(kind, finding)


def _look_back(kind: EventKind, finding: Finding) -> int:
    """Return how many days before the day of the finding the measure of *kind* looks at."""
    if kind == "new-dependents":
        return _MEMORY.get(finding.why, 14) + _INFLOW_LASTS
    return 9 if kind == "release" else 13


def _told(movement: Movement | Unknown, day: date) -> bool:
    if isinstance(movement, Unknown):
        return False
    place = (day - movement.first_day).days
    return 0 <= place < len(movement.consumers) and bool(np.isfinite(movement.consumers[place]))
