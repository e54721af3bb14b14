from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from indexgate_policy.rules.wording import moment, moment_after, plain, slug


@given(st.text(), st.integers(10, 200))
def test_plain_text_is_one_short_line_of_printable_ascii(text: str, limit: int) -> None:
    line = plain(text, limit)
    assert len(line) <= limit
    assert all(" " <= letter <= "~" for letter in line)
    assert line == line.strip()


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("as it is", "as it is"),
        ("caf\N{LATIN SMALL LETTER E WITH ACUTE}", "cafe"),
        ("p\N{CYRILLIC SMALL LETTER A}ypal", "p?ypal"),
        ("a\r\nSet-Cookie: b", "a Set-Cookie: b"),
        ("a\x1b[31mred\x00", "a [31mred"),
        ("\N{RIGHT-TO-LEFT OVERRIDE}gpj", "gpj"),
    ],
)
def test_foreign_and_control_characters_are_folded(text: str, line: str) -> None:
    assert plain(text) == line


def test_a_long_text_is_cut_at_a_word() -> None:
    assert plain("one two three four", 14) == "one two..."


@given(st.text())
def test_a_slug_is_short_and_fits_into_a_url(text: str) -> None:
    assert 0 < len(slug(text)) <= 80
    assert set(slug(text)) <= set("abcdefghijklmnopqrstuvwxyz0123456789.-")


def test_a_slug_keeps_the_words_and_whole_dates() -> None:
    reason = (
        "demo 2.0 was uploaded 2026-11-21 09:00 UTC; policy passes it from 2026-11-24 09:00 UTC"
    )
    assert slug(reason) == (
        "demo-2.0-was-uploaded-2026-11-21-09-00-utc-policy-passes-it-from-2026-11-24"
    )
    assert slug("...") == "refused"


def test_moments_are_told_in_utc_and_never_too_early() -> None:
    east = datetime(2026, 11, 22, 12, 30, 5, tzinfo=timezone(timedelta(hours=2)))
    assert moment(east) == "2026-11-22 10:30 UTC"
    assert moment_after(east) == "2026-11-22 10:31 UTC"
    assert moment_after(datetime(2026, 1, 1, tzinfo=UTC)) == "2026-01-01 00:00 UTC"
    assert moment_after(datetime.max.replace(tzinfo=UTC)) == "9999-12-31 23:59 UTC"


def test_nothing_that_a_ci_system_takes_for_a_command_is_left() -> None:
    assert plain("yanked ##vso[task.prependpath]/x") == "yanked # #vso[task.prependpath]/x"
    assert plain("##[group]") == "# #[group]"
    assert plain("see ## 2") == "see ## 2"
