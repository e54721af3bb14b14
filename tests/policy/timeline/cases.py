"""Made-up histories that look like real ones, each with what happened beside it."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray
from packaging.utils import NormalizedName

from indexgate_policy.downloads.kinds import CLASSES, INSTALLERS, REGIONS, VERSION_AGES
from indexgate_policy.downloads.panel import Movement, Panel
from indexgate_policy.events import Event, EventKind
from indexgate_policy.flags import Flag
from indexgate_policy.series.finding import Finding
from indexgate_policy.series.findings import findings
from indexgate_policy.signals import Unknown
from indexgate_policy.timeline.entries import Timeline, arranged, timeline

FIRST_DAY = date(2026, 3, 15)
DAYS = 252
SHOWN = 182
LAST_DAY = FIRST_DAY + timedelta(days=DAYS - 1)
NO_MOVEMENT = Unknown(reason="the whole index is not known here")

# Shares of a day's downloads, by `CLASSES`: a small library that people and CI use.
_USUAL = {"mirror": 0.45, "cache": 0.02, "bot": 0.06, "scanner": 0.05, "ci": 0.2, "pipeline": 0.15}
_WEEKEND = {"ci": 0.55, "pipeline": 0.8, "human": 0.45, "mirror": 0.95}


@dataclass(frozen=True, kw_only=True)
class Story:
    """A project's past, and the day until which it is told."""

    name: NormalizedName
    panel: Panel
    events: tuple[Event, ...] = ()
    movement: Movement | Unknown = field(default=NO_MOVEMENT)


def event(kind: EventKind, day: date, text: str, size: float | None = None) -> Event:
    """Return an event at noon of *day*."""
    return Event(
        kind=kind, at=datetime.combine(day, time(12), UTC), text=text, source="test", size=size
    )


def before_end(days: int) -> date:
    """Return the day so many days before the last one."""
    return LAST_DAY - timedelta(days=days)


def quiet(seed: int, daily: float = 150.0) -> "NDArray[np.float32]":
    """Return (DAYS, 7) ordinary downloads, about *daily* a day in all."""
    chance = np.random.default_rng(seed)
    days = np.zeros((DAYS, len(CLASSES)), np.float32)
    shares = {**_USUAL, "human": 1 - sum(_USUAL.values())}
    weekday = np.array([(FIRST_DAY + timedelta(days=d)).weekday() for d in range(DAYS)])
    wander = np.exp(0.15 * np.convolve(chance.normal(size=DAYS + 6), np.ones(7) / 7, "valid"))
    for name, share in shares.items():
        level = daily * share * wander * np.where(weekday >= 5, _WEEKEND.get(name, 0.9), 1.08)
        days[:, CLASSES.index(name)] = chance.poisson(level)
    return days


def panel_of(
    name: str, classes: "NDArray[np.float32]", series: dict[str, Any] | None = None
) -> Panel:
    """Return the panel of one project with *classes* by day; *series* are others of its arrays."""
    weeks = DAYS // 7
    mixes = {
        "installers": np.tile(np.array([90, 60, 15, 5, 5, 5], np.float32), (1, weeks, 1)),
        "regions": np.full((1, weeks, len(REGIONS)), 10, np.float32),
        "version_ages": np.full((1, weeks, len(VERSION_AGES)), 40, np.float32),
    }
    assert mixes["installers"].shape[2] == len(INSTALLERS)
    told: dict[str, Any] = {
        "stars": np.zeros((1, DAYS), np.float32),
        "people": np.zeros((1, DAYS), np.float32),
        "releases": np.zeros((1, DAYS), np.float32),
        "inflow": np.zeros((1, DAYS), np.float32),
        **mixes,
        **(series or {}),
    }
    return Panel(
        names=(NormalizedName(name),),
        first_day=FIRST_DAY,
        classes=classes[None].astype(np.float32),
        born=np.array([-1], np.int32),
        incomplete=np.zeros(DAYS, np.bool_),
        **told,
    )


