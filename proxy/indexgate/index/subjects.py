"""From a project page to what is judged: the project, its releases and their files."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import TypeAlias

from packaging.utils import NormalizedName
from packaging.version import Version

from indexgate.simple.filename import Named, parse
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
    by_version = _by_version(page.files, name)
    uploads = {file.filename: upload_time(file) for file in page.files}
    project = Project(
        name=name,
        index_id=index_id,
        public=public,
        status=page.status if isinstance(page.status, str) else "active",
        status_reason=page.status_reason if isinstance(page.status_reason, str) else "",
        first_upload=_earliest(uploads.values()),
        first_seen=first_seen,
        watched_since=watched_since,
        releases=sum(
            any(file.yanked is False for file, _ in members) for members in by_version.values()
        ),
    )
    unattested = False if page.api_version >= _TELLS_PROVENANCE else _NO_PROVENANCE
    return project, tuple(
        _release(project, members, uploads, unattested) for members in by_version.values()
    )


_Member: TypeAlias = tuple[PageFile, Named]


def _by_version(
    files: Iterable[PageFile], project: NormalizedName
) -> dict[Version | str, list[_Member]]:
    """Return the files with what their names tell, by version; 1.0 and 1.0.0 are one."""
    by_version: dict[Version | str, list[_Member]] = {}
    wheels: dict[tuple[str, str], tuple[Named, list[_Member]]] = {}
    for file in files:
        head, _, rest = file.filename.partition("-")
        version, dash, _ = rest.partition("-")
        is_wheel = dash and file.filename.endswith(".whl")
        # A wheel's name tells nothing else behind the version: one reading does for all of it.
        known = wheels.get((head, version)) if is_wheel else None
        if known is not None:
            known[1].append((file, known[0]))
            continue
        named = parse(file.filename, project)
        members = by_version.setdefault(named.parsed or named.version or _NO_VERSION, [])
        members.append((file, named))
        if is_wheel:
            wheels[head, version] = named, members
    return by_version


def _release(
    project: Project,
    members: Sequence[_Member],
    uploads: Mapping[str, datetime | Unknown],
    unattested: bool | Unknown,
) -> Release:
    first = members[0][1]
    version = first.version or _NO_VERSION
    parsed = _parsed(first.parsed, version)
    released = _earliest([uploads[file.filename] for file, _ in members])
    files = tuple(
        [
            File(
                project=project,
                filename=file.filename,
                kind=named.kind,
                version=version,
                parsed=parsed,
                uploaded=uploads[file.filename],
                released=released,
                yanked=file.yanked,
                provenance=True if file.provenance else unattested,
                sha256=file.hashes.get("sha256"),
                size=file.size if isinstance(file.size, int) else _NO_SIZE,
            )
            for file, named in members
        ]
    )
    return Release(version=version, parsed=parsed, released=released, files=files)


def upload_time(file: PageFile) -> datetime | Unknown:
    """Return the upload time of *file* (PEP 700), aware, in UTC."""
    if not isinstance(file.upload_time, str):
        return _NO_TIME
    try:
        moment = datetime.fromisoformat(file.upload_time)
    except ValueError:
        return _BAD_TIME
    if moment.tzinfo is UTC:
        return moment
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
