"""One fetch for all who ask, and no wrong file for any of them."""

import asyncio
import errno
import hashlib
import os
import threading
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from random import Random

import pytest

from indexgate.index.file_body import KeptBody
from indexgate.index.file_cache import FileCache
from indexgate.index.file_shelf import FileShelf
from indexgate.index.files import HELD_BACK, SMALL_FILE, FileBody, Wanted
from indexgate.index.part_file import PartFile
from indexgate.index.protocol import UpstreamFailed
from tests.proxy.index.file_upstream import FileUpstream, Given

BIG = Random(1).randbytes(700_000)  # neither begins nor ends with `!`, which makes it another
SMALL = b"small" * 100


@pytest.fixture
async def upstream() -> AsyncGenerator[FileUpstream, None]:
    server = FileUpstream()
    await server.start()
    yield server
    await server.close()


@pytest.fixture
async def cache(tmp_path: Path) -> AsyncGenerator[FileCache, None]:
    files = FileCache(tmp_path, 100_000_000)
    files.start()
    yield files
    await files.close()


def wanted(data: bytes, *, size: bool = True, name: str = "f") -> Wanted:
    sha256 = hashlib.sha256(data).hexdigest()
    return Wanted(key=name, sha256=sha256, size=len(data) if size else None)


async def read_all(body: FileBody, start: int = 0, stop: int | None = None) -> bytes:
    received = bytearray()
    try:
        async for piece in body.read(start, stop):
            received += piece
    finally:
        body.close()
    return bytes(received)


async def read_until_it_fails(body: FileBody) -> tuple[bytes, UpstreamFailed]:
    received, failure = await read_on(body.read())
    body.close()
    assert failure is not None, "the file came to a good end"
    return received, failure


async def read_on(pieces: AsyncIterator[bytes]) -> tuple[bytes, UpstreamFailed | None]:
    received = bytearray()
    try:
        async for piece in pieces:
            received += piece
    except UpstreamFailed as failure:
        return bytes(received), failure
    return bytes(received), None


def empty(folder: Path) -> None:
    for path in kept_files(folder):
        path.unlink()


def kept_files(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]


@pytest.mark.parametrize("data", [b"", b"x", SMALL, BIG, BIG[:HELD_BACK], BIG[: HELD_BACK + 1]])
@pytest.mark.parametrize("size_listed", [True, False])
@pytest.mark.parametrize("chunked", [True, False])
async def test_a_file_is_the_same_cold_and_warm_and_asked_for_once(
    upstream: FileUpstream, cache: FileCache, data: bytes, size_listed: bool, chunked: bool
) -> None:
    upstream.files["f"] = Given(data=data, chunked=chunked)
    wish = wanted(data, size=size_listed)
    assert await read_all(await cache.open(wish, upstream.fetch("f"))) == data
    await cache.settle()
    warm = await cache.open(wish, upstream.fetch("f"))
    assert (warm.size, warm.kept is None) == (len(data), len(data) <= SMALL_FILE)
    assert await read_all(warm) == data
    assert upstream.asked["f"] == 1


@pytest.mark.parametrize("data", [SMALL, BIG], ids=len)
@pytest.mark.parametrize("size_listed", [True, False])
async def test_sixty_four_at_once_are_one_request_over_all_workers(
    upstream: FileUpstream, tmp_path: Path, data: bytes, size_listed: bool
) -> None:
    caches = [FileCache(tmp_path, 100_000_000) for _ in range(2)]
    upstream.files["f"] = Given(data=data)

    async def ask(number: int) -> bytes:
        wish = wanted(data, size=size_listed)
        return await read_all(await caches[number % 2].open(wish, upstream.fetch("f")))

    assert set(await asyncio.gather(*map(ask, range(64)))) == {data}
    assert upstream.asked["f"] == 1
    for cache in caches:
        await cache.settle()
        await cache.close()


