"""Exemptions and requests for them, as a table for people and as JSON for programs."""

from collections.abc import Iterable, Mapping
from datetime import date

import click
from msgspec import Struct

from indexgate.cli.exempt_book import Book
from indexgate.store.exemption_requests import Request
from indexgate.store.exemption_uses import Uses
from indexgate_policy.rules.exemptions import Exemption

_STYLES = {"open": "bold yellow", "in force": "green", "over": "dim", "break-glass": "bold red"}

_ID_WIDTH = 8
"""Characters of the ids that are made here: they are typed again, so they stay in one piece."""


class Entry(Struct, frozen=True, kw_only=True):
    """One line. `origin` is `policy` or `granted` for what was ever in force, else empty.

    `team` is the one that it is for, None for all clients. `until` is the last day on which it
    holds, `days` for how long it was asked, `uses` counts the files that it let pass and `last_use`
    is the last day on which it did.
    """

    id: str
    state: str
    what: str
    rules: tuple[str, ...]
    reason: str
    team: str | None = None
    asked_by: str = ""
    by: str = ""
    days: int | None = None
    until: date | None = None
    origin: str = ""
    answer: str = ""
    uses: int = 0
    last_use: date | None = None


def entries(book: Book, *, whole: bool) -> tuple[Entry, ...]:
    """Return what waits and what is in force; with *whole* also what is over."""
    uses = book.store.exemption_uses.of()
    requests = book.store.exemption_requests.all(None if whole else "open")
    in_force = [
        of_exemption(each, book, uses)
        for each in book.in_force.exemptions
        if whole or each.ends > book.now
    ]
    told = {each.id for each in in_force}
    return (*(_of_request(each) for each in requests if each.id not in told), *in_force)


def of_exemption(exemption: Exemption, book: Book, uses: Mapping[str, Uses]) -> Entry:
    """Return *exemption* as an entry."""
    used = uses.get(exemption.id)
    version = "" if exemption.version is None else f" {exemption.version}"
    return Entry(
        id=exemption.id,
        state="in force" if exemption.ends > book.now else "over",
        what=f"{exemption.written}{version}",
        rules=tuple(sorted(exemption.rules)),
        reason=exemption.reason,
        team=exemption.team,
        by=exemption.owner,
        until=exemption.expires,
        origin="granted" if exemption.id in book.granted else "policy",
        uses=0 if used is None else used.count,
        last_use=None if used is None else used.last,
    )


def tell(found: Iterable[Entry], *, as_json: bool) -> None:
    """Print *found* on stdout."""
    if as_json:
        import msgspec

        for entry in found:
            click.echo(msgspec.json.encode(entry).decode())
        return
    rows = [
        (
            entry.id,
            entry.state,
            entry.what,
            ", ".join(entry.rules),
            entry.team or "all",
            _until(entry),
            entry.by or entry.asked_by or "a browser",
            entry.reason + (f" - {entry.answer}" if entry.answer else ""),
            str(entry.uses) if entry.origin else "",
        )
        for entry in found
    ]
    print_table(("id", "state", "what", "rule", "team", "until", "by", "reason", "uses"), rows)


def print_table(headings: Iterable[str], rows: Iterable[tuple[str, ...]]) -> None:
    """Print *rows* as a table on stdout; the second column is a state."""
    from rich.console import Console
    from rich.table import Table

    from indexgate.cli.terminal_text import safe

    table = Table()
    for heading in headings:
        width = _ID_WIDTH if heading == "id" else None
        table.add_column(heading, overflow="fold", min_width=width)
    for row in rows:
        first, state, *rest = row
        table.add_row(
            safe(first), safe(state, _STYLES.get(state, "")), *(safe(cell) for cell in rest)
        )
    if table.row_count:
        Console(highlight=False).print(table)


def _until(entry: Entry) -> str:
    if entry.state == "break-glass":
        return "the end of its run"
    if entry.until is not None:
        return str(entry.until)
    return "1 day" if entry.days == 1 else f"{entry.days} days"


def _of_request(request: Request) -> Entry:
    wish = request.wish
    return Entry(
        id=request.id,
        state=request.state,
        what=f"{wish.project} {wish.version}".strip(),
        rules=(wish.rule,),
        reason=wish.reason,
        team=wish.team,
        asked_by=wish.author,
        by=request.decided_by,
        days=wish.days,
        answer=request.answer,
    )
