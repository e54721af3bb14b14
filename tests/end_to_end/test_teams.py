"""What one team is let in, another is refused: real clients with labels, and addresses alone."""

import http.client
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.end_to_end.clients import NEWEST, Installer, Scratch, missing, others
from tests.end_to_end.gate import Gate, serving
from tests.standins.upstream import Upstream

pytestmark = pytest.mark.end_to_end

TEAMS = """\
[[team]]
name = "web"
label = "web"

[[team]]
name = "data"
label = "data"
networks = ["127.0.0.2"]
"""
EXEMPTION = """
[[exemption]]
project = "demo"
rule = "too-new"
team = "TEAM"
reason = "they look after it"
owner = "me"
expires = 2099-12-31
"""
WHEEL = "demo-2.0-py3-none-any.whl"


@pytest.fixture
def gate(upstream: Upstream, refusing: Path, scratch: Scratch, tmp_path: Path) -> Iterator[Gate]:
    """A gate that lets in what is new for the team `data` alone."""
    policy, settings = tmp_path / "policy.toml", tmp_path / "gate.toml"
    policy.write_text(refusing.read_text() + EXEMPTION.replace("TEAM", "data"))
    settings.write_text(TEAMS)
    with serving(
        state=tmp_path / "state",
        policy=policy,
        upstream=upstream.url,
        environment=scratch.environment(),
        options=("--config", str(settings)),
    ) as running:
        yield running


def labelled(gate: Gate, label: str) -> str:
    return gate.url.replace("://", f"://{label}:x@")


CLIENTS = [
    *(pytest.param(client, id=client.name) for client in NEWEST),
    *(
        pytest.param(
            client,
            id=name,
            marks=pytest.mark.skipif(missing(name) is not None, reason=str(missing(name))),
        )
        for name, client in others().items()
        if name in {"pip-21.3.1", "uv-0.8.24", "pdm-newest"}
    ),
]


@pytest.mark.parametrize("client", CLIENTS)
def test_a_label_opens_what_is_for_its_team_to_nobody_else(
    client: Installer, gate: Gate, scratch: Scratch
) -> None:
    for address in (gate.url, labelled(gate, "web")):
        refused = client.install(scratch, address, "demo==2.0")
        assert refused.exit_code != 0, refused.output
        assert "demo" not in scratch.installed()
    let_in = client.install(scratch, labelled(gate, "data"), "demo==2.0")
    assert let_in.exit_code == 0, let_in.output
    assert scratch.installed()["demo"] == "2.0"
    shutil.rmtree(scratch.home)  # its caches: what one team has fetched is on its own machine
    scratch.home.mkdir()
    shutil.rmtree(scratch.target, ignore_errors=True)
    shutil.rmtree(scratch.project / ".venv", ignore_errors=True)
    (scratch.project / "pdm.lock").unlink(missing_ok=True)
    assert client.install(scratch, labelled(gate, "web"), "demo==2.0").exit_code != 0


def test_two_addresses_of_one_machine_are_two_teams(gate: Gate) -> None:
    def asked(address: str, path: str) -> tuple[int, str]:
        connection = http.client.HTTPConnection(
            "127.0.0.1", gate.port, timeout=60, source_address=(address, 0)
        )
        try:
            connection.request("GET", path, headers={"User-Agent": "pip/26.0"})
            answer = connection.getresponse()
            return answer.status, answer.read().decode("utf-8", "replace")
        finally:
            connection.close()

    for _ in range(2):
        pages = {address: asked(address, "/simple/demo/")[1] for address in ADDRESSES}
        assert "blocked by indexgate" in pages["127.0.0.1"]
        assert "blocked by indexgate" not in pages["127.0.0.2"]
        [path] = {
            page.partition(f"/{WHEEL}#")[0].rpartition('href="../..')[2] for page in pages.values()
        }
        files = {address: asked(address, f"{path}/{WHEEL}")[0] for address in ADDRESSES}
        assert files == {"127.0.0.1": 302, "127.0.0.2": 200}


ADDRESSES = ("127.0.0.1", "127.0.0.2")
