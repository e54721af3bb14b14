"""What `uv.lock` pins: packages of a registry with their files, and what comes from elsewhere."""

from collections.abc import Iterator

from indexgate.locks.entry import Pinned, PinnedFile, Unasked
from indexgate.locks.text import (
    Lines,
    LockText,
    Table,
    filename_in,
    name_in,
    strong,
    table_in,
    tables_in,
    text_in,
)
from indexgate.redact import redact

_ELSEWHERE = {
    "git": "it comes from a git repository",
    "url": "it comes from an address and asks no index",
    "path": "it is a file on this machine",
    "directory": "it is a folder on this machine",
    "editable": "it is a folder on this machine",
}


def entries(source: LockText) -> Iterator[Pinned | Unasked]:
    """Yield the packages. Raises GateError `lock-text`."""
    document = source.toml()
    members = table_in(document, "manifest").get("members")
    own = {str(each) for each in members} if isinstance(members, list) else set()
    for package, lines in source.tables(document, "package"):
        yield _entry(source, package, lines, own)


def _entry(source: LockText, package: Table, lines: Lines, own: set[str]) -> Pinned | Unasked:
    name = name_in(package, source, lines.first)
    version = text_in(package, "version")
    origin = table_in(package, "source")
    registry = text_in(origin, "registry")
    if registry is not None and "://" in registry:
        if version is None:
            raise source.wrong(f"does not pin the version of `{name}`", lines.first)
        sdist = table_in(package, "sdist")
        files = (*([sdist] if sdist else []), *tables_in(package, "wheels"))
        return Pinned(
            name=name,
            version=version,
            line=lines.first,
            files=tuple(_file(file, lines) for file in files),
            index=registry,
        )
    kind = next((each for each in ("virtual", *_ELSEWHERE) if each in origin), "path")
    place = text_in(origin, kind) or registry or ""
    is_own = kind == "virtual" or (kind == "editable" and (place == "." or name in own))
    return Unasked(
        text=f"{name}{f'=={version}' if version else ''} ({redact(place)})",
        reason="it is the locked project itself" if is_own else _ELSEWHERE[kind],
        line=lines.first,
        name=name,
        harmless=is_own,
    )


def _file(file: Table, lines: Lines) -> PinnedFile:
    url = text_in(file, "url")
    digest = text_in(file, "hash")
    return PinnedFile(
        filename=text_in(file, "filename") or filename_in(url or text_in(file, "path")),
        hashes=strong(digest),
        url=url,
        line=lines.line_of(digest or "", url or ""),
    )
