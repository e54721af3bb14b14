"""`indexgate service status`: what is there of the service, and whose gate is on the port."""

import json
from pathlib import Path
from typing import Any

import click

from indexgate import state_folder, web_address
from indexgate.cli.service_install import this_starter, user_number
from indexgate.config import Settings
from indexgate.configure import records
from indexgate.errors import GateError
from indexgate.run import own_gate
from indexgate.service import starter as starters
from indexgate.service.starter import Runner, Starter

NOT_ALL = 1


def status(settings: Settings, *, as_json: bool, runner: Runner = starters.run) -> int:
    """Print what is so and return the exit code."""
    starter = this_starter(settings)
    found = _found(settings, starter, runner)
    if as_json:
        click.echo(json.dumps(found))
    else:
        for name in ("installed", "enabled", "running"):
            click.echo(f"{name:<11}{'yes' if found[name] else 'no'}{_detail(found, name)}")
        click.echo(f"{'gate':<11}{found['gate']} on port {found['port']}{_detail(found, 'gate')}")
    right = all(found[name] for name in ("installed", "enabled", "running"))
    return 0 if right and found["gate"] == "yours" else NOT_ALL


def _found(settings: Settings, starter: Starter | None, runner: Runner) -> dict[str, Any]:
    installed = enabled = running = False
    port = settings.port
    if starter is not None:
        installed = starter.path.is_file()
        known = records.find(settings.state, starter.path)
        if known is not None and settings.origins["port"].place == "default":
            port = web_address.parse(known.url).port
        enabled, running = starters.standing(starter, user_number(), runner)
    return {
        "manager": None if starter is None else starter.name,
        "file": None if starter is None else str(starter.path),
        "installed": installed,
        "enabled": enabled,
        "running": running,
        "port": port,
        **_gate(port, settings.state),
    }


def _gate(port: int, state: Path) -> dict[str, str | None]:
    nothing: dict[str, str | None] = {"upstream": None, "policy": None}
    if not (state / "secret").exists():
        return {"gate": "none known", **nothing}
    try:
        gate = own_gate.find(port, state_folder.open_state(state))
    except GateError as error:
        return {"gate": "not yours" if error.reference == "not-our-gate" else "unwell", **nothing}
    if gate is None:
        return {"gate": "none", **nothing}
    return {"gate": "yours", "upstream": gate.upstream, "policy": gate.policy}


def _detail(found: dict[str, Any], name: str) -> str:
    if name == "installed" and found["file"] is not None:
        return f"  ({found['file']})"
    if name == "installed":
        return "  (no service manager that indexgate knows is here)"
    if name == "enabled":
        return "  (started at log-in)" if found["enabled"] else ""
    if name == "gate" and found["upstream"] is not None:
        return f", in front of {found['upstream']}, policy {found['policy']}"
    return ""
