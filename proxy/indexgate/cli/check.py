"""`indexgate check`: judge requirements without installing them."""

import asyncio
import importlib
import os
import sys
from collections.abc import Callable, Coroutine, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Protocol

import click

from indexgate.checked import Check
from indexgate.cli import settings_options
from indexgate.cli.settings_options import settings_options as with_settings
from indexgate.config import Given, Settings
from indexgate.redact import redact
from indexgate.requirements.file import STDIN, Requirements, read_requirements
from indexgate.upstream_choice import UpstreamChoice

_JUDGE = "indexgate.web.checked"
_SETTINGS = ("config", "upstream", "upstream_public", "policy", "state", "presentation", "offline")
_LONG = 10
REFUSED = 1
FAILED = 2


class Judge(Protocol):
    """What judges requirements for the interpreter of an environment of PEP 508 markers."""

    def __call__(
        self,
        settings: Settings,
        upstream: UpstreamChoice,
        requirements: Requirements,
        environment: Mapping[str, str],
        *,
        done: Callable[[], None],
    ) -> Coroutine[Any, Any, Check]:
        """Judge *requirements*; call *done* after each."""


@click.command(
    name="check",
    epilog="Examples: indexgate check requests==2.32.3; indexgate check -r requirements.txt;"
    " uv export | indexgate check -. What is listed is judged; dependencies that are not are not"
    " resolved. The exit code is 1 when a requirement is refused, else 2 when one could not be"
    " judged. A requirement that asks no index (an address, a path) is shown as not judged and"
    " changes no exit code, unless --strict is given.",
)
@click.argument("requirements", nargs=-1, metavar="[REQUIREMENT|-]...")
@click.option(
    "-r", "--requirement", "files", multiple=True, metavar="FILE", help="Requirements file of pip."
)
@click.option(
    "-c", "--constraint", "constraints", multiple=True, metavar="FILE", help="Constraints of pip."
)
@click.option("--strict", is_flag=True, help="End with 1 if something asks no index.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@with_settings(_SETTINGS)
def command(
    requirements: tuple[str, ...],
    files: tuple[str, ...],
    constraints: tuple[str, ...],
    strict: bool,
    as_json: bool,
    **given: Given,
) -> int:
    """Tell what the policy makes of requirements, without installing."""
    if not requirements and not files:
        raise click.UsageError("Nothing to check: name a requirement, `-r FILE` or `-`")
    asked = read_requirements(
        [text for text in requirements if text != STDIN],
        [*files, *(text for text in requirements if text == STDIN)],
        constraints,
        read_file=read_file,
        environ=os.environ,
    )
    settings = settings_options.settings(given)
    upstream = settings_options.upstream(settings)
    _prepare(settings, upstream)
    return tell(_judged(settings, upstream, asked), as_json=as_json, strict=strict)


def tell(check: Check, *, as_json: bool, strict: bool) -> int:
    """Print *check* on stdout; return the exit code."""
    from indexgate.cli import check_forms  # `--help` needs no rich

    if as_json:
        click.echo(check_forms.as_json(check))
    else:
        check_forms.print_table(check)
    counts = check.counts
    if counts["refuse"] or (strict and counts["not judged"]):
        return REFUSED
    return FAILED if counts["failed"] else 0


def read_file(path: str, most: int) -> bytes:
    """Return at most *most* bytes of the file at *path*, `-` for standard input. Raises OSError."""
    if path == STDIN:
        return sys.stdin.buffer.read(most)
    with Path(path).open("rb") as file:
        return file.read(most)


def _judged(settings: Settings, upstream: UpstreamChoice, asked: Requirements) -> Check:
    from packaging.markers import default_environment

    judge: Judge = importlib.import_module(_JUDGE).check
    environment = {name: str(value) for name, value in default_environment().items()}
    with _progress(len(asked.entries)) as done:
        return asyncio.run(judge(settings, upstream, asked, environment, done=done))


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
