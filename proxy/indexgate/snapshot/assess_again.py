"""Assessing a project again from what may be given away, with its page if one is kept.

Where none is kept, the signals have to do: a check that looks at releases then could not look, and
says so; it never says that there is nothing.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time
from typing import Any, NoReturn

from msgspec import Struct
from msgspec.structs import replace
from packaging.utils import NormalizedName

from indexgate.assessing import OURS, KnownOwners, assessed
from indexgate.index.listing import Listing, listing
from indexgate.index.page_folder import PageFolder
from indexgate.index.protocol import UpstreamFailed
from indexgate.index.subjects import releases
from indexgate.snapshot.passable import may_be_passed_on
from indexgate.sources.protocol import joined
from indexgate.store.assessments import Assessments
from indexgate.store.database import Store
from indexgate.stored_past import StoredPast
from indexgate_policy.advisories import Advisories
from indexgate_policy.assess import FORMULA, UNCHECKED, WITHOUT_PAGE, assess
from indexgate_policy.assessment import Assessment, Case, Context, PopularNames
from indexgate_policy.checks import CHECKS, Check
from indexgate_policy.flags import Flag
from indexgate_policy.signals import Signal, Unknown
from indexgate_policy.subject import Project, Release

_NOT_SAID = Unknown(reason="who made the snapshot does not say")
_NO_PAGE = "no page was at hand when the snapshot was made"
_TOO_LITTLE = Unknown(reason=f"{_NO_PAGE}, and too little else was known")


class _ReleasesNotKept(Exception):
    """Somebody looked at releases that nobody has."""


class _NotKept(tuple[Release, ...]):
    """Releases of a page that is not kept: whoever looks at them learns that."""

    __slots__ = ()

    def _look(self, *_: Any) -> NoReturn:
        raise _ReleasesNotKept

    __iter__ = __len__ = __getitem__ = __contains__ = __reversed__ = _look


@dataclass(slots=True)
class AssessAgain:
    """Assesses projects of one index in *store* again, as they are at *now*.

    `pages` are the kept pages; *log* is told what cannot be read. `count` is of all that were
    assessed again, `without_page` of those whose page is not kept.
    """

    store: Store
    index_id: str
    public: bool
    pages: PageFolder
    popular: PopularNames
    now: datetime
    runner: asyncio.Runner
    log: Callable[[str, str], None]
    count: int = field(default=0, init=False)
    without_page: int = field(default=0, init=False)

    def __call__(self, found: Assessment, signals: tuple[Signal, ...]) -> Assessment:
        """Return the assessment of the same project by *signals* alone. Raises StoreFailed."""
        self.count += 1
        listed = self._listing(found.project)
        if listed is not None:
            return self._with_page(listed, signals)
        self.without_page += 1
        return self._without_page(found, signals)

    def _with_page(self, listed: Listing, signals: tuple[Signal, ...]) -> Assessment:
        past = StoredPast(self.store, self.index_id, self.log)
        said = tuple(s for s in signals if s.source not in past.speaks_as)
        recalled = self.runner.run(past.recall(listed.project.name, listed, self.now))
        return assessed(
            listed,
            said,
            recalled,
            advisories=self._advisories(listed.project.name),
            popular=self.popular,
            others=_Passable(self.store.assessments),
            now=self.now,
        )

    def _without_page(self, found: Assessment, said: tuple[Signal, ...]) -> Assessment:
        signals = joined(said)
        count, status = signals.value("release_count"), signals.value("index_status")
        if not isinstance(count, int) or not isinstance(status, str):
            return _nothing_to_say(found, said, self.now)
        case = Case(
            project=Project(
                name=found.project,
                index_id=self.index_id,
                public=self.public,
                status=status,
                first_upload=_midnight(signals.value("first_release_at")),
                first_seen=_NOT_SAID,
                releases=count,
            ),
            releases=(),
            signals=signals,
            context=Context(
                popular=self.popular,
                owners_of=KnownOwners(_Passable(self.store.assessments), self.index_id),
            ),
            now=self.now,
        )
        checks = [_without_releases(check) for check in CHECKS]
        anew = assess(case, checks, advisories=self._advisories(found.project))
        about_checks = (signal for signal in anew.inputs if signal.source == OURS)
        return replace(anew, inputs=_in_order((*said, *about_checks, _mark(self.now))))

    def _listing(self, project: NormalizedName) -> Listing | None:
        snapshot = self.pages.load(project)
        if snapshot is None:
            return None
        try:
            page = snapshot.page()
        except UpstreamFailed:
            return None
        about, found = releases(
            page, index_id=self.index_id, public=self.public, first_seen=_NOT_SAID
        )
        return listing(snapshot, page, about, found)

    def _advisories(self, project: NormalizedName) -> Advisories:
        if not self.public:
            nobody = Unknown(reason="public advisories do not speak of this index")
            return Advisories(records=(), feed=nobody, applicable=False)
        state = self.store.advisories.feed_state()
        never = Unknown(reason="the advisory feed has not been read yet")
        return Advisories(
            records=self.store.advisories.of(project),
            feed=never if state is None else state.fetched_at,
        )


class _Passable(Struct, frozen=True):
    """The assessments in force, without what may not be given away."""

    assessments: Assessments

    def current(self, index_id: str, project: NormalizedName) -> Assessment | None:
        """Return the assessment in force. Raises StoreFailed."""
        found = self.assessments.current(index_id, project, lines=False)
        if found is None:
            return None
        return replace(found, inputs=tuple(s for s in found.inputs if may_be_passed_on(s)))


def _without_releases(check: Check) -> Check:
    def run(case: Case) -> Flag | Unknown | None:
        try:
            return check.run(replace(case, releases=_NotKept()))
        except _ReleasesNotKept:
            return Unknown(reason=f"its releases are not known: {_NO_PAGE}")

    return replace(check, run=run)


def _nothing_to_say(found: Assessment, said: tuple[Signal, ...], now: datetime) -> Assessment:
    unchecked = tuple(f"{check.definition.id}: {_TOO_LITTLE.reason}" for check in CHECKS)
    told = Signal(name=UNCHECKED, value=unchecked, source=OURS, observed_at=now)
    return replace(
        found,
        formula=FORMULA,
        inputs=_in_order((*said, told, _mark(now))),
        flags=(),
        score=_TOO_LITTLE,
        assessed_at=now,
        valid_until=now,
    )


def _mark(now: datetime) -> Signal:
    """Return the input by which a gate sees that it has to look at the page first."""
    return Signal(name=WITHOUT_PAGE, value=True, source=OURS, observed_at=now)


def _in_order(signals: tuple[Signal, ...]) -> tuple[Signal, ...]:
    return tuple(sorted(signals, key=lambda signal: signal.name))


def _midnight(day: object) -> datetime | Unknown:
    try:
        return datetime.combine(date.fromisoformat(str(day)[:10]), time(), UTC)
    except ValueError:
        return Unknown(reason=f"when it was first released is not known: {_NO_PAGE}")
