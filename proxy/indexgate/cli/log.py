"""`indexgate log`: what the gate refused, withheld and warned of."""

from collections.abc import Sequence
from datetime import UTC, date, datetime, time
from typing import TYPE_CHECKING

import click
from packaging.utils import canonicalize_name

from indexgate.cli import settings_options
from indexgate.cli.settings_options import settings_options as with_settings
from indexgate.config import Given
from indexgate.errors import GateError
from indexgate_policy.rules import durations

if TYPE_CHECKING:
    from indexgate.store.records import Decision  # `--help` does without the database

_SETTINGS = ("config", "state")


@click.command(
    name="log",
    epilog="Examples: indexgate log --since 2d --rule malware; indexgate log --json --limit 100000."
    " A refused file is a line of its own; what pages withheld or warned of is counted by the hour."
    " Lines are kept for 90 days. Reading them needs no running gate and disturbs none.",
)
@click.option(
    "--since",
    default="7d",
    show_default=True,
    metavar="TIME",
    help="How far back (90m, 12h, 7d, 2w), or from which day or moment (2026-11-01, in UTC).",
)
@click.option("--project", metavar="NAME", help="Only this project.")
@click.option("--rule", metavar="ID", help="Only what this rule decided.")
@click.option("--run", metavar="TOKEN", help="Only this run of an installer.")
@click.option(
    "--limit",
    type=click.IntRange(1, 10_000_000),
    default=200,
    show_default=True,
    metavar="NUMBER",
    help="At most so many lines, the newest.",
)
@click.option("--json", "as_json", is_flag=True, help="Print JSON, one object a line.")
@with_settings(_SETTINGS)
def command(
    *,
    since: str,
    project: str | None,
    rule: str | None,
    run: str | None,
    limit: int,
    as_json: bool,
    **given: Given,
) -> int:
    """Show what was refused, withheld or warned of, newest first."""
    from indexgate.store.engines import STORE_FILE
    from indexgate.store.record_alone import record_at

    begin = moment(since, datetime.now(UTC))
    state = settings_options.settings(given).state
    with record_at(state / STORE_FILE) as record:
        # One more than wanted tells whether there are more.
        found = record.query(
            since=begin,
            project=None if project is None else canonicalize_name(project),
            rule=rule,
            run=run,
            limit=limit + 1,
        )
    tell(found[:limit], since=begin, as_json=as_json)
    if len(found) > limit:
        click.echo(f"note: there are more than {limit}; `--limit` shows more", err=True)
    return 0


def moment(text: str, now: datetime) -> datetime:
    """Return the moment that *text* means: so long before *now*, or a day or moment itself.

    Raises GateError `since-invalid`.
    """
    try:
        return now - durations.parse(text)
    except (ValueError, OverflowError):
        pass
    try:
        if len(text) <= len("2026-11-01"):
            return datetime.combine(date.fromisoformat(text), time(), UTC)
        read = datetime.fromisoformat(text)
    except ValueError as error:
        raise GateError(
            "since-invalid",
            f"`{ascii(text[:100])[1:-1]}` is neither a duration nor a date",
            "Write a duration (`7d`), a day (`2026-11-01`) or a moment (`2026-11-01T12:00Z`).",
        ) from error
    return read.replace(tzinfo=UTC) if read.tzinfo is None else read.astimezone(UTC)


def tell(found: "Sequence[Decision]", *, since: datetime, as_json: bool) -> None:
    """Print *found* on stdout; where there is nothing, say so on stderr."""
    if as_json:
        import msgspec

        for decision in found:
            click.echo(msgspec.json.encode(decision).decode())
    elif found:
        from indexgate.cli import log_table  # `--help` needs no rich

        log_table.print_table(found)
    if not found:
        click.echo(f"Nothing is recorded since {since:%Y-%m-%d %H:%M} UTC that matches", err=True)
