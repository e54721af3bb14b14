"""`indexgate service` with a stand-in of systemd's control program, which starts what a unit says.

Whether systemd itself can read the unit is asked of `systemd-analyze` elsewhere.
"""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.end_to_end.clients import NEWEST_PIP, Outcome, Scratch
from tests.end_to_end.gate import free_port, serving
from tests.standins.upstream import Upstream

pytestmark = [
    pytest.mark.end_to_end,
    pytest.mark.skipif(not sys.platform.startswith("linux"), reason="systemd is of Linux"),
]

SYSTEMCTL = """\
#!{python}
import os, pathlib, select, shlex, signal, subprocess, sys

config = pathlib.Path(os.environ["XDG_CONFIG_HOME"]) / "systemd" / "user"
unit, link = config / "indexgate.service", config / "default.target.wants" / "indexgate.service"
pid = pathlib.Path(os.environ["HOME"]) / "service.pid"
words = sys.argv[2:]

def stop():
    if pid.exists():
        try:
            ending = os.pidfd_open(int(pid.read_text()))
            signal.pidfd_send_signal(ending, signal.SIGTERM)
            select.select([ending], [], [])
        except ProcessLookupError:
            pass
        pid.unlink()

if words[0] == "enable":
    link.parent.mkdir(exist_ok=True)
    link.unlink(missing_ok=True)
    link.symlink_to(unit)
elif words[0] == "disable":
    link.unlink()
    link.parent.rmdir()
    stop()
elif words[0] == "restart":
    stop()
    line = next(l for l in unit.read_text().splitlines() if l.startswith("ExecStart="))
    started = subprocess.Popen(
        shlex.split(line.removeprefix("ExecStart=")), stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True,
    )
    pid.write_text(str(started.pid))
elif words[0] == "is-enabled":
    sys.exit(not link.is_symlink())
elif words[0] == "is-active":
    sys.exit(not pid.exists())
"""


@dataclass(frozen=True, kw_only=True)
class Machine:
    """A user's machine with a service manager, and a policy to serve by."""

    scratch: Scratch
    state: Path
    port: int
    upstream: str

    @property
    def unit(self) -> Path:
        return self.scratch.home / "config" / "systemd" / "user" / "indexgate.service"

    def service(self, *words: str) -> Outcome:
        programs = self.scratch.folder / "bin"
        done = subprocess.run(
            (sys.executable, "-m", "indexgate", "service", *words),
            cwd=self.scratch.project,
            env=self.scratch.environment()
            | {
                "PATH": f"{programs}{os.pathsep}{os.environ['PATH']}",
                "INDEXGATE_STATE": str(self.state),
            },
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=120,
            check=False,
        )
        return Outcome(exit_code=done.returncode, output=done.stdout)

    def install(self, *words: str) -> Outcome:
        served = ("--upstream", self.upstream, "--osv-url", "", "--policy", "policy.toml")
        return self.service("install", "--port", str(self.port), *served, *words)


@pytest.fixture
def machine(
    scratch: Scratch, upstream: Upstream, refusing: Path, tmp_path: Path
) -> Iterator[Machine]:
    program = scratch.folder / "bin" / "systemctl"
    program.parent.mkdir()
    program.write_text(SYSTEMCTL.format(python=sys.executable), encoding="utf-8")
    program.chmod(0o755)
    (scratch.project / "policy.toml").write_bytes(refusing.read_bytes())
    found = Machine(
        scratch=scratch, state=tmp_path / "state", port=free_port(), upstream=upstream.url
    )
    yield found
    found.service("remove")


