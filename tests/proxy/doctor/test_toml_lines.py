"""Where a value of a TOML file stands, and the changes that take it out or replace it."""

import tomllib
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from indexgate.doctor import toml_lines
from indexgate.doctor.toml_lines import TomlFile

PATH = Path("settings.toml")

TEXT = """\
# [[tool.uv.index]]
title = '''
[not.a.table]
url = "no"
'''
"quoted = key" = 1

[[tool.uv.index]]
name = "one"
url = "https://one.example.test/" # here

[[tool.uv.index]]
url = 'https://two.example.test/'

[tool.uv.index.inner]
a = 1

[tool.uv]
links = [
  "https://three.example.test/", # a ]
  'https://four.example.test/',
]
pip.index-url = "https://five.example.test/"
sources = { demo = { url = "https://six.example.test/" } }
"""


def _file(text: str) -> TomlFile:
    found = toml_lines.read(PATH, lambda _path: text.encode())
    assert found is not None
    return found


@pytest.mark.parametrize(
    ("keys", "line"),
    [
        (("title",), 2),
        (("quoted = key",), 6),
        (("tool", "uv", "index", 0), 8),
        (("tool", "uv", "index", 0, "url"), 10),
        (("tool", "uv", "index", 1, "url"), 13),
        (("tool", "uv", "index", 1, "inner", "a"), 16),
        (("tool", "uv", "links"), 19),
        (("tool", "uv", "links", 1), 21),
        (("tool", "uv", "pip", "index-url"), 23),
        (("tool", "uv", "sources", "demo", "url"), 24),
    ],
)
def test_a_value_is_found_on_its_line(keys: toml_lines.Keys, line: int) -> None:
    assert _file(TEXT).place(keys).line == line


def test_a_text_is_replaced_and_nothing_else() -> None:
    file = _file(TEXT)
    edit = file.replacing(("tool", "uv", "index", 0, "url"), "https://gate.example.test/")
    assert edit is not None
    changed = edit.applied(TEXT)
    assert changed == TEXT.replace("https://one.example.test/", "https://gate.example.test/")


def test_a_key_goes_with_all_its_lines_and_an_element_with_its_own() -> None:
    file = _file(TEXT)
    whole, element = file.without(("tool", "uv", "links")), file.without(("tool", "uv", "links", 0))
    assert whole is not None
    assert element is not None
    assert (whole.first, whole.last) == (19, 22)
    assert (element.first, element.last) == (20, 20)
    links = tomllib.loads(element.applied(TEXT))["tool"]["uv"]["links"]
    assert links == ["https://four.example.test/"]


def test_no_change_is_offered_that_would_not_do_it() -> None:
    file = _file('a = "x\\ty"\nb = ["one", "two"]\n')
    assert file.replacing(("a",), "z") is None  # written otherwise than it reads
    assert file.without(("b", 0)) is None  # the other one stands on the same line
    assert file.replacing(("c",), "z") is None
    assert file.without(("c",)) is None


def test_a_table_goes_with_all_that_is_in_it_unless_another_stands_between() -> None:
    text = "[a.b]\nx = 1\n[a.b.c]\ny = 2\n[d]\nz = 3\n"
    edit = _file(text).without_table(("a", "b"))
    assert edit is not None
    assert edit.applied(text) == "[d]\nz = 3\n"
    assert _file("[a.b]\n[d]\n[a.b.c]\n").without_table(("a", "b")) is None


def test_line_ends_of_windows_stay() -> None:
    text = '[a]\r\nb = "x"\r\nc = 1\r\n'
    edit = _file(text).replacing(("a", "b"), "y")
    assert edit is not None
    assert edit.applied(text) == '[a]\r\nb = "y"\r\nc = 1\r\n'


def test_a_file_that_is_not_there_is_none_and_one_that_is_broken_an_error() -> None:
    def gone(_path: Path) -> bytes:
        raise FileNotFoundError

    def closed(_path: Path) -> bytes:
        raise PermissionError(13, "Permission denied")

    assert toml_lines.read(PATH, gone) is None
    for reading, why in ((closed, "permission denied"), (lambda _: b"\xff", "not TOML")):
        with pytest.raises(ValueError, match=why):
            toml_lines.read(PATH, reading)


NAMES = st.sampled_from(["a", "b", '"x = y"', "'#'", "c-d"])
VALUES = st.sampled_from(
    [
        "1",
        '"text"',
        "'[t]'",
        '"""\nk = 1\n[t]\n"""',
        '[\n  "e", # ]\n  "f",\n]',
        "{ k = 'v' }",
        "[[1], [2]]",
        "1979-05-27",
        '[\n{ u = "a" },\n]',
    ]
)
TABLES = st.lists(
    st.tuples(
        st.sampled_from(["", "[t]", "[[t.s]]", "[ t . 'u' ] # c", "[[w]]"]),
        st.dictionaries(NAMES, VALUES, max_size=4),
    ),
    max_size=5,
)


@settings(deadline=None, max_examples=60)
@given(TABLES)
def test_statements_cover_the_file_and_each_is_whole(
    tables: list[tuple[str, dict[str, str]]],
) -> None:
    lines = [
        part
        for head, pairs in tables
        for part in (head, *(f"{name} = {value}" for name, value in pairs.items()), "# end")
    ]
    text = "\n".join(lines) + "\n"
    try:
        data = tomllib.loads(text)
    except tomllib.TOMLDecodeError:
        return
    found = toml_lines.statements(text)
    rows = text.splitlines()
    covered = {n for each in found for n in range(each.first, each.last + 1)}
    left = [row for n, row in enumerate(rows, 1) if n not in covered]
    assert all(not row.strip() or row.startswith("#") for row in left)
    file = TomlFile(path=PATH, text=text, data=data)
    for each in found:
        tomllib.loads("\n".join(rows[each.first - 1 : each.last]))
        assert file.get(*each.keys) is not None
        edit = file.without(each.keys)
        assert edit is None or tomllib.loads(edit.applied(text)) != data
