"""One worker of all fetches a thing, and the others wait until it has.

Who fetches holds a lease: a lock on one byte of a file, at a place that the thing's name gives. So
to take one costs two calls of the system and asks nobody, and a worker that is killed has none any
more. Who finds it taken asks the others how it ends, and hears it when it does.
"""

import asyncio
import fcntl
import os
from collections.abc import Awaitable, Callable
from contextlib import suppress
from hashlib import blake2b
from pathlib import Path
from typing import Any, TypeVar

from indexgate.fellows import Fellows
from indexgate.index.protocol import NoSuchProject, UpstreamFailed

T = TypeVar("T")

_TOPIC = "how-it-ends"
_LONGEST = 30.0
"""Seconds after which nobody waits for another worker any more."""

CLAIMED_FOR = 2.0
"""Seconds after which what was claimed and not begun is left to others: who claimed it may never
come to it, as somebody who looked for a file on a page and did not find it."""

_ROUNDS = 2
"""How often to wait for others that then have nothing, before doing it beside them."""


class Leases:
    """The leases of one worker, in the file *path* that all of a gate's workers share."""

    def __init__(self, path: Path, fellows: Fellows) -> None:
        self._fellows = fellows
        # Open for as long as the process: to close it anywhere would end all leases.
        self._file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        self._ends: dict[str, asyncio.Future[object]] = {}  # of the leases that are held here
        self._claimed: dict[str, asyncio.TimerHandle] = {}
        fellows.answer(_TOPIC, self._how_it_ends)

    def close(self) -> None:
        """End all leases."""
        for expiry in self._claimed.values():
            expiry.cancel()
        os.close(self._file)

    def claim(self, key: str) -> bool:
        """Tell whether the work is this worker's, and keep it so for `once`, or until `give_up`.

        It is given up by itself `CLAIMED_FOR` seconds later.
        """
        if key not in self._ends and self._take(key):
            later = asyncio.get_running_loop().call_later
            self._claimed[key] = later(CLAIMED_FOR, self.give_up, key)
        return key in self._ends

    def give_up(self, key: str) -> None:
        """Leave what was claimed, if it was, to whoever wants it."""
        if self._is_claimed(key):
            self._release(key, None)

    async def once(
        self,
        key: str,
        do: Callable[[], Awaitable[T]],
        there: Callable[[], Awaitable[T | None]],
    ) -> T:
        """Return what *do* returns, or what *there* finds after another worker did it.

        Raises what *do* raises, also in another worker: NoSuchProject, UpstreamFailed.
        """
        for _ in range(_ROUNDS):
            if self._is_claimed(key) or (key not in self._ends and self._take(key)):
                return await self._held(key, do, there)
            _raise_failure(await self._end_of(key))
            found = await there()
            if found is not None:
                return found
        return await do()

    def _is_claimed(self, key: str) -> bool:
        """Tell whether *key* was claimed; it is not any more."""
        expiry = self._claimed.pop(key, None)
        if expiry is not None:
            expiry.cancel()
        return expiry is not None

    async def _held(
        self,
        key: str,
        do: Callable[[], Awaitable[T]],
        there: Callable[[], Awaitable[T | None]],
    ) -> T:
        told: object = None
        try:
            # Another worker may have done it between the look of who asks and this lease.
            found = await there()
            if found is None:
                found = await do()
        except (NoSuchProject, UpstreamFailed) as failure:
            told = _failure(failure)
            raise
        else:
            told = "done"
            return found
        finally:
            self._release(key, told)

    async def _end_of(self, key: str) -> object:
        """Return how the work ends that somebody is doing, here or in another worker."""
        if key in self._ends:
            return await self._how_it_ends(key)
        ends = await self._fellows.ask(_TOPIC, key, within=_LONGEST, most=1)
        return ends[0] if ends else None

    async def _how_it_ends(self, key: str) -> object:
        end = self._ends.get(key)
        return None if end is None else await asyncio.shield(end)

    def _take(self, key: str) -> bool:
        """Take the lease of *key*; a file system that has no locks refuses none."""
        try:
            fcntl.lockf(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB, 1, _place(key))
        except (BlockingIOError, PermissionError):
            return False
        except OSError:
            pass
        self._ends[key] = asyncio.get_running_loop().create_future()
        return True

    def _release(self, key: str, told: object) -> None:
        """End the lease of *key*, and tell those who wait how the work ended."""
        with suppress(OSError):
            fcntl.lockf(self._file, fcntl.LOCK_UN, 1, _place(key))
        self._ends.pop(key).set_result(told)


def _place(key: str) -> int:
    """Return a byte's offset: of as many as there are, two names hardly ever have the same."""
    return int.from_bytes(blake2b(key.encode(), digest_size=8).digest(), "big") >> 2


def _failure(failure: NoSuchProject | UpstreamFailed) -> list[object]:
    if isinstance(failure, NoSuchProject):
        return ["missing", failure.project]
    return ["failed", failure.kind, failure.reason, failure.status, failure.retry_after]


def _raise_failure(end: Any) -> None:
    """Raise what another worker's work ended with, if it failed."""
    match end:
        case ["missing", project]:
            raise NoSuchProject(project)
        case ["failed", kind, reason, status, retry_after]:
            raise UpstreamFailed(kind, reason, status=status, retry_after=retry_after)
