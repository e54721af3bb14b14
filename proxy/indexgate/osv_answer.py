"""OSV's answers with the gate's verdicts: whether a version may be installed through this gate.

Shapes: OSV's API documentation (`/v1/querybatch`, `/v1/query`, the OSV schema). uv asks for the
versions in a lock before it downloads any (its malware check), and stops for ids that begin with
`MAL-`; of an answer it prints the id alone. So the id of a refusal begins so and holds the reason.
"""

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any
from urllib.parse import unquote

import msgspec
from msgspec import Struct
from packaging.utils import NormalizedName

from indexgate.simple.projects import valid_name
from indexgate_policy.rules.wording import plain, slug

MOST_QUERIES = 1000
"""As OSV: a batch holds no more."""

_BLOCKED = "MAL-blocked-by-indexgate"
_ID = re.compile(rf"{_BLOCKED}:(?P<project>[a-z0-9-]+):(?P<version>[^:/]+):[a-z0-9.-]*")
_PURL = re.compile(
    r"pkg:/*pypi/(?P<name>[^@?#/]+)(?:@(?P<version>[^?#]+))?(?:\?[^#]*)?(?:#.*)?", re.IGNORECASE
)
_ECOSYSTEM = "pypi"


class _Package(msgspec.Struct):
    name: str | None = None
    ecosystem: str | None = None
    purl: str | None = None


class _Query(msgspec.Struct):
    package: _Package | None = None
    version: str | None = None


class _Batch(msgspec.Struct):
    queries: list[_Query]


class Pinned(Struct, frozen=True, kw_only=True):
    """A version of a project, as somebody asks about it."""

    project: NormalizedName
    version: str


class Blocked(Struct, frozen=True, kw_only=True):
    """Why a pinned version may not be installed. `rule` is empty when no rule was asked."""

    pinned: Pinned
    rule: str
    reason: str
    hint: str
    at: datetime

    @property
    def id(self) -> str:
        """The id, which tells the whole story to whoever sees nothing else."""
        pinned = self.pinned
        return f"{_BLOCKED}:{pinned.project}:{pinned.version}:{slug(self.reason)}"


class BadQuery(Exception):
    """A question that is not in OSV's shape; the text says what is wrong."""


def batch(body: bytes) -> list[Pinned | None]:
    """Read a batch of questions; None for one that the gate has nothing to say to.

    Questions about commits, other ecosystems, what is no project's name or no single version are
    such. Raises BadQuery.
    """
    try:
        queries = msgspec.json.decode(body, type=_Batch).queries
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise BadQuery(f"the body is not a batch of OSV queries: {error}") from error
    if len(queries) > MOST_QUERIES:
        raise BadQuery(f"the batch has {len(queries)} queries, and {MOST_QUERIES} are the most")
    return [_pinned(query) for query in queries]


def single(body: bytes) -> Pinned | None:
    """Read one question, as `batch` reads many. Raises BadQuery."""
    try:
        return _pinned(msgspec.json.decode(body, type=_Query))
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise BadQuery(f"the body is not an OSV query: {error}") from error


def pinned_of(id_: str) -> Pinned | None:
    """Return what the gate's own id speaks of; None for any other id."""
    match = _ID.fullmatch(id_)
    name = None if match is None else valid_name(match["project"])
    if match is None or name is None:
        return None
    return Pinned(project=name, version=match["version"])


def brief(blocked: Blocked | None) -> Mapping[str, Any]:
    """Return one result of a batch: ids alone, as OSV gives them."""
    if blocked is None:
        return {}
    return {"vulns": [{"id": blocked.id, "modified": _moment(blocked.at)}]}


def record(blocked: Blocked) -> Mapping[str, Any]:
    """Return the whole record, in the OSV schema."""
    pinned = blocked.pinned
    said = [f"Blocked by indexgate: {plain(blocked.reason)}"]
    said += [f"Rule: {blocked.rule}"] if blocked.rule else []
    said += [plain(blocked.hint)] if blocked.hint else []
    return {
        "schema_version": "1.7.0",
        "id": blocked.id,
        "modified": _moment(blocked.at),
        "summary": said[0],
        "details": ". ".join(text.rstrip(".") for text in said),
        "affected": [
            {
                "package": {
                    "ecosystem": "PyPI",
                    "name": pinned.project,
                    "purl": f"pkg:pypi/{pinned.project}",
                },
                "versions": [pinned.version],
            }
        ],
        "database_specific": {"rule": blocked.rule, "reason": blocked.reason},
    }


def _pinned(query: _Query) -> Pinned | None:
    package, version = query.package, query.version
    if package is None:
        return None
    if package.purl is not None:
        match = _PURL.fullmatch(package.purl)
        if match is None:
            return None
        name, version = (
            valid_name(unquote(match["name"])),
            unquote(match["version"] or "") or version,
        )
    elif (package.ecosystem or "").lower() == _ECOSYSTEM:
        name = valid_name(package.name or "")
    else:
        return None
    if name is None or not version:
        return None
    if not _is_plain(version):  # to say nothing of it would let it pass
        raise BadQuery(f"`{plain(version, 60)}` is not a version of {name}")
    return Pinned(project=name, version=version)


def _is_plain(version: str) -> bool:
    return len(version) <= 200 and re.fullmatch(r"[A-Za-z0-9.!+_-]+", version) is not None


def _moment(moment: datetime) -> str:
    return moment.isoformat(timespec="seconds").replace("+00:00", "Z")
