"""The state folder is its owner's alone, and its secret is one for all gates on it."""

import os
import secrets
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from indexgate import state_folder
from indexgate.errors import GateError
from indexgate.state_folder import open_state

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="permission bits")


def mode(path: Path) -> int:
    return path.stat().st_mode & 0o777


def test_a_new_folder_is_private_and_has_its_rooms(tmp_path: Path) -> None:
    state = open_state(tmp_path / "a" / "state")
    assert mode(state.path) == 0o700
    assert mode(state.path / "secret") == 0o600
    assert all(mode(room) == 0o700 for room in (state.files, state.pages, state.run))
    assert len(state.secret) == 64
    assert state.notices == ()
    assert {path.name for path in state.path.iterdir()} == {"secret", "files", "pages", "run"}


def test_the_secret_stays_the_same(tmp_path: Path) -> None:
    assert open_state(tmp_path / "s").secret == open_state(tmp_path / "s").secret
    assert open_state(tmp_path / "s").secret != open_state(tmp_path / "t").secret


def test_gates_that_start_together_get_one_secret(tmp_path: Path) -> None:
    with ThreadPoolExecutor(8) as threads:
        made = list(threads.map(lambda _: open_state(tmp_path / "s").secret, range(16)))
    assert len(set(made)) == 1


def test_the_secret_of_a_quicker_gate_holds(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real, quicker = secrets.token_hex, "a" * 64

    def slow(size: int) -> str:
        (tmp_path / "s" / "secret").write_text(quicker)
        return real(size)

    monkeypatch.setattr(secrets, "token_hex", slow)
    assert open_state(tmp_path / "s").secret == quicker


def test_a_folder_open_to_others_is_closed_and_that_is_told(tmp_path: Path) -> None:
    path = tmp_path / "s"
    path.mkdir()
    path.chmod(0o755)
    state = open_state(path)
    assert mode(path) == 0o700
    assert "(755)" in state.notices[0]
    assert open_state(path).notices == ()


def test_a_secret_that_others_could_read_is_replaced(tmp_path: Path) -> None:
    before = open_state(tmp_path / "s")
    (before.path / "secret").chmod(0o644)
    after = open_state(tmp_path / "s")
    assert after.secret != before.secret
    assert mode(after.path / "secret") == 0o600
    assert "could be read by others" in after.notices[0]
    assert open_state(tmp_path / "s").secret == after.secret


def test_a_file_without_a_secret_in_it_is_replaced(tmp_path: Path) -> None:
    (open_state(tmp_path / "s").path / "secret").write_text("short")
    state = open_state(tmp_path / "s")
    assert len(state.secret) == 64
    assert "held no secret" in state.notices[0]


def test_a_file_in_the_place_of_the_folder_is_refused(tmp_path: Path) -> None:
    (tmp_path / "s").write_text("x")
    with pytest.raises(GateError, match="is a file, not a folder"):
        open_state(tmp_path / "s")
    with pytest.raises(GateError, match="cannot use the state folder"):
        open_state(tmp_path / "s" / "deeper")


def test_a_folder_of_another_user_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: tmp_path.stat().st_uid + 1)
    with pytest.raises(GateError, match="belongs to another user"):
        open_state(tmp_path)


def test_a_kept_upstream_is_found_again(tmp_path: Path) -> None:
    assert state_folder.kept_upstream(tmp_path / "s") is None
    state = open_state(tmp_path / "s")
    state.keep_upstream("https://a.test/simple/")
    state.keep_upstream("https://b.test/simple/")
    assert state_folder.kept_upstream(state.path) == "https://b.test/simple/"
    assert not list(state.path.glob("*.part"))


def test_the_users_own_folder_is_named_after_the_gate() -> None:
    assert state_folder.default_path().name == "indexgate"
