"""What `poetry.lock` pins. It names the index of a package only if that is not the public one."""

from collections.abc import Iterator

from packaging.utils import NormalizedName, canonicalize_name

from indexgate.locks.entry import Pinned, PinnedFile, Unasked
from indexgate.locks.text import (
    Lines,
    LockText,
    Table,
    name_in,
    strong,
    table_in,
    tables_in,
    text_in,
)
from indexgate.redact import redact

_INDEX = "legacy"  # Poetry's word for a simple index
_ELSEWHERE = {
    "git": "it comes from a git repository",
    "hg": "it comes from a repository",
    "url": "it comes from an address and asks no index",
    "file": "it is a file on this machine",
    "directory": "it is a folder on this machine",
}


def entries(source: LockText) -> Iterator[Pinned | Unasked]:
    """Yield the packages. Raises GateError `lock-text`."""
    document = source.toml()
    # Before lock format 2.0 the files of all packages stood together at the end.
    apart = {
        canonicalize_name(name): files
        for name, files in table_in(table_in(document, "metadata"), "files").items()
    }
    for package, lines in source.tables(document, "package"):
        yield _entry(source, package, lines, apart)


def _entry(
    source: LockText, package: Table, lines: Lines, apart: dict[NormalizedName, list[Table]]
) -> Pinned | Unasked:
    name = name_in(package, source, lines.first)
    version = text_in(package, "version")
    origin = table_in(package, "source")
    kind = text_in(origin, "type")
    if version is None:
        raise source.wrong(f"does not pin the version of `{name}`", lines.first)
    if kind not in {None, _INDEX, "pypi"}:
        return Unasked(
            text=f"{name}=={version} ({redact(text_in(origin, 'url') or '')})",
            reason=_ELSEWHERE.get(kind or "", "it asks no index"),
            line=lines.first,
            name=name,
        )
    files = tables_in(package, "files") or tables_in({"files": apart.get(name)}, "files")
    return Pinned(
        name=name,
        version=version,
        line=lines.first,
        files=tuple(
            PinnedFile(
                filename=text_in(file, "file"),
                hashes=strong(file.get("hash")),
                line=lines.line_of(text_in(file, "hash") or "", text_in(file, "file") or ""),
            )
            for file in files
        ),
        index=text_in(origin, "url"),
    )
