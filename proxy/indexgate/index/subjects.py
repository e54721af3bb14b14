"""From a project page to what is judged: the project, its releases and their files."""

from collections.abc import Iterable
from datetime import UTC, datetime
from functools import lru_cache

from packaging.utils import NormalizedName
from packaging.version import Version

from indexgate.simple.filename import parse
from indexgate.simple.model import PageFile, ProjectPage
from indexgate_policy.signals import Unknown
from indexgate_policy.subject import File, Project, Release

_TELLS_PROVENANCE = (1, 3)
_NO_PROVENANCE = Unknown(reason="the index speaks an API older than attestations")
_NO_SIZE = Unknown(reason="the index does not say how large the file is")
_NO_TIME = Unknown(reason="the index gives no upload time")
_BAD_TIME = Unknown(reason="the index gives an upload time that is not a date")
_NO_VERSION = "unknown"


def releases(
    page: ProjectPage,
    *,
    index_id: str,
    public: bool,
    first_seen: datetime | Unknown,
    watched_since: datetime | None = None,
) -> tuple[Project, tuple[Release, ...]]:
    """Return the project of *page* and its releases, in page order.

    A release's age counts from the earliest upload of its files; it is unknown when any file's
    upload is, as the missing one may be the earliest.
    """
    name = NormalizedName(page.name)
    named = [(file, parse(file.filename, name)) for file in page.files]
    uploads = [upload_time(file) for file in page.files]
    by_version: dict[Version | str, list[int]] = {}
    for position, (_, reading) in enumerate(named):
        key = reading.parsed or reading.version or _NO_VERSION  # 1.0 and 1.0.0 are one version
        by_version.setdefault(key, []).append(position)
    project = Project(
        name=name,
        index_id=index_id,
        public=public,
        status=page.status if isinstance(page.status, str) else "active",
        status_reason=page.status_reason if isinstance(page.status_reason, str) else "",
        first_upload=_earliest(uploads),
        first_seen=first_seen,
        watched_since=watched_since,
        releases=sum(
            any(page.files[position].yanked is False for position in positions)
            for positions in by_version.values()
        ),
    )
    found = []
    for positions in by_version.values():
        reading = named[positions[0]][1]
        version = reading.version or _NO_VERSION
        parsed = _parsed(reading.parsed, version)
        released = _earliest(uploads[position] for position in positions)
        files = tuple(
            File(
                project=project,
                filename=page.files[position].filename,
                kind=named[position][1].kind,
                version=version,
                parsed=parsed,
                uploaded=uploads[position],
                released=released,
                yanked=page.files[position].yanked,
                provenance=_provenance(page, page.files[position]),
                sha256=page.files[position].hashes.get("sha256"),
                size=_size(page.files[position]),
            )
            for position in positions
        )
        found.append(Release(version=version, parsed=parsed, released=released, files=files))
    return project, tuple(found)


def _provenance(page: ProjectPage, file: PageFile) -> bool | Unknown:
    """Tell whether *file* is attested; an index older than PEP 740 (API 1.3) cannot say no."""
    if file.provenance:
        return True
    return False if page.api_version >= _TELLS_PROVENANCE else _NO_PROVENANCE


def _size(file: PageFile) -> int | Unknown:
    return file.size if isinstance(file.size, int) else _NO_SIZE


def upload_time(file: PageFile) -> datetime | Unknown:
    """Return the upload time of *file* (PEP 700), aware, in UTC."""
    if not isinstance(file.upload_time, str):
        return _NO_TIME
    return _time(file.upload_time)


@lru_cache(4096)
def _time(text: str) -> datetime | Unknown:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return _BAD_TIME
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


def _earliest(moments: Iterable[datetime | Unknown]) -> datetime | Unknown:
    earliest: datetime | None = None
    for moment in moments:
        if isinstance(moment, Unknown):
            return moment
        if earliest is None or moment < earliest:
            earliest = moment
    return earliest if earliest is not None else Unknown(reason="the project has no files")


def _parsed(parsed: Version | None, version: str) -> Version | Unknown:
    if parsed is not None:
        return parsed
    return Unknown(reason=f"`{version}` is not a PEP 440 version")
