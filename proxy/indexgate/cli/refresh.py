"""`indexgate refresh`: ask the sources now, and assess projects again."""

import asyncio
import importlib
import os
import re
import signal
import sys
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any, TypeVar

import click
from packaging.utils import InvalidName, NormalizedName, canonicalize_name

from indexgate.cli import settings_options
from indexgate.cli.check import read_file
from indexgate.cli.settings_options import settings_options as with_settings
from indexgate.config import Given, Settings
from indexgate.errors import GateError
from indexgate.redact import redact
from indexgate.requirements.entries import Wanted as Requirement
from indexgate.requirements.file import read_requirements
from indexgate.upstream_choice import UpstreamChoice

if TYPE_CHECKING:
    from indexgate.cli.refresh_progress import Shown
    from indexgate.refreshed import Refreshed, Wanted
    from indexgate.web.refreshed import Stop

_WORK = "indexgate.web.refreshed"
SETTINGS = (
    "config",
    "host",
    "upstream",
    "upstream_public",
    "policy",
    "state",
    "offline",
    "sources",
    "private_names",
    "bigquery_project",
    "bigquery_budget",
)
FAILED = 2
INTERRUPTED = 130
_MOST_DAYS = 400
_DAYS = re.compile(r"([0-9]{4}-[0-9]{2}-[0-9]{2})(?:\.\.([0-9]{4}-[0-9]{2}-[0-9]{2}))?")

T = TypeVar("T")


@click.command(
    name="refresh",
    epilog="Examples: indexgate refresh requests httpx; indexgate refresh -r requirements.txt;"
    " indexgate refresh --all; indexgate refresh --day 2026-11-01..2026-11-07 --source bigquery"
    " --dry-run. It may run beside a gate that serves from the same state folder. Ctrl-C ends it;"
    " what is done is kept, and the same command goes on from there. The exit code is 2 when"
    " something could not be asked or read: what was known of it before stands.",
)
@click.argument("names", nargs=-1, metavar="[NAME]...")
@click.option(
    "-r", "--requirement", "files", multiple=True, metavar="FILE", help="Requirements file of pip."
)
@click.option("--all", "everything", is_flag=True, help="All that clients ever asked for.")
@click.option(
    "--source",
    "only",
    multiple=True,
    metavar="NAME",
    help="Ask only this source; may be repeated. See indexgate sources.",
)
@click.option(
    "--day",
    "days",
    multiple=True,
    metavar="DAY[..DAY]",
    help="Read these days of the download log, also those that were read before.",
)
@click.option(
    "--whole-index",
    is_flag=True,
    help="Assess all projects of which there is a download history, for a snapshot or a report.",
)
@click.option(
    "--dry-run", is_flag=True, help="Tell what would be asked of whom, and what it costs."
)
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@with_settings(SETTINGS)
def command(
    *,
    names: tuple[str, ...],
    files: tuple[str, ...],
    everything: bool,
    only: tuple[str, ...],
    days: tuple[str, ...],
    whole_index: bool,
    dry_run: bool,
    as_json: bool,
    **given: Given,
) -> int:
    """Ask the sources about projects now, and assess them again."""
    if not (names or files or everything or days or whole_index or _by_itself(only)):
        raise click.UsageError("Nothing to refresh: name a project, `-r FILE`, `--all` or `--day`")
    from indexgate.refreshed import Wanted  # `--help` does without

    wanted = Wanted(
        projects=(*(_name(name) for name in names), *_required(files)),
        everything=everything,
        sources=only,
        days=tuple(day for text in days for day in _days(text)),
        whole_index=whole_index,
    )
    settings = settings_options.settings(given)
    upstream = settings_options.upstream(settings)
    _prepare(settings, upstream)
    if dry_run:
        return _intend(settings, upstream, wanted, as_json=as_json)
    return _refresh(settings, upstream, wanted, as_json=as_json)


