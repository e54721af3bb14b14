"""`indexgate service status`: what is there of the service, and whose gate is on the port."""

import json
from pathlib import Path
from typing import Any

import click

from indexgate import state_folder, web_address
from indexgate.cli.service_install import this_manager, user_number
from indexgate.config import Settings
from indexgate.configure import records
from indexgate.errors import GateError
from indexgate.run import own_gate
from indexgate.service import manager as managers
from indexgate.service.manager import Manager, Runner

NOT_ALL = 1


def status(settings: Settings, *, as_json: bool, runner: Runner = managers.run) -> int:
    """Print what is so and return the exit code."""
    manager = this_manager(settings)
    found = _found(settings, manager, runner)
    if as_json:
        click.echo(json.dumps(found))
    else:
        for name in ("installed", "enabled", "running"):
            click.echo(f"{name:<11}{'yes' if found[name] else 'no'}{_detail(found, name)}")
        click.echo(f"{'gate':<11}{found['gate']} on port {found['port']}{_detail(found, 'gate')}")
    right = all(found[name] for name in ("installed", "enabled", "running"))
    return 0 if right and found["gate"] == "yours" else NOT_ALL


def _found(settings: Settings, manager: Manager | None, runner: Runner) -> dict[str, Any]:
    installed = enabled = running = False
    port = settings.port
    if manager is not None:
        installed = manager.path.is_file()
        known = records.find(settings.state, manager.path)
        if known is not None and settings.origins["port"].place == "default":
            port = web_address.parse(known.url).port
        enabled, running = managers.standing(manager, user_number(), runner)
    return {
        "manager": None if manager is None else manager.name,
        "file": None if manager is None else str(manager.path),
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
