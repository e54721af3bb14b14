"""Upstream fails or lies: nothing wrong is installed, the user reads why, and it heals."""

from collections.abc import Iterator
from itertools import count
from pathlib import Path

import pytest

from tests.end_to_end.clients import NEWEST, Installer, Scratch
from tests.end_to_end.gate import Gate, serving
from tests.standins.faults import (
    CutOff,
    Fault,
    Hold,
    Huge,
    Status,
    api_version,
    captive_portal,
    garbage,
    tampered,
    too_many_requests,
)
from tests.standins.packages import project, wheel
from tests.standins.upstream import Upstream

pytestmark = pytest.mark.end_to_end

FILE_FAULTS: dict[str, Fault] = {
    "tampered": tampered(),
    "cut off": CutOff(after=100),
    "an error": Status(status=500),
}
PAGE_FAULTS: dict[str, Fault] = {
    "an error": Status(status=503),
    "too many requests": too_many_requests(),
    "garbage": garbage(),
    "a captive portal": captive_portal(),
    "another major version": api_version("2.0"),
    "cut off": CutOff(after=40),
    "without end": Huge(),
    "a compressed bomb": Huge(compressed=True),
}


@pytest.fixture(scope="module")
def upstream() -> Iterator[Upstream]:
    with Upstream() as running:
        yield running


@pytest.fixture(scope="module")
def gate(
    upstream: Upstream, allowing: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Gate]:
    folder = tmp_path_factory.mktemp("gate")
    with serving(
        state=folder / "state",
        policy=allowing,
        upstream=upstream.url,
        environment=Scratch(folder / "user").environment(),
        options=("--upstream-timeout", "3s"),
    ) as running:
        yield running


@pytest.fixture(params=NEWEST, ids=lambda client: str(client.name))
def client(request: pytest.FixtureRequest) -> Installer:
    chosen: Installer = request.param
    return chosen


_numbers = count(1)


@pytest.fixture
def name() -> str:
    """A project's name that the gate has not seen."""
    return f"demo-{next(_numbers)}"


@pytest.mark.parametrize("padding", [0, 3_000_000], ids=["small", "large"])
@pytest.mark.parametrize("kind", FILE_FAULTS)
def test_a_file_that_is_not_what_the_page_says_is_never_installed(
    *,
    client: Installer,
    gate: Gate,
    upstream: Upstream,
    name: str,
    kind: str,
    padding: int,
    scratch: Scratch,
) -> None:
    file = wheel(name, "1.0", padding=padding)
    upstream.add(project(name, file))
    upstream.fault(file.path, FILE_FAULTS[kind])
    refused = client.install(scratch, gate.url, name)
    assert refused.exit_code != 0, refused.output
    assert scratch.installed() == {}
    upstream.heal(file.path)
    healed = client.install(scratch, gate.url, name)
    assert healed.exit_code == 0, healed.output
    assert scratch.installed() == {name: "1.0"}


@pytest.mark.parametrize("kind", PAGE_FAULTS)
def test_a_page_that_cannot_be_had_is_explained_and_heals(
    *, client: Installer, gate: Gate, upstream: Upstream, name: str, kind: str, scratch: Scratch
) -> None:
    upstream.add(project(name, wheel(name, "1.0")))
    page = f"/simple/{name}/"
    upstream.fault(page, PAGE_FAULTS[kind])
    refused = client.install(scratch, gate.url, name)
    assert refused.exit_code != 0, refused.output
    assert refused.says("upstream"), refused.output
    assert scratch.installed() == {}
    upstream.heal(page)
    healed = client.install(scratch, gate.url, name)
    assert healed.exit_code == 0, healed.output
    assert scratch.installed() == {name: "1.0"}


def test_an_upstream_that_never_answers_is_explained_before_clients_give_up(
    client: Installer, gate: Gate, upstream: Upstream, name: str, scratch: Scratch
) -> None:
    upstream.add(project(name, wheel(name, "1.0")))
    upstream.fault(f"/simple/{name}/", Hold())
    outcome = client.install(scratch, gate.url, name)
    assert outcome.exit_code != 0, outcome.output
    assert outcome.says("did not answer"), outcome.output
