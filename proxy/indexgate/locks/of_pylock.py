"""What `pylock.toml` pins (PEP 751): installers fetch its files without asking an index."""

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
    "vcs": "it comes from a repository",
    "directory": "it is a folder on this machine",
    "archive": "it comes from an address and asks no index",
}


def entries(source: LockText) -> Iterator[Pinned | Unasked]:
    """Yield the packages. Raises GateError `lock-text`."""
    for package, lines in source.tables(source.toml(), "packages"):
        yield _entry(source, package, lines)


def _entry(source: LockText, package: Table, lines: Lines) -> Pinned | Unasked:
    name = name_in(package, source, lines.first)
    version = text_in(package, "version")
    sdist = table_in(package, "sdist")
    files = (*([sdist] if sdist else []), *tables_in(package, "wheels"))
    kind = next((each for each in _ELSEWHERE if table_in(package, each)), None)
    if kind is not None:
        if files:  # installers differ in which of them they take
            raise source.wrong(f"gives `{name}` both files and an `{kind}`", lines.first)
        origin = table_in(package, kind)
        place = text_in(origin, "url") or text_in(origin, "path") or ""
        return Unasked(
            text=f"{name}{f'=={version}' if version else ''} ({redact(place)})",
            reason=_ELSEWHERE[kind],
            line=lines.first,
            name=name,
            harmless=kind == "directory" and place == ".",
        )
    if version is None:
        raise source.wrong(f"does not pin the version of `{name}`", lines.first)
    return Pinned(
        name=name,
        version=version,
        line=lines.first,
        files=tuple(_file(file, lines) for file in files),
        index=text_in(package, "index"),
    )


def _file(file: Table, lines: Lines) -> PinnedFile:
    url = text_in(file, "url") or text_in(file, "path")
    digests = table_in(file, "hashes")
    return PinnedFile(
        filename=text_in(file, "name") or filename_in(url),
        hashes=strong(*(f"{kind}:{digest}" for kind, digest in digests.items())),
        url=url,
        line=lines.line_of(*map(str, digests.values()), url or ""),
    )
