"""`indexgate explain`: everything known of a project, and the verdict on its releases."""

import asyncio
import importlib
import os
from collections.abc import Coroutine
from typing import Any, Protocol

import click
from packaging.utils import InvalidName, NormalizedName, canonicalize_name

from indexgate.cli import settings_options
from indexgate.cli.settings_options import settings_options as with_settings
from indexgate.cli.team_option import team_option as with_team
from indexgate.config import Given, Settings
from indexgate.errors import GateError
from indexgate.explanation import Explanation
from indexgate.redact import redact
from indexgate.upstream_choice import UpstreamChoice

_EXPLAINER = "indexgate.web.explained"
SETTINGS = ("config", "upstream", "upstream_public", "policy", "state", "presentation", "offline")
_ASKING = ("config", "policy", "state")
REFUSED = 1


class Explainer(Protocol):
    """What finds out everything about a project, and one version of it if one is asked for.

    Raises GateError where there is no such project or version.
    """

    def __call__(
        self,
        settings: Settings,
        upstream: UpstreamChoice,
        name: NormalizedName,
        version: str | None,
        *,
        team: str | None,
    ) -> Coroutine[Any, Any, Explanation]:
        """Explain *name*."""


@click.command(
    name="explain",
    epilog="Examples: indexgate explain requests; indexgate explain requests==2.32.3 --json. The"
    " exit code is 1 when what is asked for is refused.",
)
@click.argument("project", metavar="NAME[==VERSION]")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@with_team
@with_settings(SETTINGS)
def command(project: str, as_json: bool, team: str | None, **given: Given) -> int:
    """Tell everything known of a project, and what the policy makes of it."""
    name, version = asked(project)
    settings = settings_options.settings(given)
    upstream = settings_options.upstream(settings)
    _prepare(settings, upstream)
    explainer: Explainer = importlib.import_module(_EXPLAINER).explain
    explanation = asyncio.run(explainer(settings, upstream, name, version, team=team))
    return tell(explanation, as_json=as_json, asking=settings_options.as_flags(given, _ASKING))


def tell(explanation: Explanation, *, as_json: bool, asking: str = "") -> int:
    """Print *explanation* on stdout; return the exit code.

    *asking* are the flags with which an exemption is asked for where this gate takes it up.
    """
    from indexgate.cli import explanation_forms  # `--help` needs no rich

    if as_json:
        click.echo(explanation_forms.as_json(explanation))
    else:
        explanation_forms.print_tables(explanation, asking=asking)
    return REFUSED if explanation.refused else 0


def asked(text: str) -> tuple[NormalizedName, str | None]:
    """Read `NAME` or `NAME==VERSION`. Raises GateError `project-invalid`."""
    name, equals, version = (part.strip() for part in text.partition("=="))
    wrong = GateError(
        "project-invalid",
        f"`{ascii(text[:200])[1:-1]}` names no project",
        "Write `NAME` or `NAME==VERSION`, such as `requests==2.32.3`.",
    )
    if equals and not (version and version.isprintable()):
        raise wrong
    try:
        return canonicalize_name(name, validate=True), version or None
    except InvalidName as error:
        raise wrong from error


def _prepare(settings: Settings, upstream: UpstreamChoice) -> None:
    """Send log and notes to stderr, away from what was asked for, and try the certificates."""
    from indexgate import certificates, logs  # `--help` does without

    logs.configure(form=settings.log_format, level=settings.log_level, environ=os.environ)
    for notice in (*settings.notices, *upstream.notices):
        click.echo(f"note: {redact(notice)}", err=True)
    certificates.check(settings, upstream)
