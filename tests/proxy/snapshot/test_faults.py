"""Whatever is wrong with a snapshot is found before anything of it is taken in, and named."""

import errno
import hashlib
import json
import shutil
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa  # type: ignore[import-untyped]
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pyarrow import parquet

from indexgate.snapshot import manifest as manifests
from indexgate.snapshot import read, signing
from indexgate.snapshot.faults import SnapshotFailed
from indexgate.snapshot.take_in import check_index, check_serial, last, take_in
from indexgate.store.database import Store
from tests.proxy.snapshot.made import DAY, INDEX, NOW, Key, assessed, exported, signal

TABLE = "assessments.parquet"


@pytest.fixture
def folder(store: Store, tmp_path: Path, key: Key) -> Path:
    store.assessments.save_many(
        [assessed(f"demo-{n}", signal("scorecard", n / 10)) for n in range(40)]
    )
    exported(store, tmp_path / "snapshot", key)
    return tmp_path / "snapshot"


def failure(folder: Path, key: Key) -> SnapshotFailed:
    with pytest.raises(SnapshotFailed) as raised:
        read.check(read.open_snapshot(folder, [key.public]))
    return raised.value


def signed_anew(folder: Path, key: Key, change: Callable[[dict[str, Any]], None]) -> None:
    """Change the manifest and sign it again, as a maker's own mistake would."""
    document = json.loads((folder / "manifest.json").read_bytes())
    change(document)
    content = json.dumps(document).encode()
    (folder / "manifest.json").write_bytes(content)
    (folder / "manifest.sig").write_bytes(signing.sign(content, key.path))


def described(folder: Path, key: Key, rows: int = 40) -> None:
    content = (folder / TABLE).read_bytes()

    def change(document: dict[str, Any]) -> None:
        [file] = document["files"]
        digest = hashlib.sha256(content).hexdigest()
        file.update(sha256=digest, size=len(content), rows=rows)

    signed_anew(folder, key, change)


def test_what_was_signed_is_whole(folder: Path, key: Key) -> None:
    read.check(read.open_snapshot(folder, [key.public]))


