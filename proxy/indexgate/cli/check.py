"""`indexgate check`: judge requirements, locks and environments without installing."""

import asyncio
import importlib
import os
import sys
from collections.abc import Callable, Coroutine, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any, Protocol

import click

from indexgate import own_addresses
from indexgate.checked import Check
from indexgate.cli import check_arguments, check_reports, settings_options
from indexgate.cli.check_arguments import Named
from indexgate.cli.check_reports import ANNOTATIONS, FAIL_ON, STDOUT, Around, FailOn
from indexgate.cli.settings_options import settings_options as with_settings
from indexgate.cli.team_option import team_option as with_team
from indexgate.config import Given, Settings
from indexgate.locks.entry import Format, Lock
from indexgate.locks.read import FORMATS
from indexgate.redact import redact
from indexgate.reports import finding
from indexgate.requirements.file import STDIN, Requirements
from indexgate.upstream_choice import UpstreamChoice

_JUDGE = "indexgate.web.checked"
_SETTINGS = ("config", "upstream", "upstream_public", "policy", "state", "presentation", "offline")
_LONG = 10


class Judge(Protocol):
    """What judges requirements for the interpreter of an environment of PEP 508 markers."""

    def __call__(
        self,
        settings: Settings,
        upstream: UpstreamChoice,
        requirements: Requirements,
        environment: Mapping[str, str],
        *,
        locks: Sequence[Lock],
        gates: Sequence[str],
        team: str | None,
        done: Callable[[], None],
    ) -> Coroutine[Any, Any, Check]:
        """Judge *requirements* and *locks*; call *done* after each."""


@click.command(
    name="check",
    epilog="Examples: indexgate check requests==2.32.3; indexgate check uv.lock; indexgate check -r"
    " requirements.txt; uv export | indexgate check -; indexgate check --environment .venv. What is"
    " listed is judged; dependencies that are not are not resolved. Of a lock every entry is"
    " judged, whatever its markers, and each of its files. The exit code is 1 when something is"
    " refused, or pinned but not listed by the index, else 2 when something could not be judged."
    " What asks no index (an address, a path) is shown as not judged and changes no exit code,"
    " nor does what leads past the gate (another index), unless --strict or --fail-on say so.",
)
@click.argument("requirements", nargs=-1, metavar="[REQUIREMENT|LOCK|-]...")
@click.option(
    "-r",
    "--requirement",
    "files",
    multiple=True,
    metavar="FILE",
    help="Requirements file of pip, or a lock: uv.lock, poetry.lock, pdm.lock, Pipfile.lock,"
    " pylock.toml, a CycloneDX document (JSON).",
)
@click.option(
    "-c", "--constraint", "constraints", multiple=True, metavar="FILE", help="Constraints of pip."
)
@click.option(
    "--environment",
    "environments",
    multiple=True,
    metavar="PATH|-",
    help="What is installed in the environment at PATH; `-` is the active one, else `.venv`."
    " Nothing of it is run.",
)
@click.option(
    "--format",
    "format_",
    type=click.Choice(FORMATS),
    help="What the files are.  [default: told by name and content]",
)
@click.option(
    "--gate",
    "gates",
    multiple=True,
    metavar="URL",
    help="A gate's address that a lock may hold, besides that of the settings.",
)
@click.option("--strict", is_flag=True, help="End with 1 if something asks no index, or another.")
@click.option(
    "--fail-on",
    type=click.Choice(FAIL_ON),
    multiple=True,
    default=("refuse",),
    show_default=True,
    help="What to end with 1 for, may be repeated: refuse, what is refused or not listed; warn,"
    " that and warnings; unjudged, that and what is not or could not be judged; never.",
)
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.option(
    "--sarif", metavar="FILE|-", help="Write SARIF 2.1.0; `-` prints it in place of the table."
)
@click.option(
    "--annotations",
    "annotated",
    type=click.Choice(ANNOTATIONS),
    help="Print each finding as a line that the CI system shows beside the code; for gitlab, write"
    " gl-code-quality-report.json.",
)
@click.option("--all", "whole", is_flag=True, help="Show also what passes in a long table.")
@with_team
@with_settings(_SETTINGS)
def command(
    *,
    requirements: tuple[str, ...],
    files: tuple[str, ...],
    constraints: tuple[str, ...],
    environments: tuple[str, ...],
    format_: Format | None,
    gates: tuple[str, ...],
    strict: bool,
    fail_on: tuple[FailOn, ...],
    as_json: bool,
    sarif: str | None,
    annotated: str | None,
    whole: bool,
    team: str | None,
    **given: Given,
) -> int:
    """Tell what the policy makes of requirements, locks or an environment, without installing."""
    named = Named(
        words=requirements,
        files=files,
        constraints=constraints,
        environments=environments,
        format=format_,
    )
    if named.nothing:
        raise click.UsageError("Nothing to check: name a requirement, a lock, `-r FILE` or `-`")
    if as_json and sarif == STDOUT:
        raise click.UsageError("`--json` and `--sarif -` both want stdout; give SARIF a file")
    settings = settings_options.settings(given)
    asked, locks = check_arguments.read(
        named,
        read_file=read_file,
        environ=os.environ,
        folder=Path.cwd(),
        roots=own_addresses.roots(settings, gates),
    )
    upstream = settings_options.upstream(settings)
    _prepare(settings, upstream)
    _note_empty(locks)
    check = _judged(settings, upstream, asked, locks, gates=gates, team=team)
    _report(check, sarif=sarif, annotated=annotated, as_json=as_json)
    if sarif != STDOUT:
        tell(check, as_json=as_json, whole=whole)
    return check_reports.exit_code(check, fail_on, strict=strict)


