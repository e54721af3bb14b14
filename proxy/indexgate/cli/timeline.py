"""`indexgate timeline`: what happened to a project, and what explains it."""

import asyncio
import os
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from indexgate.cli import settings_options
from indexgate.cli.explain import asked
from indexgate.cli.settings_options import settings_options as with_settings
from indexgate.config import Given
from indexgate.errors import GateError
from indexgate.redact import redact

if TYPE_CHECKING:  # `--help` needs no numpy
    from indexgate.charts.view import View

SETTINGS = ("config", "upstream", "upstream_public", "policy", "state", "offline")
MOST_DAYS = 400
_HALF_A_YEAR = 182


@click.command(
    name="timeline",
    epilog="Examples: indexgate timeline requests; indexgate timeline requests --until 2026-09-01;"
    " indexgate timeline requests --svg requests.svg. Downloads come from the state folder; fill it"
    " with indexgate refresh.",
)
@click.argument("project", metavar="NAME")
@click.option(
    "--until",
    metavar="DATE",
    help="As of the end of this day (UTC): only what was known then.  [default: today]",
)
@click.option(
    "--days",
    type=click.IntRange(14, MOST_DAYS),
    default=_HALF_A_YEAR,
    show_default=True,
    metavar="NUMBER",
    help="So many days; weeks are drawn when there are more than 62.",
)
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.option(
    "--svg",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="Also write a picture, for a ticket.",
)
@with_settings(SETTINGS)
def command(
    *,
    project: str,
    until: str | None,
    days: int,
    as_json: bool,
    svg: Path | None,
    **given: Given,
) -> int:
    """Draw who installed a project, what changed, and what explains it."""
    name, version = asked(project)
    if version is not None:
        raise GateError(
            "project-invalid", "a timeline is of a project, not of a version", f"Write `{name}`."
        )
    last = None if until is None else day(until, datetime.now(UTC).date())
    settings = settings_options.settings(given)
    upstream = settings_options.upstream(settings)

    from indexgate import certificates, logs
    from indexgate.web.timelined import timeline_of

    logs.configure(form=settings.log_format, level=settings.log_level, environ=os.environ)
    for notice in (*settings.notices, *upstream.notices):
        click.echo(f"note: {redact(notice)}", err=True)
    certificates.check(settings, upstream)
    view = asyncio.run(timeline_of(settings, upstream, name, until=last, days=days))
    tell(view, as_json=as_json, svg=svg)
    return 0


def tell(view: "View", *, as_json: bool, svg: Path | None) -> None:
    """Print *view* on stdout, and write it as a picture to *svg* if that is given."""
    if svg is not None:
        from indexgate.charts.svg import picture

        try:
            svg.write_text(picture(view), encoding="utf-8")
        except OSError as error:
            raise GateError(
                "picture-unwritable", f"`{svg}` cannot be written: {error.strerror or error}"
            ) from error
    if as_json:
        from indexgate.charts.document import as_json as written

        click.echo(written(view))
    else:
        from rich.console import Console

        from indexgate.charts.terminal import print_view

        print_view(view, Console(highlight=False))


def day(text: str, today: date) -> date:
    """Read the day *text*, which must not lie after *today*. Raises GateError `until-invalid`."""
    try:
        read = date.fromisoformat(text)
    except ValueError as error:
        raise GateError(
            "until-invalid",
            f"`{ascii(text[:100])[1:-1]}` is no date",
            "Write `--until 2026-09-01`.",
        ) from error
    if read > today:
        raise GateError("until-invalid", f"`{read}` has not been yet", f"Today is {today}, in UTC.")
    return read
