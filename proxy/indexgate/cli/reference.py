"""The reference pages of the settings and the commands, made from what the program itself says.

`python -m indexgate.cli.reference settings` (or `commands`) prints a page.
"""

import sys
from collections.abc import Iterator

import click

from indexgate import index_tables, team_tables
from indexgate.cli.main import EXIT_CODES, indexgate
from indexgate.settings_table import TABLE, Setting

_WIDTH = 80
_INTRODUCTION = """\
A setting is given as a flag of the command line, as an environment variable, or as a key of the
TOML file that `--config` names. The flag wins over the variable, the variable over the file, and
the file over the default. Paths in the file are relative to the file.

A key that is not a setting is an error. An `INDEXGATE_` variable that is none is named at start and
ignored. An empty variable counts as not set, unless its setting says otherwise.
"""
_SEVERAL = """\
Instead of `upstream` a file can name several indexes, each as a table. They are asked in the order
in which they stand there: [how](../tasks/use-several-indexes.md).
"""
_TEAMS = """\
A file can say whose clients ask, so that policies and exemptions can speak of teams: a table for
each, with `networks`, a `label`, or both: [how](../tasks/tell-teams-apart.md).
"""


def settings_page() -> str:
    """Return `docs/reference/settings.md`."""
    lines = [
        "# Settings",
        "",
        *_INTRODUCTION.splitlines(),
    ]
    for setting in TABLE:
        lines.extend(_setting(setting))
    lines.extend(("", "## [[index]]", "", *_SEVERAL.splitlines()))
    for key in index_tables.TABLE:
        lines.extend(_key("index", key))
    lines.extend(("", "## [[team]]", "", *_TEAMS.splitlines()))
    for key in team_tables.TABLE:
        lines.extend(_key("team", key))
    return "\n".join(lines) + "\n"


def commands_page() -> str:
    """Return `docs/reference/commands.md`."""
    context = _context(indexgate, "indexgate", None)
    lines = ["# Commands", "", *_help(context)]
    for name in indexgate.list_commands(context):
        command = indexgate.get_command(context, name)
        if command is not None:
            lines.extend(_command(_context(command, name, context)))
    lines.extend(["## Exit codes", "", "| code | meaning |", "| --- | --- |"])
    lines.extend(f"| {code} | {meaning} |" for code, meaning in EXIT_CODES.items())
    lines.extend(
        ["", "What was asked for goes to stdout; banners, notes, the log and errors go to stderr."]
    )
    return "\n".join(lines) + "\n"


def _command(context: click.Context) -> Iterator[str]:
    """Yield the help of a command, and of those that it has in it."""
    yield from (f"## {context.command_path}", "", *_help(context))
    if isinstance(context.command, click.Group):
        for name in context.command.list_commands(context):
            command = context.command.get_command(context, name)
            if command is not None:
                yield from _command(_context(command, name, context))


def _setting(setting: Setting) -> Iterator[str]:
    yield from ("", f"## {setting.name}", "", setting.help, "")
    flag = setting.flag
    if setting.kind.metavar == "YES|NO":
        flag += f"` or `--no-{setting.flag.removeprefix('--')}"
    if setting.secret:
        yield "- Flag: none, since others on the machine can read command lines"
    else:
        yield f"- Flag: `{flag}`{' (may be repeated)' if setting.many else ''}"
    yield f"- Variable: `{setting.variable}`{' (several with commas)' if setting.many else ''}"
    if setting.in_file:
        yield f"- Key: `{setting.name}`{' (a list)' if setting.many else ''}"
    yield f"- Allowed: {setting.kind.allowed}"
    if setting.blank:
        yield f"- Empty: {setting.blank}"
    yield f"- Default: {setting.default_shown or f'`{setting.default}`'}"


def _key(table: str, key: Setting) -> Iterator[str]:
    """Yield what there is to say of a key of the tables `[[table]]`."""
    yield from ("", f"### {table}.{key.name}", "", key.help, "")
    yield f"- Key: `{key.name}`{' (a list)' if key.many else ''}"
    yield f"- Allowed: {key.kind.allowed}"
    yield f"- Default: {key.default_shown or f'`{key.default}`'}"


def _context(command: click.Command, name: str, parent: click.Context | None) -> click.Context:
    return click.Context(
        command,
        info_name=name,
        parent=parent,
        terminal_width=_WIDTH,
        max_content_width=_WIDTH,
        color=False,
        help_option_names=["-h", "--help"],
    )


def _help(context: click.Context) -> list[str]:
    return ["```text", *context.get_help().splitlines(), "```", ""]


if __name__ == "__main__":
    pages = {"settings": settings_page, "commands": commands_page}
    sys.stdout.write(pages[sys.argv[1]]())
