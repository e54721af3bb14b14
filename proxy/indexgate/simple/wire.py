"""The JSON form as indexes send it, every key that is known; another key does not decode."""

from typing import Annotated, TypeAlias

import msgspec
from msgspec import UNSET, Raw, UnsetType

Length: TypeAlias = Annotated[int, msgspec.Meta(ge=0, le=2**53)]
Filename: TypeAlias = Annotated[str, msgspec.Meta(min_length=1, max_length=255)]
Text: TypeAlias = Annotated[str, msgspec.Meta(min_length=1)]


class File(
    msgspec.Struct,
    rename="kebab",
    forbid_unknown_fields=True,
    omit_defaults=True,
    kw_only=True,
    gc=False,
):
    """A file, with both older names of `core-metadata`.

    What is only passed on in nearly all pages stays the JSON that it was, of whatever type. Encoded
    as it stands, a file without the older names is the file's JSON, as a `PageFile` is. The members
    stand in the order in which PyPI sends them, in which they are read soonest.
    """

    core_metadata: Raw | UnsetType = UNSET
    data_dist_info_metadata: Raw | UnsetType = UNSET
    dist_info_metadata: Raw | UnsetType = UNSET
    filename: Filename
    gpg_sig: bool | UnsetType = UNSET
    hashes: Raw
    provenance: Text | UnsetType | None = UNSET
    requires_python: Text | UnsetType | None = UNSET
    size: Length | UnsetType = UNSET
    upload_time: str | UnsetType = UNSET
    url: Text
    yanked: bool | Text = False


class Status(msgspec.Struct, forbid_unknown_fields=True):
    """PEP 792's marker."""

    status: Text
    reason: str | UnsetType | None = UNSET


class Head(msgspec.Struct, rename="kebab", forbid_unknown_fields=True, kw_only=True):
    """A project page without its files."""

    meta: dict[str, Raw]
    name: str
    versions: list[str] | UnsetType = UNSET
    project_status: Status | UnsetType = UNSET
    namespaces: Raw | UnsetType = UNSET
    alternate_locations: Raw | UnsetType = UNSET


class Page(Head, rename="kebab", forbid_unknown_fields=True, kw_only=True):
    """A project page."""

    files: list[File]


class LargePage(Head, rename="kebab", forbid_unknown_fields=True, kw_only=True):
    """A project page whose files are not decoded yet."""

    files: list[Raw]


class Listed(msgspec.Struct):
    """A project of the list; its other keys are private to the index and not read."""

    name: str


class Listing(msgspec.Struct):
    """The project list."""

    projects: list[Listed]
    meta: dict[str, Raw] = msgspec.field(default_factory=dict)
