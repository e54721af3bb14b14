"""What `Pipfile.lock` pins: a version and the hashes of all its files, without their names."""

from collections.abc import Iterator

from packaging.utils import InvalidName, canonicalize_name

from indexgate.locks.entry import Pinned, PinnedFile, Unasked
from indexgate.locks.text import (
    Lines,
    LockText,
    Onward,
    Table,
    strong,
    table_in,
    tables_in,
    text_in,
)
from indexgate.redact import redact

_ELSEWHERE = {
    "git": "it comes from a git repository",
    "hg": "it comes from a repository",
    "svn": "it comes from a repository",
    "file": "it comes from an address and asks no index",
    "path": "it is a path on this machine",
}


def entries(source: LockText) -> Iterator[Pinned | Unasked]:
    """Yield the packages of every category. Raises GateError `lock-text`."""
    document = source.json()
    sources = tables_in(table_in(document, "_meta"), "sources")
    indexes = {text_in(each, "name"): text_in(each, "url") for each in sources}
    first = text_in(sources[0], "url") if sources else None
    text = Onward(source.text)
    for category, packages in document.items():
        if category == "_meta" or not isinstance(packages, dict):
            continue
        text.to(f'"{category}":')
        for name, package in packages.items():
            if not isinstance(package, dict):
                raise source.wrong(f"has no table for `{ascii(name)[1:-1]}`")
            index = indexes.get(text_in(package, "index"), first)
            yield _entry(source, name, package, text.to(f'"{name}":'), index)


def _entry(
    source: LockText, written: str, package: Table, lines: Lines, index: str | None
) -> Pinned | Unasked:
    try:
        name = canonicalize_name(written, validate=True)
    except InvalidName as error:
        raise source.wrong("has an entry without a project's name", lines.first) from error
    kind = next((each for each in _ELSEWHERE if text_in(package, each) is not None), None)
    if kind is not None:
        place = text_in(package, kind) or ""
        return Unasked(
            text=f"{name} ({redact(place)})",
            reason="it is the locked project itself" if place == "." else _ELSEWHERE[kind],
            line=lines.first,
            name=name,
            harmless=kind == "path" and place == ".",
        )
    version = text_in(package, "version") or ""
    if not version.startswith("=="):
        return Unasked(
            text=f"{name} {version}".strip(),
            reason="the lock does not pin its version",
            line=lines.first,
            name=name,
        )
    hashes = package.get("hashes")
    return Pinned(
        name=name,
        version=version.lstrip("="),
        line=lines.first,
        files=tuple(
            PinnedFile(hashes=strong(digest), line=lines.line_of(str(digest)))
            for digest in (hashes if isinstance(hashes, list) else ())
        ),
        index=index,
    )
