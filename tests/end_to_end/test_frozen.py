"""`uv sync --frozen` takes files from where the lock says: it is stopped wherever that is."""

import re
from pathlib import Path

import pytest
from pypi_simple import PYPI_SIMPLE_ENDPOINT

from tests.end_to_end.clients import NEWEST_UV, Outcome, Scratch, write_project
from tests.end_to_end.gate import Gate, free_port, serving
from tests.standins.upstream import Upstream

pytestmark = pytest.mark.end_to_end


def _locked_elsewhere(scratch: Scratch, upstream: Upstream) -> None:
    """Write a lock as made without a gate: the public index, and files on a foreign host."""
    write_project(scratch, dependencies=["demo"])
    assert NEWEST_UV.run(scratch, upstream.url, "lock").exit_code == 0
    lock = scratch.project / "uv.lock"
    text = lock.read_text(encoding="utf-8")
    public = f'registry = "{PYPI_SIMPLE_ENDPOINT.rstrip("/")}"'
    text, changed = re.subn(rf'registry = "{re.escape(upstream.url)}?"', public, text)
    assert changed
    lock.write_text(text, encoding="utf-8")


def _sync(scratch: Scratch, gate: Gate, address: str) -> Outcome:
    return scratch.run(
        NEWEST_UV.executable,
        "sync",
        "--frozen",
        "--cache-dir",
        scratch.folder / "another-cache",
        UV_DEFAULT_INDEX=gate.url,
        UV_MALWARE_CHECK="1",
        UV_MALWARE_CHECK_URL=address,
    )


@pytest.mark.parametrize("base", ["/osv/", "/osv"])
def test_a_lock_with_foreign_addresses_is_stopped_before_any_download(
    upstream: Upstream, refusing: Path, scratch: Scratch, tmp_path: Path, base: str
) -> None:
    _locked_elsewhere(scratch, upstream)
    before = upstream.count("/packages/*")
    with serving(
        state=tmp_path / "state",
        policy=refusing,
        upstream=upstream.url,
        environment=scratch.environment(),
    ) as gate:
        outcome = _sync(scratch, gate, gate.origin + base)
    assert outcome.exit_code == 2, outcome.output
    assert outcome.says("`demo==2.0`: MAL-blocked-by-indexgate:demo:2.0:demo-2.0-was-uploaded-20")
    assert upstream.count("/packages/*") == before
    assert "demo" not in scratch.installed()


def test_a_lock_with_foreign_addresses_of_what_passes_is_installed(
    upstream: Upstream, allowing: Path, scratch: Scratch, tmp_path: Path
) -> None:
    _locked_elsewhere(scratch, upstream)
    with serving(
        state=tmp_path / "state",
        policy=allowing,
        upstream=upstream.url,
        environment=scratch.environment(),
    ) as gate:
        outcome = _sync(scratch, gate, f"{gate.origin}/osv/")
    assert outcome.exit_code == 0, outcome.output
    assert scratch.installed()["demo"] == "2.0"


def test_a_gate_that_cannot_judge_stops_it_and_says_why(
    upstream: Upstream, refusing: Path, scratch: Scratch, tmp_path: Path
) -> None:
    _locked_elsewhere(scratch, upstream)
    with serving(
        state=tmp_path / "state",
        policy=refusing,
        upstream=f"http://127.0.0.1:{free_port()}/simple/",
        environment=scratch.environment(),
    ) as gate:
        outcome = _sync(scratch, gate, f"{gate.origin}/osv/")
    assert outcome.exit_code == 2, outcome.output
    assert outcome.says("424 indexgate: upstream refused the connection"), outcome.output
    assert "demo" not in scratch.installed()


def test_a_lock_with_the_gates_addresses_is_stopped_at_the_file(
    upstream: Upstream, allowing: Path, refusing: Path, scratch: Scratch, tmp_path: Path
) -> None:
    write_project(scratch, dependencies=["demo"])
    port = free_port()
    for policy in (allowing, refusing):
        with serving(
            state=tmp_path / "state",
            policy=policy,
            upstream=upstream.url,
            environment=scratch.environment(),
            port=port,
        ) as gate:
            if policy is allowing:
                assert NEWEST_UV.run(scratch, gate.url, "lock").exit_code == 0
                continue
            outcome = _sync(scratch, gate, f"{gate.origin}/osv/")
    assert outcome.exit_code != 0
    assert outcome.says("Blocked by indexgate: demo 2.0 was uploaded 20"), outcome.output
    assert "demo" not in scratch.installed()
