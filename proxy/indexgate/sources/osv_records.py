"""OSV records: from one JSON document of the feed to advisories about PyPI projects. Pure.

Source: OSV schema 1.7 (CC BY 4.0). The records themselves: malicious-packages Apache-2.0, PYSEC and
GHSA CC BY 4.0. A record may concern several projects and other ecosystems too; only what it says of
PyPI is read. What of a range is not of type `ECOSYSTEM` (commits, say) cannot be compared with a
version and is left out, as is the event `limit`.
"""

import re
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from typing import Literal, Protocol

import msgspec
from msgspec import Struct
from packaging.utils import InvalidName, NormalizedName, canonicalize_name
from packaging.version import InvalidVersion, Version

from indexgate.sources import cvss
from indexgate_policy.advisories import Advisory, Range
from indexgate_policy.flags import Severity
from indexgate_policy.signals import Unknown

SOURCE = "osv"
SUMMARY_LENGTH = 200
"""A summary is cut to this many characters."""

_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:+-]{0,127}")
_WORDS = {
    "low": Severity.LOW,
    "moderate": Severity.MEDIUM,
    "medium": Severity.MEDIUM,
    "high": Severity.HIGH,
    "critical": Severity.CRITICAL,
}


class Record(Struct, frozen=True, kw_only=True):
    """One record of the feed, with an advisory for each PyPI project that it concerns.

    `withdrawn` is True when the record no longer holds (withdrawn, or about PyPI no more);
    `advisories` is empty then.
    """

    id: str
    modified: datetime
    withdrawn: bool
    advisories: tuple[tuple[NormalizedName, Advisory], ...]


class FeedState(Struct, frozen=True, kw_only=True):
    """How far the feed has been read.

    `fetched_at` is when it was last read whole or found unchanged, `newest_modified` the time up to
    which its changes are in, `etag` that of the list of changes as last read, `records` how many
    records the last reading of the whole feed gave.
    """

    fetched_at: datetime
    newest_modified: datetime | None
    etag: str | None
    records: int


class AdvisorySink(Protocol):
    """Where the feed's records go. Called from a thread, one call at a time."""

    def replace_all(self, records: Iterable[Record], feed: FeedState) -> int:
        """Put *records* in the place of all that is held, in one transaction; return the rows.

        When *records* raises, nothing is changed.
        """

    def apply(self, changed: Iterable[Record], feed: FeedState) -> int:
        """Put each of *changed* in the place of the record with its id; delete withdrawn ones."""

    def feed_state(self) -> FeedState | None:
        """Return the state last stored; None before the first."""


