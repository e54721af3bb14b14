"""The JSON document of a project (`/pypi/<name>/json`), made to say what the gate's page says.

Source: PyPI's "JSON API" documentation. The document repeats, beside the simple index, which files
there are and where; so whatever a page marks or leaves out must be marked or left out here alike,
in `releases`, in `urls`, and in `info`, which describes the version that is offered as the latest.
Every other key passes untouched.
"""

from collections.abc import Collection, Iterable, Mapping
from typing import Any, TypeAlias

import msgspec

from indexgate.simple.model import PageFile, ProjectPage, Unreadable

_Entry: TypeAlias = dict[str, msgspec.Raw]
_Shown: TypeAlias = tuple[PageFile, bool]  # a file on the page, and whether it is refused
_METADATA_KEYS = ("core-metadata", "data-dist-info-metadata")


class _Info(msgspec.Struct):
    name: str
    version: str | None = None


class _Outline(msgspec.Struct):
    info: _Info


class _Named(msgspec.Struct):
    filename: str


_outline = msgspec.json.Decoder(_Outline)
_document = msgspec.json.Decoder(dict[str, msgspec.Raw])
_releases = msgspec.json.Decoder(dict[str, list[msgspec.Raw]])
_files = msgspec.json.Decoder(list[msgspec.Raw])
_entry = msgspec.json.Decoder(_Entry)
_named = msgspec.json.Decoder(_Named)


def described(body: bytes) -> tuple[str, str | None]:
    """Return the name and the version that the document's `info` describes.

    Raises Unreadable when *body* is no such document.
    """
    try:
        if not body.isascii():
            body.decode()  # what is carried along unread must be text too
        info = _outline.decode(body).info
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise Unreadable("garbage", "sent no project document where one was asked for") from error
    return info.name, info.version


def gated(
    body: bytes, shown: ProjectPage, refused: Collection[str], *, latest: bytes | None = None
) -> bytes:
    """Return the document *body* with its files as the page *shown* has them.

    A file that the page does not show is left out, and a version with its last file; addresses and
    yank marks are the page's, and files *refused* by name lose their core metadata. *latest* is the
    document of another version, whose `info` and `urls` take the place of those in *body*. Raises
    Unreadable.
    """
    files = {file.filename: (file, file.filename in refused) for file in shown.files}
    described(body)
    try:
        document = _document.decode(body)
        if latest is not None:
            newer = _document.decode(latest)
            document |= {key: newer[key] for key in ("info", "urls") if key in newer}
        if "releases" in document:
            document["releases"] = _encoded(_gated_releases(document["releases"], files))
        if "urls" in document:
            kept = _gated_files(_files.decode(document["urls"]), files)
            document["urls"] = _encoded(kept)
            document["info"] = _encoded(_gated_info(_entry.decode(document["info"]), kept))
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError, KeyError) as error:
        raise Unreadable("garbage", "sent a project document that cannot be read") from error
    return msgspec.json.encode(document)


def _gated_releases(releases: msgspec.Raw, files: Mapping[str, _Shown]) -> dict[str, list[_Entry]]:
    gated: dict[str, list[_Entry]] = {}
    for version, entries in _releases.decode(releases).items():
        kept = _gated_files(entries, files)
        if kept or not entries:  # upstream lists versions without files too
            gated[version] = kept
    return gated


def _gated_files(entries: Iterable[msgspec.Raw], files: Mapping[str, _Shown]) -> list[_Entry]:
    return [
        _as_shown(_entry.decode(entry), *shown)
        for entry in entries
        if (shown := files.get(_named.decode(entry).filename)) is not None
    ]


def _as_shown(entry: _Entry, file: PageFile, refused: bool) -> _Entry:
    """Return the file's *entry* with address, yank and metadata as the page shows them."""
    entry["url"] = _encoded(file.url)
    entry["yanked"] = _encoded(file.yanked is not False)
    entry["yanked_reason"] = _encoded(file.yanked if isinstance(file.yanked, str) else None)
    if refused:
        for key in _METADATA_KEYS:
            entry.pop(key, None)
    return entry


def _gated_info(info: _Entry, files: Iterable[_Entry]) -> _Entry:
    """Return *info*, told yanked when all its files are: that is what installers look at."""
    kept = list(files)
    if kept and all(msgspec.json.decode(file["yanked"]) for file in kept):
        info["yanked"], info["yanked_reason"] = kept[0]["yanked"], kept[0]["yanked_reason"]
    return info


def _encoded(value: Any) -> msgspec.Raw:
    return msgspec.Raw(msgspec.json.encode(value))
