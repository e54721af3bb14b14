"""`indexgate exempt`: ask for exemptions, grant and end them, and see which are dead.

What the commands rest on is imported when one of them runs: `--help` does without.
"""

import sys
from typing import TYPE_CHECKING

import click

from indexgate.cli import settings_options
from indexgate.cli.settings_options import settings_options as with_settings
from indexgate.config import Given
from indexgate.errors import GateError

if TYPE_CHECKING:
    from indexgate.store.exemption_requests import Wish

_SETTINGS = ("config", "policy", "state")
_JUDGING = (*_SETTINGS, "upstream", "upstream_public", "offline")
_FOUND = 1

_by = click.option("--by", metavar="NAME", help="Who you are.  [default: your login name]")
_span = click.option(
    "--for",
    "span",
    metavar="TIME",
    help="How long, in whole days (14d, 2w), to the end of the last one in UTC.",
)
_team = click.option(
    "--team", metavar="NAME", help="Only for clients of this team.  [default: for all clients]"
)


@click.group(
    name="exempt",
    epilog="An exemption ends one rule's word over some versions until a day. Granted ones lie in"
    " the state folder beside those in the policy file, and hold on the next request of every gate"
    " that uses the folder.",
)
def command() -> None:
    """Ask for exemptions from the policy, grant and end them."""


@command.command(
    name="request",
    epilog="Example: indexgate exempt request demo==2.0 --rule release-age --reason 'fixes our"
    " build' --for 7d. It waits under the id that is printed until somebody answers it.",
)
@click.argument("target", metavar="NAME[==VERSION]")
@click.option(
    "--rule",
    required=True,
    metavar="ID",
    help="The rule that refused; the page of the refusal and `indexgate log` name it.",
)
@click.option("--reason", metavar="TEXT", help="Why it is needed; asked for without it.")
@_span
@_team
@click.option(
    "--toml",
    is_flag=True,
    help="Print the table to send to whoever keeps the policy, and ask nobody here.",
)
@_by
@with_settings(_SETTINGS)
def request(
    *,
    target: str,
    rule: str,
    reason: str | None,
    span: str | None,
    team: str | None,
    toml: bool,
    by: str | None,
    **given: Given,
) -> int:
    """Ask for an exemption of NAME from a rule."""
    from indexgate import exempting
    from indexgate.cli import exempt_book, exempt_grant
    from indexgate_policy.rules import granted

    why = _reason(reason)
    with exempt_book.opened(given, by=by) as book:
        wish = exempt_grant.wished(book, target, rule, why, span=span or "14d", team=team)
        if toml:
            table = exempting.table(wish, id_="asked", owner=book.by, today=book.now.date())
            del table["id"], table["granted"]
            click.echo(granted.table_text("exemption", table), nl=False)
            return 0
        asked = book.store.exemption_requests.ask(wish)
    flags = settings_options.as_flags(given, _SETTINGS)
    answer = f"indexgate exempt grant {flags + ' ' if flags else ''}{asked.id}"
    click.echo(asked.id)
    already = "already " if asked.wish != wish or asked.at < book.now else ""
    _tell(
        f"Asked {already}as {asked.id}: {exempt_grant.said(asked.wish)}\n"
        f"Whoever answers for the policy grants it: {answer}"
    )
    return 0


@command.command(name="list")
@click.option("--all", "whole", is_flag=True, help="Also what was answered and what is over.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON, one object a line.")
@with_settings(_SETTINGS)
def list_(*, whole: bool, as_json: bool, **given: Given) -> int:
    """Show what is asked for, and what is in force."""
    from indexgate.cli import exempt_book, exempt_forms

    with exempt_book.opened(given, by="-") as book:
        entries = exempt_forms.entries(book, whole=whole)
    exempt_forms.tell(entries, as_json=as_json)
    if not entries:
        _tell("Nothing is asked for, and no exemption is in force")
    return 0


@command.command(
    name="grant",
    epilog="Examples: indexgate exempt grant 3f2a90c1; indexgate exempt grant demo==2.0 --rule"
    " release-age --reason 'looked at it' --for 14d.",
)
@click.argument("targets", metavar="ID|NAME[==VERSION]...", nargs=-1, required=True)
@click.option("--rule", metavar="ID", help="The rule to waive, where nobody asked.")
@click.option("--reason", metavar="TEXT", help="Why, where nobody asked.")
@_span
@_team
@_by
@with_settings(_SETTINGS)
def grant(
    *,
    targets: tuple[str, ...],
    rule: str | None,
    reason: str | None,
    span: str | None,
    team: str | None,
    by: str | None,
    **given: Given,
) -> int:
    """Grant what was asked for under an ID, or an exemption of NAME: all of them, or none."""
    from indexgate.cli import exempt_book, exempt_grant

    with exempt_book.opened(given, by=by) as book:
        wanted: list[tuple[str | None, Wish]] = []
        for target in targets:
            asked = book.store.exemption_requests.get(target)
            if asked is not None:
                again = exempt_grant.again(book, asked.wish, span=span, team=team)
                wanted.append((asked.id, again))
                continue
            if rule is None:
                raise GateError(
                    "exempt-unknown",
                    f"nothing was asked for as `{ascii(target[:100])[1:-1]}`",
                    "`indexgate exempt list` shows what was. To grant what nobody asked for, name"
                    " the rule with `--rule`.",
                )
            why = _reason(reason)
            wish = exempt_grant.wished(book, target, rule, why, span=span or "14d", team=team)
            wanted.append((None, wish))
        for line in exempt_grant.grant(book, wanted, _tell):
            click.echo(line)
    return 0


