"""Logical lines: joined, without comments, with variables; pip's own reading is the measure."""

import codecs

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pip._internal.req.req_file import preprocess

from indexgate.errors import GateError
from indexgate.requirements.lines import decode, logical_lines

PIECES = ["a==1", " ", "\\", "\n", "#", " #", "# c", "--hash=sha256:00", "${A_1}", "${no}", "${B}",
          "\r\n", "\f", "\t", ";", "x", "\\\n", "\\\\", "$A_1", " "]  # fmt: skip


def lines(text: str, **environ: str) -> list[tuple[int, str]]:
    return list(logical_lines(text, environ))


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("a==1\nb==2\n", [(1, "a==1"), (2, "b==2")]),
        ("\n  \n# no\na==1 # why\n", [(4, "a==1")]),
        ("a==1 \\\n  --hash=sha256:00 \\\n  --hash=sha256:01\nb", [
            (1, "a==1   --hash=sha256:00   --hash=sha256:01"), (4, "b")]),
        ("a \\\n# ends it\nb", [(1, "a"), (3, "b")]),
        ("# no \\\na", [(2, "a")]),
        ("a\\", [(1, "a")]),
        ("git+https://a.test/x#egg=x", [(1, "git+https://a.test/x#egg=x")]),
    ],
)  # fmt: skip
def test_lines_are_joined_and_comments_go(text: str, found: list[tuple[int, str]]) -> None:
    assert lines(text) == found


def test_only_variables_in_braces_and_capitals_that_are_set_are_put_in() -> None:
    text = "${A_1} $A_1 ${a} ${EMPTY} ${GONE}"
    assert lines(text, A_1="x", a="y", EMPTY="") == [(1, "x $A_1 ${a} ${EMPTY} ${GONE}")]


@given(st.lists(st.sampled_from(PIECES), max_size=14).map("".join))
def test_pip_cuts_the_same_lines(text: str) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("A_1", "one")
        patch.delenv("B", raising=False)
        assert lines(text, A_1="one") == list(preprocess(text))


@pytest.mark.parametrize(
    "content",
    [
        "é==1".encode(),
        codecs.BOM_UTF8 + "é==1".encode(),
        codecs.BOM_UTF16_LE + "é==1".encode("utf-16-le"),
        codecs.BOM_UTF16_BE + "é==1".encode("utf-16-be"),
        codecs.BOM_UTF32_LE + "é==1".encode("utf-32-le"),
        codecs.BOM_UTF32_BE + "é==1".encode("utf-32-be"),
    ],
)
def test_a_file_is_utf_8_or_what_its_mark_says(content: bytes) -> None:
    assert decode(content, "r.txt") == "é==1"


def test_a_file_can_name_its_encoding_in_its_first_two_lines() -> None:
    assert decode("#!\n# -*- coding: latin-1 -*-\né".encode("latin-1"), "r.txt").endswith("é")


@pytest.mark.parametrize(
    "content", [b"\xff\xfe\x00", b"\xe9", b"# coding: no-such\nx", b"# coding: \xff", b"a\n\n\xff"]
)
def test_what_is_no_text_is_told_and_not_guessed(content: bytes) -> None:
    with pytest.raises(GateError) as raised:
        decode(content, "r.txt")
    assert raised.value.reference == "requirements-text"
    assert "`r.txt`" in raised.value.message
