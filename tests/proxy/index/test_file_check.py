"""A file passes only when it is the listed one."""

import hashlib
from collections.abc import Mapping

import pytest

from indexgate.errors import GateError
from indexgate.index.file_check import FileCheck, approve
from indexgate.index.files import Wanted, pin_nothing
from indexgate.index.protocol import UpstreamFailed

DATA = b"a wheel, or so it says"
SHA256 = hashlib.sha256(DATA).hexdigest()
SHA512 = hashlib.sha512(DATA).hexdigest()
OTHER = hashlib.sha256(b"another").hexdigest()


def check(wanted: Wanted, data: bytes = DATA, announced: int | None = None) -> str:
    checking = FileCheck(wanted)
    checking.expect(announced)
    for start in range(0, len(data), 5):
        checking.update(data[start : start + 5])
    return checking.finish()


@pytest.mark.parametrize(
    "wanted",
    [
        Wanted(key="f"),
        Wanted(key="f", sha256=SHA256),
        Wanted(key="f", sha256=SHA256, size=len(DATA)),
        Wanted(key="f", hashes={"sha512": SHA512}),
        Wanted(key="f", hashes={"sha512": SHA512, "md5": hashlib.md5(DATA).hexdigest()}),
        Wanted(key="f", hashes={"shake_128": "00", "crc": "00"}),  # nothing that can be checked
        Wanted(key="f", first_seen=SHA256),
    ],
)
def test_the_listed_file_passes(wanted: Wanted) -> None:
    assert check(wanted) == SHA256


@pytest.mark.parametrize(
    ("wanted", "said"),
    [
        (Wanted(key="f", sha256=OTHER), "where the index lists"),
        (Wanted(key="f", size=len(DATA) - 1), "sent more than"),
        (Wanted(key="f", size=len(DATA) + 1), "ended after"),
        (Wanted(key="f", hashes={"sha512": SHA512, "md5": "00"}), "whose md5"),
        (Wanted(key="f", first_seen=OTHER), "changed since it was first seen"),
    ],
)
def test_any_other_file_is_refused(wanted: Wanted, said: str) -> None:
    with pytest.raises(UpstreamFailed, match=said) as caught:
        check(wanted)
    assert caught.value.kind == "hash"
    assert str(caught.value).isascii()


def test_a_length_other_than_the_listed_size_is_refused_before_any_byte() -> None:
    with pytest.raises(UpstreamFailed, match="where the index lists 5"):
        FileCheck(Wanted(key="f", size=5)).expect(6)


@pytest.mark.parametrize("announced", [len(DATA) - 1, len(DATA) + 1])
def test_a_file_of_another_length_than_announced_is_refused(announced: int) -> None:
    with pytest.raises(UpstreamFailed):
        check(Wanted(key="f"), announced=announced)


@pytest.mark.parametrize(
    ("hashes", "sha256", "others"),
    [
        ({}, None, {}),
        ({"sha256": SHA256}, SHA256, {}),
        ({"SHA256": SHA256.upper()}, SHA256, {}),
        ({"sha256": SHA256, "sha512": SHA512}, SHA256, {"sha512": SHA512}),
        ({"sha512": SHA512}, None, {"sha512": SHA512}),
    ],
)
def test_the_hashes_of_a_page_become_a_wish(
    hashes: Mapping[str, str], sha256: str | None, others: Mapping[str, str]
) -> None:
    wanted = Wanted.listed("f", hashes)
    assert (wanted.sha256, wanted.hashes) == (sha256, others)


@pytest.mark.parametrize("digest", ["", "00", "../" * 21 + "x", SHA256 + "0", SHA256 + "\n"])
def test_a_listed_sha256_that_is_none_is_never_passed_over(digest: str) -> None:
    with pytest.raises(UpstreamFailed, match="64 hexadecimal digits"):
        Wanted.listed("f", {"sha256": digest})
    with pytest.raises(ValueError, match="not a sha256"):
        Wanted(key="f", first_seen=digest)


async def test_a_file_without_a_listed_sha256_is_held_to_the_first_seen_one() -> None:
    pins: dict[str, str] = {}

    async def pin(key: str, sha256: str) -> str:
        return pins.setdefault(key, sha256)

    for data, passes in [(DATA, True), (DATA, True), (b"another", False)]:
        checking = FileCheck(Wanted(key="f"))
        checking.update(data)
        if passes:
            assert await approve(checking, Wanted(key="f"), pin) == SHA256
        else:
            with pytest.raises(UpstreamFailed, match="changed since it was first seen"):
                await approve(checking, Wanted(key="f"), pin)
    assert pins == {"f": SHA256}


async def test_a_file_that_cannot_be_pinned_does_not_pass() -> None:
    async def pin(_key: str, _sha256: str) -> str:
        raise GateError("store-full", "The disk of the store is full")

    checking = FileCheck(Wanted(key="f"))
    checking.update(DATA)
    with pytest.raises(UpstreamFailed, match="cannot be pinned: The disk of the store") as caught:
        await approve(checking, Wanted(key="f"), pin)
    assert caught.value.kind == "store"


async def test_without_a_memory_every_file_is_the_first() -> None:
    assert await pin_nothing("f", SHA256) == SHA256
