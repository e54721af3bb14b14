"""`indexgate service`: the gate started at log-in, by the service manager of the platform.

What the commands rest on is imported when one of them runs: `--help` does without.
"""

import click

from indexgate.cli import settings_options
from indexgate.cli.settings_options import settings_options as with_settings
from indexgate.config import Given
from indexgate.settings_table import TABLE

_SETTINGS = ("config", "port", "state")


@click.group(
    name="service",
    epilog="It is a unit of your own systemd, or an agent of launchd on macOS; no administrator is"
    " needed. Elsewhere `install` says what to have started at log-in.",
)
def command() -> None:
    """Have the gate started when you log in."""


@command.command(
    name="install",
    epilog="Examples: indexgate service install; indexgate service install --policy observe;"
    " indexgate service install --config indexgate.toml. The flags are those of `indexgate serve`,"
    " and the service is started with them. Given again with other flags, it replaces the service.",
)
@click.option("--dry-run", is_flag=True, help="Only print what would be written and run.")
@with_settings(setting.name for setting in TABLE)
def install(*, dry_run: bool, **given: Given) -> int:
    """Start the gate now and at every log-in."""
    from indexgate.cli import service_install

    service_install.install(given, settings_options.settings(given), dry_run=dry_run)
    return 0


@command.command(name="remove", epilog="The state folder with its cache and its log stays.")
@click.option("--dry-run", is_flag=True, help="Only print what would be removed and run.")
@with_settings(_SETTINGS)
def remove(*, dry_run: bool, **given: Given) -> int:
    """Stop the gate, and start it at log-in no more."""
    from indexgate.cli import service_install

    service_install.remove(settings_options.settings(given), dry_run=dry_run)
    return 0


@command.command(
    name="status",
    epilog="The exit code is 0 when all of it is so: installed, started at log-in, running, and the"
    " gate on the port proves to be yours; else 1.",
)
@click.option("--json", "as_json", is_flag=True, help="Print JSON, one object.")
@with_settings(_SETTINGS)
def status(*, as_json: bool, **given: Given) -> int:
    """Tell whether the service is installed and runs, and whose gate is on the port."""
    from indexgate.cli import service_status

    return service_status.status(settings_options.settings(given), as_json=as_json)
