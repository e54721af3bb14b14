"""What a project JSON says: the document read into signals.

`ownership` is there since 2026-02, `releases` is marked deprecated but is still the only place with
all upload times.
"""

import re
from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from typing import TypeVar

import msgspec
from packaging.utils import InvalidName, NormalizedName, canonicalize_name

from indexgate.sources import repository
from indexgate.sources.protocol import About, SourceFailed
from indexgate.sources.told import line, moment
from indexgate_policy.signals import Signal, Unknown, Value

T = TypeVar("T")

ABOUT = About(
    name="project-json",
    gives=(
        "owners",
        "organization",
        "repository",
        "links",
        "summary",
        "latest_version",
        "vulnerabilities_latest",
        "release_count",
        "first_release_at",
        "requires",
        "pythons",
    ),
    third_party=False,
    fresh_for=timedelta(hours=24),
)

_MOST_LINKS = 50
_LINK = re.compile(r"https?://\S{1,500}", re.IGNORECASE)
_MOST_NAMES = 500
_MOST_TEXT = 1000
_PYTHON = "Programming Language :: Python :: "
_VERSION = re.compile(r"[0-9]+(\.[0-9]+)?")
_PLAIN_NEED = re.compile(
    r"([A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?) ?"
    r"(?:(?:[<>!=]=|[<>]) ?[0-9]+(?:\.[0-9]+)*(?:,(?! ?$) ?| ?$))*"
)
_ALIKE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\.[0-9]{6}Z")


class _File(msgspec.Struct, gc=False):
    upload_time_iso_8601: str | None = None
    yanked: object = False  # other indexes may write the reason here, or null


class _Named(msgspec.Struct):
    name: str
    version: str | None = None
    home_page: str | None = None
    project_urls: dict[str, str | None] | None = None


class _Info(_Named):
    summary: str | None = None
    requires_dist: list[str] | None = None
    classifiers: list[str] | None = None


class _Role(msgspec.Struct, gc=False):
    role: str = ""
    user: str = ""


class _Ownership(msgspec.Struct):
    roles: list[_Role] | None = None
    organization: str | None = None


class _Vulnerability(msgspec.Struct, gc=False):
    id: str
    withdrawn: str | None = None


class _Document(msgspec.Struct):
    info: _Info
    releases: dict[str, list[_File]] | None = None
    vulnerabilities: list[_Vulnerability] | None = None
    ownership: _Ownership | None = None


class _Glanced(msgspec.Struct):
    info: _Named
    vulnerabilities: list[_Vulnerability] | None = None


_decoder = msgspec.json.Decoder(_Document)
_glance_decoder = msgspec.json.Decoder(_Glanced)


def read(body: bytes, project: NormalizedName, now: datetime) -> tuple[Signal, ...]:
    """Return the signals in the document *body* about *project*, observed at *now*.

    What the document does not say is `Unknown`. An empty text or tuple was said: no organization,
    no links. Raises SourceFailed when it is not a project's document, or another's.
    """
    document = _decoded(_decoder, body)
    _is_of(project, document.info.name)
    return _told(_values(document), now)


def glanced(body: bytes, project: NormalizedName, now: datetime) -> tuple[Signal, ...]:
    """Return what most policies ask for of the signals that `read` gives; that is soon read."""
    document = _decoded(_glance_decoder, body)
    _is_of(project, document.info.name)
    info = document.info
    return _told((*_of_links(info), *_of_newest(info, document.vulnerabilities)), now)


def _decoded(decoder: msgspec.json.Decoder[T], body: bytes) -> T:
    try:
        return decoder.decode(body)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        reason = "answered what is not a project's JSON"
        raise SourceFailed(ABOUT.name, "garbage", reason) from error


def _is_of(project: NormalizedName, named: str) -> None:
    try:
        name = canonicalize_name(named, validate=True)
    except InvalidName:
        name = None
    if name != project:
        raise SourceFailed(ABOUT.name, "garbage", "answered the JSON of another project")


def _told(values: Iterable[tuple[str, Value | Unknown]], now: datetime) -> tuple[Signal, ...]:
    return tuple(
        Signal(name=name, value=value, source=ABOUT.name, observed_at=now, licence=ABOUT.licence)
        for name, value in values
    )


def _of_links(info: _Named) -> Iterator[tuple[str, Value | Unknown]]:
    links = tuple(_links(info))
    yield "repository", _repository(links)
    yield "links", tuple(dict.fromkeys(url for _, url in links))


def _of_newest(
    info: _Named, vulnerabilities: list[_Vulnerability] | None
) -> Iterator[tuple[str, Value | Unknown]]:
    yield "latest_version", line(info.version) if info.version else _untold("the latest version")
    yield "vulnerabilities_latest", _vulnerabilities(vulnerabilities)


