"""Bytes on their way to the disk: all of them come there, and the latest are in memory."""

import hashlib
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from indexgate.index.file_check import FileCheck
from indexgate.index.file_writing import Writing
from indexgate.index.files import Wanted
from indexgate.index.part_file import PartFile


@pytest.fixture(scope="module")
def pool() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(1) as threads:
        yield threads


@given(lengths=st.lists(st.integers(1, 400_000), max_size=12), data=st.data())
@settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture])
async def test_every_byte_is_in_memory_or_on_the_disk(
    tmp_path: Path, pool: ThreadPoolExecutor, lengths: list[int], data: st.DataObject
) -> None:
    whole = b"".join(number.to_bytes(1) * length for number, length in enumerate(lengths))
    part, check = PartFile(tmp_path), FileCheck(Wanted(key="f"))
    writing = Writing(part, check, pool)
    for length in lengths:
        at = writing.received
        writing.add(whole[at : at + length])
        for start in (at, data.draw(st.integers(0, at), label="start")):
            got = writing.read(start, 1000) or part.read(start, 1000)
            assert got
            assert got == whole[start : start + len(got)]
        await writing.keep_up()
    await writing.finish()
    assert part.read(0, len(whole) + 1) == whole
    assert check.finish() == hashlib.sha256(whole).hexdigest()
    part.close()


async def test_after_a_failure_what_was_not_written_is_still_in_memory(
    tmp_path: Path, pool: ThreadPoolExecutor
) -> None:
    class Full(PartFile):
        def write(self, data: bytes) -> None:
            raise OSError("full")

    part = Full(tmp_path)
    writing = Writing(part, FileCheck(Wanted(key="f")), pool)
    writing.add(b"first")
    await writing.keep_up()
    writing.add(b"second")
    with pytest.raises(OSError, match="full"):
        await writing.finish()
    await writing.settle()
    assert (writing.read(0, 99), writing.read(5, 99)) == (b"first", b"second")
    part.close()