async def test_who_comes_late_reads_what_is_there_and_then_the_rest(
    upstream: FileUpstream, cache: FileCache
) -> None:
    given = upstream.files["f"] = Given(data=BIG, pause_at=500_000)
    first = await cache.open(wanted(BIG), upstream.fetch("f"))
    reading = first.read()
    early = await anext(reading)
    late = await cache.open(wanted(BIG), upstream.fetch("f"))
    pieces = late.read()
    joined = await anext(pieces)  # while upstream has not ended
    given.go.set()
    assert joined + b"".join([piece async for piece in pieces]) == BIG
    assert early + b"".join([piece async for piece in reading]) == BIG
    first.close()
    late.close()
    assert upstream.asked["f"] == 1


async def test_a_fetch_goes_on_when_the_only_client_leaves(
    upstream: FileUpstream, cache: FileCache
) -> None:
    given = upstream.files["f"] = Given(data=BIG, pause_at=300_000)
    body = await cache.open(wanted(BIG), upstream.fetch("f"))
    reader = asyncio.create_task(read_all(body))
    await given.paused.wait()
    reader.cancel()
    await asyncio.gather(reader, return_exceptions=True)
    given.go.set()
    await cache.settle()
    warm = await cache.open_kept(wanted(BIG))
    assert warm is not None
    assert await read_all(warm) == BIG


async def test_a_client_that_leaves_before_upstream_answers_ends_nothing(
    upstream: FileUpstream, cache: FileCache
) -> None:
    upstream.files["f"] = Given(data=BIG)
    asking = asyncio.create_task(cache.open(wanted(BIG), upstream.fetch("f")))
    await asyncio.sleep(0)
    asking.cancel()
    await asyncio.gather(asking, return_exceptions=True)
    await cache.settle()
    warm = await cache.open_kept(wanted(BIG))
    assert warm is not None
    warm.close()


@pytest.mark.parametrize(
    ("given", "wish"),
    [
        pytest.param(Given(data=BIG[:-1] + b"!"), wanted(BIG), id="wrong last byte"),
        pytest.param(Given(data=b"!" + BIG[1:]), wanted(BIG), id="wrong first byte"),
        pytest.param(Given(data=BIG, cut_at=600_000), wanted(BIG), id="cut off"),
        pytest.param(Given(data=BIG, cut_at=699_999), wanted(BIG), id="cut off at the last byte"),
        pytest.param(
            Given(data=BIG, cut_at=600_000, chunked=True), wanted(BIG, size=False), id="cut chunked"
        ),
        pytest.param(Given(data=BIG[:-9], chunked=True), wanted(BIG), id="too small"),
        pytest.param(Given(data=BIG + b"!", chunked=True), wanted(BIG), id="too large"),
        pytest.param(
            Given(data=BIG + b"!", chunked=True), wanted(BIG, size=False), id="too large, no size"
        ),
    ],
)
async def test_nobody_gets_the_last_block_of_a_wrong_file_and_it_is_not_kept(
    upstream: FileUpstream, cache: FileCache, tmp_path: Path, given: Given, wish: Wanted
) -> None:
    upstream.files["f"] = given
    received, _ = await read_until_it_fails(await cache.open(wish, upstream.fetch("f")))
    assert len(received) <= (wish.size or len(given.data)) - HELD_BACK
    await cache.settle()
    assert kept_files(tmp_path) == []


async def test_another_length_than_listed_is_refused_at_once(
    upstream: FileUpstream, cache: FileCache
) -> None:
    upstream.files["f"] = Given(data=BIG[:-9])
    with pytest.raises(UpstreamFailed, match="where the index lists 700000"):
        await cache.open(wanted(BIG), upstream.fetch("f"))


