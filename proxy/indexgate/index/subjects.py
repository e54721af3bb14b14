"""From a project page to what is judged: the project, its releases and their files.

A page lists files by the thousand, of which hardly one is looked at by itself. So they are sorted
by the texts of their names alone, and a release makes what it is asked for when it is asked.
"""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import cast

from packaging.utils import NormalizedName, canonicalize_version

from indexgate.index.listed_release import ListedFiles, earliest
from indexgate.index.listed_releases import ListedReleases
from indexgate.simple.filename import parse
from indexgate.simple.model import PageFile, ProjectPage
from indexgate.simple.ordinary_files import OrdinaryFiles, as_sent, filenames, versions
from indexgate.simple.plain_names import Versions
from indexgate_policy.signals import Unknown
from indexgate_policy.subject import Project, Release

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
) -> tuple[Project, Sequence[Release]]:
    """Return the project of *page* and its releases, in page order.

    A release's age counts from the earliest upload of its files; it is unknown when any file's
    upload is, as the missing one may be the earliest.
    """
    name = NormalizedName(page.name)
    names = filenames(page.files)
    texts, places = _by_version(names, versions(page.files, name), name)
    uploads = _uploads(page.files)
    marks = [file.yanked for file in as_sent(page.files)]
    yanked = {place for place, mark in enumerate(marks) if mark is not False}
    gone = sum(map(yanked.issuperset, places)) if yanked else 0
    first = earliest(uploads)
    project = Project(
        name=name,
        index_id=index_id,
        public=public,
        status=page.status if isinstance(page.status, str) else "active",
        status_reason=page.status_reason if isinstance(page.status_reason, str) else "",
        first_upload=first,
        last_upload=first if isinstance(first, Unknown) else max(cast(Sequence[datetime], uploads)),
        first_seen=first_seen,
        watched_since=watched_since,
        releases=len(texts) - gone,
    )
    listed = ListedFiles(page, names, project, uploads, yanked)
    return project, ListedReleases(listed, texts, places)


def _by_version(
    names: Sequence[str], versions: Versions, project: NormalizedName
) -> tuple[list[str], list[list[int]]]:
    """Return each version, as its first file has it, and of each the places of its files.

    1.0 and 1.0.0 are one version. Of *names* that do not tell theirs for sure, *versions* has "".
    """
    texts: list[str] = []
    by_form: dict[str, list[int]] = {}
    known: dict[str, list[int]] = {}
    for place, version in enumerate(versions.texts):
        places = known.get(version)  # most have been met before
        if places is None:
            form, text = versions.forms[version], version
            if form is None:
                form, text = _read(names[place], project)
            places = by_form.get(form)
            if places is None:
                places = by_form[form] = []
                texts.append(text)
            if version:
                known[version] = places
        places.append(place)
    return texts, list(by_form.values())


def _read(name: str, project: NormalizedName) -> tuple[str, str]:
    """Return the version of *name*, in the form that equal versions share and as it stands."""
    named = parse(name, project)
    version = named.version or _NO_VERSION
    return version if named.parsed is None else canonicalize_version(named.parsed), version


def _uploads(files: Sequence[PageFile]) -> Sequence[datetime | Unknown]:
    if isinstance(files, OrdinaryFiles):
        return [moment or _NO_TIME for moment in files.uploads]
    return [upload_time(file) for file in files]


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
