"""What is kept of owners: only what was said of that very project, and never what is no more so."""

import tempfile
from datetime import timedelta
from pathlib import Path

import pytest
from packaging.utils import NormalizedName

from indexgate import owner_folder
from indexgate.owner_folder import OwnerFolder
from tests.proxy.web.running import NOW

DEMO, TOOL = NormalizedName("demo"), NormalizedName("tool")


def test_what_was_saved_last_is_there_for_another_process(tmp_path: Path) -> None:
    OwnerFolder(tmp_path / "owners").save(DEMO, "aa", NOW)
    OwnerFolder(tmp_path / "owners").save(DEMO, "bb", NOW + timedelta(hours=1))
    kept = OwnerFolder(tmp_path / "owners").load(DEMO)
    assert kept is not None
    assert (kept.index_id, kept.confirmed_at) == ("bb", NOW + timedelta(hours=1))
    assert OwnerFolder(tmp_path / "owners").load(TOOL) is None


def test_what_is_forgotten_or_damaged_says_nothing(tmp_path: Path) -> None:
    folder = OwnerFolder(tmp_path)
    folder.forget(DEMO)
    folder.save(DEMO, "aa", NOW)
    [path] = tmp_path.glob("*/*")
    path.write_bytes(path.read_bytes()[:-3])
    assert folder.load(DEMO) is None
    folder.save(DEMO, "aa", NOW)
    folder.forget(DEMO)
    assert folder.load(DEMO) is None


def test_what_cannot_be_kept_leaves_nothing_old_behind(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = OwnerFolder(tmp_path)
    folder.save(DEMO, "aa", NOW)

    def full(*_: object, **__: object) -> tuple[int, str]:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(tempfile, "mkstemp", full)
    with pytest.raises(OSError, match="No space left"):
        folder.save(DEMO, "bb", NOW)
    assert folder.load(DEMO) is None


def test_no_more_are_kept_than_there_is_room_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(owner_folder, "MOST", 2)
    folder = OwnerFolder(tmp_path)
    for name in ("a", "b", "c", "d"):
        folder.save(NormalizedName(name), "aa", NOW)
    folder.prune()
    assert len(list(tmp_path.glob("*/*"))) == 2
