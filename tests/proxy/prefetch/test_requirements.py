"""What core metadata says is needed."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from packaging.specifiers import SpecifierSet

from indexgate.prefetch.environment import Environment, environment_of
from indexgate.prefetch.requirements import MOST, needs, requirements
from tests.proxy.prefetch.agents import agent
from tests.standins.packages import metadata_text


def on(told: str) -> Environment:
    environment = environment_of(told)
    assert environment is not None
    return environment


LINUX = on(agent())
WINDOWS = on(agent(system="Windows", cpu="AMD64", libc=None))


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("Other", ["other"]),
        ("other_thing.else", ["other-thing-else"]),
        ("other>=1,<2", ["other"]),
        ("other (>=1)", ["other"]),
        ("other[extra,more] ~= 1.0", ["other"]),
        ("other; python_version >= '3.10'", ["other"]),
        ("other; python_version < '3.10'", []),
        ("other; sys_platform == 'win32'", []),
        ("other; platform_machine == 'x86_64' and implementation_name == 'cpython'", ["other"]),
        ("other; extra == 'dev'", []),
        ("other>=1; python_version >= '3' and extra == 'dev'", []),
        ("other; extra == 'dev' or python_version >= '3'", ["other"]),
        ("other @ https://files.example.test/other-1.0.whl", []),
        ("other; nonsense == 'x'", []),
        ("other; python_version >", []),
        ("other>>1", []),
        ("../other", []),
        ("-other", []),
        ("", []),
    ],
)
def test_a_requirement_names_what_is_asked_for_on_linux(text: str, named: list[str]) -> None:
    assert [need.project for need in needs([text], LINUX)] == named


def test_a_text_that_is_no_requirement_is_passed_over_at_once() -> None:
    texts = requirements(b"".join(b"Requires-Dist: a" + b" " * 490 + b"@\n" for _ in range(MOST)))
    assert list(needs(texts, LINUX)) == []


def test_markers_are_those_of_the_one_who_asks() -> None:
    [need] = needs(["colorama; sys_platform == 'win32'"], WINDOWS)
    assert need.project == "colorama"


def test_an_extra_brings_what_it_needs_beside_the_rest() -> None:
    texts = ["always", "often; extra == 'socks'", "seldom; extra == 'other'"]
    found = needs(texts, LINUX, frozenset({"socks"}))
    assert [need.project for need in found] == ["always", "often"]


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ('other; extra == "One_More"', ["other"]),
        ("other; extra=='one.more' and python_version >= '3'", ["other"]),
        ("other; (extra == 'dev' or extra == 'one-more') and os_name == 'posix'", ["other"]),
        ("other; extra == 'one-more' and os_name == 'nt'", []),
        ("other; extra == 'one-more' and extra == 'dev'", []),
        ("other; extra != 'one-more'", ["other"]),
    ],
)
def test_an_extra_is_known_however_it_is_written(text: str, named: list[str]) -> None:
    assert [need.project for need in needs([text], LINUX, frozenset({"one-more"}))] == named


def test_versions_and_extras_go_with_the_name() -> None:
    [need] = needs(["other[One_More, two] >=1,<2"], LINUX)
    assert need.versions == SpecifierSet(">=1,<2")
    assert need.extras == {"one-more", "two"}


def test_metadata_says_it_in_its_head_alone() -> None:
    text = metadata_text("demo", "1.0", requires=["first>=1", "second"])
    assert requirements(text + b"\nRequires-Dist: not-this\n") == ("first>=1", "second")


def test_so_many_requirements_are_read_and_no_more() -> None:
    text = metadata_text("demo", "1.0", requires=[f"other-{number}" for number in range(MOST + 9)])
    assert len(requirements(text)) == MOST


@given(st.binary(), st.lists(st.text()))
def test_nothing_is_too_strange_to_read(metadata: bytes, texts: list[str]) -> None:
    requirements(metadata)
    requirements(b"Requires-Dist: " + metadata)
    list(needs(texts, LINUX, frozenset({"x"})))
    list(needs([f"other; {text}" for text in texts], LINUX))
