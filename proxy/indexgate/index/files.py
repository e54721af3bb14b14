"""A distribution file on its way to a client: what is wanted, who gives it, what is read.

Nothing here decides whether a file may pass; the caller has judged before. What is held to here is
that a client never receives all bytes of a file unless they are the bytes that the index lists.
"""

import re
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from typing import BinaryIO, Protocol, Self, TypeAlias

from indexgate.index.protocol import UpstreamFailed

CHUNK = 128 * 1024
"""Bytes read from disk and handed on at once."""

SMALL_FILE = 128 * 1024
"""Bytes up to which a file is taken in whole, and kept in memory: most core metadata is shorter."""

HELD_BACK = 64 * 1024
"""Bytes at the end of a file that nobody gets before the file was checked."""

_SHA256 = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """A file as the index lists it.

    `key` names the place of the file (index and upstream URL); equal wishes share one fetch.
    `sha256` is the listed digest in lower case; without it `hashes` (kind to digest) are checked,
    and `first_seen`, the sha256 that this place gave first, must not change. `size` is in bytes.
    """

    key: str
    sha256: str | None = None
    size: int | None = None
    hashes: Mapping[str, str] = field(default_factory=dict, hash=False)
    first_seen: str | None = None

    def __post_init__(self) -> None:
        """Raise ValueError for a sha256 that is none: it becomes a file name."""
        for digest in (self.sha256, self.first_seen):
            if digest is not None and not _SHA256.fullmatch(digest):
                raise ValueError(f"{digest!r} is not a sha256 in lower-case hexadecimal digits")

    @classmethod
    def listed(
        cls,
        key: str,
        hashes: Mapping[str, str],
        *,
        size: int | None = None,
        first_seen: str | None = None,
    ) -> Self:
        """Return what a project page's *hashes* and *size* ask for.

        Raises UpstreamFailed when the page lists a sha256 that is none: to pass over it would
        turn a listed file into one without a hash.
        """
        lower = {kind.lower(): digest.lower() for kind, digest in hashes.items()}
        sha256 = lower.pop("sha256", None)
        if sha256 is not None and not _SHA256.fullmatch(sha256):
            raise UpstreamFailed("hash", "lists a sha256 that is not 64 hexadecimal digits")
        return cls(key=key, sha256=sha256, size=size, hashes=lower, first_seen=first_seen)

    @property
    def digest(self) -> str | None:
        """The sha256 that the bytes must have, if one is known."""
        return self.sha256 or self.first_seen

    @property
    def etag(self) -> str | None:
        """The strong ETag of the file, with its quotes."""
        return f'"sha256-{self.digest}"' if self.digest else None


class UpstreamBody(Protocol):
    """A file as upstream sends it, undecoded."""

    @property
    def length(self) -> int | None:
        """The number of bytes that upstream announced."""

    @property
    def headers(self) -> Mapping[str, str]:
        """The headers of the answer; their names are looked up in any case."""

    def chunks(self) -> AsyncIterator[bytes]:
        """Yield the bytes in pieces of any length; 64 to 256 KB are best. Raises UpstreamFailed."""


Fetch: TypeAlias = Callable[[], AbstractAsyncContextManager[UpstreamBody]]
"""Ask upstream for the whole file. Raises UpstreamFailed on entering."""

FetchRange: TypeAlias = Callable[[int, int], AbstractAsyncContextManager[UpstreamBody]]
"""Ask upstream for the bytes from the first number up to but without the second."""

Pin: TypeAlias = Callable[[str, str], Awaitable[str]]
"""Given a key and the sha256 that just arrived, return the sha256 that this key gave first.

Raises GateError when that can be neither read nor kept.
"""


async def pin_nothing(_key: str, sha256: str) -> str:
    """Hold every file for the first one: no memory of first-seen files."""
    return sha256


class FileBody(Protocol):
    """The bytes of a file, wherever they come from. Close it when done."""

    @property
    def size(self) -> int | None:
        """The number of bytes, when it is known."""

    @property
    def kept(self) -> BinaryIO | None:
        """The finished and checked file on disk, or None while there is none."""

    @property
    def at_hand(self) -> bytes | None:
        """All bytes of a small file that was checked, or None."""

    def read(self, start: int = 0, stop: int | None = None) -> AsyncGenerator[bytes, None]:
        """Yield the bytes from *start* up to but without *stop*, or to the end.

        The last block comes only after the whole file was checked. Raises UpstreamFailed before
        it (kind `hash`) when the file is not the listed one, and at any time when upstream fails.
        """

    def close(self) -> None:
        """Give back what the body holds open."""
