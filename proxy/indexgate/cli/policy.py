"""`indexgate policy`: what a policy says, whether it is sound, and what a change of it does."""

import importlib
from collections.abc import Mapping

import click

COMMANDS: Mapping[str, str] = {
    "check": "indexgate.cli.policy_check",
    "test": "indexgate.cli.policy_test",
    "diff": "indexgate.cli.policy_diff",
    "explain": "indexgate.cli.policy_explain",
    "schema": "indexgate.cli.policy_schema",
}
"""Each command of the group and the module that has it as `command`."""


class _LateCommands(click.Group):
    """A group whose commands are imported on first use."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        place = COMMANDS.get(cmd_name)
        if place is None:
            return None
        command: click.Command = importlib.import_module(place).command
        return command


@click.group(
    name="policy",
    cls=_LateCommands,
    epilog="Before an edit is in force: indexgate policy check my-policy.toml; indexgate policy"
    " test my-policy.toml; indexgate policy diff balanced my-policy.toml --on record.",
)
def command() -> None:
    """Check, test, compare and explain policies."""