class Unreadable(Exception):
    """A document that is not an OSV record; `reason` is one clause."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class _Package(msgspec.Struct, gc=False):
    ecosystem: str = ""
    name: str = ""


class _Event(msgspec.Struct, gc=False):
    introduced: str | None = None
    fixed: str | None = None
    last_affected: str | None = None


class _Range(msgspec.Struct):
    type: str = ""
    events: list[_Event] | None = None


class _Score(msgspec.Struct, gc=False):
    type: object = None
    score: object = None


class _Affected(msgspec.Struct):
    package: _Package | None = None
    versions: list[str] | None = None
    ranges: list[_Range] | None = None
    severity: list[_Score] | None = None


class _Specific(msgspec.Struct):
    # Each database writes here what it likes, so nothing is taken for granted.
    severity: object = None
    origins: object = msgspec.field(default=None, name="malicious-packages-origins")


class _Document(msgspec.Struct):
    id: str
    modified: datetime
    withdrawn: object = None
    published: object = None
    summary: object = None
    details: object = None
    aliases: list[str] | None = None
    affected: list[_Affected] | None = None
    severity: list[_Score] | None = None
    database_specific: _Specific | None = None


_decoder = msgspec.json.Decoder(_Document)


def valid_id(text: str) -> bool:
    """Tell whether *text* can be the id of a record (it goes into addresses)."""
    return _ID.fullmatch(text) is not None


def parse(document: bytes) -> Record | None:
    """Return the record in *document*, None when it does not concern PyPI.

    Raises Unreadable.
    """
    try:
        raw = _decoder.decode(document)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise Unreadable(f"is not an OSV record: {error}") from error
    if not valid_id(raw.id):
        raise Unreadable("has an id that no record can have")
    if raw.modified.tzinfo is None:
        raise Unreadable("has a `modified` time without a zone")
    concerned = _by_project(raw)
    if not concerned:
        return None
    withdrawn = raw.withdrawn is not None
    return Record(
        id=raw.id,
        modified=raw.modified.astimezone(UTC),
        withdrawn=withdrawn,
        advisories=() if withdrawn else tuple(_advisories(raw, concerned)),
    )


def _by_project(raw: _Document) -> dict[NormalizedName, list[_Affected]]:
    """Group what *raw* says by PyPI project; a project may be named more than once."""
    projects: dict[NormalizedName, list[_Affected]] = {}
    for affected in raw.affected or ():
        if affected.package is None or affected.package.ecosystem.partition(":")[0] != "PyPI":
            continue
        try:
            name = canonicalize_name(affected.package.name, validate=True)
        except InvalidName:
            continue  # no index can have such a project, so nobody will ever ask for it
        projects.setdefault(name, []).append(affected)
    return projects


def _advisories(
    raw: _Document, concerned: dict[NormalizedName, list[_Affected]]
) -> Iterator[tuple[NormalizedName, Advisory]]:
    kind = _kind(raw)
    aliases = tuple(raw.aliases or ())
    summary = _summary(raw)
    published = _time(raw.published)
    for name, entries in concerned.items():
        versions = tuple(dict.fromkeys(v for entry in entries for v in entry.versions or ()))
        ranges = tuple(
            span
            for entry in entries
            for stated in entry.ranges or ()
            if stated.type == "ECOSYSTEM"
            for span in _spans(stated.events or ())
        )
        if not versions and not ranges:
            if kind == "vulnerability":
                continue  # by the schema's algorithm such an entry affects no version
            # A report of malware that names no version condemns the name: to read it as "affects
            # nothing" would let malware pass because of a missing field.
            ranges = (Range(introduced="0"),)
        advisory = Advisory(
            id=raw.id,
            kind=kind,
            severity=_severity(raw, entries),
            summary=summary,
            aliases=aliases,
            versions=versions,
            ranges=ranges,
            published=published,
            source=SOURCE,
        )
        yield name, advisory


def _kind(raw: _Document) -> Literal["malware", "vulnerability"]:
    named = any(name.startswith("MAL-") for name in (raw.id, *(raw.aliases or ())))
    origins = raw.database_specific is not None and raw.database_specific.origins is not None
    return "malware" if named or origins else "vulnerability"


def _spans(events: Iterable[_Event]) -> Iterator[Range]:
    """Pair the events of one range, which may come in any order and open it several times."""
    opened: str | None = None
    for event in _in_order(list(events)):
        if event.introduced is not None:
            opened = opened or event.introduced
        elif opened is not None:
            yield Range(introduced=opened, fixed=event.fixed, last_affected=event.last_affected)
            opened = None
    if opened is not None:
        yield Range(introduced=opened)


def _in_order(events: list[_Event]) -> list[_Event]:
    """Sort *events* by version where all are PEP 440, else leave the record's order."""
    stated = [e for e in events if e.introduced or e.fixed or e.last_affected]
    try:
        return sorted(stated, key=_version)
    except InvalidVersion:
        return stated


def _version(event: _Event) -> Version:
    if event.introduced == "0":
        return Version("0.dev0")  # "0" stands before every version, pre-releases of 0 too
    return Version(event.introduced or event.fixed or event.last_affected or "")


def _severity(raw: _Document, entries: list[_Affected]) -> Severity | Unknown:
    """Return the database's own word, else the rating of the highest CVSS v3 vector."""
    word = raw.database_specific.severity if raw.database_specific is not None else None
    if isinstance(word, str) and word.lower() in _WORDS:
        return _WORDS[word.lower()]
    scores = [*(raw.severity or ()), *(score for e in entries for score in e.severity or ())]
    rated: list[Severity] = []
    for score in scores:
        if score.type == "CVSS_V3" and isinstance(score.score, str):
            try:
                rated.append(cvss.rating(cvss.base_score(score.score)))
            except ValueError:
                continue
    if rated:
        return max(rated)
    kinds = sorted({score.type for score in scores if isinstance(score.type, str)})
    if kinds:
        told = ", ".join(kind[:20] for kind in kinds[:4])
        return Unknown(reason=f"the advisory rates itself only by {told}, which is not understood")
    return Unknown(reason="the advisory states no severity")


def _summary(raw: _Document) -> str:
    for text in (raw.summary, raw.details):
        if isinstance(text, str) and text.strip():
            line = text.strip()[: SUMMARY_LENGTH * 4].splitlines()[0]
            if not line.isprintable():
                line = "".join(c if c.isprintable() else " " for c in line)
            return " ".join(line.split())[:SUMMARY_LENGTH]
    return ""


def _time(value: object) -> datetime | None:
    """Return *value* as an aware UTC time, None where it is none: no advisory is lost for it."""
    try:
        time = msgspec.convert(value, datetime)
    except msgspec.ValidationError:
        return None
    return time.astimezone(UTC) if time.tzinfo is not None else None
