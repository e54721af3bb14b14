"""What `pdm.lock` pins: files by name, or by address where it was made with static addresses."""

from collections.abc import Iterator

from indexgate.locks.entry import Pinned, PinnedFile, Unasked
from indexgate.locks.text import (
    Lines,
    LockText,
    Table,
    filename_in,
    name_in,
    strong,
    tables_in,
    text_in,
)
from indexgate.redact import redact

_ELSEWHERE = {
    "git": "it comes from a git repository",
    "hg": "it comes from a repository",
    "svn": "it comes from a repository",
    "bzr": "it comes from a repository",
    "url": "it comes from an address and asks no index",
    "path": "it is a path on this machine",
}


def entries(source: LockText) -> Iterator[Pinned | Unasked]:
    """Yield the packages. Raises GateError `lock-text`."""
    for package, lines in source.tables(source.toml(), "package"):
        yield _entry(source, package, lines)


def _entry(source: LockText, package: Table, lines: Lines) -> Pinned | Unasked:
    name = name_in(package, source, lines.first)
    version = text_in(package, "version")
    kind = next((each for each in _ELSEWHERE if text_in(package, each) is not None), None)
    if kind is not None:
        place = text_in(package, kind) or ""
        return Unasked(
            text=f"{name}{f'=={version}' if version else ''} ({redact(place)})",
            reason=_ELSEWHERE[kind],
            line=lines.first,
            name=name,
        )
    if version is None:
        raise source.wrong(f"does not pin the version of `{name}`", lines.first)
    return Pinned(
        name=name,
        version=version,
        line=lines.first,
        files=tuple(_file(file, lines) for file in tables_in(package, "files")),
    )


def _file(file: Table, lines: Lines) -> PinnedFile:
    url = text_in(file, "url")
    filename = text_in(file, "file") or filename_in(url)
    return PinnedFile(
        filename=filename,
        hashes=strong(file.get("hash")),
        url=url,
        line=lines.line_of(text_in(file, "hash") or "", filename or ""),
    )