def test_a_truncated_table_is_named(folder: Path, key: Key) -> None:
    content = (folder / TABLE).read_bytes()
    (folder / TABLE).write_bytes(content[: len(content) // 2])
    found = failure(folder, key)
    assert found.reference == "snapshot-tampered"
    assert TABLE in found.message
    assert "cut off" in found.message


def test_a_swapped_table_is_named(folder: Path, store: Store, tmp_path: Path, key: Key) -> None:
    exported(store, tmp_path / "later", key, now=NOW + DAY)
    other = (tmp_path / "later" / TABLE).read_bytes()
    same_size = bytearray((folder / TABLE).read_bytes())
    same_size[4:20] = b"0123456789abcdef"
    for content in (other + b"more", bytes(same_size)):
        (folder / TABLE).write_bytes(content)
        found = failure(folder, key)
        assert found.reference == "snapshot-tampered"
        assert TABLE in found.message


@pytest.mark.parametrize("byte", [b"\xb0", b"\x00", b"="])
def test_a_signature_of_other_bytes_is_none(folder: Path, key: Key, byte: bytes) -> None:
    path = folder / "manifest.sig"
    first, _, second = path.read_bytes().partition(b"\n")
    path.write_bytes(first + b"\n" + byte + second[1:])
    assert failure(folder, key).reference == "snapshot-signature"


@settings(
    max_examples=40,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(st.data())
def test_any_changed_byte_of_any_file_is_found(folder: Path, key: Key, data: st.DataObject) -> None:
    name = data.draw(st.sampled_from([TABLE, "manifest.json", "manifest.sig"]))
    path = folder / name
    before = path.read_bytes()
    place = data.draw(st.integers(0, len(before) - 1))
    bit = 1 << data.draw(st.integers(0, 7))
    changed = bytearray(before)
    changed[place] ^= bit
    path.write_bytes(changed)
    try:
        found = failure(folder, key)
        assert name in found.message or name == "manifest.sig"
        assert found.reference in {
            "snapshot-tampered", "snapshot-signature", "snapshot-wrong-key",
        }  # fmt: skip
    finally:
        path.write_bytes(before)


@pytest.mark.parametrize("name", [TABLE, "manifest.json", "manifest.sig"])
def test_a_missing_file_is_named(folder: Path, key: Key, name: str) -> None:
    (folder / name).unlink()
    found = failure(folder, key)
    assert found.reference == "snapshot-missing"
    assert f"`{name}`" in found.message


def test_a_folder_that_is_not_there_is_told(tmp_path: Path, key: Key) -> None:
    assert "there is no snapshot" in failure(tmp_path / "nowhere", key).message


def test_a_later_format_is_told_apart_from_a_broken_one(folder: Path, key: Key) -> None:
    def later(document: dict[str, Any]) -> None:
        document.clear()
        document.update(format=2, something="else")

    signed_anew(folder, key, later)
    found = failure(folder, key)
    assert found.reference == "snapshot-format"
    assert "format 2" in found.message


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda document: document.pop("serial"), "serial"),
        (lambda document: document.update(created="yesterday"), "created"),
        (lambda document: document.update(created="2026-11-22T12:00:00"), "without a zone"),
        (lambda document: document["files"][0].update(name="../state/secret"), "other files"),
        (lambda document: document["files"].clear(), "other files"),
        (lambda document: document["files"].append(document["files"][0]), "other files"),
    ],
)
def test_a_manifest_that_is_signed_and_wrong_is_told(
    folder: Path, key: Key, change: Callable[[dict[str, Any]], None], words: str
) -> None:
    signed_anew(folder, key, change)
    found = failure(folder, key)
    assert found.reference == "snapshot-manifest"
    assert words in found.message


def test_a_signed_table_that_is_none_is_told(folder: Path, key: Key) -> None:
    content = (folder / TABLE).read_bytes()
    (folder / TABLE).write_bytes(content[: len(content) // 2])
    described(folder, key)
    assert "cannot be read" in failure(folder, key).message


def test_a_signed_table_with_other_columns_is_told(folder: Path, key: Key) -> None:
    parquet.write_table(pa.table({"project": ["demo"]}), folder / TABLE)
    described(folder, key, rows=1)
    assert "other columns" in failure(folder, key).message


def test_a_signed_table_with_other_rows_is_told(folder: Path, key: Key) -> None:
    described(folder, key, rows=41)
    assert "40 rows and not 41" in failure(folder, key).message


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("inputs", "not json"),
        ("flags", '[{"check": 3}]'),
        ("project", "Not_Normal"),
        ("project", "../etc"),
        ("grade", "Z"),
        ("lines", None),
    ],
)
def test_a_signed_row_that_cannot_be_read_is_told(
    folder: Path, key: Key, other: Store, column: str, value: str | None
) -> None:
    table = parquet.read_table(folder / TABLE)
    rows = table.to_pylist()
    rows[7][column] = value
    parquet.write_table(pa.Table.from_pylist(rows, schema=table.schema), folder / TABLE)
    described(folder, key)
    snapshot = read.open_snapshot(folder, [key.public])
    read.check(snapshot)
    with pytest.raises(SnapshotFailed, match="cannot be read") as raised:
        take_in(other, snapshot, INDEX.id, NOW)
    assert raised.value.reference == "snapshot-unreadable"