@command.command(name="refuse")
@click.argument("ids", metavar="ID...", nargs=-1, required=True)
@click.option("--reason", required=True, metavar="TEXT", help="What to tell those who asked.")
@_by
@with_settings(_SETTINGS)
def refuse(*, ids: tuple[str, ...], reason: str, by: str | None, **given: Given) -> int:
    """Turn down what was asked for under each ID."""
    from indexgate import exempting
    from indexgate.cli import exempt_book

    answer = exempting.line(reason, "--reason")
    with exempt_book.opened(given, by=by) as book:
        for id_ in ids:
            asked = book.store.exemption_requests.get(id_)
            if asked is None or asked.state != "open":
                raise GateError(
                    "exempt-unknown",
                    f"nothing that waits was asked for as `{ascii(id_[:100])[1:-1]}`",
                    "`indexgate exempt list` shows what waits; `exempt end` ends what is granted.",
                )
        for id_ in ids:
            book.store.exemption_requests.decide(id_, "refused", by=book.by, answer=answer)
    _tell(f"Refused: {', '.join(ids)}")
    return 0


@command.command(name="end")
@click.argument("ids", metavar="ID...", nargs=-1, required=True)
@_by
@with_settings(_SETTINGS)
def end(*, ids: tuple[str, ...], by: str | None, **given: Given) -> int:
    """End what is granted under each ID now: all of them, or none."""
    from indexgate.cli import exempt_book
    from indexgate_policy.rules.exemptions import id_of

    with exempt_book.opened(given, by=by) as book:
        written = {exemption.id for exemption in book.written.exemptions}
        for id_ in ids:
            if id_ in book.granted:
                continue
            if id_ in written:
                raise GateError(
                    "exempt-written",
                    f"`{id_}` stands in the policy `{book.written.source}`",
                    "Remove it there; it ends with the next request.",
                )
            raise GateError(
                "exempt-unknown",
                f"nothing is granted as `{ascii(id_[:100])[1:-1]}`",
                "`indexgate exempt list` shows what is.",
            )
        with book.changed() as tables:
            for name in tables:
                tables[name] = [each for each in tables[name] if id_of(each) not in ids]
        for id_ in ids:
            book.store.exemption_requests.decide(id_, "ended", by=book.by)
    _tell(f"Ended: {', '.join(ids)}; in force on the next request")
    return 0


@command.command(
    name="grandfather",
    epilog="Example: indexgate exempt grandfather uv.lock --rule low-health --for 30d. Malware is"
    " refused all the same.",
)
@click.argument("locks", metavar="LOCK...", nargs=-1, required=True)
@click.option(
    "--rule",
    "rules",
    multiple=True,
    metavar="ID",
    help="A rule to wait with.  [default: all that may refuse, but for those on malware]",
)
@click.option(
    "--reason", metavar="TEXT", default="in use when the rule came", show_default=True, help="Why."
)
@_span
@click.option(
    "--toml", is_flag=True, help="Print the table for the policy file, and grant nothing."
)
@_by
@with_settings(_SETTINGS)
def grandfather(
    *,
    locks: tuple[str, ...],
    rules: tuple[str, ...],
    reason: str,
    span: str | None,
    toml: bool,
    by: str | None,
    **given: Given,
) -> int:
    """Warn for a while of what lock files hold before a rule refuses it."""
    from indexgate.cli import exempt_book, exempt_grandfather

    with exempt_book.opened(given, by=by) as book:
        made = exempt_grandfather.made(book, locks, rules, _reason(reason), span or "30d")
        if toml:
            click.echo(made.text, nl=False)
            return 0
        exempt_grandfather.grant(book, made)
    click.echo(made.id)
    _tell(f"Granted {made.id}: {made.said}; in force on the next request")
    return 0


@command.command(
    name="report",
    epilog="What may be ended: exemptions that are over, that end within a week, that nobody used"
    " for two weeks, that waive a rule which is not in the policy, or one that says nothing of"
    " what they cover.",
)
@click.option("--json", "as_json", is_flag=True, help="Print JSON, one object a line.")
@click.option("--strict", is_flag=True, help="End with 1 if there is anything to do.")
@with_settings(_JUDGING)
def report(*, as_json: bool, strict: bool, **given: Given) -> int:
    """Show which exemptions are dead, or about to end."""
    from indexgate.cli import exempt_report

    return _FOUND if exempt_report.tell(given, as_json=as_json) and strict else 0


def _reason(given: str | None) -> str:
    from indexgate import exempting

    if given is None and sys.stdin.isatty():
        given = click.prompt("Why is it needed", err=True)
    if given is None:
        raise click.UsageError("Say why with `--reason TEXT`")
    return exempting.line(given, "--reason")


def _tell(text: str) -> None:
    click.echo(text, err=True)
