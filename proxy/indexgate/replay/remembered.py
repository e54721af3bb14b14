"""What is kept of a project, put together: its page, the store's facts, and files long gone."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime, timedelta

from msgspec import Struct
from msgspec.structs import replace
from packaging.utils import NormalizedName

from indexgate.assessing import is_without_page
from indexgate.simple.filename import parse
from indexgate.store.past_alone import KeptPast
from indexgate_policy.advisories import Advisory
from indexgate_policy.assessment import Assessment
from indexgate_policy.events import Event
from indexgate_policy.rules.as_of import NOT_KEPT, Remembered
from indexgate_policy.rules.became import Became, became
from indexgate_policy.rules.replay import Ask
from indexgate_policy.signals import Unknown
from indexgate_policy.subject import File, Project, Release

_EVER = datetime(1970, 1, 1, tzinfo=UTC)
_KEPT_FACTS = timedelta(days=1)


class Paged(Struct, frozen=True, kw_only=True):
    """A project as its page, kept or fetched, shows it."""

    project: Project
    releases: Sequence[Release]


class Recalled(Struct, frozen=True, kw_only=True):
    """A project's past, and what is told of its files today."""

    past: Remembered
    listed: frozenset[str] | Unknown
    yanked: frozenset[str]
    status: str | Unknown

    def became(self, ask: Ask) -> Became:
        """Return what the file of *ask* is today."""
        advisories = self.past.advisories
        listed: bool | Unknown = (
            self.listed if isinstance(self.listed, Unknown) else ask.filename in self.listed
        )
        return became(
            ask.version,
            listed=listed,
            status=self.status,
            yanked=ask.filename in self.yanked,
            advisories=() if isinstance(advisories, Unknown) else advisories,
            events=self.past.events,
        )


def recall(
    kept: KeptPast,
    index_id: str,
    name: NormalizedName,
    *,
    page: Paged | None,
    asks: Iterable[Ask],
    public: bool,
    now: datetime,
) -> Recalled:
    """Return what is kept of the project *name*, with every file of *asks*. Raises StoreFailed."""
    events = kept.events.of(index_id, name, _EVER)
    project, releases = (
        (_pageless(kept, index_id, name, public), ())
        if page is None
        else (replace(page.project, last_upload=NOT_KEPT), page.releases)  # some may be gone
    )
    listed = frozenset(file.filename for one in releases for file in one.files)
    gone = _gone(project, [one for one in asks if one.filename not in listed], events)
    return Recalled(
        past=Remembered(
            project=project,
            releases=_joined(releases, gone),
            paged=page is not None,
            events=events,
            assessments=_assessments(kept, index_id, name, now),
            advisories=_advisories(kept, name, public),
        ),
        listed=listed if page is not None else NOT_KEPT,
        yanked=frozenset(
            file.filename for one in releases for file in one.files if file.yanked is not False
        ),
        status=project.status if page is not None else NOT_KEPT,
    )


def _pageless(kept: KeptPast, index_id: str, name: NormalizedName, public: bool) -> Project:
    return Project(
        name=name,
        index_id=index_id,
        public=public,
        first_upload=NOT_KEPT,
        first_seen=kept.projects.first_seen(index_id, name) or NOT_KEPT,
        watched_since=kept.created_at,
        releases=0,
    )


def _gone(project: Project, asks: Iterable[Ask], events: Sequence[Event]) -> Iterator[File]:
    """Yield the files of *asks* as far as their names and the events tell of them."""
    uploaded = dict(_uploads(events))
    for ask in {one.filename: one for one in asks}.values():
        named = parse(ask.filename, project.name)
        at = uploaded.get(ask.version, NOT_KEPT)
        yield File(
            project=project,
            filename=ask.filename,
            kind=named.kind,
            version=ask.version,
            parsed=named.parsed or Unknown(reason=f"`{ask.version}` is not a PEP 440 version"),
            uploaded=at,
            released=at,
            provenance=NOT_KEPT,
        )


def _uploads(events: Iterable[Event]) -> Iterator[tuple[str, datetime]]:
    for event in events:
        if event.kind in {"release", "first-release"}:
            yield event.text.rpartition(" ")[2], event.at


def _joined(releases: Sequence[Release], gone: Iterable[File]) -> tuple[Release, ...]:
    """Return *releases* with the files that are gone in their versions."""
    by_version = {release.version: release for release in releases}
    for file in gone:
        there = by_version.get(file.version) or Release(
            version=file.version, parsed=file.parsed, released=file.released, files=()
        )
        by_version[file.version] = Release(
            version=there.version,
            parsed=there.parsed,
            released=there.released,
            files=(*there.files, file),
        )
    return tuple(by_version.values())


def _assessments(
    kept: KeptPast, index_id: str, name: NormalizedName, now: datetime
) -> tuple[Assessment, ...]:
    found = {one.assessed_at: one for one in kept.facts_then.of(index_id, name)}
    for one in (
        kept.assessments.in_force_since(index_id, name, now - _KEPT_FACTS),
        kept.assessments.current(index_id, name, lines=False),
    ):
        if one is not None and not is_without_page(one):
            found.setdefault(one.assessed_at, one)
    return tuple(found[at] for at in sorted(found))


def _advisories(
    kept: KeptPast, name: NormalizedName, public: bool
) -> tuple[Advisory, ...] | Unknown:
    if not public:
        return ()
    if kept.advisories.feed_state() is None:
        return NOT_KEPT
    return kept.advisories.of(name)
