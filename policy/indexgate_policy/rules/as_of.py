"""What was known of a project at a moment of the past, and nothing later.

Everything that is kept of a project has a time: files their uploads, advisories their publication,
changes the moment at which they were seen, assessments when they were made. What was known at a
moment changes only at these times, so it is made once for each stretch between two of them.

Where no assessment of that time is kept, what only one can tell is unknown with the reason
`NOT_KEPT`: nothing is assessed anew with what is known today.
"""

import re
from bisect import bisect_right
from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from functools import cached_property
from typing import Literal

from msgspec import Struct
from msgspec.structs import replace

from indexgate_policy.advisories import Advisories, Advisory
from indexgate_policy.assessment import Assessment
from indexgate_policy.events import Event
from indexgate_policy.signals import Signal, Signals, Unknown
from indexgate_policy.subject import File, Project, Release

NOT_KEPT = Unknown(reason="facts of that time are not kept")
FACTS_HOLD = timedelta(days=7)
"""How long an assessment stands for what was known, if none after it is kept."""

_NO_TIME = Unknown(reason="upload times are not known")
_STATUS = re.compile(r"status changed from (\S+) to (\S+)")
_YANK = re.compile(r"version (\S+) yanked")


class Remembered(Struct, frozen=True, kw_only=True):
    """All that is kept of a project, each piece with its time.

    `releases` have every file that is or was listed; `paged` says that they are from the project's
    page, so that none is missing but those that are gone. `assessments` are in order of
    `assessed_at`, `events` in order of time. `advisories` are NOT_KEPT when no feed was ever read.
    """

    project: Project
    releases: tuple[Release, ...]
    paged: bool = True
    events: tuple[Event, ...] = ()
    assessments: tuple[Assessment, ...] = ()
    advisories: tuple[Advisory, ...] | Unknown = NOT_KEPT


class Then(Struct, frozen=True, kw_only=True):
    """What was known of a release in the stretch of time `stretch`.

    `facts` says of what the assessment tells: of all that was known then, of some of it, or of
    advisories only. `paged` says whether the project's releases could be counted.
    """

    release: Release
    assessment: Assessment
    facts: Literal["all", "some", "none"]
    paged: bool = True
    stretch: int = 0


class AsOf:
    """A project's past. Ask it for moments in order: what was made last is at hand."""

    def __init__(self, remembered: Remembered) -> None:
        self._all = remembered
        self._made: tuple[int, _Stretch] | None = None

    @cached_property
    def _release_of(self) -> dict[str, Release]:
        return {file.filename: one for one in self._all.releases for file in one.files}

    @cached_property
    def _out(self) -> "_Out":
        return _Out(self._all.releases)

    @cached_property
    def _turns(self) -> list[datetime]:
        """The moments at which something became known."""
        moments: set[datetime] = {event.at for event in self._all.events}
        moments |= {one.assessed_at for one in self._all.assessments}
        moments |= {one.assessed_at + FACTS_HOLD for one in self._all.assessments}
        moments |= {
            file.uploaded
            for release in self._all.releases
            for file in release.files
            if isinstance(file.uploaded, datetime)
        }
        if not isinstance(self._all.advisories, Unknown):
            moments |= {one.published for one in self._all.advisories if one.published is not None}
        for known_since in (self._all.project.first_upload, self._all.project.first_seen):
            if isinstance(known_since, datetime):
                moments.add(known_since)
        if self._all.project.watched_since is not None:
            moments.add(self._all.project.watched_since)
        return sorted(moments)

    def then(self, filename: str, at: datetime) -> Then:
        """Return what was known at *at* of the release of *filename*.

        The file itself counts as there, since somebody asked for it. Raises KeyError when no
        release has it.
        """
        release = self._release_of[filename]
        stretch = bisect_right(self._turns, at)
        if self._made is None or self._made[0] != stretch:
            self._made = stretch, _Stretch(self._all, self._out, at)
        known = self._made[1]
        return Then(
            release=known.release(release, filename),
            assessment=known.assessment,
            facts="all" if known.kept else "none",
            paged=self._all.paged,
            stretch=stretch,
        )


class _Out:
    """When each version came out; one with a file of which nobody knows was always there."""

    def __init__(self, releases: Iterable[Release]) -> None:
        self._since = {one.version: _first_out(one) for one in releases}
        self._sorted = sorted(at for at in self._since.values() if at is not None)
        self._always = len(self._since) - len(self._sorted)

    def count(self, at: datetime, yanked: Iterable[str]) -> int:
        """Return how many versions were out at *at*, without those that were *yanked*."""
        out = self._always + bisect_right(self._sorted, at)
        return out - sum(self._is_out(version, at) for version in yanked)

    def _is_out(self, version: str, at: datetime) -> bool:
        if version not in self._since:
            return False
        since = self._since[version]
        return since is None or since <= at


