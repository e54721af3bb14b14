"""A refusal is readable in every client: the reason, or an address that spells it."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.end_to_end.clients import NEWEST, Installer, Scratch, missing, others
from tests.end_to_end.gate import Gate, serving
from tests.standins.upstream import Upstream

pytestmark = pytest.mark.end_to_end

CLIENTS = {client.name: client for client in NEWEST} | others()

# What the reasons of the two rules begin with, and how an address spells it.
TOO_NEW = "demo 2.0 was uploaded 20"
EVIL = "the policy names evil-demo"

# PDM prints no reason phrase, only the address that a request ended at.
PHRASELESS = {"pdm-newest"}

# Who says why when a range admits nothing but a refused version. The others take a yanked version
# for one that is not there and tell only which there are.
EXPLAIN_RANGES = {"pip-21.3.1", "uv", "uv-0.8.24", "uv-newest"}


@pytest.fixture(scope="module")
def gate(
    upstream: Upstream, refusing: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Gate]:
    folder = tmp_path_factory.mktemp("gate")
    with serving(
        state=folder / "state",
        policy=refusing,
        upstream=upstream.url,
        environment=Scratch(folder / "user").environment(),
    ) as running:
        yield running


@pytest.fixture(params=CLIENTS)
def client(request: pytest.FixtureRequest) -> Installer:
    name: str = request.param
    if reason := missing(name):
        pytest.skip(reason)
    return CLIENTS[name]


@pytest.mark.parametrize("requirement", ["evil-demo", "evil-demo==1.0"])
def test_a_refused_project_fails_with_the_reason(
    client: Installer, gate: Gate, scratch: Scratch, requirement: str
) -> None:
    outcome = client.install(scratch, gate.url, requirement)
    assert outcome.exit_code != 0, outcome.output
    assert outcome.says(f"{gate.origin}/blocked/evil-demo/1.0/{_slug(EVIL)}"), outcome.output
    if client.name not in PHRASELESS:
        assert outcome.says("blocked by indexgate"), outcome.output
        assert outcome.says(EVIL), outcome.output
    assert "evil-demo" not in scratch.installed()


def test_a_pin_on_a_refused_version_fails_with_the_reason(
    client: Installer, gate: Gate, scratch: Scratch
) -> None:
    outcome = client.install(scratch, gate.url, "demo==2.0")
    assert outcome.exit_code != 0, outcome.output
    assert outcome.says(f"{gate.origin}/blocked/demo/2.0/{_slug(TOO_NEW)}"), outcome.output
    if client.name not in PHRASELESS:
        assert outcome.says("blocked by indexgate"), outcome.output
        assert outcome.says(TOO_NEW), outcome.output
    assert "demo" not in scratch.installed()


@pytest.mark.parametrize("requirement", ["demo", "app"])
def test_a_range_falls_back_to_a_version_that_passes(
    client: Installer, gate: Gate, scratch: Scratch, requirement: str
) -> None:
    outcome = client.install(scratch, gate.url, requirement)
    assert outcome.exit_code == 0, outcome.output
    assert scratch.installed()["demo"] == "1.1"


def test_a_range_of_nothing_but_a_refused_version_fails(
    client: Installer, gate: Gate, scratch: Scratch
) -> None:
    outcome = client.install(scratch, gate.url, "demo>=2.0")
    assert outcome.exit_code != 0, outcome.output
    if client.name in EXPLAIN_RANGES:
        assert outcome.says("blocked by indexgate"), outcome.output
        assert outcome.says(TOO_NEW), outcome.output
        assert outcome.says(f"{gate.origin}/blocked/demo/2.0/{_slug(TOO_NEW)}"), outcome.output
    assert "demo" not in scratch.installed()


def _slug(reason: str) -> str:
    return reason.replace(" ", "-")
