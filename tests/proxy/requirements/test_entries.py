"""Single lines: what asks the index, what goes elsewhere, what reads on, and what pip refuses."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pip._internal.req.req_file import OptionParsingError, get_line_parser

from indexgate.errors import GateError
from indexgate.requirements.entries import Elsewhere, Nested, Ordered, Wanted, read_line

A = "a" * 64
B = "b" * 64


def read(line: str) -> Any:
    return read_line(line, "r.txt:1")


@pytest.mark.parametrize(
    ("line", "name", "text"),
    [
        ("Foo_Bar==1.0", "foo-bar", "Foo_Bar==1.0"),
        ("demo", "demo", "demo"),
        ("demo >= 1, <2", "demo", "demo<2,>=1"),
        ("demo[b, a]==1", "demo", "demo[a,b]==1"),
        ('demo; python_version < "3"', "demo", 'demo; python_version < "3"'),
        ("demo===odd", "demo", "demo===odd"),
        ("demo (>=1)", "demo", "demo>=1"),
    ],
)
def test_a_requirement_asks_the_index(line: str, name: str, text: str) -> None:
    entry = read(line)
    assert isinstance(entry, Wanted)
    assert (entry.name, str(entry.requirement), entry.place) == (name, text, "r.txt:1")


@pytest.mark.parametrize(
    "options",
    [
        f"--hash=sha256:{A} --hash=sha512:{B}",
        f"--hash sha256:{A.upper()} --hash 'sha512:{B}'",
        f"--hash=sha256:{A} --hash=sha512:{B} --config-settings x=y --global-option=z",
    ],
)
def test_hashes_are_read(options: str) -> None:
    assert read(f"demo==1 {options}").hashes == {f"sha256:{A}", f"sha512:{B}"}


@pytest.mark.parametrize(
    ("line", "name"),
    [
        ("demo @ https://a.test/x.whl", "demo"),
        ("demo[x] @ git+https://a.test/x ; python_version > '3'", "demo"),
        ("https://a.test/demo-1.0.tar.gz", None),
        ("git+https://a.test/x.git@main#egg=De_Mo", "de-mo"),
        ("git+https://a.test/x.git#subdirectory=y&egg=demo", "demo"),
        ("-e git+https://a.test/x.git#egg=demo", "demo"),
        ("-e .", None),
        ("--editable=./x", None),
        (".", None),
        ("./here[extra]", None),
        ("../up/there", None),
        ("sub/folder", None),
        ("demo-1.0-py3-none-any.whl", None),
        ("demo-1.0.tar.gz", None),
        ("file:///x/demo", None),
    ],
)
def test_what_is_taken_from_elsewhere_is_told_apart(line: str, name: str | None) -> None:
    entry = read(line)
    assert isinstance(entry, Elsewhere)
    assert entry.name == name
    assert entry.reason


def test_an_address_is_shown_without_its_password() -> None:
    assert "hunter2" not in read("demo @ https://me:hunter2@a.test/x.whl").text
    assert "hunter2" not in read("https://me:hunter2@a.test/x.whl").text


@pytest.mark.parametrize(
    ("line", "path", "constraint"),
    [
        ("-r other.txt", "other.txt", False),
        ("-rother.txt", "other.txt", False),
        ("--requirement=other.txt", "other.txt", False),
        ("--requirem other.txt", "other.txt", False),
        ("-c 'a b.txt'", "a b.txt", True),
        ("--constraint c.txt", "c.txt", True),
        ("-r first.txt -r second.txt", "first.txt", False),
        ("-c c.txt -r r.txt", "r.txt", False),
    ],
)
def test_a_line_can_read_another_file(line: str, path: str, constraint: bool) -> None:
    assert read(line) == Nested(path=path, constraint=constraint, place="r.txt:1")


def test_a_requirement_on_the_line_wins_over_a_file() -> None:
    assert isinstance(read("demo==1 -r other.txt"), Wanted)


def test_options_alone_hold_for_the_whole_run() -> None:
    entry = read(
        "-i https://a.test/s --extra-index-url https://b.test -f ./w --pre --no-index"
        " --only-binary :all: --trusted-host a.test --require-hashes --use-feature x"
    )
    assert isinstance(entry, Ordered)
    options = entry.options
    assert options.index_url == "https://a.test/s"
    assert options.extra_index_urls == ("https://b.test",)
    assert options.find_links == ("./w",)
    assert (options.prereleases, options.no_index) == (True, True)
    assert options.picks == ("--only-binary :all:",)
    assert read("--all-releases :all:").options.prereleases
    assert not read("--all-releases demo").options.prereleases


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("demo==", "demo=="),
        ("demo=1", "demo=1"),
        ("a b", "a b"),
        ("demo --hash=md5:00", "none of sha256"),
        ("demo --hash=00", "a hash is written"),
        ("demo --hash", "--hash"),
        ("--no-such-option", "no such option"),
        ("demo --hash='sha256:00", "quotes"),
        ('demo; python_version ~ "3"', "python_version"),
        ("demo; nonsense", "nonsense"),
        ("\x1b[2Jdemo==", "\\x1b"),
    ],
)
def test_what_pip_would_not_read_is_an_error_with_its_place(line: str, words: str) -> None:
    with pytest.raises(GateError) as raised:
        read(line)
    assert raised.value.reference == "requirements-line"
    assert "r.txt:1" in raised.value.message
    assert words in raised.value.message
    assert raised.value.message.isprintable()


WORDS = ["demo==1", "-r", "x.txt", "--hash=sha256:00", "--requirement=y", "-c", "--pre", "'",
         '"a b"', "-e", ".", "--extra", "--index-url", "-i", "https://a.test", "--hash",
         "sha256:11", "-fx", "--", "-", "--only", "--require", "-Z"]  # fmt: skip


@given(st.lists(st.sampled_from(WORDS), min_size=1, max_size=6).map(" ".join))
def test_pip_reads_the_same_in_a_line(line: str) -> None:
    try:
        asked, options = get_line_parser(None)(line)
    except OptionParsingError:
        # `-Z`, which old pips had, and prefixes that stand for more here, may still be read.
        return
    try:
        entry = read(line)
    except GateError:
        # A requirement that cannot be read is refused later by pip, and here.
        assert asked or not options.requirements
        return
    match entry:
        case Wanted():
            assert str(entry.requirement) == asked
            theirs = {f"{kind}:{d}" for kind, all_ in (options.hashes or {}).items() for d in all_}
            assert entry.hashes == theirs
        case Elsewhere():
            assert asked or options.editables
        case Nested(constraint=False):
            assert (asked, entry.path) == ("", options.requirements[0])
        case Nested():
            assert (asked, entry.path) == ("", options.constraints[0])
        case Ordered():
            nothing = [options.editables, options.requirements, options.constraints]
            assert [asked, *filter(None, nothing)] == [""]
            assert list(entry.options.extra_index_urls) == (options.extra_index_urls or [])
            assert entry.options.index_url == options.index_url


@given(st.text(max_size=60))
def test_any_line_is_read_or_declined_in_words(line: str) -> None:
    told = ""
    try:
        read(line)
    except GateError as error:
        told = error.message
    assert told.isprintable()
