"""From a refusal to an install: asked for, granted, and installed on the next try."""

import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.end_to_end.clients import NEWEST, NEWEST_PIP, Installer, Outcome, Scratch
from tests.end_to_end.gate import Gate, free_port, serving
from tests.standins.upstream import Upstream

pytestmark = pytest.mark.end_to_end


@pytest.fixture
def gates(
    upstream: Upstream, refusing: Path, scratch: Scratch, tmp_path: Path
) -> Iterator[tuple[Gate, Gate]]:
    """Two gates of one state folder."""
    common = {
        "state": tmp_path / "state",
        "policy": refusing,
        "upstream": upstream.url,
        "environment": scratch.environment(),
    }
    with serving(**common) as one, serving(**common) as other:  # type: ignore[arg-type]
        yield one, other


def indexgate(scratch: Scratch, tmp_path: Path, policy: Path, *words: str) -> Outcome:
    state = ("--state", str(tmp_path / "state"), "--policy", str(policy))
    return scratch.run(sys.executable, "-m", "indexgate", "exempt", *words, *state)


@pytest.mark.parametrize("client", NEWEST, ids=lambda client: str(client.name))
def test_the_command_in_the_refusal_leads_to_an_install(
    client: Installer,
    gates: tuple[Gate, Gate],
    scratch: Scratch,
    refusing: Path,
    tmp_path: Path,
) -> None:
    def exempt(*words: str) -> Outcome:
        return indexgate(scratch, tmp_path, refusing, *words)

    for gate in gates:
        refused = client.install(scratch, gate.url, "demo==2.0")
        assert refused.exit_code != 0
    if client is not NEWEST_PIP:  # pip prints the reason phrase alone, which has no room for it
        assert refused.says("indexgate exempt request demo==2.0 --rule too-new"), refused.output
    asked = exempt("request", "demo==2.0", "--rule", "too-new", "--reason", "the build needs it")
    assert asked.exit_code == 0, asked.output
    id_ = asked.output.split()[0]
    assert client.install(scratch, gates[0].url, "demo==2.0").exit_code != 0, "asking is no grant"
    assert exempt("grant", id_).exit_code == 0
    for gate in gates:
        outcome = client.install(scratch, gate.url, "demo==2.0")
        assert outcome.exit_code == 0, outcome.output
        assert scratch.installed()["demo"] == "2.0"
        shutil.rmtree(scratch.target)
    assert exempt("end", id_).exit_code == 0
    if client is NEWEST_PIP:  # uv installs what it has without asking for the file again
        for gate in gates:
            assert client.install(scratch, gate.url, "demo==2.0").exit_code != 0


def test_a_run_whose_glass_is_broken_installs_and_says_so_loudly(
    upstream: Upstream, refusing: Path, scratch: Scratch, tmp_path: Path
) -> None:
    place: tuple[str, ...] = (
        *("--state", str(tmp_path / "state"), "--policy", str(refusing), "--osv-url", ""),
        *("--upstream", upstream.url, "--port", str(free_port())),
    )
    pip = (sys.executable, "-m", "pip", "install", "--no-cache-dir", "--target")

    def run(*options: str) -> Outcome:
        command = (*pip, str(scratch.target), "demo==2.0")
        words = (sys.executable, "-m", "indexgate", "run", *place, *options, "--", *command)
        return scratch.run(*words)

    assert run().exit_code != 0
    broken = run("--break-glass", "the site is down")
    assert broken.exit_code == 0, broken.output
    assert "BREAK-GLASS by" in broken.output
    assert broken.says("break-glass by")
    assert broken.says("(the site is down): demo 2.0 was uploaded")
    assert scratch.installed()["demo"] == "2.0"
    assert run().exit_code != 0, "the next run is refused again"
    listed = indexgate(scratch, tmp_path, refusing, "list", "--all")
    assert listed.says("the site is down"), listed.output
    refusing_it = tmp_path / "strict.toml"
    refusing_it.write_text(refusing.read_text().replace("\n", '\nbreak_glass = "refuse"\n', 1))
    place = tuple(str(refusing_it) if word == str(refusing) else word for word in place)
    forbidden = run("--break-glass", "again")
    assert forbidden.exit_code == 2
    assert forbidden.says('break_glass = "refuse"'), forbidden.output
