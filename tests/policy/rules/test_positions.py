"""Where keys stand: every path that `tomllib` finds, at the place a person would point to."""

import tomllib
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from indexgate_policy import policies
from indexgate_policy.rules.positions import Path, Position, nearest, positions

TEXT = '''\
version = 1   # not "a key = 3"
"odd.key" = 'a'

[[rule]]
id = """one
[[rule]]
"""
when.all = [
    { flag = { id = ["a", "b"] } }, # a ] comment
    { "any" = [{ kind = "sdist" }], not.yanked = true },
]

  [[rule]]
  when = { release_age = { below = "1d" } }
  [rule.more]
  day = 2026-01-31 10:00:00

[[rule.note]]
text = "x\\"]"
'''


@pytest.mark.parametrize(
    ("path", "line", "column"),
    [
        (("version",), 1, 1),
        (("odd.key",), 2, 1),
        (("rule", 0), 4, 1),
        (("rule", 0, "id"), 5, 1),
        (("rule", 0, "when"), 8, 1),
        (("rule", 0, "when", "all"), 8, 6),
        (("rule", 0, "when", "all", 0), 9, 5),
        (("rule", 0, "when", "all", 0, "flag", "id"), 9, 16),
        (("rule", 0, "when", "all", 0, "flag", "id", 1), 9, 27),
        (("rule", 0, "when", "all", 1, "any", 0, "kind"), 10, 18),
        (("rule", 0, "when", "all", 1, "not", "yanked"), 10, 41),
        (("rule", 1), 13, 3),
        (("rule", 1, "when", "release_age", "below"), 14, 28),
        (("rule", 1, "more", "day"), 16, 3),
        (("rule", 1, "note", 0, "text"), 19, 1),
    ],
)
def test_a_key_stands_where_a_person_would_point_to(path: Path, line: int, column: int) -> None:
    assert positions(TEXT)[path] == Position(line, column)


def test_what_is_not_there_stands_where_what_is_around_it_does() -> None:
    assert nearest(TEXT, ("rule", 1, "when", "no", "such")) == Position(14, 3)
    assert nearest(TEXT, ("rule", 9)) == Position(4, 1)
    assert nearest(TEXT, ("nothing",)) is None


def paths(value: object, above: Path = ()) -> Iterator[Path]:
    inner = (
        value.items()
        if isinstance(value, dict)
        else enumerate(value)
        if isinstance(value, list)
        else ()
    )
    for key, item in inner:
        yield (*above, key)
        yield from paths(item, (*above, key))


@pytest.mark.parametrize("name", policies.NAMES)
@pytest.mark.parametrize("ends", ["\n", "\r\n"])
def test_every_key_of_the_shipped_documents_is_found(name: str, ends: str) -> None:
    for raw in (policies.shipped(name), policies.shipped_cases(name)):
        text = raw.decode().replace("\n", ends)
        lines = text.split("\n")
        found = positions(text)
        for path in paths(tomllib.loads(text)):
            at = found[path]
            key = path[-1]
            header = f"[[{key}" if path in {("rule",), ("case",)} else key
            if isinstance(header, str):
                assert lines[at.line - 1][at.column - 1 :].startswith(header)


SIGNS = [*"ab.=[]{}\"'\\ 1", "[[", "]]", '"""', "'''", ", ", "\n", "# c\n", "true", '"x"']
LINES = ["a = 1\n", "[a]\n", "[a.b]\n", "[[b]]\n", "b.c = 1\n", "c = [1, {d = 2}]\n"]
PIECES = st.sampled_from([*SIGNS, *LINES])


@given(st.lists(PIECES, max_size=30).map("".join))
def test_every_key_of_any_document_is_found(text: str) -> None:
    try:
        data = tomllib.loads(text)
    except (ValueError, RecursionError):
        return
    found = positions(text)
    assert [path for path in paths(data) if path not in found] == []
