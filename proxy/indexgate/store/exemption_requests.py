"""Who asked for which exemption, and what became of it.

What is in force is told by the policy and by the file of granted exemptions; this is the book kept
beside them, so that a request waits for its answer and an answer has a name under it.
"""

from collections.abc import Callable
from datetime import datetime, timedelta
from secrets import token_hex
from typing import Any, Literal, TypeAlias

from msgspec import Struct
from sqlalchemy import Connection, Row, delete, func, select, update

from indexgate.store.engines import StoreFailed
from indexgate.store.reader import Reader
from indexgate.store.schema import exemption_requests as table
from indexgate.store.upserts import insert_new
from indexgate.store.writer import Writer

State: TypeAlias = Literal["open", "granted", "refused", "ended", "break-glass"]
BROWSER = ""
"""Who asked, where nobody knows: a form on a page carries no name."""

MOST_OPEN = 500
"""Requests that may wait at once; a flood of them would hide those that matter."""

KEPT = timedelta(days=400)
"""How long an answered request is kept: until the same people may ask for the same next year."""


class Wish(Struct, frozen=True, kw_only=True):
    """What is asked for: the `rule` waived for `project` and `version` for so many `days`.

    `version` is a PEP 440 specifier, empty for all versions; `team` the one team it is for, None
    for all clients; `author` is `BROWSER` if not known.
    """

    author: str
    project: str
    version: str
    rule: str
    reason: str
    days: int
    team: str | None = None


class Request(Struct, frozen=True, kw_only=True):
    """A wish with its number, when it was made, and its answer."""

    id: str
    at: datetime
    wish: Wish
    state: State = "open"
    decided_at: datetime | None = None
    decided_by: str = ""
    answer: str = ""


class ExemptionRequests:
    """The book. Every method raises StoreFailed."""

    def __init__(self, reader: Reader, writer: Writer, clock: Callable[[], datetime]) -> None:
        self._reader = reader
        self._writer = writer
        self._clock = clock

    def ask(self, wish: Wish) -> Request:
        """Keep *wish*; one for the same that waits already is returned in its place. Blocks."""
        return self._writer.wait(self._asking(wish))

    async def ask_soon(self, wish: Wish) -> Request:
        """Do as `ask` does, for the event loop."""
        return await self._writer.commit(self._asking(wish))

    def note(
        self, wish: Wish, state: State, *, by: str, answer: str = "", id_: str | None = None
    ) -> Request:
        """Keep a *wish* that is answered already, as *id_* if that is given. Blocks."""
        return self._writer.wait(self._noting(wish, state, by, answer, id_))

    async def note_soon(
        self, wish: Wish, state: State, *, by: str, answer: str = "", id_: str | None = None
    ) -> Request:
        """Do as `note` does, for the event loop."""
        return await self._writer.commit(self._noting(wish, state, by, answer, id_))

    def decide(self, id_: str, state: State, *, by: str, answer: str = "") -> None:
        """Write down what became of the request *id_*. Blocks."""
        change = update(table).where(table.c.id == id_)
        values = {
            "state": state,
            "decided_at": self._clock(),
            "decided_by": by,
            "answer": answer,
        }
        self._writer.wait(lambda to: to.execute(change, values).rowcount)

    def get(self, id_: str) -> Request | None:
        """Return the request *id_*."""
        row = self._reader.first(select(table).where(table.c.id == id_))
        return None if row is None else _request(row)

    def all(self, state: State | None = None) -> tuple[Request, ...]:
        """Return the requests in *state*, or all, the newest first."""
        which = select(table).order_by(table.c.at.desc(), table.c.id)
        if state is not None:
            which = which.where(table.c.state == state)
        return tuple(_request(row) for row in self._reader.all(which))

    async def prune(self, now: datetime) -> int:
        """Forget what was asked long ago and is not open; return how many."""
        old = delete(table).where(table.c.at < now - KEPT, table.c.state != "open")
        return await self._writer.commit(lambda to: to.execute(old).rowcount)

    def _asking(self, wish: Wish) -> Callable[[Connection], Request]:
        request = Request(id=token_hex(4), at=self._clock(), wish=wish)

        def write(connection: Connection) -> Request:
            waiting = select(table).where(table.c.state == "open")
            same = waiting.where(
                table.c.project == wish.project,
                table.c.version == wish.version,
                table.c.rule == wish.rule,
                table.c.team.is_(None) if wish.team is None else table.c.team == wish.team,
            )
            found = connection.execute(same).first()
            if found is not None:
                return _request(found)
            count = select(func.count()).select_from(waiting.subquery())
            if int(connection.execute(count).scalar_one()) >= MOST_OPEN:
                raise StoreFailed(
                    "requests-full",
                    f"{MOST_OPEN} requests for exemptions wait already",
                    "Whoever runs the gate answers them: `indexgate exempt list`.",
                )
            connection.execute(table.insert(), _row(request))
            return request

        return write

    def _noting(
        self, wish: Wish, state: State, by: str, answer: str, id_: str | None
    ) -> Callable[[Connection], Request]:
        now = self._clock()
        request = Request(
            id=id_ or token_hex(4),
            at=now,
            wish=wish,
            state=state,
            decided_at=now,
            decided_by=by,
            answer=answer,
        )

        def write(connection: Connection) -> Request:
            insert_new(connection, table, [_row(request)])
            return request

        return write


def _row(request: Request) -> dict[str, Any]:
    wish = request.wish
    return {
        "id": request.id,
        "at": request.at,
        "author": wish.author,
        "project": wish.project,
        "version": wish.version,
        "rule": wish.rule,
        "reason": wish.reason,
        "days": wish.days,
        "state": request.state,
        "decided_at": request.decided_at,
        "decided_by": request.decided_by,
        "answer": request.answer,
        "team": wish.team,
    }


def _request(row: Row[Any]) -> Request:
    wish = Wish(
        author=row.author,
        project=row.project,
        version=row.version,
        rule=row.rule,
        reason=row.reason,
        days=row.days,
        team=row.team,
    )
    return Request(
        id=row.id,
        at=row.at,
        wish=wish,
        state=row.state,
        decided_at=row.decided_at,
        decided_by=row.decided_by,
        answer=row.answer,
    )
