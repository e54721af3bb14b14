"""Lock files on the disk: swapped while a run uses them, and never left so."""

import subprocess
import sys
from pathlib import Path

import pytest

from indexgate.run.lock_files import Notes, ends_with_slash, lock_files
from tests.proxy.locks.test_swap import LOCK, SWAP

SWAPPED = SWAP.to_gate(LOCK).encode()
CANONICAL = LOCK.encode()


@pytest.fixture
def lock(tmp_path: Path) -> Path:
    path = tmp_path / "project" / "uv.lock"
    path.parent.mkdir()
    path.write_bytes(CANONICAL)
    path.chmod(0o640)
    return path


@pytest.fixture
def notes(tmp_path: Path) -> Notes:
    return Notes(folder=tmp_path / "swapped")


def test_a_lock_has_the_gates_addresses_for_as_long_as_the_block_runs(
    lock: Path, notes: Notes
) -> None:
    with notes.swapped([lock], SWAP):
        assert lock.read_bytes() == SWAPPED
    assert lock.read_bytes() == CANONICAL
    assert lock.stat().st_mode & 0o777 == 0o640
    assert [path.name for path in lock.parent.iterdir()] == ["uv.lock"]


def test_a_lock_that_the_command_made_is_swapped_back(lock: Path, notes: Notes) -> None:
    lock.unlink()
    with notes.swapped([lock], SWAP):
        lock.write_bytes(SWAPPED)
    assert lock.read_bytes() == CANONICAL


def test_a_failure_inside_leaves_no_address_of_the_gate(lock: Path, notes: Notes) -> None:
    with pytest.raises(KeyboardInterrupt), notes.swapped([lock], SWAP):
        raise KeyboardInterrupt
    assert lock.read_bytes() == CANONICAL


def test_the_last_of_two_runs_swaps_back(lock: Path, notes: Notes) -> None:
    with notes.swapped([lock], SWAP):
        with notes.swapped([lock], SWAP):
            assert lock.read_bytes() == SWAPPED
        assert lock.read_bytes() == SWAPPED
        assert notes.mend() == ()
        assert lock.read_bytes() == SWAPPED
    assert lock.read_bytes() == CANONICAL


def test_what_a_killed_run_left_is_mended(lock: Path, notes: Notes) -> None:
    program = (
        "import sys; from pathlib import Path\n"
        "from indexgate.run.lock_files import Notes\n"
        "from indexgate.locks.swap import Swap\n"
        f"swap = Swap(gate={SWAP.gate!r}, upstream={SWAP.upstream!r})\n"
        f"with Notes(folder=Path({str(notes.folder)!r})).swapped([Path({str(lock)!r})], swap):\n"
        "    print('swapped', flush=True); sys.stdin.read()\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", program], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as run:
        assert run.stdout is not None
        assert run.stdout.readline() == b"swapped\n"
        assert notes.mend() == ()
        run.kill()
        run.wait()
    assert lock.read_bytes() == SWAPPED
    assert notes.mend() == (lock,)
    assert lock.read_bytes() == CANONICAL
    assert notes.mend() == ()


@pytest.mark.parametrize("content", [b"\xff\xfe not text", b"not toml ["])
def test_what_is_no_lock_is_left_alone(lock: Path, notes: Notes, content: bytes) -> None:
    lock.write_bytes(content)
    with notes.swapped([lock], SWAP):
        assert lock.read_bytes() == content
    assert lock.read_bytes() == content


def test_a_lock_behind_a_link_is_swapped_where_it_lies(
    lock: Path, notes: Notes, tmp_path: Path
) -> None:
    link = tmp_path / "uv.lock"
    link.symlink_to(lock)
    with notes.swapped([link], SWAP):
        assert lock.read_bytes() == SWAPPED
    assert link.is_symlink()
    assert lock.read_bytes() == CANONICAL


def test_locks_of_the_project_its_workspace_and_a_script_are_found(tmp_path: Path) -> None:
    member = tmp_path / "packages" / "one"
    member.mkdir(parents=True)
    for folder in (tmp_path, member):
        (folder / "pyproject.toml").touch()
    (member / "tool.py").touch()
    found = lock_files(member, ["run", "tool.py", "absent.py"])
    assert found == (member / "uv.lock", tmp_path / "uv.lock", member / "tool.py.lock")


def test_a_folder_without_a_project_has_the_lock_that_would_be_made(tmp_path: Path) -> None:
    assert lock_files(tmp_path, ["sync"])[-1:] == (tmp_path / "uv.lock",)


def test_the_slash_of_the_registry_is_seen(lock: Path) -> None:
    assert not ends_with_slash([lock], SWAP)
    lock.write_bytes(CANONICAL.replace(b"test/simple", b"test/simple/"))
    assert ends_with_slash([lock], SWAP)
