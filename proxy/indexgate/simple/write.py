"""Writing the two forms of a project page and of the project list, from the model.

The API version is worked out anew from what is written (PEP 629): it says no more than upstream
did, unless a key that is there needs more; JSON without every size and the versions is 1.0, and
carries no key of 1.2 or later (what 1.1 brought stays: clients read each of it by itself); HTML
ends at 1.4 (PEP 833). File addresses are written as they stand in the model.
"""

from collections.abc import Iterator, Sequence

import msgspec
from msgspec import UNSET, Raw

from indexgate.simple.model import NEWEST, Extra, Hashes, PageFile, ProjectList, ProjectPage
from indexgate.simple.ordinary_files import OrdinaryFiles, as_sent, read_with_care
from indexgate.simple.projects import valid_name
from indexgate.simple.wire import File

NEWEST_JSON = NEWEST[1]
NEWEST_HTML = 4

# The minor version that brought a key; a page below it may not have the key.
_PROVENANCE, _STATUS = 3, 4
_META_SINCE = {"tracks": 2}
_PAGE_SINCE = {"alternate-locations": 2, "namespaces": 5}

# What clients take in a fragment, best first; uv rejects a whole page for any other (#sha1).
_FRAGMENTS = ("sha256", "sha512", "sha384", "blake2b", "md5")

_PIECE = 250  # files
_encode = msgspec.json.Encoder().encode

# Attribute values and texts: markup as entities, line breaks kept, no other control characters.
_ESCAPES = dict.fromkeys((*range(32), 127), "") | {
    ord("\t"): "&#9;", ord("\n"): "&#10;", ord("\r"): "&#13;",
    ord("&"): "&amp;", ord("<"): "&lt;", ord(">"): "&gt;", ord('"'): "&quot;", ord("'"): "&#x27;",
}  # fmt: skip


def json(page: ProjectPage) -> bytes:
    """Return the JSON form of *page*."""
    return b"".join(json_parts(page))


def json_parts(page: ProjectPage) -> Iterator[bytes]:
    """Yield the JSON form of *page* part by part: whoever packs or hashes it needs no whole."""
    versions = page.versions
    if versions is UNSET and not page.files:
        versions = ()  # of no files, all versions are known
    files = as_sent(page.files)
    sized = versions is not UNSET and all(file.size is not UNSET for file in files)
    minor = min(max(page.api_version[1], _needed(page)), NEWEST_JSON) if sized else 0
    head: dict[str, object] = {
        "meta": {"api-version": f"1.{minor}"} | _since(page.meta, _META_SINCE, minor),
        "name": page.name,
    }
    rest: dict[str, object] = {} if versions is UNSET else {"versions": versions}
    if page.status is not UNSET and minor >= _STATUS:
        status = {"status": page.status}
        if page.status_reason is not UNSET:
            status["reason"] = page.status_reason
        rest["project-status"] = status
    carried = _since(page.extra, _PAGE_SINCE, minor)
    more = {key: raw for key, raw in carried.items() if key != "files" and key not in rest}
    yield _encode(more | head)[:-1] + b',"files":['
    yield from _in_pieces(_files(page.files, files, minor), page.files)
    yield b"]" + (b"," + _encode(rest)[1:] if rest else b"}")


def _in_pieces(encodable: Sequence[object], files: Sequence[PageFile]) -> Iterator[bytes]:
    """Encode *files* piece by piece, since other threads wait while an encoder is at work."""
    for start in range(0, len(encodable), _PIECE):
        some = encodable[start : start + _PIECE]
        piece = _encode(some)[1:-1]
        moved = files.as_moved(piece, len(some)) if isinstance(files, OrdinaryFiles) else piece
        yield b"," + moved if start else moved


def html(page: ProjectPage) -> bytes:
    """Return the HTML form of *page*: one anchor a line, in a layout that stays."""
    needed = min(_needed(page), NEWEST_HTML)
    minor = min(max(page.api_version[1], needed), NEWEST_HTML)
    metas = [("pypi:repository-version", f"1.{minor}")]
    if page.status is not UNSET:
        metas.append(("pypi:project-status", page.status))
        if page.status_reason is not UNSET:
            metas.append(("pypi:project-status-reason", page.status_reason))
    # PEP 503: signatures are told of every file or of none.
    signed = any(file.gpg_sig is not UNSET for file in page.files)
    escaped = _Escaped()
    anchors = [_anchor(file, signed, escaped) for file in page.files]
    return _document(f"Links for {page.name}", metas, anchors)