async def test_a_failure_is_told_to_all_and_the_next_asks_again(
    upstream: FileUpstream, cache: FileCache
) -> None:
    given = upstream.files["f"] = Given(data=BIG, status=503)
    asks = [cache.open(wanted(BIG), upstream.fetch("f")) for _ in range(3)]
    failures = await asyncio.gather(*asks, return_exceptions=True)
    assert [isinstance(failure, UpstreamFailed) for failure in failures] == [True] * 3
    assert len({id(failure) for failure in failures}) == 3
    assert upstream.asked["f"] == 1
    given.status = 200
    assert await read_all(await cache.open(wanted(BIG), upstream.fetch("f"))) == BIG


async def test_a_file_without_a_hash_must_stay_what_it_was(
    upstream: FileUpstream, tmp_path: Path
) -> None:
    pins: dict[str, str] = {}

    async def pin(key: str, sha256: str) -> str:
        return pins.setdefault(key, sha256)

    cache = FileCache(tmp_path, 10_000_000, pin=pin)
    changed = b"!" + BIG[1:]
    upstream.files["f"] = Given(data=BIG, later=[changed])
    wish = Wanted(key="f")
    assert await read_all(await cache.open(wish, upstream.fetch("f"))) == BIG
    await cache.settle()
    received, failure = await read_until_it_fails(await cache.open(wish, upstream.fetch("f")))
    assert (failure.kind, len(received) < len(BIG)) == ("hash", True)
    assert "changed since it was first seen" in failure.reason
    again = await cache.open(Wanted(key="f", first_seen=pins["f"]), upstream.fetch("f"))
    assert (again.kept is not None, await read_all(again)) == (True, BIG)
    await cache.close()


@pytest.mark.parametrize("right", [True, False])
async def test_a_file_kept_as_first_seen_is_served_only_under_hashes_it_has(
    upstream: FileUpstream, cache: FileCache, right: bool
) -> None:
    upstream.files["f"] = Given(data=BIG)
    await read_all(await cache.open(wanted(BIG), upstream.fetch("f")))
    await cache.settle()
    sha512 = hashlib.sha512(BIG if right else SMALL).hexdigest()
    wish = Wanted(key="f", hashes={"sha512": sha512}, first_seen=wanted(BIG).sha256)
    body = await cache.open_kept(wish)
    assert (body is not None) == right
    if body is not None:
        assert await read_all(body) == BIG


class FullAfter(PartFile):
    """A file on a disk that has `room` bytes left."""

    room = 400_000

    def write(self, data: bytes) -> None:
        if os.fstat(self._fd).st_size + len(data) > self.room:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        super().write(data)


async def test_a_disk_that_fills_up_on_the_way_stops_no_client(
    upstream: FileUpstream, tmp_path: Path
) -> None:
    warnings: list[str] = []
    shelf = FileShelf(tmp_path, 10_000_000, create=FullAfter)
    cache = FileCache(tmp_path, 10_000_000, warn=warnings.append, shelf=shelf)
    upstream.files["f"] = Given(data=BIG)

    async def ask(start: int) -> bytes:
        return await read_all(await cache.open(wanted(BIG), upstream.fetch("f")), start)

    answers = await asyncio.gather(*map(ask, (0, 0, 650_000)))
    assert answers == [BIG, BIG, BIG[650_000:]]
    assert await ask(0) == BIG
    await cache.settle()
    assert kept_files(tmp_path) == []
    [warning] = warnings
    assert "No space left on device" in warning
    upstream.files["small"] = Given(data=SMALL)  # fits in: the occasion is over
    await read_all(await cache.open(wanted(SMALL), upstream.fetch("small")))
    await cache.settle()
    await ask(0)
    await cache.settle()
    assert len(warnings) == 2
    await cache.close()


