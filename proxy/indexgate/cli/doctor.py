"""`indexgate doctor`: every way round the gate that is left open, and what closes it."""

import os
from pathlib import Path
from typing import TYPE_CHECKING, Literal, TypeAlias

import click

from indexgate.cli import settings_options
from indexgate.cli.settings_options import settings_options as with_settings
from indexgate.config import Given, Settings
from indexgate.errors import GateError

if TYPE_CHECKING:
    from indexgate.doctor.finding import Finding
    from indexgate.doctor.machine import GateAddress

FailOn: TypeAlias = Literal["error", "warning", "note", "never"]
_SETTINGS = ("config", "port", "public_url", "upstream", "upstream_public", "state")
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
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@with_settings(_SETTINGS)
def command(
    *,
    project: Path,
    clients: tuple[str, ...],
    gates: tuple[str, ...],
    fail_on: FailOn,
    as_json: bool,
    **given: Given,
) -> int:
    """Find every way round the gate that this machine or PROJECT leaves open."""
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
    return int(_fails(found, fail_on))


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


def _fails(found: "tuple[Finding, ...]", fail_on: FailOn) -> bool:
    from indexgate.doctor.finding import SEVERITIES

    if fail_on == "never":
        return False
    grave = SEVERITIES[: SEVERITIES.index(fail_on) + 1]
    return any(finding.severity in grave for finding in found)