def test_the_gate_of_the_service_refuses_and_is_gone_without_a_trace(
    machine: Machine, scratch: Scratch
) -> None:
    dry = machine.install("--dry-run")
    assert dry.exit_code == 0, dry.output
    assert "would run: systemctl --user restart indexgate.service" in dry.output
    assert not machine.unit.exists()
    installed = machine.install()
    assert installed.exit_code == 0, installed.output
    assert f"stands in front of `{machine.upstream}`" in installed.output
    assert "INDEXGATE_STATE" in installed.output
    assert str(scratch.project / "policy.toml") in machine.unit.read_text(encoding="utf-8")

    url = f"http://127.0.0.1:{machine.port}/simple/"
    assert NEWEST_PIP.install(scratch, url, "demo").exit_code == 0
    refused = NEWEST_PIP.install(scratch, url, "evil-demo")
    assert refused.says("blocked by indexgate"), refused.output

    status = machine.service("status", "--json")
    assert status.exit_code == 0, status.output
    told = json.loads(status.output)
    assert (told["gate"], told["port"], told["running"]) == ("yours", machine.port, True)
    again = machine.install("--presentation", "hide")
    assert again.exit_code == 0, again.output
    assert "--presentation hide" in machine.unit.read_text(encoding="utf-8")

    removed = machine.service("remove")
    assert removed.exit_code == 0, removed.output
    assert not (scratch.home / "config" / "systemd").exists()
    status = machine.service("status", "--port", str(machine.port))
    assert status.exit_code == 1
    assert "installed  no" in status.output
    assert machine.service("remove").says("nothing to remove")


def test_another_program_on_the_port_is_not_taken_for_the_gate(
    machine: Machine, scratch: Scratch, tmp_path: Path
) -> None:
    with serving(
        state=tmp_path / "other",
        policy="observe",
        upstream=machine.upstream,
        environment=scratch.environment(),
        port=machine.port,
    ):
        outcome = machine.install()
        assert outcome.exit_code == 2, outcome.output
        assert outcome.says("cannot prove that it is this user's gate"), outcome.output
        assert not machine.unit.exists()
        status = machine.service("status", "--port", str(machine.port))
    assert status.exit_code == 1
    assert f"not yours on port {machine.port}" in status.output


def test_a_gate_that_was_started_by_hand_is_told_to_make_room(
    machine: Machine, scratch: Scratch
) -> None:
    with serving(
        state=machine.state,
        policy="observe",
        upstream=machine.upstream,
        environment=scratch.environment(),
        port=machine.port,
    ):
        outcome = machine.install()
    assert outcome.exit_code == 0, outcome.output
    assert outcome.says("the service takes its place"), outcome.output


def test_a_unit_of_somebody_else_or_with_changes_is_left_alone(machine: Machine) -> None:
    machine.unit.parent.mkdir(parents=True)
    machine.unit.write_text("[Unit]\n", encoding="utf-8")
    for outcome in (machine.install(), machine.service("remove")):
        assert outcome.exit_code == 2
        assert outcome.says("error: service-not-ours"), outcome.output
    assert machine.unit.read_text(encoding="utf-8") == "[Unit]\n"
    machine.unit.unlink()
    assert machine.install().exit_code == 0
    written = machine.unit.read_text(encoding="utf-8")
    machine.unit.write_text(f"{written}# mine\n", encoding="utf-8")
    assert machine.service("remove").says("error: service-changed")
    machine.unit.write_text(written, encoding="utf-8")


@pytest.mark.parametrize(
    ("words", "reference"),
    [
        (("--port", "0"), "service-port"),
        (("--policy", "missing.toml"), "policy"),
        (("--upstream", "https://me:pa55@index.example.test/"), "service-credentials"),
        (("--tls-cert", "missing.pem", "--tls-key", "missing.pem"), "certificate-unusable"),
    ],
)
def test_what_could_not_start_is_not_installed(
    machine: Machine, words: tuple[str, ...], reference: str
) -> None:
    outcome = machine.service("install", *words)
    assert outcome.exit_code == 2, outcome.output
    assert f"error: {reference}" in outcome.output
    assert "pa55" not in outcome.output
    assert not machine.unit.exists()


def test_an_event_loop_that_is_not_there_is_told_of_before_the_start(machine: Machine) -> None:
    absent = machine.scratch.project / "uvloop.py"  # found first by a module run in that folder
    absent.write_text("raise ImportError\n", encoding="utf-8")
    outcome = machine.install("--event-loop", "uvloop")
    assert outcome.exit_code == 2, outcome.output
    assert "error: event-loop-extra" in outcome.output
    assert not machine.unit.exists()


def test_without_a_manager_the_command_to_start_is_told(machine: Machine) -> None:
    (machine.scratch.folder / "bin" / "systemctl").unlink()
    done = subprocess.run(
        (sys.executable, "-m", "indexgate", "service", "install", "--port", "8777"),
        env=machine.scratch.environment() | {"PATH": str(machine.scratch.folder / "bin")},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2
    assert "error: service-unsupported" in done.stderr
    assert "-P -m indexgate serve --port 8777 --state" in done.stderr
