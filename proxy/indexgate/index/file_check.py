"""Is this file the listed one? Size and hashes, computed while it passes."""

import hashlib

from indexgate.errors import GateError
from indexgate.index.files import Pin, Wanted
from indexgate.index.protocol import UpstreamFailed


class FileCheck:
    """Takes the bytes of one file in order, and says at the end whether they are the wanted ones.

    sha256 is always computed, since files are stored under it. Other kinds are checked only when
    the index lists no sha256; kinds that hashlib lacks are passed over.
    """

    def __init__(self, wanted: Wanted) -> None:
        self._wanted = wanted
        self._size = wanted.size
        self._sha256 = hashlib.sha256(usedforsecurity=True)
        others = {} if wanted.sha256 else wanted.hashes
        self._others = {
            kind: hashlib.new(kind, usedforsecurity=False)
            for kind in others
            if kind in hashlib.algorithms_guaranteed and not kind.startswith("shake_")
        }
        self.received = 0

    def expect(self, length: int | None) -> int | None:
        """Take the *length* that upstream announces; return the size the file must have.

        Raises UpstreamFailed when it is not the size that the index lists.
        """
        if self._size is None:
            self._size = length
        elif length is not None and length != self._size:
            raise UpstreamFailed(
                "hash", f"sent a file of {length} bytes where the index lists {self._size}"
            )
        return self._size

    def update(self, data: bytes) -> None:
        """Take the next bytes. Raises UpstreamFailed as soon as there are too many."""
        self.received += len(data)
        if self._size is not None and self.received > self._size:
            raise UpstreamFailed("hash", f"sent more than the {self._size} bytes of the file")
        self._sha256.update(data)
        for other in self._others.values():
            other.update(data)

    def finish(self) -> str:
        """Return the sha256 of the complete file.

        Raises UpstreamFailed when size or hash are not those that were wanted.
        """
        wanted = self._wanted
        if self._size is not None and self.received != self._size:
            raise UpstreamFailed(
                "hash", f"ended after {self.received} of the {self._size} bytes of the file"
            )
        sha256 = self._sha256.hexdigest()
        if wanted.sha256 is not None and wanted.sha256 != sha256:
            raise UpstreamFailed(
                "hash", f"sent a file with sha256 {sha256} where the index lists {wanted.sha256}"
            )
        for kind, other in self._others.items():
            if other.hexdigest() != wanted.hashes[kind]:
                raise UpstreamFailed("hash", f"sent a file whose {kind} is not the listed one")
        if wanted.sha256 is None:
            _unchanged(wanted.first_seen, sha256)
        return sha256


async def approve(check: FileCheck, wanted: Wanted, pin: Pin) -> str:
    """Return the sha256 of the complete file, pinned if the index lists none.

    Raises UpstreamFailed; also (kind `store`) for a file that cannot be pinned: it does not pass.
    """
    sha256 = check.finish()
    if wanted.sha256 is None:
        try:
            first = await pin(wanted.key, sha256)
        except GateError as error:
            raise UpstreamFailed(
                "store", f"lists no sha256 of the file, and it cannot be pinned: {error.message}"
            ) from error
        _unchanged(first, sha256)
    return sha256


def _unchanged(first_seen: str | None, sha256: str) -> None:
    if first_seen is not None and first_seen != sha256:
        raise UpstreamFailed(
            "hash",
            "the file changed since it was first seen"
            f" (sha256 was {first_seen} and is now {sha256})",
        )
