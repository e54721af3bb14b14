"""The project page and the project list of the Simple API, as data.

One model for both forms (PEP 503 HTML, PEP 691 JSON). What upstream sent and we do not interpret is
carried along in `extra`, as the raw JSON it was, so that no field is ever lost.
"""

from collections.abc import Sequence
from typing import Literal, TypeAlias

import msgspec
from msgspec import UNSET, UnsetType

NEWEST = (1, 5)
"""The newest version of the API that is understood: PEP 752's."""

Hashes: TypeAlias = dict[str, str]
Extra: TypeAlias = dict[str, msgspec.Raw]


class Unreadable(Exception):
    """A page that cannot be used.

    `kind` is `garbage` (not what a simple index sends) or `version` (an API major other than 1,
    PEP 629), `reason` one ASCII clause for people, whose subject is the upstream index.
    """

    def __init__(self, kind: Literal["garbage", "version"], reason: str) -> None:
        super().__init__(kind, reason)
        self.kind = kind
        self.reason = reason

    def __str__(self) -> str:
        return self.reason


class PageFile(
    msgspec.Struct, frozen=True, kw_only=True, gc=False, rename="kebab", omit_defaults=True
):
    """One file of a project page; encoded as it stands, it is the file's JSON.

    `url` is absolute once read. `upload_time` is upstream's text, untouched (PEP 700: lock files
    record its microseconds). A value that upstream did not give is UNSET, never invented.
    `requires_python`, `core_metadata` and `provenance` may be null on the wire (None).
    """

    core_metadata: bool | Hashes | UnsetType | None = UNSET
    filename: str
    gpg_sig: bool | UnsetType = UNSET
    hashes: Hashes
    provenance: str | UnsetType | None = UNSET
    requires_python: str | UnsetType | None = UNSET
    size: int | UnsetType = UNSET
    upload_time: str | UnsetType = UNSET
    url: str
    yanked: bool | str = False
    extra: Extra = msgspec.field(default_factory=dict)


class ProjectPage(msgspec.Struct, frozen=True, kw_only=True):
    """A project page.

    `name` is the normalised name. `api_version` is (major, minor) as upstream claimed it, (1, 0)
    when it claimed none (PEP 629). `versions` is UNSET below API 1.1. `status` is PEP 792's marker,
    `active` when absent. `meta` holds the members of `meta` other than `api-version`; `extra` the
    unknown members of the page. `dropped` counts the files that the reader left out.
    """

    name: str
    files: Sequence[PageFile]
    api_version: tuple[int, int] = (1, 0)
    versions: tuple[str, ...] | UnsetType = UNSET
    status: str | UnsetType = UNSET
    status_reason: str | UnsetType = UNSET
    meta: Extra = msgspec.field(default_factory=dict)
    extra: Extra = msgspec.field(default_factory=dict)
    dropped: int = 0


class ProjectList(msgspec.Struct, frozen=True, kw_only=True):
    """The list of all projects: display names as upstream writes them, one a project.

    `dropped` counts the entries that the reader left out: no project names, and second ones.
    """

    names: tuple[str, ...]
    api_version: tuple[int, int] = (1, 0)
    meta: Extra = msgspec.field(default_factory=dict)
    dropped: int = 0
