"""What `indexgate exempt report` finds: exemptions that are dead, or about to end."""

import asyncio
import importlib
import os
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, time, timedelta
from typing import Any

import click
from msgspec import Struct

from indexgate import logs
from indexgate.cli import exempt_book, exempt_forms, settings_options
from indexgate.cli.exempt_book import Book
from indexgate.cli.exempt_forms import Entry
from indexgate.config import Given
from indexgate.store.exemption_uses import Uses
from indexgate_policy.rules import idle
from indexgate_policy.rules.exemptions import Exemption
from indexgate_policy.signals import Unknown

SOON = timedelta(days=7)
UNUSED = timedelta(days=14)
_JUDGE = "indexgate.web.idle_exemptions"


class Finding(Struct, frozen=True, kw_only=True):
    """Something to do about an exemption: `kind` is a word for programs, `text` for people."""

    kind: str
    text: str
    exemption: Entry


def tell(given: Mapping[str, Given], *, as_json: bool) -> bool:
    """Print what there is to do on stdout; tell whether there is anything."""
    with exempt_book.opened(given, by="-") as book:
        quiet = _quiet(given, book)
        uses = book.store.exemption_uses.of()
        found = [finding for each in book.in_force.exemptions for finding in _of(each, book, uses)]
        found += [
            Finding(
                kind="quiet",
                text="its rules say nothing of what it covers any more",
                exemption=exempt_forms.of_exemption(each, book, uses),
            )
            for each in book.in_force.exemptions
            if quiet.get(each.id) is True
        ]
    if as_json:
        import msgspec

        for finding in found:
            click.echo(msgspec.json.encode(finding).decode())
    else:
        exempt_forms.print_table(
            ("id", "finding", "what", "rule", "team", "until", "from", "to do"),
            (_row(finding) for finding in found),
        )
    for id_, answer in quiet.items():
        if isinstance(answer, Unknown):
            click.echo(f"note: whether {id_} is needed is not known: {answer.reason}", err=True)
    if not found:
        click.echo("Nothing to do", err=True)
    return bool(found)


def _of(exemption: Exemption, book: Book, uses: Mapping[str, Uses]) -> Iterator[Finding]:
    entry = exempt_forms.of_exemption(exemption, book, uses)

    def finding(kind: str, text: str) -> Finding:
        return Finding(kind=kind, text=text, exemption=entry)

    if exemption.ends <= book.now:
        yield finding("over", "it waives nothing any more")
        return
    if exemption.ends - book.now <= SOON:
        yield finding("ends-soon", "grant it anew or let it end")
    longest = book.in_force.max_exemption
    if longest is not None and exemption.granted is None and exemption.ends - book.now > longest:
        yield finding("uncapped", "say when it was `granted`: `max_exemption` counts from there")
    if exemption.team is not None and exemption.team not in {team.name for team in book.teams}:
        yield finding("team-gone", f"the settings have no team `{exemption.team}`")
    for rule in sorted(idle.lost(exemption, book.in_force)):
        yield finding("rule-gone", f"the policy has no rule `{rule}`")
    since = exemption.granted
    began = book.store.created_at if since is None else datetime.combine(since, time(0), UTC)
    last = began if entry.last_use is None else datetime.combine(entry.last_use, time(0), UTC)
    if book.now - last > UNUSED:
        yield finding("unused", f"no file passed by it here since {max(last, began):%Y-%m-%d}")


def _quiet(given: Mapping[str, Given], book: Book) -> Mapping[str, bool | Unknown]:
    """Judge what is in force and has a rule that the policy has."""
    alive = [
        each
        for each in book.in_force.exemptions
        if each.ends > book.now and not idle.lost(each, book.in_force)
    ]
    if not alive:
        return {}
    settings = settings_options.settings(given)
    upstream = settings_options.upstream(settings)
    logs.configure(form=settings.log_format, level=settings.log_level, environ=os.environ)
    judge: Any = importlib.import_module(_JUDGE)
    answers: Mapping[str, bool | Unknown] = asyncio.run(judge.quiet(settings, upstream, alive))
    return answers


def _row(finding: Finding) -> tuple[str, ...]:
    entry = finding.exemption
    return (
        *(entry.id, finding.kind, entry.what, ", ".join(entry.rules), entry.team or "all"),
        *(str(entry.until), entry.origin, finding.text),
    )
