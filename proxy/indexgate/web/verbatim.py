"""Requests that come again byte for byte, answered without being taken apart.

Installers ask in the same words, run after run. So what a request said is kept as the bytes it was,
with the answer it got; when the same bytes come again the answer leaves at once. Whether it still
holds is looked at every time: an answer is only as good as the page, the facts and the policy that
it was made from.

Requests that the event loop takes from the system in one turn had all come before it looked, so for
those that are alike it is looked once, and they are counted together.
"""

import time
from collections import OrderedDict
from collections.abc import Callable, Iterator
from email.utils import formatdate
from functools import lru_cache
from itertools import count
from secrets import token_hex
from time import perf_counter
from typing import Any

from aiohttp import hdrs, web
from msgspec import Struct, field

from indexgate.repeated_line import RepeatedLine
from indexgate.web.large_bodies import LargeBodies
from indexgate.web.request_counts import RequestCounts
from indexgate.web.request_id import HEADER

MOST_ANSWERS = 8192
MOST_BYTES = 48 * 2**20
"""Bytes of all bodies: those that the cache of pages has let go of must not stay here for long."""

FEW_ANSWERS, FEW_BYTES = 512, 4 * 2**20
"""Up to here it is not worth a look whether they still hold, unless somebody asks again."""

LARGEST = 8 * 2**20
_LONGEST_REQUEST = 4096
_ENTIRE = (b"GET /", b"HEAD /")
_NOT_ALONE = (b"content-length:", b"transfer-encoding:", b"upgrade:", b"expect:")
_EVERY_TIME = frozenset({hdrs.DATE, HEADER, "Server-Timing"})


class Again(Struct, kw_only=True):
    """What it takes to give an answer once more.

    `holds` tells whether the answer is still right, and must look at everything that it was made
    from; `note` writes down that it was given, and how many times. `told` is the log line of the
    first time.
    """

    kind: str
    holds: Callable[[], bool]
    note: Callable[[int], None]
    told: dict[str, Any] = field(default_factory=dict)


AGAIN = web.RequestKey("again", Again)


class Kept(Struct, kw_only=True):
    """An answer as bytes: `head` is all of the head that stays the same.

    `line` is its log line, made when it is given for the second time: most never are. `turn` is how
    often it was given in this turn of the event loop, and in how many `seconds`.
    """

    again: Again
    head: bytes
    body: bytes
    sent: int
    result: str
    given: int = 1
    line: RepeatedLine | None = None
    turn: int = 0
    seconds: float = 0.0