def list_json(projects: ProjectList) -> bytes:
    """Return the JSON form of the project list."""
    minor = min(projects.api_version[1], NEWEST_JSON)
    meta = {"api-version": f"1.{minor}"} | _since(projects.meta, _META_SINCE, minor)
    return _encode({"meta": meta, "projects": [{"name": name} for name in projects.names]})


def list_html(projects: ProjectList) -> bytes:
    """Return the HTML form of the project list; addresses are relative (`name/`)."""
    minor = min(projects.api_version[1], NEWEST_HTML)
    escape = _Escaped()
    anchors = [
        f'<a href="{linked}/">{escape[name]}</a><br>'
        for name in projects.names
        if (linked := valid_name(name)) is not None
    ]
    return _document("Simple index", [("pypi:repository-version", f"1.{minor}")], anchors)


def _needed(page: ProjectPage) -> int:
    """Return the lowest minor version that has every key of *page*."""
    needed = max((_META_SINCE.get(key, 0) for key in page.meta), default=0)
    needed = max(needed, *(_PAGE_SINCE.get(key, 0) for key in page.extra), 0)
    if page.status is not UNSET:
        needed = max(needed, _STATUS)
    files = as_sent(page.files)
    if needed < _PROVENANCE and any(file.provenance for file in files):
        needed = _PROVENANCE
    return needed


def _since(members: Extra, since: dict[str, int], minor: int) -> dict[str, object]:
    return {key: raw for key, raw in members.items() if since.get(key, 0) <= minor}


def _files(
    files: Sequence[PageFile], sent: Sequence[PageFile | File], minor: int
) -> Sequence[object]:
    """Return what encodes as *files*, which are *sent* so, unless one needs a change."""
    if minor < _PROVENANCE and any(file.provenance is not UNSET for file in sent):
        sent = [msgspec.structs.replace(file, provenance=UNSET) for file in sent]
    if any(file.extra for file in read_with_care(files)):
        return [_file(file) for file in sent]
    return sent


def _file(file: PageFile | File) -> object:
    if isinstance(file, File) or not file.extra:
        return file
    known = msgspec.json.decode(_encode(file), type=dict[str, Raw])
    known.pop("extra")
    return file.extra | known


class _Escaped(dict[str, str]):
    """Remembers escaped texts: the same few stand on every line of a page."""

    def __missing__(self, text: str) -> str:
        escaped = self[text] = text.translate(_ESCAPES)
        return escaped


def _anchor(file: PageFile, signed: bool, escape: _Escaped) -> str:
    fragment = _digest(file.hashes)
    parts = [f'<a href="{_escape(file.url)}{"#" if fragment else ""}{fragment}"']
    if file.requires_python:
        parts.append(f' data-requires-python="{escape[file.requires_python]}"')
    if core := file.core_metadata:
        side = (_digest(core) if isinstance(core, dict) else "") or "true"
        parts.append(f' data-core-metadata="{side}" data-dist-info-metadata="{side}"')
    if file.yanked is not False:
        parts.append(f' data-yanked="{escape[file.yanked] if file.yanked is not True else ""}"')
    if file.provenance:
        parts.append(f' data-provenance="{_escape(file.provenance)}"')
    if signed:
        parts.append(f' data-gpg-sig="{"true" if file.gpg_sig is True else "false"}"')
    parts.append(f">{_escape(file.filename)}</a><br>")
    return "".join(parts)


def _escape(text: str) -> str:
    """Escape a text that comes once; most addresses and names need nothing."""
    marked = "&" in text or "<" in text or ">" in text or '"' in text or "'" in text
    return text.translate(_ESCAPES) if marked or not text.isprintable() else text


def _digest(hashes: Hashes) -> str:
    """Return `sha256=<hex>`, or the next best that clients know, or ""."""
    for kind in _FRAGMENTS:
        if kind in hashes:
            return f"{kind}={hashes[kind]}"
    return ""


def _document(title: str, metas: list[tuple[str, str]], anchors: list[str]) -> bytes:
    title = _escape(title)
    lines = ["<!DOCTYPE html>", '<html lang="en">', "<head>", '<meta charset="utf-8">']
    lines += [f'<meta name="{name}" content="{_escape(content)}">' for name, content in metas]
    lines += [f"<title>{title}</title>", "</head>", "<body>", f"<h1>{title}</h1>"]
    lines += [*anchors, "</body>", "</html>", ""]
    return "\n".join(lines).encode(errors="replace")