@pytest.mark.parametrize("changed_at", [0, 100_000])
async def test_a_file_that_changes_while_the_disk_fills_up_is_never_complete(
    upstream: FileUpstream, tmp_path: Path, changed_at: int
) -> None:
    """The first fetch is wrong in the part already sent; the second is right, but too late."""
    wrong = bytearray(BIG)
    wrong[changed_at] ^= 1
    shelf = FileShelf(tmp_path, 10_000_000, create=FullAfter)
    cache = FileCache(tmp_path, 10_000_000, shelf=shelf)
    given = upstream.files["f"] = Given(data=bytes(wrong), later=[BIG], pause_at=390_000)
    body = await cache.open(wanted(BIG), upstream.fetch("f"))
    pieces = body.read()
    received = await anext(pieces)
    while len(received) < 200_000:
        received += await anext(pieces)
    given.go.set()
    rest, failure = await read_on(pieces)
    assert failure is not None
    assert "asked a second time" in failure.reason
    assert len(received) + len(rest) <= len(BIG) - HELD_BACK
    assert upstream.asked["f"] == 2
    body.close()
    await cache.close()


@pytest.mark.parametrize("data", [BIG, b"!" + BIG[1:]])
async def test_a_folder_that_cannot_be_written_passes_checked_files_through(
    upstream: FileUpstream, tmp_path: Path, data: bytes
) -> None:
    (tmp_path / "file").touch()
    warnings: list[str] = []
    cache = FileCache(tmp_path / "file" / "cache", 10_000_000, warn=warnings.append)
    cache.start()
    upstream.files["f"] = Given(data=data)
    body = await cache.open(wanted(BIG), upstream.fetch("f"))
    if data == BIG:
        assert await read_all(body) == BIG
    else:
        received, failure = await read_until_it_fails(body)
        assert (failure.kind, len(received) <= len(BIG) - HELD_BACK) == ("hash", True)
    await cache.close()
    assert len(warnings) == 1
    assert upstream.asked["f"] == 1


@pytest.mark.parametrize("size_listed", [True, False])
@pytest.mark.parametrize("chunked", [True, False])
async def test_a_file_larger_than_the_cache_passes_through_and_removes_nothing(
    upstream: FileUpstream, tmp_path: Path, size_listed: bool, chunked: bool
) -> None:
    cache = FileCache(tmp_path, 300_000)
    upstream.files |= {"f": Given(data=BIG, chunked=chunked), "small": Given(data=SMALL)}
    await read_all(await cache.open(wanted(SMALL), upstream.fetch("small")))
    await cache.settle()
    body = await cache.open(wanted(BIG, size=size_listed), upstream.fetch("f"))
    assert await read_all(body, 5, 500_000) == BIG[5:500_000]
    await cache.settle()
    assert await cache.open_kept(wanted(BIG)) is None
    kept = await cache.open_kept(wanted(SMALL))
    assert kept is not None
    kept.close()
    await cache.close()


async def test_closing_ends_running_fetches_and_leaves_nothing(
    upstream: FileUpstream, cache: FileCache, tmp_path: Path
) -> None:
    given = upstream.files["f"] = Given(data=BIG, pause_at=300_000)
    reader = asyncio.create_task(
        read_until_it_fails(await cache.open(wanted(BIG), upstream.fetch("f")))
    )
    await given.paused.wait()
    await cache.close()
    _, failure = await reader
    assert failure.kind == "offline"
    assert kept_files(tmp_path) == []
    given.go.set()


async def test_a_pin_that_cannot_be_stored_lets_nothing_pass(
    upstream: FileUpstream, tmp_path: Path
) -> None:
    async def broken(_key: str, _sha256: str) -> str:
        raise RuntimeError("the store is gone")

    cache = FileCache(tmp_path, 10_000_000, pin=broken)
    upstream.files["f"] = Given(data=SMALL)
    with pytest.raises(RuntimeError, match="the store is gone"):
        await read_all(await cache.open(Wanted(key="f"), upstream.fetch("f")))
    await cache.close()
    assert kept_files(tmp_path) == []