@pytest.mark.parametrize(
    ("now", "reference"),
    [
        (NOW - timedelta(minutes=6), "snapshot-from-the-future"),
        (NOW - timedelta(minutes=4), None),
        (NOW + 14 * DAY - timedelta(seconds=1), None),
        (NOW + 14 * DAY, "snapshot-expired"),
    ],
)
def test_a_snapshot_holds_from_when_it_was_made_until_it_expires(
    store: Store, tmp_path: Path, key: Key, now: datetime, reference: str | None
) -> None:
    made = exported(store, tmp_path / "s", key)
    if reference is None:
        manifests.check_times(made, now)
        return
    with pytest.raises(SnapshotFailed) as raised:
        manifests.check_times(made, now)
    assert raised.value.reference == reference


def test_an_older_one_is_refused_after_a_newer_one(
    folder: Path, store: Store, other: Store, tmp_path: Path, key: Key
) -> None:
    exported(store, tmp_path / "newer", key, now=NOW + DAY)
    older = read.open_snapshot(folder, [key.public])
    newer = read.open_snapshot(tmp_path / "newer", [key.public])
    check_serial(older, last(other, key.public, INDEX.id))
    take_in(other, newer, INDEX.id, NOW)
    check_serial(newer, last(other, key.public, INDEX.id))
    with pytest.raises(SnapshotFailed, match="is older than"):
        check_serial(older, last(other, key.public, INDEX.id))
    take_in(other, older, INDEX.id, NOW)  # somebody said so
    remembered = last(other, key.public, INDEX.id)
    assert remembered is not None
    assert remembered.serial == newer.manifest.serial


def test_two_snapshots_with_one_serial_are_told_apart(
    folder: Path, other: Store, tmp_path: Path, key: Key
) -> None:
    shutil.copytree(folder, tmp_path / "twin")
    signed_anew(tmp_path / "twin", key, lambda document: document.update(made_by="another"))
    take_in(other, read.open_snapshot(folder, [key.public]), INDEX.id, NOW)
    twin = read.open_snapshot(tmp_path / "twin", [key.public])
    with pytest.raises(SnapshotFailed, match="has the serial of another one"):
        check_serial(twin, last(other, key.public, INDEX.id))


def test_serials_grow_whatever_the_clock_says(store: Store, tmp_path: Path, key: Key) -> None:
    times = [NOW, NOW, NOW - DAY, NOW + DAY]
    made = [exported(store, tmp_path / str(n), key, now=at) for n, at in enumerate(times)]
    serials = [one.serial for one in made]
    assert serials == sorted(set(serials))


def test_names_of_another_index_are_not_taken_in() -> None:
    mirror = "1" * 16
    check_index(INDEX, INDEX.id, public=False)
    check_index(INDEX, mirror, public=True)
    with pytest.raises(SnapshotFailed, match="another index"):
        check_index(INDEX, mirror, public=False)


def test_a_full_disk_leaves_nothing_behind(
    store: Store, tmp_path: Path, key: Key, monkeypatch: pytest.MonkeyPatch
) -> None:
    store.assessments.save_many([assessed("demo")])
    before = sorted(tmp_path.iterdir())

    def full(*_: object) -> int:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr("os.fsync", full)
        with pytest.raises(SnapshotFailed, match="no space left") as raised:
            exported(store, tmp_path / "s", key)
    assert raised.value.reference == "snapshot-unwritable"
    assert sorted(tmp_path.iterdir()) == before
    exported(store, tmp_path / "s", key)


def test_a_snapshot_is_never_written_over(folder: Path, store: Store, key: Key) -> None:
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    with pytest.raises(SnapshotFailed, match="is there already"):
        exported(store, folder, key)
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before


def test_an_export_that_breaks_off_leaves_nothing_behind(
    store: Store, tmp_path: Path, key: Key, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> None:
        raise KeyboardInterrupt

    store.assessments.save_many([assessed("demo")])
    before = sorted(tmp_path.iterdir())
    monkeypatch.setattr("indexgate.snapshot.passable.passed_on", broken)
    with pytest.raises(KeyboardInterrupt):
        exported(store, tmp_path / "s", key)
    assert sorted(tmp_path.iterdir()) == before
