"""A lock file never opens the page, so the file itself is judged."""

import sys
from collections.abc import Callable
from contextlib import AbstractContextManager
from functools import partial
from pathlib import Path

import pytest
from packaging.utils import canonicalize_name

from tests.end_to_end.clients import NEWEST_PIP, NEWEST_UV, Outcome, Scratch, write_project
from tests.end_to_end.gate import Gate, free_port, serving
from tests.standins.upstream import Upstream

pytestmark = pytest.mark.end_to_end

Start = Callable[[Path], AbstractContextManager[Gate]]


@pytest.fixture
def start(upstream: Upstream, tmp_path: Path, scratch: Scratch) -> Start:
    """Start a gate with the policy given; the address and the state are the same every time."""
    return partial(_start, tmp_path / "state", upstream.url, scratch.environment(), free_port())


def _start(
    state: Path, upstream: str, environment: dict[str, str], port: int, policy: Path
) -> AbstractContextManager[Gate]:
    return serving(
        state=state, policy=policy, upstream=upstream, environment=environment, port=port
    )


@pytest.mark.parametrize("how", ["--locked", "--frozen"])
def test_uv_sync_of_an_older_lock_fails_with_the_reason(
    start: Start, allowing: Path, refusing: Path, scratch: Scratch, how: str
) -> None:
    write_project(scratch, dependencies=["demo"])
    with start(allowing) as gate:
        locked = NEWEST_UV.run(scratch, gate.url, "lock")
    assert locked.exit_code == 0, locked.output
    lock = scratch.project / "uv.lock"
    before = lock.read_text(encoding="utf-8")
    assert 'version = "2.0"' in before
    with start(refusing) as gate:
        cache = str(scratch.folder / "another-cache")
        outcome = NEWEST_UV.run(scratch, gate.url, "sync", how, "--cache-dir", cache)
    _assert_refused(outcome, scratch)
    assert "/simple/demo/" not in gate.output, "uv opened the page, so the lock proves nothing"
    assert lock.read_text(encoding="utf-8") == before


def test_an_older_lock_of_what_still_passes_is_installed(
    start: Start, refusing: Path, scratch: Scratch, tmp_path: Path
) -> None:
    write_project(scratch, dependencies=["demo<2"])
    with start(refusing) as gate:
        assert NEWEST_UV.run(scratch, gate.url, "lock").exit_code == 0
        cache = str(tmp_path / "another-cache")
        outcome = NEWEST_UV.run(scratch, gate.url, "sync", "--locked", "--cache-dir", cache)
    assert outcome.exit_code == 0, outcome.output
    assert scratch.installed()["demo"] == "1.1"


def test_a_pylock_file_and_a_direct_address_are_judged_too(
    start: Start, allowing: Path, refusing: Path, scratch: Scratch, tmp_path: Path
) -> None:
    (scratch.project / "requirements.in").write_text("demo\n", encoding="utf-8")
    written = ("requirements.in", "--format", "pylock.toml", "-o", "pylock.toml")
    with start(allowing) as gate:
        compiled = NEWEST_UV.run(scratch, gate.url, "pip", "compile", *written)
    assert compiled.exit_code == 0, compiled.output
    lock = (scratch.project / "pylock.toml").read_text(encoding="utf-8")
    address = next(part for part in lock.split('"') if part.endswith("demo-2.0-py3-none-any.whl"))
    with start(refusing) as gate:
        assert address.startswith(f"{gate.origin}/files/")
        cache = str(tmp_path / "another-cache")
        place = ("--target", scratch.target, "--cache-dir", cache)
        _assert_refused(
            NEWEST_UV.run(scratch, gate.url, "pip", "sync", "pylock.toml", *place), scratch
        )
        _assert_refused(NEWEST_PIP.install(scratch, gate.url, f"demo @ {address}"), scratch)


def test_a_frozen_lock_of_another_index_goes_past_the_gate_and_check_tells_it(
    start: Start,
    refusing: Path,
    scratch: Scratch,
    upstream: Upstream,
    tmp_path: Path,
) -> None:
    write_project(scratch, dependencies=["demo"])
    lock = scratch.project / "uv.lock"
    lock.write_text(locked_by_hand(upstream, "2.0"), encoding="utf-8")
    settings = ("--state", tmp_path / "state", "--policy", refusing, "--upstream", upstream.url)
    judged = scratch.run(sys.executable, "-m", "indexgate", "check", "uv.lock", *settings)
    assert judged.exit_code == 1, judged.output
    assert judged.says("demo 2.0 was uploaded 20")
    with start(refusing) as gate:
        outcome = NEWEST_UV.run(scratch, gate.url, "sync", "--frozen")
    assert outcome.exit_code == 0, outcome.output
    assert "demo" not in gate.output, "uv asked the gate: the warning in the docs is out of date"


def test_a_rewritten_lock_syncs_through_the_gate_and_without_it(
    start: Start, allowing: Path, scratch: Scratch, upstream: Upstream, tmp_path: Path
) -> None:
    write_project(scratch, dependencies=["demo"])
    lock = scratch.project / "uv.lock"

    def rewrite(to: str, gate: Gate) -> None:
        settings = ("--state", tmp_path / "state", "--upstream", upstream.url)
        command = ("lock", "rewrite", "--to", to, "--gate", gate.url, "uv.lock", *settings)
        done = scratch.run(sys.executable, "-m", "indexgate", *command)
        assert done.exit_code == 0, done.output

    with start(allowing) as gate:
        assert NEWEST_UV.run(scratch, gate.url, "lock").exit_code == 0
        through = lock.read_bytes()
        rewrite("canonical", gate)
        canonical = lock.read_bytes()
        assert gate.origin.encode() not in canonical
        outcome = NEWEST_UV.run(scratch, upstream.url, "sync", "--locked")
        assert outcome.exit_code == 0, outcome.output
        assert lock.read_bytes() == canonical
        rewrite("gate", gate)
        assert lock.read_bytes() == through
        cache = str(tmp_path / "another-cache")
        outcome = NEWEST_UV.run(scratch, gate.url, "sync", "--locked", "--cache-dir", cache)
        assert outcome.exit_code == 0, outcome.output
        assert lock.read_bytes() == through


def locked_by_hand(upstream: Upstream, version: str) -> str:
    """Return a `uv.lock` of a project that needs `demo`, made without the gate."""
    files = upstream.projects[canonicalize_name("demo")].files
    [file] = [each for each in files if each.version == version and each.metadata is not None]
    return (
        'version = 1\nrevision = 3\nrequires-python = ">=3.11, <4"\n\n'
        '[[package]]\nname = "consumer"\nversion = "0.1"\nsource = { virtual = "." }\n'
        'dependencies = [\n    { name = "demo" },\n]\n\n'
        '[package.metadata]\nrequires-dist = [{ name = "demo" }]\n\n'
        f'[[package]]\nname = "demo"\nversion = "{version}"\n'
        f'source = {{ registry = "{upstream.url}" }}\n'
        f'wheels = [\n    {{ url = "{upstream.file_url(file)}",'
        f' hash = "sha256:{file.sha256}" }},\n]\n'
    )


def _assert_refused(outcome: Outcome, scratch: Scratch) -> None:
    assert outcome.exit_code != 0, outcome.output
    assert outcome.says("blocked by indexgate"), outcome.output
    assert outcome.says("demo 2.0 was uploaded 20"), outcome.output
    assert "demo" not in scratch.installed()
