"""A lock file never opens the page, so the file itself is judged."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from functools import partial
from pathlib import Path

import pytest

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


def test_uv_sync_of_an_older_lock_fails_with_the_reason(
    start: Start, allowing: Path, refusing: Path, scratch: Scratch, tmp_path: Path
) -> None:
    write_project(scratch, dependencies=["demo"])
    with start(allowing) as gate:
        locked = NEWEST_UV.run(scratch, gate.url, "lock")
    assert locked.exit_code == 0, locked.output
    lock = scratch.project / "uv.lock"
    before = lock.read_text(encoding="utf-8")
    assert 'version = "2.0"' in before
    with start(refusing) as gate:
        cache = str(tmp_path / "another-cache")
        outcome = NEWEST_UV.run(scratch, gate.url, "sync", "--locked", "--cache-dir", cache)
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


def _assert_refused(outcome: Outcome, scratch: Scratch) -> None:
    assert outcome.exit_code != 0, outcome.output
    assert outcome.says("blocked by indexgate"), outcome.output
    assert outcome.says("demo 2.0 was uploaded 20"), outcome.output
    assert "demo" not in scratch.installed()
