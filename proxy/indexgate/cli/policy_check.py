"""`indexgate policy check`: what is wrong or odd in a policy, line by line."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import click

from indexgate.cli import settings_options
from indexgate.cli.settings_options import settings_options as with_settings
from indexgate.config import Given
from indexgate.policy_text import PolicyText, read_policy
from indexgate_policy.errors import PolicyError
from indexgate_policy.rules.lint import LINTS, Finding

ODD = 1
BROKEN = 2


@click.command(
    name="check",
    epilog="Each line is FILE:LINE:COLUMN, the id of what was found in brackets, and what it is."
    " The exit code is 2 when the policy cannot be used, 1 when something in it is odd, else 0."
    f" What is looked for: {', '.join(LINTS)}; --lints tells what each means.",
)
@click.argument("policy", metavar="[FILE|NAME]", required=False)
@click.option(
    "-r",
    "--requirement",
    "files",
    multiple=True,
    metavar="FILE",
    help="Names in use (pip's form): an exemption that fits none is told.",
)
@click.option("--project", "names", multiple=True, metavar="NAME", help="A name in use, likewise.")
@click.option(
    "--ignore", multiple=True, type=click.Choice(list(LINTS)), metavar="ID", help="Do not tell it."
)
@click.option("--lints", is_flag=True, help="Tell what is looked for, and end.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@with_settings(("config",))
def command(
    *,
    policy: str | None,
    files: tuple[str, ...],
    names: tuple[str, ...],
    ignore: tuple[str, ...],
    lints: bool,
    as_json: bool,
    **given: Given,
) -> int:
    """Look for mistakes in a policy (default: the one in force), with line and column."""
    from indexgate_policy.checks import CHECKS
    from indexgate_policy.rules.lint import lint

    if lints:
        for name, meaning in LINTS.items():
            click.echo(f"{name}: {meaning}")
        return 0
    document = read_policy(policy or settings_options.settings(given).policy)
    try:
        found = lint(
            document.text,
            source=document.place,
            now=datetime.now(UTC),
            checks=frozenset(check.definition.id for check in CHECKS),
            names=[*names, *_names(files)],
        )
    except PolicyError as error:
        _tell(document, [_error_row(error)], as_json=as_json)
        return BROKEN
    told = [_row(finding) for finding in found if finding.id not in ignore]
    _tell(document, told, as_json=as_json)
    return ODD if told else 0


def _names(files: Sequence[str]) -> list[str]:
    if not files:
        return []
    import os

    from indexgate.cli.check import read_file
    from indexgate.requirements.file import read_requirements

    read = read_requirements([], list(files), (), read_file=read_file, environ=os.environ)
    return [entry.name for entry in read.entries if entry.name is not None]


def _tell(document: PolicyText, rows: Sequence[Mapping[str, Any]], *, as_json: bool) -> None:
    if as_json:
        import msgspec

        told = msgspec.json.encode({"policy": document.place, "found": rows})
        click.echo(msgspec.json.format(told, indent=2).decode())
        return
    for row in rows:
        where = ":".join(str(part) for part in (document.place, row["line"], row["column"]) if part)
        colour = "red" if row["level"] == "error" else "yellow"
        label = click.style(f"[{row['id']}]", fg=colour)
        click.echo(f"{where}: {label} {row['message']}")
        if row["hint"]:
            click.echo(f"    hint: {row['hint']}")
    if not rows:
        click.echo(f"Nothing is wrong or odd in `{document.place}`", err=True)


def _row(finding: Finding) -> dict[str, Any]:
    at = finding.position
    return {
        "level": "warning",
        "id": finding.id,
        "line": at.line if at else None,
        "column": at.column if at else None,
        "message": finding.message,
        "hint": finding.hint,
    }


def _error_row(error: PolicyError) -> dict[str, Any]:
    return {
        "level": "error",
        "id": error.reference,
        "line": error.line or None,
        "column": error.column or None,
        "message": error.message,
        "hint": error.hint,
    }
