"""`indexgate policy diff`: what differs between two policies, and on what the verdicts differ."""

import asyncio
import importlib
import os
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from indexgate.cli import settings_options
from indexgate.cli.settings_options import settings_options as with_settings
from indexgate.config import Given, Settings
from indexgate.policy_text import STDIN, PolicyText, read_policy
from indexgate.redact import redact

if TYPE_CHECKING:
    from indexgate.checked import Check
    from indexgate.locks.entry import Lock
    from indexgate.requirements.file import Requirements
    from indexgate.upstream_choice import UpstreamChoice
    from indexgate.verdict_changes import VerdictChanges
    from indexgate_policy.rules.difference import Change
    from indexgate_policy.rules.document import Policy

_JUDGE = "indexgate.web.checked"
_SETTINGS = ("config", "upstream", "upstream_public", "state", "presentation", "offline")
_RECORD = "record"
DIFFERS = 1


@click.command(
    name="diff",
    epilog="Examples: indexgate policy diff balanced strict; indexgate policy diff draft.toml --on"
    " record; indexgate policy diff draft.toml --on uv.lock --on flask. OLD and NEW are files or"
    " shipped policies; OLD is the policy in force unless it is given. What --on names is judged by"
    " both, on what is known now. The exit code is 0 whatever differs, with --exit-code 1 when"
    " something does, 2 for what cannot be read.",
)
@click.argument("policies", metavar="[OLD] NEW", nargs=-1, required=True)
@click.option(
    "--on",
    "named",
    multiple=True,
    metavar="record|LOCK|NAME",
    help="Tell which verdicts differ on this: what the gate was asked for lately, what a lock or a"
    " requirements file has, or a requirement such as flask or flask==3.0. May be repeated.",
)
@click.option(
    "--since",
    default="30d",
    show_default=True,
    metavar="TIME",
    help="How far back the record is looked through (12h, 30d, or a day, 2026-11-01).",
)
@click.option("--exit-code", is_flag=True, help="End with 1 when something differs.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@with_settings(_SETTINGS)
def command(
    *,
    policies: tuple[str, ...],
    named: tuple[str, ...],
    since: str,
    exit_code: bool,
    as_json: bool,
    **given: Given,
) -> int:
    """Tell what differs between two policies, and which verdicts differ on given packages."""
    from indexgate_policy.rules.difference import difference

    if len(policies) > 2:
        raise click.UsageError("Name two policies at the most: [OLD] NEW")
    settings = settings_options.settings(given)
    old, new = map(read_policy, policies if len(policies) == 2 else (settings.policy, *policies))
    changes = difference(_parsed(old), _parsed(new))
    verdicts = None
    if named:
        if STDIN in policies:
            raise click.UsageError("`-` cannot be judged by: name a file")
        verdicts = _verdicts(settings, (old.place, new.place), named, since)
    from indexgate.cli import policy_diff_forms  # `--help` needs no rich

    show = policy_diff_forms.print_json if as_json else policy_diff_forms.print_tables
    show(old.place, new.place, changes, verdicts)
    return DIFFERS if exit_code and _differs(changes, verdicts) else 0


def _differs(changes: "Sequence[Change]", verdicts: "VerdictChanges | None") -> bool:
    return bool(changes) or (verdicts is not None and bool(verdicts.changes))


def _parsed(read: PolicyText) -> "Policy":
    from indexgate_policy.rules import document

    return document.parse(read.text, source=read.place, now=datetime.now(UTC))


def _verdicts(
    settings: Settings, policies: tuple[str, str], named: Sequence[str], since: str
) -> "VerdictChanges":
    """Judge what is *named* by both *policies*, on the same facts, and compare."""
    from indexgate import certificates, logs
    from indexgate.verdict_changes import compare

    upstream = settings_options.upstream(settings)
    logs.configure(form=settings.log_format, level=settings.log_level, environ=os.environ)
    for notice in (*settings.notices, *upstream.notices):
        click.echo(f"note: {redact(notice)}", err=True)
    certificates.check(settings, upstream)
    asked, locks = _asked(settings, upstream, named, since)
    now = datetime.now(UTC)
    first, second = (
        asyncio.run(_check(replace(settings, policy=place), upstream, asked, locks, now))
        for place in policies
    )
    return compare(first, second)


def _asked(
    settings: Settings, upstream: "UpstreamChoice", named: Sequence[str], since: str
) -> "tuple[Requirements, Sequence[Lock]]":
    from indexgate.cli import check_arguments
    from indexgate.cli.check import read_file
    from indexgate.cli.log import moment
    from indexgate.store.engines import STORE_FILE

    asked, locks = check_arguments.read(
        check_arguments.Named(words=tuple(each for each in named if each != _RECORD)),
        read_file=read_file,
        environ=os.environ,
        folder=Path.cwd(),
    )
    if _RECORD not in named:
        return asked, locks
    from indexgate.recorded_names import recorded

    begin = moment(since, datetime.now(UTC))
    record = recorded(
        settings.state / STORE_FILE,
        begin,
        index_ids={index.index_id for index in upstream.all},
        clock=lambda: datetime.now(UTC),
    )
    if not record.entries:
        click.echo(f"note: nothing is on record since {begin:%Y-%m-%d %H:%M} UTC", err=True)
    return asked, (*locks, record)


async def _check(
    settings: Settings,
    upstream: "UpstreamChoice",
    asked: "Requirements",
    locks: "Sequence[Lock]",
    now: datetime,
) -> "Check":
    from packaging.markers import default_environment

    environment = {name: str(value) for name, value in default_environment().items()}
    check = importlib.import_module(_JUDGE).check
    judging = check(settings, upstream, asked, environment, locks=locks, clock=lambda: now)
    found: Check = await judging
    return found
