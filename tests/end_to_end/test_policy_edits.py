"""An edit of the policy file holds from the next request on, without a restart."""

import shutil
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.end_to_end.clients import NEWEST, Installer, Scratch
from tests.end_to_end.conftest import REFUSING
from tests.end_to_end.gate import Gate, serving
from tests.standins.upstream import Upstream

pytestmark = pytest.mark.end_to_end

ALLOWING = "version = 1\n"


@pytest.fixture
def policy(tmp_path: Path) -> Path:
    path = tmp_path / "policy.toml"
    path.write_text(ALLOWING, encoding="utf-8")
    return path


@pytest.fixture
def gate(upstream: Upstream, policy: Path, scratch: Scratch, tmp_path: Path) -> Iterator[Gate]:
    with serving(
        state=tmp_path / "state",
        policy=policy,
        upstream=upstream.url,
        environment=scratch.environment(),
    ) as running:
        yield running


@pytest.mark.parametrize("client", NEWEST, ids=lambda client: str(client.name))
def test_a_refusal_an_exemption_and_a_broken_edit(
    client: Installer, gate: Gate, policy: Path, scratch: Scratch
) -> None:
    def installed_now(text: str) -> str:
        policy.write_text(text, encoding="utf-8")
        shutil.rmtree(scratch.target, ignore_errors=True)
        outcome = client.install(scratch, gate.url, "demo")
        assert outcome.exit_code == 0, outcome.output
        return scratch.installed()["demo"]

    assert installed_now(ALLOWING) == "2.0"
    assert installed_now(REFUSING) == "1.1"
    assert installed_now(REFUSING + _exemption()) == "2.0"
    assert installed_now(REFUSING) == "1.1"
    assert installed_now("version = 1\n[[rule") == "1.1", "the policy read before stays in force"
    assert "policy" in str(gate.health()["degraded"])
    assert installed_now(ALLOWING) == "2.0"
    assert gate.health()["degraded"] == []


def _exemption() -> str:
    ends = datetime.now(UTC).date() + timedelta(days=30)
    return (
        '\n[[exemption]]\nproject = "demo"\nrule = "too-new"\nreason = "looked at it"\n'
        f'owner = "the tests"\nexpires = {ends.isoformat()}\n'
    )
