import pytest
from hypothesis import given
from hypothesis import strategies as st

from indexgate.sources.self_named import project
from indexgate_policy.signals import Unknown

NONE = Unknown(reason="the repository's build settings name no project")


@pytest.mark.parametrize(
    ("pyproject", "setup", "named"),
    [
        ('[project]\nname = "Foo.Bar"', "", "foo-bar"),
        ('[tool.poetry]\nname = "foo"', "[metadata]\nname = bar", "foo"),
        ("[build-system]\nrequires = []", "[metadata]\nname = Foo_Bar", "foo-bar"),
        ("", "[metadata]\nname = foo\nversion = %(x)s", "foo"),
        ("[project", "[metadata]\nname = foo", "foo"),
        ('[project]\nname = "../foo"', "", NONE),
        ('project = "x"', "", NONE),
        ('tool = "x"', "", NONE),
        ("", "[options]\nzip_safe = no", NONE),
        ("", "[options]\nname = foo", NONE),
        ("", "name = foo", NONE),
        ("", "", NONE),
        ("x = " + "[" * 5_000, "", NONE),
        ('[project]\nname = "foo"\n' + "#" * 200_001, "", NONE),
        (
            '[project]\nname = "all"\n[tool.uv.workspace]\nmembers = ["a"]',
            "",
            Unknown(reason="the repository holds several projects"),
        ),
    ],
)
def test_a_repository_is_what_its_build_settings_name(
    pyproject: str, setup: str, named: object
) -> None:
    assert project(pyproject, setup) == named


@pytest.mark.parametrize(
    ("pyproject", "setup"),
    [
        ("[" + ".".join("a" * 40_000) + "]\n" + "".join(f"b{n}=1\n" for n in range(15_000)), ""),
        ("", "[metadata]\na" + " " * 190_000 + "x"),
    ],
    ids=["dotted keys", "spaces"],
)
def test_files_written_to_take_minutes_name_nothing_at_once(pyproject: str, setup: str) -> None:
    # Would not end within the patience of anybody who runs the tests.
    assert project(pyproject, setup) == NONE


@given(st.text(), st.text())
def test_any_text_names_a_project_or_none(pyproject: str, setup: str) -> None:
    assert isinstance(project(pyproject, setup), str | Unknown)
