"""`indexgate run`: a command behind the gate, and afterwards what the gate did in it."""

import os
import sys
from pathlib import Path

import click

from indexgate.cli import explain, settings_options
from indexgate.cli.settings_options import settings_options as with_settings
from indexgate.config import Given
from indexgate.redact import redact

_SETTINGS = (
    *("config", "port", "upstream", "upstream_public", "policy", "state", "presentation"),
    *("offline", "osv_url"),
)


@click.command(
    name="run",
    context_settings={"allow_interspersed_args": False},
    epilog="Examples: indexgate run -- pip install flask; indexgate run -- uv sync. The exit code"
    " is the command's own, 128 and the number if a signal ended it, 127 if it cannot be started.",
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
    form: str,
    **given: Given,
) -> int:
    """Run pip, uv, Poetry, PDM or pipenv behind the gate.

    The gate that runs on the port is used once it has proven to be yours; else one is started, and
    stopped after the last run.
    """
    from indexgate import public_index  # `--help` does without
    from indexgate.run.session import Asked, run

    settings = settings_options.settings(given)
    for notice in settings.notices:
        _tell(f"note: {redact(notice)}")
    return run(
        Asked(
            command=command,
            settings=settings,
            # -P: nothing of the folder that the command runs in shall be imported.
            start=(sys.executable, "-P", "-m", "indexgate.cli.gate_for_runs"),
            given={**given, "host": "127.0.0.1"},
            flags=settings_options.as_flags(given, explain.SETTINGS),
            keep_indexes=keep_indexes,
            break_glass=None if break_glass is None else _glass(break_glass),
            form="json" if form == "json" else "none" if form == "none" else "text",
            environ=os.environ,
            folder=Path.cwd(),
            home=Path.home(),
            public_index=public_index.address(),
            tell=_tell,
        )
    )


def _glass(reason: str) -> tuple[str, str]:
    """Return who breaks the glass, and why. Raises GateError."""
    from indexgate.cli.login_name import login_name
    from indexgate.exempting import line

    return login_name(), line(reason, "--break-glass")


def _tell(text: str) -> None:
    click.echo(text, err=True)
