"""A host behind a breaker that finds out by itself when the host is back.

While the breaker is open nobody waits: requests are refused at once, and a probe in the background
asks one of the addresses that failed, every few seconds for as long as somebody wants to know.
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeAlias

from indexgate.index.breaker import Breaker
from indexgate.index.protocol import NoSuchProject, UpstreamFailed

Probe: TypeAlias = Callable[[str, float], Awaitable[None]]
"""Ask an address, for so many seconds at most. Raises UpstreamFailed."""


class WatchedHost:
    """One host: its breaker, and the watch over it while it is in trouble."""

    def __init__(
        self, name: str, breaker: Breaker, probe: Probe, log: Callable[[str, str], None]
    ) -> None:
        self.breaker = breaker
        self._name = name
        self._probe = probe
        self._log = log
        self._watch: asyncio.Task[None] | None = None

    def asking(self, address: str) -> "_Asking":
        """Return a context that lets its block ask *address*, and learns how it went.

        To enter it raises UpstreamFailed while the host is left alone.
        """
        return _Asking(self, address)

    def check(self, address: str) -> None:
        """Raise UpstreamFailed if the host, or *address* there, is left alone now."""
        refusal = self.breaker.refusal(address)
        if refusal is not None:
            self._watch_if_open()  # whatever ended the watch must not leave the host alone for ever
            raise refusal

    def let_go(self) -> None:
        """Watch it no longer."""
        if self._watch is not None:
            self._watch.cancel()

    def learn(self, address: str, error: BaseException | None) -> None:
        """Take in how it went to ask *address*: what was raised, if anything."""
        if error is None or isinstance(error, NoSuchProject):
            self.breaker.answered(address)
        elif isinstance(error, UpstreamFailed):
            self.breaker.failed(address, error)
            self._watch_if_open()

    async def close(self) -> None:
        """End the watch."""
        self.let_go()
        if self._watch is not None:
            await asyncio.gather(self._watch, return_exceptions=True)

    def _watch_if_open(self) -> None:
        if self.breaker.wanted and (self._watch is None or self._watch.done()):
            self._log("upstream-left-alone", f"{self._name} {self.breaker.reason}")
            self._watch = asyncio.create_task(self._watch_it())

    async def _watch_it(self) -> None:
        breaker = self.breaker
        while breaker.wanted:
            await asyncio.sleep(breaker.pause)
            if breaker.closed:  # a request that was under way came through
                break
            address, patience = breaker.begin_probe()
            try:
                await self._probe(address, patience)
            except UpstreamFailed as failure:
                breaker.probe_failed(address, failure)
            else:
                breaker.answered()
        if breaker.closed:
            self._log("upstream-back", f"{self._name} answers again")
        else:
            breaker.rest()


class _Asking:
    """One address of a host, while it is asked."""

    __slots__ = ("_address", "_host")

    def __init__(self, host: WatchedHost, address: str) -> None:
        self._host = host
        self._address = address

    def __enter__(self) -> None:
        self._host.check(self._address)

    def __exit__(self, _kind: object, error: BaseException | None, _traceback: object) -> None:
        self._host.learn(self._address, error)
