"""Projects that surge together because one needs the other (science fl-1, co-surge rule).

One runaway job that installs a project brings downloads to all that it needs. The alarm belongs to
the project at the top; those below it are explained by it, as far as its own excess reaches.
"""

from collections import deque
from collections.abc import Collection, Iterable, Mapping
from datetime import UTC, date, datetime, time, timedelta
from typing import Final

from msgspec import Struct
from packaging.utils import NormalizedName, canonicalize_name

from indexgate_policy.assessment import Assessment
from indexgate_policy.events import Event
from indexgate_policy.flags import Flag
from indexgate_policy.signals import Signals

TOGETHER: Final = timedelta(days=3)
"""Surges whose onsets are further apart are not one."""


class Surge(Struct, frozen=True, kw_only=True):
    """A surge of *project*: since when, and how many downloads a week over the usual."""

    project: NormalizedName
    onset: date
    excess: float


class CoSurge(Struct, frozen=True, kw_only=True):
    """The surge of `project` is brought by that of `top`, which needs it (maybe by others).

    `share` 0..1 is how much of it the excess of all tops together can carry.
    """

    project: NormalizedName
    top: NormalizedName
    share: float


def co_surges(
    surges: Iterable[Surge], requires: Mapping[NormalizedName, Collection[NormalizedName]]
) -> tuple[CoSurge, ...]:
    """Return those of *surges* that others bring, by *requires*: what each project needs.

    What is left, the tops, keeps its alarm. Projects that need each other in a circle have the one
    with the largest excess as their top.
    """
    by_name = {surge.project: surge for surge in surges}
    below = {name: _below(name, by_name, requires) for name in by_name}
    tops = _tops(by_name, below)
    found = []
    for name in sorted(by_name.keys() - tops):
        over = sorted(
            (top for top in tops if name in below[top]),
            key=lambda top: (-by_name[top].excess, top),
        )
        share = sum(by_name[top].excess for top in over) / max(by_name[name].excess, 1.0)
        found.append(CoSurge(project=name, top=over[0], share=min(1.0, share)))
    return tuple(found)


def events(
    surges: Iterable[Surge], requires: Mapping[NormalizedName, Collection[NormalizedName]]
) -> tuple[tuple[NormalizedName, Event], ...]:
    """Return for each project that surges with one that needs it an event that tells so.

    To be noted with the project: from then on its surge is explained by it, as by any dependent.
    """
    by_name = {surge.project: surge for surge in surges}
    return tuple(
        (
            found.project,
            Event(
                kind="new-dependents",
                at=datetime.combine(by_name[found.project].onset, time(), UTC),
                text=f"`{found.top}`, which needs it, surges too",
                source="co-surges",
                size=found.share * by_name[found.project].excess,
            ),
        )
        for found in co_surges(by_name.values(), requires)
    )


def events_of(assessments: Iterable[Assessment]) -> tuple[tuple[NormalizedName, Event], ...]:
    """Return what `events` tells of the projects of *assessments* that surge now.

    What a project needs is its signal `requires`; *assessments* are gone through once.
    """
    surges: list[Surge] = []
    requires: dict[NormalizedName, frozenset[NormalizedName]] = {}
    for assessment in assessments:
        surge = _surge(assessment)
        if surge is not None:
            surges.append(surge)
            needed = Signals(assessment.inputs).value("requires")
            names = needed if isinstance(needed, tuple) else ()
            requires[surge.project] = frozenset(map(canonicalize_name, names))
    return events(surges, requires)


def _surge(assessment: Assessment) -> Surge | None:
    flag = assessment.flag("download-surge")
    if flag is None or flag.began is None:
        return None
    excess = _number(flag, "week") - _number(flag, "usual_week")
    return Surge(project=assessment.project, onset=flag.began.date(), excess=max(excess, 1.0))


def _number(flag: Flag, fact: str) -> float:
    value = flag.facts.get(fact)
    return float(value) if isinstance(value, int | float) else 0.0


def _below(
    name: NormalizedName,
    surges: Mapping[NormalizedName, Surge],
    requires: Mapping[NormalizedName, Collection[NormalizedName]],
) -> frozenset[NormalizedName]:
    """Return the surging projects that *name* needs, each at about the time of who needs it."""
    found: set[NormalizedName] = set()
    line = deque([name])
    while line:
        over = line.popleft()
        for needed in requires.get(over, ()):
            if needed == name or needed in found or needed not in surges:
                continue
            if abs(surges[needed].onset - surges[over].onset) <= TOGETHER:
                found.add(needed)
                line.append(needed)
    return frozenset(found)


def _tops(
    surges: Mapping[NormalizedName, Surge],
    below: Mapping[NormalizedName, frozenset[NormalizedName]],
) -> set[NormalizedName]:
    """Return the projects that nobody brings, one of each circle."""
    tops: set[NormalizedName] = set()
    for name in sorted(surges, key=lambda name: (-surges[name].excess, name)):
        over = {other for other in surges if name in below[other]}
        # In a circle everyone is over everyone; who comes first in order is its top.
        circle = over & below[name]
        if not over - circle and not circle & tops:
            tops.add(name)
    return tops
