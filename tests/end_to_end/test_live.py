"""Through the gate to the index that this machine's pip is configured with."""

import os
from collections.abc import Iterator

import pytest

from tests.end_to_end.clients import NEWEST, Installer, Scratch
from tests.end_to_end.gate import Gate, serving

pytestmark = [pytest.mark.live, pytest.mark.end_to_end]


@pytest.fixture(scope="module")
def gate(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gate]:
    """A gate with the machine's own settings, so that it finds the index that pip would."""
    with serving(
        state=tmp_path_factory.mktemp("state"),
        policy="observe",
        upstream=None,
        environment=os.environ,
    ) as running:
        yield running


@pytest.mark.parametrize("client", NEWEST, ids=lambda client: str(client.name))
@pytest.mark.parametrize(
    ("requirement", "brings"),
    [("requests", "urllib3"), ("flask", "werkzeug"), ("django", "sqlparse"), ("numpy", "numpy")],
)
def test_a_well_known_project_installs_with_what_it_needs(
    client: Installer, gate: Gate, scratch: Scratch, requirement: str, brings: str
) -> None:
    outcome = client.install(scratch, gate.url, requirement)
    assert outcome.exit_code == 0, outcome.output
    assert {requirement, brings} <= {name.lower() for name in scratch.installed()}