def _values(document: _Document) -> Iterator[tuple[str, Value | Unknown]]:
    """Yield a value for every name in `ABOUT.gives`."""
    info, ownership = document.info, document.ownership
    nobody = Unknown(reason="the index does not tell who owns the project")
    yield "owners", nobody if ownership is None else _owners(ownership)
    yield "organization", nobody if ownership is None else line(ownership.organization or "")
    yield from _of_links(info)
    yield "summary", line(info.summary or "")
    yield from _of_newest(info, document.vulnerabilities)
    yield "release_count", _release_count(document.releases)
    yield "first_release_at", _first_release(document.releases)
    yield "requires", _requires(info.requires_dist)
    yield "pythons", _pythons(info.classifiers)


def _requires(told: list[str] | None) -> tuple[str, ...] | Unknown:
    """Return the projects that are needed whatever extras are asked for, normalised."""
    if told is None:  # that it needs nothing is told as an empty list, or not at all
        return _untold("what the project needs")
    names = set()
    for text in told[:_MOST_NAMES]:
        plain = _PLAIN_NEED.fullmatch(text)
        name = _needed(text[:_MOST_TEXT]) if plain is None else plain[1]
        if name is not None:
            names.add(canonicalize_name(name))
    return tuple(sorted(names))


def _needed(text: str) -> str | None:
    """Return whom *text* requires; None where it is for an extra only, or no requirement."""
    what, _, marker = text.partition(";")
    if "extra ==" in marker and "@" not in what:  # by far the most, and long to read in full
        return None
    # Its grammar takes longer to load than a hundred pages of plain requirements to read.
    from packaging.requirements import InvalidRequirement, Requirement

    try:
        requirement = Requirement(text)
    except InvalidRequirement:
        return None
    for_extra = requirement.marker is not None and "extra" in str(requirement.marker)
    return None if for_extra else requirement.name


def _pythons(classifiers: list[str] | None) -> tuple[str, ...] | Unknown:
    """Return the versions of Python that the project's classifiers name."""
    said = (text.removeprefix(_PYTHON) for text in classifiers or () if text.startswith(_PYTHON))
    return tuple(sorted({version for version in said if _VERSION.fullmatch(version)})) or _untold(
        "the versions of Python"
    )


def _owners(ownership: _Ownership) -> tuple[str, ...] | Unknown:
    if ownership.roles is None:
        return _untold("who owns the project")
    users = {
        line(role.user)
        for role in ownership.roles
        if role.user and role.role.lower() in {"owner", "maintainer"}
    }
    return tuple(sorted(users))[:_MOST_NAMES]


def _links(info: _Named) -> Iterator[tuple[str, str]]:
    stated = [("", info.home_page), *(info.project_urls or {}).items()]
    for label, url in stated[:_MOST_LINKS]:
        text = (url or "").strip()
        if _LINK.fullmatch(text) and text.isprintable():
            yield label, text


def _repository(links: Iterable[tuple[str, str]]) -> str | Unknown:
    stated = tuple(links)
    if not stated:
        return ""
    return repository.best(stated) or Unknown(reason="no link leads to a known code host")


def _vulnerabilities(stated: list[_Vulnerability] | None) -> tuple[str, ...] | Unknown:
    if stated is None:
        return _untold("the vulnerabilities of the latest version")
    holding = {line(item.id) for item in stated if item.withdrawn is None}
    return tuple(sorted(holding))[:_MOST_NAMES]


def _release_count(releases: dict[str, list[_File]] | None) -> int | Unknown:
    """Count versions with at least one file that is not yanked, as `Project.releases` does."""
    if releases is None:
        return _untold("the releases")
    count = 0
    for files in releases.values():
        for file in files:
            if not file.yanked:
                count += 1
                break
    return count


def _first_release(releases: dict[str, list[_File]] | None) -> str | Unknown:
    """Return the earliest upload as ISO 8601 in UTC, yanked files included."""
    if releases is None:
        return _untold("the releases")
    texts = {file.upload_time_iso_8601 for files in releases.values() for file in files}
    # Most are written alike and sort as the times they mean: the first of those stands for all.
    alike = {text for text in texts if text is not None and _ALIKE.fullmatch(text)}
    first = min(alike, default=None)
    doubtful = texts if first is None or moment(first) is None else {*(texts - alike), first}
    times = [time for text in doubtful if (time := moment(text)) is not None]
    if not times:
        return Unknown(reason="no file of the project has an upload time")
    return min(times).isoformat().replace("+00:00", "Z")


def _untold(what: str) -> Unknown:
    return Unknown(reason=f"the index does not tell {what}")