def _by_itself(only: tuple[str, ...]) -> bool:
    """Tell whether one of these sources is asked for something else than single projects."""
    from indexgate.source_offers import BY_NAME  # `--help` does without

    offers = [BY_NAME.get(name) for name in only]
    # A name that is no source's is told later, with those that are.
    return any(offer is None or offer.daily or offer.name == "osv" for offer in offers)


def _intend(
    settings: Settings, upstream: UpstreamChoice, wanted: "Wanted", *, as_json: bool
) -> int:
    from indexgate.cli import refresh_forms

    intended = asyncio.run(importlib.import_module(_WORK).intend(settings, upstream, wanted))
    if as_json:
        click.echo(refresh_forms.as_json(intended))
    else:
        refresh_forms.print_intended(intended)
    return FAILED if intended.untold else 0


def _refresh(
    settings: Settings, upstream: UpstreamChoice, wanted: "Wanted", *, as_json: bool
) -> int:
    from indexgate.cli import refresh_forms

    work = importlib.import_module(_WORK)
    stop = work.Stop()
    with _progress() as progress:
        done: Refreshed = asyncio.run(
            _stoppable(
                stop, lambda: work.refresh(settings, upstream, wanted, progress=progress, stop=stop)
            )
        )
    if as_json:
        click.echo(refresh_forms.as_json(done))
    else:
        refresh_forms.print_refreshed(done)
    if done.stopped:
        click.echo("note: stopped; the same command goes on from here", err=True)
        return INTERRUPTED
    return FAILED if done.failed else 0


async def _stoppable(stop: "Stop", work: Callable[[], Coroutine[Any, Any, T]]) -> T:
    """Do *work*; the first SIGINT or SIGTERM asks it to stop, a second one ends the program."""
    loop = asyncio.get_running_loop()

    def on_signal(name: signal.Signals) -> None:
        loop.remove_signal_handler(name)
        stop.now()

    if sys.platform != "win32":
        for name in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(name, on_signal, name)
    return await work()


@contextmanager
def _progress() -> Iterator["Shown"]:
    from indexgate.cli.refresh_progress import shown  # `--help` needs no rich

    with shown() as progress:
        yield progress


def _name(text: str) -> NormalizedName:
    try:
        return canonicalize_name(text.strip(), validate=True)
    except InvalidName as error:
        raise GateError(
            "project-invalid",
            f"`{ascii(text[:200])[1:-1]}` names no project",
            "Name projects without versions, such as `requests`.",
        ) from error


def _required(files: tuple[str, ...]) -> Iterator[NormalizedName]:
    """Yield the projects of requirements files. Raises GateError."""
    if not files:
        return
    asked = read_requirements([], files, [], read_file=read_file, environ=os.environ)
    for entry in asked.entries:
        if isinstance(entry, Requirement):
            yield entry.name


def _days(text: str) -> Iterator[date]:
    """Yield the days of `DAY` or `DAY..DAY`, the newest first. Raises GateError `day-invalid`."""
    wrong = GateError(
        "day-invalid",
        f"`{ascii(text[:100])[1:-1]}` is no day, nor days from one to another",
        "Write `2026-11-20` or `2026-11-01..2026-11-20`.",
    )
    found = _DAYS.fullmatch(text.strip())
    if found is None:
        raise wrong
    try:
        first = date.fromisoformat(found[1])
        last = date.fromisoformat(found[2] or found[1])
    except ValueError as error:
        raise wrong from error
    if not 0 <= (last - first).days < _MOST_DAYS:
        raise wrong
    for back in range((last - first).days + 1):
        yield last - timedelta(days=back)


def _prepare(settings: Settings, upstream: UpstreamChoice) -> None:
    """Send log and notes to stderr, away from what was asked for, and try the certificates."""
    from indexgate import certificates, logs  # `--help` does without

    logs.configure(form=settings.log_format, level=settings.log_level, environ=os.environ)
    for notice in (*settings.notices, *upstream.notices):
        click.echo(f"note: {redact(notice)}", err=True)
    certificates.check(settings, upstream)
