"""From a project page to what is judged: the project, its releases and their files.

A page lists files by the thousand, of which hardly one is looked at by itself. So they are sorted
by the texts of their names alone, and a release makes what it is asked for when it is asked.
"""

import re
from collections.abc import Sequence
from datetime import UTC, datetime
from functools import lru_cache

from packaging.utils import NormalizedName, canonicalize_version

from indexgate.index.listed_release import ListedFiles, ListedRelease, earliest
from indexgate.simple.filename import parse, pep440
from indexgate.simple.model import PageFile, ProjectPage
from indexgate.simple.ordinary_files import OrdinaryFiles, as_sent, filenames
from indexgate.simple.projects import valid_name
from indexgate_policy.signals import Unknown
from indexgate_policy.subject import Project, Release

_NO_TIME = Unknown(reason="the index gives no upload time")
_BAD_TIME = Unknown(reason="the index gives an upload time that is not a date")
_NO_VERSION = "unknown"

# A version in its normal form, but for zeros at the end.
_is_plain = re.compile(r"(?:0|[1-9][0-9]*)(?:\.(?:0|[1-9][0-9]*))*").fullmatch
_SOURCE = ".tar.gz"


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
    names = filenames(page.files)
    by_version = _by_version(names, name)
    uploads = _uploads(page.files)
    marks = [file.yanked for file in as_sent(page.files)]
    yanked = {place for place, mark in enumerate(marks) if mark is not False}
    gone = sum(yanked.issuperset(places) for _, places in by_version.values()) if yanked else 0
    project = Project(
        name=name,
        index_id=index_id,
        public=public,
        status=page.status if isinstance(page.status, str) else "active",
        status_reason=page.status_reason if isinstance(page.status_reason, str) else "",
        first_upload=earliest(uploads),
        first_seen=first_seen,
        watched_since=watched_since,
        releases=len(by_version) - gone,
    )
    listed = ListedFiles(page, names, project, uploads, yanked)
    return project, tuple([ListedRelease(listed, *each) for each in by_version.values()])


def _by_version(names: Sequence[str], project: NormalizedName) -> dict[str, tuple[str, list[int]]]:
    """Return each version, as its first file has it, and the places of its files, by normal form.

    1.0 and 1.0.0 are one version.
    """
    by_version: dict[str, tuple[str, list[int]]] = {}
    known: dict[str, list[int]] = {}
    for place, version in enumerate(_plain_versions(names)):
        places = known.get(version)  # most have been met before
        if places is None:
            normal = _normal(version)
            if normal is None:
                told, text = _read(names[place], project)
                places = by_version.setdefault(told, (text, []))[1]
            else:
                places = known[version] = by_version.setdefault(normal, (version, []))[1]
        places.append(place)
    return by_version


def _read(name: str, project: NormalizedName) -> tuple[str, str]:
    """Return the version of *name*, in the form that equal versions share and as it stands."""
    named = parse(name, project)
    version = named.version or _NO_VERSION
    return version if named.parsed is None else canonicalize_version(named.parsed), version


def _plain_versions(names: Sequence[str]) -> Sequence[str]:
    """Return what stands for the version where the name tells it without doubt; "" where not.

    As in `project-1.0-tags.whl` and `project-1.0.tar.gz`, which most names are like.
    """
    if not _start_with_a_project(names):
        return [""] * len(names)
    versions = [name.split("-", 2)[1].removesuffix(_SOURCE) for name in names]
    for place, name in enumerate(names):
        if name[-4:] != ".whl" and (name[-7:] != _SOURCE or name.count("-") > 1):
            versions[place] = ""
    if f"{_SOURCE}-" in "\n".join(names):  # in the name of a wheel, which is none of a source
        odd = (f"{_SOURCE}-" in name for name in names)
        return ["" if each else version for each, version in zip(odd, versions, strict=True)]
    return versions


def _start_with_a_project(names: Sequence[str]) -> bool:
    text = "\n" + "\n".join(names)
    first = names[0].partition("-")[0] if names else ""
    one = text.count(f"\n{first}-") == len(names)
    heads = {first} if one else {name.partition("-")[0] for name in names}
    dashed = one or all("-" in name for name in names)
    return dashed and all(valid_name(head) is not None for head in heads)


@lru_cache(maxsize=8192)  # `1.0.0` is a version of nearly every project
def _normal(version: str) -> str | None:
    """Return *version* in the form that equal versions share; None when it is not PEP 440."""
    if _is_plain(version):  # as most are: in a tenth of the time
        while version[-2:] == ".0":
            version = version[:-2]
        return version
    # A dash stands for a post release, or parts the version from the project's name: see `parse`.
    parsed = None if "-" in version else pep440(version)
    return None if parsed is None else canonicalize_version(parsed)


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
