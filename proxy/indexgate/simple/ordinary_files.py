"""The files of an ordinary page, as they were sent: a `PageFile` is made of one that is looked at.

A page may have files by the thousand, of which nobody looks at more than a few, and is given out as
it came but for the addresses. To make an object of each would cost more than all the rest.
"""

import re
from collections.abc import Callable, Collection, Container, Iterator, Mapping, Sequence
from datetime import datetime
from typing import overload

import msgspec
from msgspec import UNSET
from packaging.utils import NormalizedName

from indexgate.simple.model import Hashes, PageFile
from indexgate.simple.plain_names import Versions, plain_versions
from indexgate.simple.wire import File

_START = re.compile(rb'"url":"(https?://[^/]+/)')
_hashes = msgspec.json.Decoder(Hashes).decode
_core_metadata = msgspec.json.Decoder(bool | Hashes | None).decode


class OrdinaryFiles(Sequence[PageFile]):
    """Files that are believed as they were sent: see `ordinary`.

    `filenames` and `uploads` have the name of each and the upload time, None where it is not told;
    `versions` has the version of each whose name tells it without doubt, see `plain_versions`.
    """

    __slots__ = ("_instead", "_rows", "_to", "filenames", "uploads", "versions")

    def __init__(
        self,
        rows: Sequence[File],
        filenames: Sequence[str],
        versions: Versions,
        uploads: Sequence[datetime | None],
        *,
        to: Mapping[str, str] | None = None,
        instead: Mapping[int, PageFile] | None = None,
    ) -> None:
        self.filenames = filenames
        self.versions = versions
        self.uploads = uploads
        self._rows = rows
        self._to = to
        self._instead = instead or {}

    def moved(self, to: Callable[[str], str], instead: Mapping[int, PageFile]) -> "OrdinaryFiles":
        """Return the same files at other addresses: where an origin is, such as `https://host/`.

        Of each address the origin is exchanged for what *to* returns of it. Those *instead* of
        files at some places still have the old address.
        """
        return OrdinaryFiles(
            self._rows,
            self.filenames,
            self.versions,
            self.uploads,
            to=_Moved(to),
            instead=instead,
        )

    def without(self, names: Container[str]) -> "OrdinaryFiles":
        """Return the files that have none of *names*."""
        left = [place for place, name in enumerate(self.filenames) if name not in names]
        if len(left) == len(self):
            return self
        return OrdinaryFiles(
            [self._rows[place] for place in left],
            [self.filenames[place] for place in left],
            self.versions._replace(texts=[self.versions.texts[place] for place in left]),
            [self.uploads[place] for place in left],
        )

    def as_sent(self) -> Sequence[File | PageFile]:
        """Return structs that encode as the files do, but for their addresses: see `as_moved`."""
        if not self._instead:
            return self._rows
        rows: list[File | PageFile] = list(self._rows)
        for place, file in self._instead.items():
            rows[place] = file
        return rows

    @property
    def instead(self) -> Collection[PageFile]:
        """Those that stand here instead of others."""
        return self._instead.values()

    def as_moved(self, encoded: bytes, files: int) -> bytes:
        """Return so many *files*, as they are *encoded*, with the addresses that they have here.

        An address comes right behind its key, and in no text can there be a quotation mark that is
        not escaped; so what looks like the start of an address is one.
        """
        if self._to is None or not files:
            return encoded
        origin = origin_in(self._rows[0].url)
        between = encoded.split(_start(origin))
        if len(between) - 1 == files:  # most often all are at the same one
            return _start(self._to[origin]).join(between)
        moved = self._to
        return _START.sub(lambda found: _start(moved[found[1].decode()]), encoded)

    def __len__(self) -> int:
        return len(self._rows)

    @overload
    def __getitem__(self, place: int) -> PageFile: ...
    @overload
    def __getitem__(self, place: slice) -> tuple[PageFile, ...]: ...
    def __getitem__(self, place: int | slice) -> PageFile | tuple[PageFile, ...]:
        if isinstance(place, slice):
            return tuple(map(self._file, range(*place.indices(len(self)))))
        return self._file(range(len(self))[place])

    def __iter__(self) -> Iterator[PageFile]:
        return map(self._file, range(len(self)))

    def _file(self, place: int) -> PageFile:
        held = self._instead.get(place) or self._rows[place]
        url = held.url
        if self._to is not None:
            origin = origin_in(url)
            url = self._to[origin] + url[len(origin) :]
        if isinstance(held, PageFile):
            return msgspec.structs.replace(held, url=url)
        return _file(held, url)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Sequence) and tuple(self) == tuple(other)

    __hash__ = None  # type: ignore[assignment]


def origin_in(url: str) -> str:
    """Return *url* up to its path, with the slash that begins it."""
    return url[: url.find("/", len("https://")) + 1]


class _Moved(dict[str, str]):
    """What origins are exchanged for, each worked out once."""

    def __init__(self, to: Callable[[str], str]) -> None:
        super().__init__()
        self._to = to

    def __missing__(self, origin: str) -> str:
        moved = self[origin] = self._to(origin)
        return moved


def _start(url: str) -> bytes:
    """Return how an address is written that begins with *url*."""
    return b'"url":' + msgspec.json.encode(url)[:-1]


def _file(row: File, url: str) -> PageFile:
    core = row.core_metadata
    return PageFile(
        core_metadata=UNSET if core is UNSET else _core_metadata(core),
        filename=row.filename,
        gpg_sig=row.gpg_sig,
        hashes=_hashes(row.hashes),
        provenance=row.provenance,
        requires_python=row.requires_python,
        size=row.size,
        upload_time=row.upload_time,
        url=url,
        yanked=row.yanked,
    )


def filenames(files: Sequence[PageFile]) -> Sequence[str]:
    """Return the names of *files*."""
    if isinstance(files, OrdinaryFiles):
        return files.filenames
    return [file.filename for file in files]


def versions(files: Sequence[PageFile], project: NormalizedName) -> Versions:
    """Return the versions that the names of *files* tell without doubt; "" of the others."""
    if isinstance(files, OrdinaryFiles):
        return files.versions
    return plain_versions([file.filename for file in files], project)


def as_sent(files: Sequence[PageFile]) -> Sequence[File | PageFile]:
    """Return *files* without making any, for what both kinds tell: all but their hashes."""
    return files.as_sent() if isinstance(files, OrdinaryFiles) else files


def read_with_care(files: Sequence[PageFile]) -> Collection[PageFile]:
    """Return those of *files* that may have members nobody knows: no ordinary one has."""
    return files.instead if isinstance(files, OrdinaryFiles) else files
