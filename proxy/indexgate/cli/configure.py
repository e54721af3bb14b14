"""`indexgate configure`: point an installer at the gate in its own settings, and undo exactly that.

What the command rests on is imported when it runs: `--help` does without.
"""

import os
from pathlib import Path
from typing import TYPE_CHECKING

import click

from indexgate.cli.settings_options import settings_options as with_settings
from indexgate.config import Given

if TYPE_CHECKING:
    from indexgate.configure.places import Name, Scope

_SETTINGS = ("config", "port", "public_url", "upstream", "upstream_public", "state")


@click.command(
    name="configure",
    epilog="Examples: indexgate configure pip; indexgate configure poetry --dry-run; indexgate"
    " configure uv --undo. Without --user or --project it is the user's settings for pip, uv and"
    " PDM, and the project's for Poetry (which needs a plugin for --user) and pipenv (which has no"
    " settings of a user). The settings of a project are those in or above this folder; for pip,"
    " those of its virtual environment. The exit code is 1 when --undo leaves the gate's address in"
    " a file.",
)
@click.argument("client", type=click.Choice(["pip", "uv", "poetry", "pdm", "pipenv"]))
@click.option("--user", "scope", flag_value="user", help="Write the user's settings.")
@click.option("--project", "scope", flag_value="project", help="Write the project's settings.")
@click.option("--undo", is_flag=True, help="Take the gate out again, and nothing else.")
@click.option("--dry-run", is_flag=True, help="Only print what would change.")
@click.option(
    "--url",
    metavar="URL",
    help="The gate's simple index.  [default: --public-url, else this machine and the port]",
)
@click.option(
    "--replace-index",
    is_flag=True,
    help="Go on although the gate does not stand in front of the index that gives way.",
)
@with_settings(_SETTINGS)
def command(
    *,
    client: "Name",
    scope: "Scope | None",
    undo: bool,
    dry_run: bool,
    url: str | None,
    replace_index: bool,
    **given: Given,
) -> int:
    """Point an installer at the gate in its own settings file.

    Shows the change as a diff, makes it, and keeps what it takes to undo it exactly: comments and
    all other settings stay as they are.
    """
    from indexgate import pip_settings
    from indexgate.cli import configure_gate, configure_undo, settings_options
    from indexgate.configure.places import Around

    settings = settings_options.settings(given)
    around = Around(
        environ=os.environ, folder=Path.cwd(), home=Path.home(), pip=pip_settings.places()
    )
    if undo:
        return configure_undo.undo(client, scope, settings.state, around, dry_run=dry_run)
    wanted = configure_gate.Wanted(
        client=client,
        scope=scope,
        url=url,
        settings=settings,
        around=around,
        dry_run=dry_run,
        replace_index=replace_index,
    )
    configure_gate.configure(wanted)
    return 0
