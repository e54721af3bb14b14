"""Whatever bytes the feed sends as its archive: records, or the one exception for broken ones."""

import io
import json
from contextlib import suppress
from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from indexgate.sources.osv_archive import BrokenArchive, Limits, census, holding
from tests.standins.osv import archive, malware

NOW = datetime(2026, 9, 2, tzinfo=UTC)
LIMITS = Limits()
NAME = "MAL-2026-1\N{LATIN SMALL LETTER E WITH ACUTE}.json"
GOOD = archive({NAME: json.dumps(malware(1, "bad")).encode(), "b.json": b"{}"})


def test_a_good_archive_is_read() -> None:
    found = census(io.BytesIO(GOOD), LIMITS, NOW)
    assert (found.records, found.skipped) == (1, 1)
    assert [record.id for record in holding(io.BytesIO(GOOD), LIMITS)] == ["MAL-2026-1"]


def test_a_member_whose_name_says_that_it_is_utf8_and_is_not_breaks_the_archive() -> None:
    wrong = GOOD.replace("é".encode(), b"\xff\xfe")
    with pytest.raises(BrokenArchive, match="cannot be read"):
        census(io.BytesIO(wrong), LIMITS, NOW)
    with pytest.raises(BrokenArchive, match="cannot be read"):
        list(holding(io.BytesIO(wrong), LIMITS))


@settings(deadline=None)
@given(
    st.dictionaries(st.integers(0, len(GOOD) - 1), st.integers(0, 255), min_size=1, max_size=6),
    st.integers(0, 40),
)
def test_an_archive_with_other_bytes_in_it_is_read_or_broken(
    others: dict[int, int], short: int
) -> None:
    body = bytearray(GOOD)
    for place, byte in others.items():
        body[place] = byte
    with suppress(BrokenArchive):
        census(io.BytesIO(bytes(body[: len(body) - short])), LIMITS, NOW)


@settings(deadline=None)
@given(st.binary(max_size=400))
def test_bytes_of_any_kind_are_read_or_broken(body: bytes) -> None:
    end = GOOD[GOOD.rindex(b"PK\x05\x06") :]
    for given_bytes in (body, body + end, GOOD[: GOOD.index(b"PK\x01\x02")] + body + end):
        with suppress(BrokenArchive):
            census(io.BytesIO(given_bytes), LIMITS, NOW)
