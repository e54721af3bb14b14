"""Range and If-Range against RFC 9110."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from indexgate.index.byte_range import ByteRange, RangeNotSatisfiable, asked_range

ETAG = '"sha256-00"'


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        ("bytes=0-0", (0, 1)),
        ("bytes=0-99", (0, 100)),
        ("bytes=0-100", (0, 100)),  # the end is cut to the file
        ("bytes=10-19", (10, 20)),
        ("bytes=99-", (99, 100)),
        ("bytes=0-", (0, 100)),
        ("bytes=-1", (99, 100)),
        ("bytes=-100", (0, 100)),
        ("bytes=-1000", (0, 100)),
        ("BYTES=1-2", (1, 3)),
        ("bytes= 1-2 ", (1, 3)),
        ("bytes=1-2,", (1, 3)),  # empty list elements do not count
        (None, None),
        ("bytes=1-2,4-5", None),  # several: the whole file is a legal answer
        ("bytes=5-4", None),
        ("bytes=", None),
        ("bytes=-", None),
        ("bytes", None),
        ("bytes=a-b", None),
        ("bytes=1 - 2", None),
        ("bytes=+1-2", None),
        ("bytes=\u0661-\u0662", None),  # digits, but not ASCII ones
        ("items=0-1", None),
        ("bytes=0-" + "9" * 5000, None),
    ],
)
def test_a_range_header_asks_for(header: str | None, expected: tuple[int, int] | None) -> None:
    asked = asked_range(header, None, size=100, etag=ETAG)
    assert (asked and (asked.start, asked.stop)) == expected


@pytest.mark.parametrize("header", ["bytes=100-", "bytes=100-200", "bytes=-0", "bytes=4000-4001"])
def test_a_range_outside_of_the_file_is_not_satisfiable(header: str) -> None:
    with pytest.raises(RangeNotSatisfiable) as caught:
        asked_range(header, None, size=100, etag=ETAG)
    assert caught.value.content_range == "bytes */100"


def test_an_empty_file_has_no_first_byte_but_a_suffix() -> None:
    assert asked_range("bytes=-5", None, size=0, etag=ETAG) is None
    with pytest.raises(RangeNotSatisfiable):
        asked_range("bytes=0-", None, size=0, etag=ETAG)


@pytest.mark.parametrize(
    ("if_range", "etag", "ranged"),
    [
        (None, ETAG, True),
        (ETAG, ETAG, True),
        (f"W/{ETAG}", ETAG, False),  # strong comparison only
        (f"W/{ETAG}", f"W/{ETAG}", False),
        ('"other"', ETAG, False),
        (ETAG, None, False),
        ("Sat, 21 Nov 2026 10:00:00 GMT", ETAG, False),  # no Last-Modified is ever sent
        (ETAG.strip('"'), ETAG.strip('"'), False),
    ],
)
def test_if_range_holds_only_for_the_same_strong_etag(
    if_range: str | None, etag: str | None, ranged: bool
) -> None:
    assert (asked_range("bytes=1-2", if_range, size=9, etag=etag) is not None) == ranged


def test_content_range_counts_the_last_byte_in() -> None:
    part = ByteRange(start=10, stop=20, size=100)
    assert (part.length, part.content_range) == (10, "bytes 10-19/100")


@given(st.text(max_size=40) | st.from_regex(r"bytes=\d{0,4}-\d{0,4}(,\d+-)?", fullmatch=True))
def test_any_header_gives_a_part_of_the_file_or_nothing(header: str) -> None:
    try:
        asked = asked_range(header, None, size=50, etag=None)
    except RangeNotSatisfiable:
        return
    assert asked is None or 0 <= asked.start < asked.stop <= asked.size == 50


@given(st.integers(1, 10_000), st.data())
def test_a_range_written_by_a_client_is_read_as_it_was_meant(
    size: int, data: st.DataObject
) -> None:
    start = data.draw(st.integers(0, size - 1))
    last = data.draw(st.integers(start, size - 1))
    whole = bytes(index % 251 for index in range(size))
    asked = asked_range(f"bytes={start}-{last}", None, size=size, etag=None)
    assert asked is not None
    assert whole[asked.start : asked.stop] == whole[start:][: last - start + 1]
