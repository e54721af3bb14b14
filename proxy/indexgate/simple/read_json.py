"""Reading the JSON form (PEP 691 with 700, 740, 752 and 792).

A page whose every key is known and every value of its type is decoded into structs at once; any
other goes the slower way, key by key, so that nothing is lost and sloppy values do no harm.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import NoReturn

import msgspec
from msgspec import UNSET, Raw, UnsetType
from packaging.utils import NormalizedName

from indexgate.simple import claims, wire
from indexgate.simple.filename import belongs
from indexgate.simple.model import Extra, Hashes, PageFile, ProjectList, ProjectPage, Unreadable
from indexgate.simple.ordinary import ordinary
from indexgate.simple.page_pieces import in_pieces
from indexgate.simple.projects import valid_name

_page = msgspec.json.Decoder(wire.Page)
_files = msgspec.json.Decoder(list[wire.File])
_object = msgspec.json.Decoder(dict[str, Raw])
_objects = msgspec.json.Decoder(list[Raw])
_list = msgspec.json.Decoder(wire.Listing)
_KNOWN = frozenset(wire.File.__struct_encode_fields__)
_LARGE = 200_000  # bytes
_NOT_JSON = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)


def read_page(
    body: bytes, *, url: str, project: NormalizedName, known: bool = False
) -> ProjectPage:
    """Read the JSON page of *project*; see `read.page` for *known*. Raises Unreadable."""
    body = _text(body)
    try:
        sent, listed = _decoded(body)
    except msgspec.ValidationError:
        return _read_loosely(body, url, project, known)
    except _NOT_JSON as error:
        _garbage(f"sent JSON that is broken or cut off{_place(error)}", error)
    files, dropped = _taken(listed, url, project, known)
    extra = {"namespaces": sent.namespaces, "alternate-locations": sent.alternate_locations}
    status = sent.project_status
    return ProjectPage(
        name=project,
        files=files,
        dropped=dropped,
        api_version=_api_version(sent.meta),
        versions=UNSET if sent.versions is UNSET else _distinct(sent.versions),
        status=status.status if status else UNSET,
        status_reason=(status.reason or UNSET) if status else UNSET,
        meta=_carried(sent.meta, without=("api-version",)),
        extra=_carried({key: raw for key, raw in extra.items() if raw is not UNSET}),
    )


def _decoded(body: bytes) -> tuple[wire.Head, list[wire.File]]:
    pieces = in_pieces(body) if len(body) > _LARGE else None
    if pieces is not None:
        return pieces
    page = _page.decode(body)
    return page, page.files


def read_list(body: bytes) -> ProjectList:
    """Read the JSON list of projects. Raises Unreadable."""
    try:
        sent = _list.decode(_text(body))
    except _NOT_JSON as error:
        _garbage("sent a project list that is broken or cut off", error)
    names = {valid_name(listed.name): listed.name for listed in reversed(sent.projects)}
    names.pop(None, None)
    return ProjectList(
        names=tuple(reversed(names.values())),
        api_version=_api_version(sent.meta),
        meta=_carried(sent.meta, without=("api-version",)),
        dropped=len(sent.projects) - len(names),
    )


def _taken(
    files: list[wire.File], base: str, project: NormalizedName, known: bool
) -> tuple[Sequence[PageFile], int]:
    """Return the files worth having and how many are not."""
    as_they_stand = ordinary(files, project, known=known) if files else None
    if as_they_stand is not None:
        return as_they_stand, 0
    return _kept((_believed(file, base) for file in files), project)


def _believed(file: wire.File, base: str) -> PageFile | None:
    """Return *file* as the model has it, None when its name or address cannot be used."""
    if not claims.safe_filename(file.filename):
        return None
    url = file.url if claims.is_plain_url(file.url) else claims.address(base, file.url)
    if url is None:
        return None
    provenance = file.provenance
    return PageFile(
        filename=file.filename,
        url=url,
        hashes=claims.hashes(_value(file.hashes)),
        requires_python=claims.requires_python(file.requires_python),
        size=file.size,
        upload_time=claims.upload_time(file.upload_time),
        yanked=file.yanked,
        core_metadata=_core_metadata(file),
        gpg_sig=file.gpg_sig,
        provenance=claims.web_address(provenance) if provenance else provenance,
    )


def _core_metadata(file: wire.File) -> bool | Hashes | UnsetType | None:
    """Return what the newest of its names says (PEP 714); null says nothing."""
    names = (file.core_metadata, file.dist_info_metadata, file.data_dist_info_metadata)
    said = (_value(raw) for raw in names if not isinstance(raw, UnsetType))
    nothing = UNSET if file.core_metadata is UNSET else None
    return claims.core_metadata(next((told for told in said if told is not None), nothing))


def _kept(
    files: Iterable[PageFile | None], project: NormalizedName
) -> tuple[tuple[PageFile, ...], int]:
    """Return the files that can be this project's, the first of each name, and how many fell."""
    kept: dict[str, PageFile] = {}
    dropped = 0
    for file in files:
        if file is None or file.filename in kept or not belongs(file.filename, project):
            dropped += 1
        else:
            kept[file.filename] = file
    if dropped and not kept:
        _garbage("lists no file that can belong to the project")
    return tuple(kept.values()), dropped