async def test_caches_over_one_folder_ask_once_and_read_along(
    upstream: FileUpstream, tmp_path: Path
) -> None:
    """As several workers do: each has its own cache, the folder is all they share."""
    caches = [FileCache(tmp_path, 100_000_000) for _ in range(3)]
    given = upstream.files["f"] = Given(data=BIG, pause_at=500_000)
    bodies = [await cache.open(wanted(BIG), upstream.fetch("f")) for cache in caches]
    reading = [body.read() for body in bodies]
    early = [await anext(pieces) for pieces in reading]  # while upstream has not ended
    given.go.set()
    for body, pieces, first in zip(bodies, reading, early, strict=True):
        assert first + b"".join([piece async for piece in pieces]) == BIG
        body.close()
    assert upstream.asked["f"] == 1
    for cache in caches:
        await cache.close()
    assert [path.name for path in kept_files(tmp_path)] == [wanted(BIG).sha256]


async def test_caches_over_one_folder_all_refuse_a_wrong_file(
    upstream: FileUpstream, tmp_path: Path
) -> None:
    caches = [FileCache(tmp_path, 100_000_000) for _ in range(2)]
    upstream.files["f"] = Given(data=BIG[:-1] + b"!")

    async def ask(cache: FileCache) -> tuple[bytes, UpstreamFailed]:
        return await read_until_it_fails(await cache.open(wanted(BIG), upstream.fetch("f")))

    for received, failure in await asyncio.gather(*map(ask, caches)):
        assert (failure.kind, len(received) <= len(BIG) - HELD_BACK) == ("hash", True)
    for cache in caches:
        await cache.close()
    assert kept_files(tmp_path) == []


async def test_when_the_other_cache_goes_down_this_one_asks_for_itself(
    upstream: FileUpstream, tmp_path: Path
) -> None:
    first, second = (FileCache(tmp_path, 100_000_000) for _ in range(2))
    given = upstream.files["f"] = Given(data=BIG, pause_at=300_000)
    leading = await first.open(wanted(BIG), upstream.fetch("f"))
    body = await second.open(wanted(BIG), upstream.fetch("f"))
    pieces = body.read()
    early = await anext(pieces)
    await first.close()
    leading.close()
    given.go.set()
    assert early + b"".join([piece async for piece in pieces]) == BIG
    body.close()
    assert upstream.asked["f"] == 2
    await second.close()


class Slow(PartFile):
    """A file on a disk that takes nothing before `go`."""

    go = threading.Event()

    def write(self, data: bytes) -> None:
        self.go.wait()
        super().write(data)


