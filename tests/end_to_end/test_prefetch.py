"""An installer that asks for one thing after the other finds that the gate has gone ahead."""

from pathlib import Path
from urllib.request import ProxyHandler, build_opener

import pytest

from tests.end_to_end.clients import NEWEST, Installer, Scratch
from tests.end_to_end.gate import Gate, serving
from tests.standins.packages import project, wheel
from tests.standins.upstream import Upstream

pytestmark = pytest.mark.end_to_end

CHAIN = [f"link-{number}" for number in range(1, 9)]


def of_use(gate: Gate) -> int:
    """Return how many pages were fetched ahead that a client then asked for."""
    with build_opener(ProxyHandler({})).open(f"{gate.origin}/-/metrics", timeout=30) as answer:
        text = answer.read().decode()
    lines = (line for line in text.splitlines() if line.startswith("indexgate_prefetch_used_total"))
    return sum(int(float(line.split()[-1])) for line in lines if 'kind="page"' in line)


@pytest.mark.parametrize("client", NEWEST, ids=lambda client: str(client.name))
def test_pages_come_before_they_are_asked_for_and_nothing_comes_twice(
    client: Installer, allowing: Path, tmp_path: Path
) -> None:
    projects = [
        project(name, wheel(name, "1.0", requires=needed))
        for name, needed in zip(CHAIN, [*([name] for name in CHAIN[1:]), []], strict=True)
    ]
    scratch = Scratch(tmp_path / "user")
    with (
        Upstream(*projects) as upstream,
        serving(
            state=tmp_path / "state",
            policy=allowing,
            upstream=upstream.url,
            environment=scratch.environment(),
        ) as gate,
    ):
        outcome = client.install(scratch, gate.url, CHAIN[0])
        assert outcome.exit_code == 0, outcome.output
        assert of_use(gate) > 0, gate.output
        for made in projects:
            assert upstream.count(f"/simple/{made.normalized}/") == 1
            assert upstream.count(f"{made.files[0].path}*") == 2  # metadata, and the wheel
    assert scratch.installed() == dict.fromkeys(CHAIN, "1.0")
