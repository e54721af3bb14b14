"""A breaker: when several requests in a row say that a host is in trouble, it is left alone.

Pure: the clock is an argument, and what happens is told to it. Only failures that speak of the
whole host count, and those that may be the fault of one page (a status, a hanging answer) count
once for each address, so that one bad page never shuts out the rest. While it is open everybody is
refused at once with the last failure; one probe at a time finds out whether the host is back. It
asks the addresses that failed in turn with one that was well, since those may be bad by themselves.
"""

from collections import OrderedDict
from collections.abc import Callable
from enum import StrEnum
from math import ceil

from indexgate.index.protocol import UpstreamFailed

_NO_CONNECTION = frozenset({"refused", "dns", "certificate"})
_PERHAPS_ONE_PAGE = frozenset({"timeout", "cut-off"})

LONGEST_WISH = 60.0
"""Seconds: a host that asks to be left alone for longer (Retry-After) is asked again anyway."""

_FIRST_PAUSE, _LONGEST_PAUSE = 1.0, 4.0
_FIRST_PATIENCE = 3.0
_PROBED_UNASKED = 300.0
_MOST_WISHES = 1000
_MOST_SUSPECTS = 4


class State(StrEnum):
    """Whether requests go through: all (closed), none (open), or a probe alone (half-open)."""

    CLOSED = "closed"
    OPEN = "open"
    HALF_OPEN = "half-open"


class Breaker:
    """The breaker of one host.

    *now* gives seconds that only grow (never the time of day, which may be set back), *after* is
    how many failures open it. `opened` counts how often it did, `reason` is the last failure that
    counted, in one clause.
    """

    def __init__(self, now: Callable[[], float], *, after: int = 3) -> None:
        self.state = State.CLOSED
        self.opened = 0
        self.reason: str | None = None
        self._now = now
        self._turned = now()
        self._after = after
        self._failure: UpstreamFailed | None = None
        self._streak = 0
        self._suspects: OrderedDict[str, None] = OrderedDict()
        self._well: str | None = None
        self._wishes: OrderedDict[str, tuple[float, UpstreamFailed]] = OrderedDict()
        self._probes = 0
        self._next_probe = 0.0
        self._last_asked = 0.0

    def refusal(self, address: str) -> UpstreamFailed | None:
        """Return why *address* is not to be asked now; None when it may be."""
        now = self._now()
        if not self.closed and self._failure is not None:
            self._last_asked = now
            return self._shut(self._failure, now)
        until, wished = self._wishes.get(address, (now, None))
        if wished is not None and now < until:
            return _again(wished, wished.reason, until - now)
        return None

    def answered(self, address: str | None = None) -> None:
        """Take note that the host works, whatever it said; *address* is well."""
        self._well = address or self._well
        if not self.closed:
            self._close()
        self._streak = 0
        self._suspects.clear()

    def failed(self, address: str, failure: UpstreamFailed) -> None:
        """Take note that *address* could not be had."""
        now = self._now()
        if failure.retry_after:
            self._wish(address, failure, now)
        if not _counts(failure):
            self.answered()
            return
        self._failure, self.reason = failure, failure.reason
        if self.closed:
            if failure.kind in _NO_CONNECTION or address not in self._suspects:
                self._streak += 1
            self._suspect(address)
            if self._streak >= self._after:
                self._open(now)

    @property
    def closed(self) -> bool:
        """Whether requests go through."""
        return self.state is State.CLOSED

    @property
    def lasting(self) -> float:
        """Seconds since it last opened or closed."""
        return self._now() - self._turned

    @property
    def pause(self) -> float:
        """Seconds until the next probe may go; only of interest while it is open."""
        return max(0.0, self._next_probe - self._now())

    @property
    def wanted(self) -> bool:
        """Whether it is worth to probe: it is open, and somebody asked lately."""
        return not self.closed and self._now() - self._last_asked < _PROBED_UNASKED

    def begin_probe(self) -> tuple[str, float]:
        """Return which address to ask next, and for how many seconds at most."""
        self.state = State.HALF_OPEN
        if self._well is not None and self._probes % 2:
            address = self._well
        else:
            address, _ = self._suspects.popitem(last=False)
            self._suspects[address] = None  # in turn, since one of them may be bad by itself
        patience = _FIRST_PATIENCE * 2 ** min(self._probes, 5)
        self._probes += 1
        return address, patience

    def probe_failed(self, address: str, failure: UpstreamFailed) -> None:
        """Take note of what came of the probe."""
        self.failed(address, failure)
        if self.state is State.HALF_OPEN:
            self.state = State.OPEN
            grown = min(_LONGEST_PAUSE, _FIRST_PAUSE * 2 ** min(self._probes, 5))
            self._next_probe = self._now() + max(grown, _wait(failure))

    def rest(self) -> None:
        """Give up probing, as nobody has asked for long: the next request finds out by itself."""
        self._close()
        self._streak = self._after - 1
        self._suspects.clear()

    def _open(self, now: float) -> None:
        self.state = State.OPEN
        self.opened += 1
        self._turned = self._last_asked = now
        self._probes = 0
        self._next_probe = now + max(_FIRST_PAUSE, _wait(self._failure))

    def _close(self) -> None:
        self.state = State.CLOSED
        self._turned = self._now()

    def _shut(self, failure: UpstreamFailed, now: float) -> UpstreamFailed:
        reason = f"{failure.reason}, and is tried again every few seconds"
        if failure.retry_after:
            return _again(failure, failure.reason, max(1.0, self._next_probe - now))
        return _again(failure, reason, None)

    def _suspect(self, address: str) -> None:
        self._suspects[address] = None
        while len(self._suspects) > max(_MOST_SUSPECTS, self._after):
            self._suspects.popitem(last=False)

    def _wish(self, address: str, failure: UpstreamFailed, now: float) -> None:
        self._wishes[address] = (now + _wait(failure), failure)
        while len(self._wishes) > _MOST_WISHES:
            self._wishes.popitem(last=False)


def _counts(failure: UpstreamFailed) -> bool:
    """Tell whether *failure* speaks of the whole host."""
    if failure.kind == "status":
        return failure.status == 429 or (failure.status or 0) >= 500
    return failure.kind in _NO_CONNECTION | _PERHAPS_ONE_PAGE


def _wait(failure: UpstreamFailed | None) -> float:
    wish = (failure.retry_after if failure is not None else None) or 0
    return min(float(wish), LONGEST_WISH)


def _again(failure: UpstreamFailed, reason: str, wait: float | None) -> UpstreamFailed:
    """Return *failure* anew: one exception raised in many tasks would gather their tracebacks."""
    return UpstreamFailed(
        failure.kind,
        reason,
        status=failure.status,
        retry_after=None if wait is None else ceil(wait),
    )