@pytest.fixture
async def slow_disk(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncGenerator[FileCache, None]:
    monkeypatch.setattr(Slow, "go", threading.Event())
    cache = FileCache(tmp_path, 100_000_000, shelf=FileShelf(tmp_path, 100_000_000, create=Slow))
    yield cache
    Slow.go.set()
    await cache.settle()
    await cache.close()


async def test_a_small_file_waits_for_no_disk(
    upstream: FileUpstream, slow_disk: FileCache, tmp_path: Path
) -> None:
    upstream.files["f"] = Given(data=SMALL)
    for _ in range(2):
        body = await slow_disk.open(wanted(SMALL), upstream.fetch("f"))
        assert (body.at_hand, await read_all(body)) == (SMALL, SMALL)
    Slow.go.set()
    await slow_disk.settle()
    assert [path.name for path in kept_files(tmp_path)] == [wanted(SMALL).sha256]
    assert upstream.asked["f"] == 1


async def test_what_has_arrived_waits_for_no_disk_and_the_fetch_does(
    upstream: FileUpstream, slow_disk: FileCache
) -> None:
    data = os.urandom(8_000_000)
    upstream.files["f"] = Given(data=data)
    body = await slow_disk.open(wanted(data), upstream.fetch("f"))
    pieces = body.read()
    received = b""
    with suppress(TimeoutError):  # it comes to a halt, which is no event
        async with asyncio.timeout(0.5):
            async for piece in pieces:
                received += piece
    body.close()
    assert 0 < len(received) < 2_000_000
    late = await slow_disk.open(wanted(data), upstream.fetch("f"))
    Slow.go.set()
    assert await read_all(late) == data


async def test_a_small_file_stays_in_memory_when_the_folder_is_emptied(
    upstream: FileUpstream, cache: FileCache, tmp_path: Path
) -> None:
    upstream.files["f"] = Given(data=SMALL)
    for again in (False, True):
        assert await read_all(await cache.open(wanted(SMALL), upstream.fetch("f"))) == SMALL
        await cache.settle()
        assert len(kept_files(tmp_path)) == (0 if again else 1)
        empty(tmp_path)
    assert upstream.asked["f"] == 1


@pytest.mark.parametrize("left", [b"", SMALL[:-1], bytes(len(SMALL))])
async def test_a_small_file_that_a_power_cut_damaged_is_fetched_anew(
    upstream: FileUpstream, tmp_path: Path, left: bytes
) -> None:
    upstream.files["f"] = Given(data=SMALL)
    for _ in range(2):
        cache = FileCache(tmp_path, 100_000_000)
        body = await cache.open(wanted(SMALL, size=False), upstream.fetch("f"))
        assert await read_all(body) == SMALL
        await cache.settle()
        [kept] = kept_files(tmp_path)
        assert kept.read_bytes() == SMALL
        kept.write_bytes(left)
        await cache.close()
    assert upstream.asked["f"] == 2


async def test_who_is_late_to_find_a_file_damaged_leaves_the_new_one_alone(
    upstream: FileUpstream, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    upstream.files["f"] = Given(data=SMALL)
    cache = FileCache(tmp_path, 100_000_000)
    await read_all(await cache.open(wanted(SMALL), upstream.fetch("f")))
    await cache.settle()
    await cache.close()
    [kept] = kept_files(tmp_path)
    kept.write_bytes(bytes(len(SMALL)))

    begun, go, read = asyncio.Event(), asyncio.Event(), KeptBody.read

    async def late(body: KeptBody) -> AsyncGenerator[bytes, None]:
        monkeypatch.setattr(KeptBody, "read", read)
        begun.set()
        await go.wait()
        async for piece in read(body):
            yield piece

    monkeypatch.setattr(KeptBody, "read", late)
    cache = FileCache(tmp_path, 100_000_000)
    opening = asyncio.create_task(cache.open(wanted(SMALL), upstream.fetch("f")))
    await begun.wait()
    assert await read_all(await cache.open(wanted(SMALL), upstream.fetch("f"))) == SMALL
    await cache.settle()
    go.set()
    assert await read_all(await opening) == SMALL
    await cache.settle()
    assert [path.read_bytes() for path in kept_files(tmp_path)] == [SMALL]
    assert upstream.asked["f"] == 2
    await cache.close()


async def test_memory_takes_only_so_many_bytes_and_the_disk_has_the_rest(
    upstream: FileUpstream, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("indexgate.index.file_cache.IN_MEMORY", 2 * len(SMALL))
    cache = FileCache(tmp_path, 100_000_000)
    small = [str(number).encode() + SMALL[1:] for number in range(4)]
    for _ in range(2):
        for number, data in enumerate(small):
            upstream.files[str(number)] = Given(data=data)
            body = await cache.open(wanted(data), upstream.fetch(str(number)))
            assert await read_all(body) == data
            await cache.settle()
    assert cache.bytes_in_memory == 2 * len(SMALL)
    assert upstream.asked.total() == len(small)
    await cache.close()


async def test_a_small_file_in_memory_is_none_of_another_size(
    upstream: FileUpstream, cache: FileCache
) -> None:
    upstream.files["f"] = Given(data=SMALL)
    await read_all(await cache.open(wanted(SMALL), upstream.fetch("f")))
    await cache.settle()
    assert await cache.open_kept(replace(wanted(SMALL), size=len(SMALL) + 1)) is None