def bought() -> Story:
    """Downloads bought with a loop that looks like pip on a server; nobody else takes notice."""
    classes = quiet(1)
    chance = np.random.default_rng(11)
    begin = DAYS - 24
    classes[begin:, CLASSES.index("pipeline")] += chance.poisson(7_000, DAYS - begin)
    stars = np.zeros((1, DAYS), np.float32)
    stars[0, ::23] = 1
    return Story(
        name=NormalizedName("tidy-frames"),
        panel=panel_of("tidy-frames", classes, {"stars": stars}),
        events=(
            event("release", before_end(160), "release 1.2.0"),
            event("release", before_end(97), "release 1.3.0"),
            event("owner-change", before_end(33), "owner `ann` replaced by `bo1987`"),
            event("release", before_end(25), "release 1.3.1"),
        ),
    )


def needed() -> Story:
    """A surge that a new dependent brings, with some stars and a release beside it."""
    classes = quiet(2, daily=400)
    chance = np.random.default_rng(12)
    begin = DAYS - 40
    for name, level in (("ci", 2_600), ("pipeline", 1_900), ("human", 700)):
        classes[begin:, CLASSES.index(name)] += chance.poisson(level, DAYS - begin)
    inflow = np.zeros((1, DAYS), np.float32)
    inflow[0, begin : begin + 30] = 4_900
    stars = chance.poisson(0.2, (1, DAYS)).astype(np.float32)
    stars[0, begin:] += chance.poisson(2, DAYS - begin)
    return Story(
        name=NormalizedName("ripple"),
        panel=panel_of("ripple", classes, {"inflow": inflow, "stars": stars}),
        events=(
            event("release", before_end(120), "release 4.0"),
            event("release", before_end(44), "release 4.1"),
            event("new-dependents", before_end(40), "`bigframe` began to need it", size=7 * 4_900),
        ),
    )


def stopped() -> Story:
    """Downloads that stop on a day, after the owners changed and the status with them."""
    classes = quiet(3, daily=900)
    end = DAYS - 12
    for name in ("ci", "pipeline", "human"):
        classes[end:, CLASSES.index(name)] = 0
    classes[end:, CLASSES.index("mirror")] *= 0.6
    classes[DAYS - 75 : DAYS - 68] = np.nan  # days that nobody loaded
    return Story(
        name=NormalizedName("left-bad"),
        panel=panel_of("left-bad", classes),
        events=(
            event("release", before_end(170), "release 0.9"),
            event("status", before_end(13), "status changed from active to archived"),
        ),
    )


STORIES: dict[str, Callable[[], Story]] = {"bought": bought, "needed": needed, "stopped": stopped}


def movement_of(consumers: "NDArray[np.float32] | None" = None) -> Movement:
    """Return the movement of an index that stands still, or moves by *consumers* (DAYS,) logs."""
    weeks = DAYS // 7
    return Movement(
        first_day=FIRST_DAY,
        consumers=np.zeros(DAYS, np.float32) if consumers is None else consumers,
        installers=np.zeros((weeks, len(INSTALLERS)), np.float32),
        regions=np.zeros((weeks, len(REGIONS)), np.float32),
        version_ages=np.zeros((weeks, len(VERSION_AGES)), np.float32),
    )


@cache
def found_in(name: str) -> tuple[Finding, ...]:
    """Return what the history of the story *name* tells; it takes a second."""
    story = STORIES[name]()
    return tuple(findings(story.panel, first=DAYS - SHOWN))


def told(
    name: str,
    *,
    events: tuple[Event, ...] | None = None,
    flags: tuple[Flag, ...] = (),
    **changes: Any,
) -> Timeline:
    """Return the timeline of the story *name*, with other *events* if they are given.

    What was found in its history is taken as it was; *changes* are to the story.
    """
    story = replace(STORIES[name](), **changes)
    return arranged(
        story.name,
        story.panel,
        story.movement,
        found_in(name),
        events=story.events if events is None else events,
        flags=flags,
        first=before_end(SHOWN - 1),
        last=LAST_DAY,
    )


def looked_at(story: Story) -> Timeline:
    """Return the timeline of *story*, its history looked at anew."""
    return timeline(
        story.name,
        story.panel,
        story.movement,
        events=story.events,
        flags=(),
        first=before_end(SHOWN - 1),
        last=LAST_DAY,
    )