class _Stretch:
    """What was known from *at* until something else became known."""

    def __init__(self, remembered: Remembered, out: "_Out", at: datetime) -> None:
        self._at = at
        self._out = out
        self._events = [event for event in remembered.events if event.at <= at]
        made = _newest(remembered.assessments, at)
        self.kept = made is not None
        self.assessment = replace(
            made or _unassessed(remembered.project, at),
            advisories=_advisories(remembered, at),
        )
        signals = Signals() if made is None else Signals(made.inputs)
        since = None if made is None else made.assessed_at
        self._yanked = self._yanked_by(signals, since)
        self._releases: dict[str, Release] = {}
        self._project = self._project_then(remembered, self._status(signals, since))

    def release(self, release: Release, asked: str) -> Release:
        """Return *release* with the files that were there, *asked* among them."""
        found = self._releases.get(release.version)
        if found is None or all(file.filename != asked for file in found.files):
            found = self._releases[release.version] = self._made(release, asked)
        return found

    def _made(self, release: Release, asked: str) -> Release:
        there = [one for one in release.files if one.filename == asked or self._is_out(one)]
        uploads = [one.uploaded for one in there]
        known = [one for one in uploads if isinstance(one, datetime)]
        released = min(known) if known and len(known) == len(uploads) else _unknown_of(uploads)
        yanked = release.version in self._yanked
        files = tuple(
            replace(one, project=self._project, released=released, yanked=yanked) for one in there
        )
        return Release(
            version=release.version, parsed=release.parsed, released=released, files=files
        )

    def _is_out(self, file: File) -> bool:
        return isinstance(file.uploaded, Unknown) or file.uploaded <= self._at

    def _project_then(self, remembered: Remembered, status: str) -> Project:
        project = remembered.project
        first_upload = project.first_upload
        first_seen, watched_since = project.first_seen, project.watched_since
        if isinstance(first_upload, datetime) and first_upload > self._at:
            first_upload = NOT_KEPT  # what was there before is gone
        if isinstance(first_seen, datetime) and first_seen > self._at:
            first_seen = NOT_KEPT
        if watched_since is not None and watched_since > self._at:
            first_seen, watched_since = NOT_KEPT, None
        return replace(
            project,
            status=status,
            status_reason="",
            first_upload=first_upload,
            first_seen=first_seen,
            watched_since=watched_since,
            releases=self._out.count(self._at, self._yanked),
        )

    def _yanked_by(self, signals: Signals, since: datetime | None) -> frozenset[str]:
        told = signals.value("yanked_versions")
        listed = told if isinstance(told, tuple) else ()
        return frozenset((*listed, *(match[1] for match in self._matches("yank", _YANK, since))))

    def _status(self, signals: Signals, since: datetime | None) -> str:
        told = signals.value("index_status")
        changes = [match[2] for match in self._matches("status", _STATUS, since)]
        return [told if isinstance(told, str) else "active", *changes][-1]

    def _matches(
        self, kind: str, pattern: re.Pattern[str], since: datetime | None
    ) -> Iterator[re.Match[str]]:
        for event in self._events:
            if event.kind == kind and (since is None or event.at > since):
                match = pattern.fullmatch(event.text)
                if match is not None:
                    yield match


def _first_out(release: Release) -> datetime | None:
    uploads = [file.uploaded for file in release.files]
    known = [at for at in uploads if isinstance(at, datetime)]
    return min(known) if known and len(known) == len(uploads) else None


def _newest(assessments: tuple[Assessment, ...], at: datetime) -> Assessment | None:
    place = bisect_right(assessments, at, key=lambda one: one.assessed_at)
    found = assessments[place - 1] if place else None
    return found if found is not None and at < found.assessed_at + FACTS_HOLD else None


def _unassessed(project: Project, at: datetime) -> Assessment:
    """Return an assessment that tells nothing; `replay` says so wherever it is asked."""
    inputs: tuple[Signal, ...] = ()
    return Assessment(
        index_id=project.index_id,
        project=project.name,
        formula="",
        inputs=inputs,
        flags=(),
        score=NOT_KEPT,
        assessed_at=at,
        valid_until=at,
    )


def _advisories(remembered: Remembered, at: datetime) -> Advisories | Unknown:
    """Return those that had been published; the feed counts as read at any time."""
    if not remembered.project.public:
        nobody = Unknown(reason="public advisories do not speak of this index")
        return Advisories(records=(), feed=nobody, applicable=False)
    if isinstance(remembered.advisories, Unknown):
        return remembered.advisories
    records = tuple(one for one in remembered.advisories if _is_published(one, at))
    return Advisories(records=records, feed=datetime.max.replace(tzinfo=at.tzinfo))


def _is_published(advisory: Advisory, at: datetime) -> bool:
    return advisory.published is not None and advisory.published <= at


def _unknown_of(moments: Iterable[datetime | Unknown]) -> Unknown:
    return next((one for one in moments if isinstance(one, Unknown)), _NO_TIME)
