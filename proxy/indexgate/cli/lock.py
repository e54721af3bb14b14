"""`indexgate lock`: the addresses in lock files."""

import click

from indexgate.cli import lock_rewrite


@click.group(
    name="lock",
    epilog="A lock is judged by `indexgate check LOCK`.",
)
def command() -> None:
    """Look after the addresses in lock files."""


command.add_command(lock_rewrite.command)
