"""Where the options of pip's files stand, as configparser reads them."""

import configparser
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from indexgate.doctor import ini_lines
from indexgate.doctor.finding import Edit

PATH = Path("pip.conf")
TEXT = """\
; of the machine
[global]
    index_url = https://one.example.test/
    extra-index-url =
        https://two.example.test/

# still of it
        https://three.example.test/
    timeout: 5
[install]
--find-links=a
  b
"""


def _read(text: str | bytes) -> tuple[ini_lines.Option, ...]:
    content = text.encode() if isinstance(text, str) else text
    return ini_lines.read(PATH, lambda _path: content)


def _parsed(text: str) -> dict[tuple[str, str], str]:
    parser = configparser.RawConfigParser()
    parser.read_string(text)
    return {(name, key): value for name in parser.sections() for key, value in parser.items(name)}


def test_an_option_stands_on_all_its_lines_however_far_in() -> None:
    assert [(each.section, each.key, each.first, each.last) for each in _read(TEXT)] == [
        ("global", "index-url", 3, 3),
        ("global", "extra-index-url", 4, 8),
        ("global", "timeout", 9, 9),
        ("install", "find-links", 11, 12),
    ]
    values = {each.key: each.value.split() for each in _read(TEXT)}
    assert values["extra-index-url"] == ["https://two.example.test/", "https://three.example.test/"]
    assert values["find-links"] == ["a", "b"]


def test_a_file_that_is_not_there_has_none_and_one_that_is_broken_is_an_error() -> None:
    def gone(_path: Path) -> bytes:
        raise FileNotFoundError

    assert ini_lines.read(PATH, gone) == ()
    for content in (b"no section = 1\n", b"[global]\nx = \xff\n", b"[a]\nx = 1\nx = 2\n"):
        with pytest.raises(ValueError, match="not"):
            _read(content)


LINES = st.lists(
    st.sampled_from(
        ["[global]", "[install]", "  [wheel]", "index-url = a", "  find-links = b", "    c", "",
         "# c", "  ; d", "timeout: 5", "\tproxy=e", "no-index =", "      = f"]
    ),
    max_size=12,
)  # fmt: skip


@settings(deadline=None, max_examples=200)
@given(LINES)
def test_without_its_lines_an_option_is_gone_and_the_others_are_as_they_were(
    lines: list[str],
) -> None:
    text = "\n".join(lines) + "\n"
    try:
        before = _parsed(text)
    except configparser.Error:
        return
    found = _read(text)
    assert {(each.section, each.key) for each in found} == before.keys()
    for each in found:
        after = _parsed(Edit(path=PATH, first=each.first, last=each.last).applied(text))
        gone = (each.section, each.key)
        assert gone not in after
        left = {key: value.split() for key, value in before.items() if key != gone}
        assert {key: value.split() for key, value in after.items()} == left