class Verbatim:
    """The answers, by the bytes of the request that they were given to.

    *write* takes lines of the log, and *soon* what is to be done before the event loop asks for
    requests again. `large` is what sends large ones.
    """

    def __init__(
        self,
        counts: RequestCounts,
        write: Callable[[str], None],
        soon: Callable[[Callable[[], None]], object],
    ) -> None:
        self._counts = counts
        self._write = write
        self._soon = soon
        self._turn: list[Kept] = []
        self._kept: OrderedDict[bytes, Kept] = OrderedDict()
        self._bytes = 0
        self.large = LargeBodies()
        self._round: Iterator[bytes] = iter(())
        self._ids = count(1)
        self._ids_begin = token_hex(3)

    def __len__(self) -> int:
        return len(self._kept)

    def answer(self, request: bytes) -> tuple[bytes, bytes] | None:
        """Return head and body of the answer to *request*, if one is kept that holds."""
        kept = self._kept.get(request)
        if kept is None:
            return None
        began = perf_counter()
        if not kept.turn:
            if not kept.again.holds():
                self.forget(request)
                return None
            self._kept.move_to_end(request)
            if not self._turn:
                self._soon(self._end_turn)
            self._turn.append(kept)
        kept.turn += 1
        identity = f"{self._ids_begin}{next(self._ids) & 0xFFFFFF:06x}"
        now = time.time()
        head = b"%b%bX-Request-Id: %b\r\n\r\n" % (kept.head, _date(int(now)), identity.encode())
        seconds = perf_counter() - began
        kept.seconds += seconds
        kept.given += 1
        if kept.given == 2:
            kept.line = RepeatedLine.of("request", _repeated(kept.again.told))
        if kept.line is not None:
            self._write(kept.line.filled(now, identity, seconds * 1000))
        return head, kept.body

    def _end_turn(self) -> None:
        """Count what was given in this turn; from now on it is looked anew whether it holds."""
        turn, self._turn = self._turn, []
        given = [(kept, kept.turn, kept.seconds) for kept in turn]
        for kept in turn:  # of all, before any is counted, which may fail
            kept.turn, kept.seconds = 0, 0.0
        for kept, times, seconds in given:
            self._counts.again(kept.again.kind, kept.result, kept.sent, seconds, times)
            kept.again.note(times)

    def keep(self, request: bytes, again: Again, response: web.Response) -> None:
        """Keep *response*, which has been sent, for the next time that the same *request* comes."""
        body = response.body or b""
        if not isinstance(body, bytes) or len(body) > LARGEST:
            return
        if HEADER.lower().encode() in request.lower():
            return  # an id that the client gave is that of one request only
        self._let_go()
        bodiless = request.startswith(b"HEAD ") or response.status == 304
        self.forget(request)
        kept = self._kept[request] = Kept(
            again=again,
            head=_head(response),
            body=b"" if bodiless else body,
            sent=0 if bodiless else len(body),
            result="not-modified" if response.status == 304 else "ok",
        )
        self._bytes += len(kept.body)
        while len(self._kept) > MOST_ANSWERS or self._bytes > MOST_BYTES:
            self.forget(next(iter(self._kept)))

    def _let_go(self) -> None:
        """Drop the next one if it no longer holds: with another ETag nobody asks again.

        One for each that is kept, so that they do not become more.
        """
        if len(self._kept) < FEW_ANSWERS and self._bytes < FEW_BYTES:
            return
        request = next(self._round, None)
        if request is None:
            self._round = iter(tuple(self._kept))
            return
        kept = self._kept.get(request)
        if kept is not None and not kept.again.holds():
            self.forget(request)

    def forget(self, request: bytes) -> None:
        """Drop the answer to *request*, if there is one."""
        kept = self._kept.pop(request, None)
        if kept is not None:
            self._bytes -= len(kept.body)
            self.large.forget(kept.body)

    def close(self) -> None:
        """Give back what the system holds for the answers."""
        self.large.close()


def is_entire(data: bytes) -> bool:
    """Tell whether *data* is one whole request without a body, and nothing else."""
    if not data.startswith(_ENTIRE) or len(data) > _LONGEST_REQUEST:
        return False
    if data.find(b"\r\n\r\n") != len(data) - 4 or data.count(b"\n") != data.count(b"\r\n"):
        return False
    lower = data.lower()
    return not any(name in lower for name in _NOT_ALONE)


@lru_cache(2)
def _date(second: int) -> bytes:
    return f"Date: {formatdate(second, usegmt=True)}\r\n".encode()


def _head(response: web.Response) -> bytes:
    """Return the head of *response* but for what differs each time, and the last line's end."""
    lines = [f"HTTP/1.1 {response.status} {response.reason}"]
    lines += [
        f"{name}: {value}" for name, value in response.headers.items() if name not in _EVERY_TIME
    ]
    lines.append("Server-Timing: cache;desc=hit, total;dur=0.0")
    return ("\r\n".join(lines) + "\r\n").encode()


def _repeated(told: dict[str, Any]) -> dict[str, Any]:
    """Return the log line of an answer that is at hand: nobody was asked, nothing was judged."""
    left = {key: value for key, value in told.items() if key not in {"upstream_ms", "judge_ms"}}
    return {**left, "cache": "hit"}