def tell(check: Check, *, as_json: bool, whole: bool = True) -> None:
    """Print *check* on stdout."""
    from indexgate.cli import check_forms  # `--help` needs no rich

    if as_json:
        click.echo(check_forms.as_json(check))
    else:
        check_forms.print_table(check, whole=whole)


def _report(check: Check, *, sarif: str | None, annotated: str | None, as_json: bool) -> None:
    """Write what CI systems read, apart from what is printed for people or programs."""
    if sarif is None and annotated is None:
        return
    taken = as_json or sarif == STDOUT
    around = Around(
        environ=os.environ,
        folder=Path.cwd(),
        say=partial(click.echo, err=taken),
        tell=partial(click.echo, err=True),
    )
    findings = finding.of_check(check)
    if sarif is not None:
        check_reports.write_sarif(sarif, findings, finding.rules(check.rules), around)
    if annotated is not None:
        check_reports.annotate(annotated, findings, around)


def _note_empty(locks: Sequence[Lock]) -> None:
    for lock in locks:
        if not lock.entries:
            click.echo(f"note: `{lock.path}` ({lock.format}) pins nothing", err=True)


def read_file(path: str, most: int) -> bytes:
    """Return at most *most* bytes of the file at *path*, `-` for standard input. Raises OSError."""
    if path == STDIN:
        return sys.stdin.buffer.read(most)
    with Path(path).open("rb") as file:
        return file.read(most)


def _judged(
    settings: Settings,
    upstream: UpstreamChoice,
    asked: Requirements,
    locks: Sequence[Lock],
    *,
    gates: Sequence[str],
    team: str | None,
) -> Check:
    from packaging.markers import default_environment

    judge: Judge = importlib.import_module(_JUDGE).check
    environment = {name: str(value) for name, value in default_environment().items()}
    total = len(asked.entries) + sum(len(lock.entries) for lock in locks)
    with _progress(total) as done:
        judging = judge(
            settings, upstream, asked, environment, locks=locks, gates=gates, team=team, done=done
        )
        return asyncio.run(judging)


@contextmanager
def _progress(total: int) -> Iterator[Callable[[], None]]:
    """Show on a terminal how far a long list is; give what counts one further."""
    if total <= _LONG or not sys.stderr.isatty():
        yield lambda: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

    columns = TextColumn("checking"), BarColumn(), MofNCompleteColumn()
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task("checking", total=total)
        yield lambda: progress.advance(task)


def _prepare(settings: Settings, upstream: UpstreamChoice) -> None:
    """Send log and notes to stderr, away from what was asked for, and try the certificates."""
    from indexgate import certificates, logs  # `--help` does without

    logs.configure(form=settings.log_format, level=settings.log_level, environ=os.environ)
    for notice in (*settings.notices, *upstream.notices):
        click.echo(f"note: {redact(notice)}", err=True)
    certificates.check(settings, upstream)
