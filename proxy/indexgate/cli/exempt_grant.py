"""What `indexgate exempt grant` puts in force, and writes down."""

from collections.abc import Callable, Iterator, Sequence
from secrets import token_hex

import click
from msgspec.structs import replace

from indexgate import exempting
from indexgate.cli.exempt_book import Book
from indexgate.store.exemption_requests import Wish


def wished(book: Book, target: str, rule: str, reason: str, *, span: str, team: str | None) -> Wish:
    """Return what is asked for, held against policy and settings. Raises GateError."""
    wanted = exempting.target(target)
    wish = Wish(
        author=book.by,
        project=wanted.project,
        version=wanted.version,
        rule=exempting.waivable(rule, book.written),
        reason=reason,
        days=exempting.days(span, book.written),
        team=book.team(team),
    )
    exempting.check_malware(wanted, rule, book.written)
    return wish


def again(book: Book, wish: Wish, *, span: str | None, team: str | None) -> Wish:
    """Return *wish* held against the policy as it is now, for another *span* or *team* if given."""
    target = f"{wish.project}{wish.version}"
    until = span or f"{wish.days}d"
    whole = wished(book, target, wish.rule, wish.reason, span=until, team=team or wish.team)
    return replace(whole, author=wish.author)


def grant(
    book: Book, wanted: Sequence[tuple[str | None, Wish]], tell: Callable[[str], None]
) -> Iterator[str]:
    """Grant each wish, under its id if it was asked for under one; tell of it and yield the id.

    Raises Explained, before anything is written.
    """
    today = book.now.date()
    named = [(id_ or token_hex(4), id_ is not None, wish) for id_, wish in wanted]
    ids = {id_ for id_, _, _ in named}
    with book.changed() as tables:
        kept = [each for each in tables["exemption"] if each.get("id") not in ids]
        made = [
            exempting.table(wish, id_=id_, owner=book.by, today=today) for id_, _, wish in named
        ]
        tables["exemption"] = [*kept, *made]
    for id_, was_asked, wish in named:
        until = exempting.last_day(wish, today)
        if was_asked:
            answer = f"to the end of {until}"
            book.store.exemption_requests.decide(id_, "granted", by=book.by, answer=answer)
        else:
            book.store.exemption_requests.note(wish, "granted", by=book.by, id_=id_)
        if exempting.concerns_malware(wish.rule, book.written):
            tell(
                click.style("WARNING", fg="red", bold=True)
                + f": `{wish.rule}` keeps malware out; {_what(wish)} is let in"
                f" whatever is known of it, to the end of {until}"
            )
        tell(f"Granted {id_}: {said(wish)}, to the end of {until}; in force on the next request")
        yield id_


def said(wish: Wish) -> str:
    """Return *wish* in words."""
    days = "1 day" if wish.days == 1 else f"{wish.days} days"
    return f"{_what(wish)} from `{wish.rule}` for {days} ({wish.reason})"


def _what(wish: Wish) -> str:
    team = "" if wish.team is None else f" of the team {wish.team}"
    return f"{wish.project} {wish.version}".strip() + team
