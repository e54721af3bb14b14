"""`indexgate run`: a command behind the gate, and afterwards what the gate did in it."""

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, cast

import click

from indexgate.cli import explain, settings_options
from indexgate.cli.settings_options import settings_options as with_settings
from indexgate.config import Given
from indexgate.errors import GateError
from indexgate.redact import redact
from indexgate.reports import ci_system
from indexgate.reports.ci_system import SYSTEMS, System

if TYPE_CHECKING:
    from indexgate.cli.run_reports import FailOn, Form

FAILED = 2

_SETTINGS = (
    *("config", "port", "upstream", "upstream_public", "policy", "state", "presentation"),
    *("offline", "osv_url"),
)

_ASKING = ("config", "policy", "state")


@click.command(
    name="run",
    context_settings={"allow_interspersed_args": False},
    epilog="Examples: indexgate run -- pip install flask; indexgate run -- uv sync; indexgate run"
    " --ci -- pip install -r requirements.txt. The exit code is the command's own, 128 and the"
    " number if a signal ended it, 127 if it cannot be started; with --fail-on, 1 where the command"
    " itself ended well.",
)
@click.option(
    "--keep-indexes",
    is_flag=True,
    help="Go on although the command is configured with indexes that the gate does not stand for.",
)
@click.option(
    "--summary",
    "form",
    type=click.Choice(["text", "json", "none"]),
    default="text",
    show_default=True,
    help="How to tell on stderr what was refused, withheld and warned; json is one line, always.",
)
@click.option(
    "--ci",
    is_flag=False,
    flag_value="auto",
    type=click.Choice(["auto", *SYSTEMS]),
    help="Tell the CI system too, in its own forms: job summary, annotations, sections of the log."
    "  [default: no; without a value: by the system's variables]",
)
@click.option("--sarif", metavar="FILE", help="Write what was told as SARIF 2.1.0.")
@click.option(
    "--fail-on",
    type=click.Choice(["refuse", "withheld", "warn", "never"]),
    default="never",
    show_default=True,
    help="End with 1 though the command itself ended well: refuse, if something was refused;"
    " withheld, that or a newer version was withheld; warn, that or something was warned of; with 2"
    " if that cannot be told.",
)
@click.option(
    "--break-glass",
    metavar="REASON",
    help="In this run let in what is refused, except malware; who, why and what is written down."
    " Only where the policy does not forbid it.",
)
@with_settings(_SETTINGS)
@click.argument("command", nargs=-1, required=True, type=click.UNPROCESSED)
def command(
    *,
    command: tuple[str, ...],
    keep_indexes: bool,
    break_glass: str | None,
    form: "Form",
    ci: str | None,
    sarif: str | None,
    fail_on: "FailOn",
    **given: Given,
) -> int:
    """Run pip, uv, Poetry, PDM or pipenv behind the gate.

    The gate that runs on the port is used once it has proven to be yours; else one is started, and
    stopped after the last run.
    """
    from indexgate import public_index  # `--help` does without
    from indexgate.cli import run_reports
    from indexgate.run.session import Asked, run

    settings = settings_options.settings(given)
    for notice in settings.notices:
        _tell(f"note: {redact(notice)}")
    telling = run_reports.Telling(
        command=command,
        form=form,
        system=_system(ci),
        sarif=sarif,
        flags=settings_options.as_flags(given, explain.SETTINGS),
        asking=settings_options.as_flags(given, _ASKING),
        environ=os.environ,
        folder=Path.cwd(),
        say=click.echo,
        tell=_tell,
    )
    ended = run(
        Asked(
            command=command,
            settings=settings,
            # -P: nothing of the folder that the command runs in shall be imported.
            start=(sys.executable, "-P", "-m", "indexgate.cli.gate_for_runs"),
            given={**given, "host": "127.0.0.1"},
            keep_indexes=keep_indexes,
            break_glass=None if break_glass is None else _glass(break_glass),
            environ=os.environ,
            folder=Path.cwd(),
            home=Path.home(),
            public_index=public_index.address(),
            tell=_tell,
        )
    )
    try:
        run_reports.close(ended, telling)
    except GateError as error:
        _tell(f"error: {error}")
        return ended.code or FAILED
    return run_reports.exit_code(ended, fail_on)


def _system(asked: str | None) -> System | None:
    if asked is None:
        return None
    found = ci_system.detect(os.environ) if asked == "auto" else cast("System", asked)
    if found is None:
        known = ", ".join(SYSTEMS)
        _tell(f"note: no CI system was recognised by its variables; name one, `--ci=NAME`: {known}")
    return found


def _glass(reason: str) -> tuple[str, str]:
    """Return who breaks the glass, and why. Raises GateError."""
    from indexgate.cli.login_name import login_name
    from indexgate.exempting import line

    return login_name(), line(reason, "--break-glass")


def _tell(text: str) -> None:
    click.echo(text, err=True)