def _read_loosely(body: bytes, url: str, project: NormalizedName, known: bool) -> ProjectPage:
    """Read a page with keys that are not known or values that are not right."""
    try:
        sent = _object.decode(body)
        listed = sent.pop("files", Raw(b"null"))
        meta = _object.decode(sent.pop("meta", Raw(b"{}")))
    except _NOT_JSON as error:
        _garbage("sent JSON that is not a project page", error)
    version = _api_version(meta)  # first: another major may have any shape
    status, reason = _status(sent, meta)
    versions = _value(sent.pop("versions", None))
    files, dropped = _taken_loosely(listed, url, project, known)
    return ProjectPage(
        name=project,
        files=files,
        dropped=dropped,
        api_version=version,
        versions=_distinct(_texts(versions)) if isinstance(versions, list) else UNSET,
        status=status,
        status_reason=reason,
        meta=_carried(meta, without=("api-version",)),
        extra=_carried(sent, without=("name",)),
    )


def _taken_loosely(
    listed: Raw, base: str, project: NormalizedName, known: bool
) -> tuple[Sequence[PageFile], int]:
    try:
        return _taken(_files.decode(listed), base, project, known)
    except _NOT_JSON:
        pass
    try:
        entries = _objects.decode(listed)
    except _NOT_JSON as error:
        _garbage("sent JSON that has no list of files", error)
    return _kept((_loose_file(raw, base) for raw in entries), project)


def _loose_file(raw: Raw, base: str) -> PageFile | None:
    said = _value(raw)
    if not isinstance(said, dict):
        return None
    filename, address = said.get("filename"), said.get("url")
    if not isinstance(filename, str) or not claims.safe_filename(filename):
        return None
    url = claims.address(base, address) if isinstance(address, str) and address else None
    if url is None:
        return None
    names = ("core-metadata", "dist-info-metadata", "data-dist-info-metadata")
    core: object = next((said[name] for name in names if said.get(name) is not None), UNSET)
    if core is UNSET and any(name in said for name in names):
        core = None
    signed, provenance = said.get("gpg-sig"), said.get("provenance", UNSET)
    return PageFile(
        filename=filename,
        url=url,
        hashes=claims.hashes(said.get("hashes")),
        requires_python=claims.requires_python(said.get("requires-python", UNSET)),
        size=claims.size(said.get("size")),
        upload_time=claims.upload_time(said.get("upload-time")),
        yanked=claims.yanked(said.get("yanked")),
        core_metadata=claims.core_metadata(core),
        gpg_sig=signed if isinstance(signed, bool) else UNSET,
        provenance=None if provenance is None else claims.web_address(provenance),
        extra={} if said.keys() <= _KNOWN else _carried(_object.decode(raw), without=_KNOWN),
    )


def _status(sent: dict[str, Raw], meta: dict[str, Raw]) -> tuple[str | UnsetType, str | UnsetType]:
    """Take PEP 792's marker out of the page: the object, or the flat pair its example shows."""
    marker = _value(sent.pop("project-status", None))
    if isinstance(marker, dict):
        status, reason = marker.get("status", marker.get("state")), marker.get("reason")
    else:
        status = marker or _value(meta.pop("project-status", None))
        reason = _value(meta.pop("project-status-reason", None))
    return (
        status if isinstance(status, str) and status else UNSET,
        reason if isinstance(reason, str) and reason else UNSET,
    )


def _api_version(meta: Mapping[str, Raw]) -> tuple[int, int]:
    raw = meta.get("api-version")
    version = claims.api_version(_value(raw))
    if version is None:
        _garbage("names an API version that is not a version")
    if version[0] != 1:
        raise Unreadable("version", f"speaks API version {version[0]}.{version[1]}, not 1.x")
    return version


def _carried(members: Mapping[str, Raw], without: Collection[str] = ()) -> Extra:
    """Copy *members* out of the body, so that it can go; values that are not JSON go with it."""
    return {
        key: raw.copy()
        for key, raw in members.items()
        if key not in without and _value(raw) is not UNSET
    }


def _value(raw: Raw | None) -> object:
    """Return the Python value of *raw*, UNSET when it is not JSON."""
    if raw is None:
        return None
    try:
        return msgspec.json.decode(raw)
    except (ValueError, RecursionError):
        return UNSET


def _texts(values: Iterable[object]) -> Iterable[str]:
    return (value for value in values if isinstance(value, str))


def _distinct(versions: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(filter(None, versions)))


def _text(body: bytes) -> bytes:
    """Return *body* without a byte order mark. Raises Unreadable if it is not UTF-8."""
    if not body.isascii():
        try:
            body.decode()
        except UnicodeDecodeError as error:
            _garbage("sent JSON that is not UTF-8", error)
    return body.removeprefix(b"\xef\xbb\xbf")


def _place(error: Exception) -> str:
    found = str(error).rpartition("(byte ")[2].rstrip(")")
    return f" at byte {found}" if found.isascii() and found.isdigit() else ""


def _garbage(reason: str, cause: Exception | None = None) -> NoReturn:
    raise Unreadable("garbage", reason) from cause
