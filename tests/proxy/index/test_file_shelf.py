"""Finished files on disk: what is found, what goes first, what a kill leaves."""

import errno
import hashlib
import os
import signal
import subprocess
import sys
from itertools import count
from pathlib import Path

import pytest

from indexgate.index.file_shelf import FileShelf
from indexgate.index.part_file import PartFile


def digest(name: str) -> str:
    return hashlib.sha256(name.encode()).hexdigest()


def shelf_of(folder: Path, max_bytes: int) -> FileShelf:
    ticks = count(1)
    return FileShelf(folder, max_bytes, clock=lambda: next(ticks) * 10**9)


def put(shelf: FileShelf, name: str, size: int) -> None:
    part = shelf.new_part(digest(name), size)
    part.write(b"x" * size)
    shelf.keep(part, digest(name), size)
    part.release()
    part.close()


def names(shelf: FileShelf) -> set[str]:
    return {name for name in "abcdefgh" if shelf.path(digest(name)).exists()}


def touch(shelf: FileShelf, name: str) -> None:
    file = shelf.open(digest(name))
    assert file is not None
    shelf.close(digest(name), file)


def test_the_file_that_was_not_opened_for_longest_goes_first(tmp_path: Path) -> None:
    shelf = shelf_of(tmp_path, 300)
    shelf.tidy()
    for name in "abc":
        put(shelf, name, 100)
    touch(shelf, "a")
    put(shelf, "d", 50)
    assert names(shelf) == {"a", "c", "d"}
    put(shelf, "e", 100)
    assert names(shelf) == {"a", "d", "e"}


def test_a_file_that_is_being_read_is_not_removed(tmp_path: Path) -> None:
    shelf = shelf_of(tmp_path, 200)
    shelf.tidy()
    put(shelf, "a", 100)
    read = shelf.open(digest("a"))
    assert read is not None
    put(shelf, "b", 100)
    put(shelf, "c", 100)
    assert "a" in names(shelf)
    shelf.close(digest("a"), read)
    put(shelf, "d", 100)
    assert "a" not in names(shelf)


def test_files_stay_within_the_bound_that_a_new_start_finds(tmp_path: Path) -> None:
    shelf = shelf_of(tmp_path, 1000)
    for name in "abcdefgh":
        put(shelf, name, 100)
    shelf_of(tmp_path, 350).tidy()
    assert names(shelf) == {"f", "g", "h"}


def test_a_file_of_another_size_than_the_listed_one_is_removed(tmp_path: Path) -> None:
    shelf = shelf_of(tmp_path, 1000)
    put(shelf, "a", 100)
    assert shelf.open(digest("a"), 99) is None
    assert names(shelf) == set()


def test_a_full_disk_is_told_before_the_first_byte(tmp_path: Path) -> None:
    shelf = FileShelf(tmp_path, 1000, free=lambda _folder: 99)
    with pytest.raises(OSError, match="No space left"):
        shelf.new_part(None, 100)


KILLED = """
import os, signal, sys
from pathlib import Path
from indexgate.index.file_shelf import FileShelf
part = FileShelf(Path(sys.argv[1]), 1000).new_part("a" * 64, 100)
part.write(b"half")
os.kill(os.getpid(), signal.SIGKILL)
"""


def test_what_a_killed_process_left_is_removed_and_never_found(tmp_path: Path) -> None:
    shelf = shelf_of(tmp_path, 1000)
    killed = subprocess.run([sys.executable, "-c", KILLED, str(tmp_path)], check=False)
    assert killed.returncode == -signal.SIGKILL
    assert len(list(tmp_path.rglob("*.part"))) == 1
    shelf.tidy()
    assert list(tmp_path.rglob("*.part")) == []
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []


def test_what_a_living_process_writes_is_left_alone(tmp_path: Path) -> None:
    living = shelf_of(tmp_path, 1000)
    part = living.new_part(digest("a"), 4)
    part.write(b"half")
    shelf_of(tmp_path, 1000).tidy()
    living.keep(part, digest("a"), 4)
    part.close()
    assert names(living) == {"a"}


@pytest.mark.parametrize("step", ["fsync", "replace"])
def test_no_final_name_exists_before_the_bytes_are_safe(
    tmp_path: Path, step: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_args: object) -> None:
        raise OSError(errno.EIO, "the disk went away")

    owner: object = os if step == "fsync" else Path
    monkeypatch.setattr(owner, step, fail)
    part = PartFile(tmp_path)
    part.write(b"whole")
    with pytest.raises(OSError, match="went away"):
        part.finish(tmp_path / "00" / digest("a"))
    part.release()
    part.close()
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []


def test_room_is_made_a_twentieth_below_the_bound(tmp_path: Path) -> None:
    for number in range(1_000):
        name = digest(str(number))
        folder = tmp_path / name[:2]
        folder.mkdir(exist_ok=True)
        (folder / name).write_bytes(b"x")
    FileShelf(tmp_path, 1_000).tidy()
    assert sum(path.is_file() for path in tmp_path.rglob("*")) == 1_000
    FileShelf(tmp_path, 500).tidy()
    assert sum(path.is_file() for path in tmp_path.rglob("*")) == 475


def test_of_two_who_want_the_same_file_one_writes_and_the_other_reads(tmp_path: Path) -> None:
    final = tmp_path / "final" / digest("a")
    writer, reader = PartFile(tmp_path, final), PartFile(tmp_path, final)
    assert (writer.ours, reader.ours) == (True, False)
    writer.write(b"whole")
    assert (reader.written(), reader.read(1, 9), reader.writer_left()) == (5, b"hole", False)
    writer.finish(final)
    late = PartFile(tmp_path, final)
    for part in (reader, late):
        assert (part.ours, part.writer_left(), part.finished()) == (False, True, True)
        assert part.read(0, 9) == b"whole"
        part.release()
    assert final.read_bytes() == b"whole"
    for part in (writer, reader, late):
        part.close()


def test_a_reader_learns_that_the_writer_gave_up_and_the_next_begins_anew(tmp_path: Path) -> None:
    final = tmp_path / "final" / digest("a")
    writer, reader = PartFile(tmp_path, final), PartFile(tmp_path, final)
    writer.write(b"wrong")
    writer.release()
    assert (reader.writer_left(), reader.finished()) == (True, False)
    following = PartFile(tmp_path, final)
    assert (following.ours, following.written()) == (True, 0)
    assert reader.read(0, 9) == b"wrong"
    following.release()
    for part in (writer, reader, following):
        part.close()
    assert list(tmp_path.iterdir()) == []


def test_a_leftover_is_put_away_and_never_written_over(tmp_path: Path) -> None:
    final = tmp_path / "final" / digest("a")
    killed, reader = PartFile(tmp_path, final), PartFile(tmp_path, final)
    killed.write(b"half")
    killed.close()  # as the system does for a killed process: no release
    assert (reader.writer_left(), reader.finished()) == (True, False)
    following = PartFile(tmp_path, final)
    assert (following.ours, following.written(), reader.read(0, 9)) == (True, 0, b"half")
    following.write(b"whole")
    following.finish(final)
    following.release()
    assert (reader.finished(), final.read_bytes()) == (False, b"whole")
    reader.close()
    following.close()
