"""`indexgate doctor`: every way round the gate that is left open, and what closes it."""

import os
from pathlib import Path
from typing import TYPE_CHECKING, Literal, TypeAlias

import click

from indexgate.cli import settings_options
from indexgate.cli.settings_options import settings_options as with_settings
from indexgate.config import Given, Settings
from indexgate.errors import GateError
from indexgate.redact import redact

if TYPE_CHECKING:
    from indexgate.doctor.finding import Finding, Severity
    from indexgate.doctor.machine import GateAddress

FailOn: TypeAlias = Literal["error", "warning", "note", "never"]
Form: TypeAlias = Literal["table", "json", "markdown"]
_SETTINGS = ("config", "port", "public_url", "upstream", "upstream_public", "upstream_ca", "state")
_CLIENTS = ("pip", "uv", "poetry", "pdm", "pipenv")
_FAIL_ON: tuple[FailOn, ...] = ("error", "warning", "note", "never")


@click.command(
    name="doctor",
    epilog="Examples: indexgate doctor; indexgate doctor ~/code/app --client uv; indexgate doctor"
    " --fail-on error --json; indexgate doctor --index https://index.example.test/simple/. Nothing"
    " is changed: each finding comes with the line, the variable or the command that closes it. The"
    " exit code is 1 when something as grave as --fail-on says is found. What a client is told in"
    " one command, as `pip install -i`, is not seen; `indexgate run` stops at it.",
)
@click.argument(
    "project", default=".", type=click.Path(exists=True, file_okay=False, path_type=Path)
)
@click.option(
    "--client",
    "clients",
    type=click.Choice(_CLIENTS),
    multiple=True,
    help="Look at this client alone, on this machine or not; may be repeated.  [default: all that"
    " are on this machine or that the project is made for]",
)
@click.option(
    "--gate",
    "gates",
    multiple=True,
    metavar="URL",
    help="The gate that clients shall ask, where it is not that of the settings.",
)
@click.option(
    "--fail-on",
    type=click.Choice(_FAIL_ON),
    default="warning",
    show_default=True,
    help="End with 1 for findings as grave as this: error, something goes past the gate; warning,"
    " it would under a condition; note, anything at all.",
)
@click.option(
    "--index",
    metavar="URL",
    help="Examine the index at URL instead: which parts of the standards it speaks, and what"
    " clients lose by what it does not. A dozen requests are sent to it.",
)
@click.option(
    "--about",
    metavar="NAME",
    help="The project whose page --index looks at.  [default: pip, or another usual one]",
)
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.option("--markdown", is_flag=True, help="Print what --index found as Markdown.")
@with_settings(_SETTINGS)
def command(
    *,
    project: Path,
    clients: tuple[str, ...],
    gates: tuple[str, ...],
    fail_on: FailOn,
    index: str | None,
    about: str | None,
    as_json: bool,
    markdown: bool,
    **given: Given,
) -> int:
    """Find every way round the gate that this machine or PROJECT leaves open."""
    if index is not None:
        if as_json and markdown:
            raise click.UsageError("`--json` and `--markdown` both want stdout; give one of them")
        form: Form = "json" if as_json else "markdown" if markdown else "table"
        return _examine_index(settings_options.settings(given), index, about, form, fail_on)
    if about is not None or markdown:
        raise click.UsageError("`--about` and `--markdown` go with `--index`")
    from indexgate.cli import doctor_forms
    from indexgate.doctor.examine import examine, in_order
    from indexgate.doctor.this_machine import this_machine

    settings = settings_options.settings(given)
    gate = _gate(settings, gates)
    folder = project.resolve()
    of_gate = _of_gate(settings, gate, named=bool(gates))
    found = in_order((*of_gate, *examine(this_machine(os.environ, folder, gate), clients)))
    if as_json:
        click.echo(doctor_forms.as_json(found, gate.simple))
    else:
        doctor_forms.print_findings(found, gate.simple, folder)
    return int(any(_is_grave(finding.severity, fail_on) for finding in found))


def _examine_index(
    settings: Settings, url: str, about: str | None, form: Form, fail_on: FailOn
) -> int:
    from indexgate import web_address
    from indexgate.cli import doctor_index
    from indexgate.doctor.index import check
    from indexgate.doctor.index.ask import Asking, new_client

    try:
        root = web_address.parse(url)
    except ValueError as error:
        raise GateError(
            "index-address", f"`{redact(url)}` is no address of an index: {error}"
        ) from error
    client = new_client(_authorities(settings))
    with Asking(root=root.url, client=client, login=root.credentials) as asking:
        examined = asking.examine(about)
    checked = check.check(examined)
    if form == "json":
        click.echo(doctor_index.as_json(examined, checked))
    elif form == "markdown":
        click.echo(doctor_index.as_markdown(examined, checked), nl=False)
    else:
        doctor_index.print_report(examined, checked)
    return int(any(_is_grave(each.part.severity, fail_on) for each in check.lacking(checked)))


def _authorities(settings: Settings) -> Path | None:
    """Return the file of authorities that upstream is checked by, pip's own if there is one."""
    try:
        return settings_options.upstream(settings).ca
    except GateError:
        return settings.upstream_ca


def _gate(settings: Settings, named: tuple[str, ...]) -> "GateAddress":
    """Return where the gate is, and what it stands for as far as the settings tell."""
    from indexgate import own_addresses
    from indexgate.doctor.machine import GateAddress

    roots = own_addresses.roots(settings, named)
    if not roots:
        raise GateError(
            "gate-address", "port 0 tells no address of a gate", "Name it with `--gate`."
        )
    try:
        upstreams = tuple(each.url for each in settings_options.upstream(settings).all)
    except GateError:
        upstreams = ()  # the gate will say so itself; here it only tells which locks it stands for
    return GateAddress(roots=roots, upstreams=upstreams)


def _of_gate(settings: Settings, gate: "GateAddress", *, named: bool) -> "tuple[Finding, ...]":
    from indexgate.doctor import of_gate

    away = named or settings.public_url is not None
    return tuple(of_gate.elsewhere(gate) if away else of_gate.local(settings))


def _is_grave(severity: "Severity", fail_on: FailOn) -> bool:
    """Tell whether *severity* is as grave as *fail_on* says."""
    from indexgate.doctor.finding import SEVERITIES

    if fail_on == "never":
        return False
    return SEVERITIES.index(severity) <= SEVERITIES.index(fail_on)
