"""Assessing projects without their pages, from their history: what a whole index takes.

Nobody asked for most of these projects, so there is no page and nothing that sources said of late:
an assessment rests on the name, the downloads, the advisories and what was stored before. The input
`without_page` says so. When a client asks for such a project, its page is looked at as at first
sight.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import cached_property, partial
from typing import TYPE_CHECKING

from msgspec import Struct
from msgspec.structs import replace
from packaging.utils import NormalizedName

from indexgate.assessing import OURS
from indexgate.sources import popular
from indexgate.store.database import Store
from indexgate.stored_past import CLEANED
from indexgate_policy.advisories import Advisories
from indexgate_policy.assess import WITHOUT_PAGE, assess
from indexgate_policy.assessment import Assessment, Case, Context, Lookalike, PopularNames
from indexgate_policy.checks import CHECKS, SERIES_CHECKS
from indexgate_policy.signals import Signal, Signals, Unknown, Value
from indexgate_policy.subject import Project

if TYPE_CHECKING:
    from indexgate_policy.downloads.panel import Movement, Panel

CHUNK = 4096
"""Projects whose histories are held in memory at once, by each worker: some 60 MB."""

_UNLIKE = "resembles_nothing"
"""The signal of a name that resembles no popular one, with the day of the list of these."""

_NEVER_ASKED = Unknown(reason="no client has asked this gate for it yet")
_NO_FEED = Unknown(reason="no advisory feed has been read yet")
_NO_FIRST = Unknown(reason="nobody has looked at its page yet")


class Part(Struct, frozen=True, kw_only=True):
    """The share of one of several workers: the chunks `number`, `number + of`, and so on."""

    number: int = 0
    of: int = 1


def assessed_chunks(
    store: Store, index_id: str, now: datetime, names: PopularNames, part: Part
) -> Iterator[list[Assessment]]:
    """Yield the assessments of the projects of *part*, `CHUNK` at a time. Raises StoreFailed.

    Those that clients asked for are left out: they are assessed with their page.
    """
    from indexgate_policy.downloads import breaks

    asked = store.projects.asked(index_id)
    until = now.astimezone(UTC).date()
    state = store.advisories.feed_state()
    listed = popular.counted_on().isoformat()
    feed = _NO_FEED if state is None else state.fetched_at
    panels = store.history.panels(index_id, until, chunk=CHUNK, part=(part.number, part.of))
    for counted in panels:
        moved = store.history.movement(index_id, counted.first_day, counted.days)
        panel, movement = breaks.applied(counted, moved)
        whole = _Whole(
            store=store,
            index_id=index_id,
            now=now,
            names=names,
            movement=movement,
            feed=feed,
            listed=listed,
        )
        yield [one for one in whole.assessed(panel) if one.project not in asked]


class _Remembered(Struct, frozen=True):
    """Popular names, without looking again at names that resembled none of this list before."""

    names: PopularNames
    unlike: frozenset[str]

    def lookalike(self, name: NormalizedName) -> Lookalike | None:
        """Return the popular name that *name* resembles most."""
        return None if name in self.unlike else self.names.lookalike(name)

    def rank(self, name: NormalizedName) -> int | None:
        """Return the rank of *name*, None when it is not on the list."""
        return self.names.rank(name)

    @property
    def least_downloads(self) -> int:
        """Downloads of the last name on the list."""
        return self.names.least_downloads


@dataclass(frozen=True, kw_only=True)
class _Whole:
    """What is the same for all projects of an index."""

    store: Store
    index_id: str
    now: datetime
    names: PopularNames
    movement: "Movement | Unknown"
    feed: datetime | Unknown
    listed: str

    def assessed(self, panel: "Panel") -> Iterator[Assessment]:
        """Yield the assessment of each project of *panel*."""
        from indexgate_policy.alike import Quiet
        from indexgate_policy.downloads.summary import summaries

        moved = self._moved(panel)
        quiet = Quiet(panel, moved)
        over = datetime.combine(panel.last_day + timedelta(days=1), time(), UTC)
        before = self.store.assessments.inputs_of(self.index_id, panel.names, wanted=_is_kept)
        names = _Remembered(self.names, self._unlike(before))
        told = summaries(panel, observed_at=over, source=CLEANED)
        for row, (name, cleaned) in enumerate(zip(panel.names, told, strict=True)):
            said = [one for one in before.get(name, ()) if one.name != _UNLIKE]
            signals = Signals((*said, *cleaned))
            case = partial(self._case, panel, row, signals, names)
            unlike = names.lookalike(name) is None
            like = quiet.alike(row, case) if unlike and not said else None
            if like is not None:
                found = like.assessed(name, signals)
            else:
                # Where nothing moved, the checks on series would look at every one for nothing.
                checks = CHECKS if row in moved else _CALM
                found = assess(case(), checks, self._advisories(name), exact=False)
            yield self._marked(found, unlike=unlike)

    def _case(self, panel: "Panel", row: int, signals: Signals, names: PopularNames) -> Case:
        return Case(
            project=self._project(panel, row),
            releases=(),
            signals=signals,
            context=Context(popular=names, movement=self.movement),
            now=self.now,
            history=panel.only(slice(row, row + 1)),
        )

    def _moved(self, panel: "Panel") -> frozenset[int]:
        """Return the rows in which a finding may be in force: its rule held lately."""
        from indexgate_policy.checks.series import HOLDS, MIX_HOLDS
        from indexgate_policy.series.findings import findings

        movement = None if isinstance(self.movement, Unknown) else self.movement
        found = findings(
            panel,
            movement,
            first=max(0, panel.days - HOLDS.days - 1),
            first_mix=max(0, panel.days - MIX_HOLDS.days - 1),
        )
        return frozenset(finding.row for finding in found)

    def _unlike(self, before: Mapping[NormalizedName, Iterable[Signal]]) -> frozenset[str]:
        """Return the names that resembled none of today's list *before*."""
        return frozenset(
            name
            for name, inputs in before.items()
            if any(one.name == _UNLIKE and one.value == self.listed for one in inputs)
        )

    def _marked(self, assessment: Assessment, *, unlike: bool) -> Assessment:
        """Mark *assessment*, and leave out the score's lines: with the page they are made anew."""
        score = assessment.score
        return replace(
            assessment,
            inputs=(*assessment.inputs, *(self._marks if unlike else self._marks[:1])),
            score=score
            if isinstance(score, Unknown) or not score.lines
            else replace(score, lines=()),
        )

    @cached_property
    def _marks(self) -> tuple[Signal, Signal]:
        marks: dict[str, Value] = {WITHOUT_PAGE: True, _UNLIKE: self.listed}
        without_page, unlike = (
            Signal(name=name, value=value, source=OURS, observed_at=self.now)
            for name, value in marks.items()
        )
        return without_page, unlike

    def _project(self, panel: "Panel", row: int) -> Project:
        born = int(panel.born[row])
        known = 0 <= born < panel.days
        return Project(
            name=panel.names[row],
            index_id=self.index_id,
            public=True,
            first_upload=_midnight(panel.first_day + timedelta(days=born)) if known else _NO_FIRST,
            first_seen=_NEVER_ASKED,
            releases=0,
        )

    def _advisories(self, name: NormalizedName) -> Advisories | Unknown:
        if isinstance(self.feed, Unknown):
            return self.feed
        return Advisories(records=self.store.advisories.of(name), feed=self.feed)


_CALM = tuple(check for check in CHECKS if check not in SERIES_CHECKS)


def _is_kept(name: str, source: str) -> bool:
    """Tell whether a signal of an earlier assessment is of use: not one that is made anew here."""
    return source not in {OURS, CLEANED} or name == _UNLIKE


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), UTC)
