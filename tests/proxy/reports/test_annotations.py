"""Findings as the lines of CI systems, whatever stands in them."""

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from indexgate.reports.annotations import Form, code_quality, lines
from indexgate.reports.ci_system import SYSTEMS, detect, root
from indexgate.reports.finding import Finding

HERE = Path.cwd()
FOUND = Finding(
    rule="too-new",
    level="error",
    message="demo==2.0: 100% new, [so]\nsaid 'all'",
    hint="Take 1.0",
    path="a,b/uv.lock",
    line=7,
)
NOWHERE = Finding(rule="past-the-gate", level="note", message="m")


@pytest.mark.parametrize(
    ("form", "found", "line"),
    [
        (
            "github",
            FOUND,
            (
                "::error file=a%2Cb/uv.lock,line=7,title=indexgate%3A too-new"
                "::demo==2.0: 100%25 new, [so]%0Asaid 'all'. Take 1.0"
            ),
        ),
        ("github", NOWHERE, "::notice title=indexgate%3A past-the-gate::m"),
        (
            "azure",
            FOUND,
            (
                "##vso[task.logissue type=error;sourcepath=a,b/uv.lock;linenumber=7;code=too-new;]"
                "demo==2.0: 100%AZP25 new, [so]%0Asaid 'all'. Take 1.0"
            ),
        ),
        ("azure", NOWHERE, "##vso[task.logissue type=warning;code=past-the-gate;]m"),
        (
            "teamcity",
            FOUND,
            (
                "##teamcity[inspection typeId='too-new' message='demo==2.0: 100% new, |[so|]|nsaid"
                " |'all|'. Take 1.0' file='a,b/uv.lock' line='7' SEVERITY='ERROR']"
            ),
        ),
    ],
)
def test_each_system_has_its_line(form: Form, found: Finding, line: str) -> None:
    assert list(lines([found], form, HERE))[-1] == line


def test_teamcity_is_told_each_kind_once_before() -> None:
    said = list(lines([FOUND, FOUND], "teamcity", HERE))
    assert [line.split()[0] for line in said] == [
        "##teamcity[inspectionType", "##teamcity[inspection", "##teamcity[inspection",
    ]  # fmt: skip


@given(st.text(), st.text(min_size=1), st.sampled_from(["github", "azure"]))
def test_nothing_in_a_finding_begins_a_line_of_its_own(text: str, path: str, form: Form) -> None:
    found = Finding(rule="r", level="error", message=text, path=path.replace("\0", ""), line=1)
    [line] = lines([found], form, HERE)
    assert "\n" not in line
    assert "\r" not in line
    head, _, _ = line.removeprefix("::").removeprefix("##vso[").partition("::")
    assert form == "azure" or head.count(",") == 2


def test_gitlab_gets_what_has_a_place() -> None:
    [entry] = json.loads(code_quality([FOUND, NOWHERE], HERE))
    assert entry["location"] == {"path": "a,b/uv.lock", "lines": {"begin": 7}}
    assert (entry["check_name"], entry["severity"]) == ("too-new", "major")
    assert entry["fingerprint"]


@pytest.mark.parametrize(
    ("environ", "system"),
    [
        ({"GITHUB_ACTIONS": "true", "CI": "true"}, "github"),
        ({"GITLAB_CI": "true"}, "gitlab"),
        ({"TF_BUILD": "True"}, "azure"),
        ({"BUILDKITE": "true"}, "buildkite"),
        ({"TEAMCITY_VERSION": "2026.1"}, "teamcity"),
        ({"CI": "true"}, None),
        ({"GITHUB_ACTIONS": "false"}, None),
        ({}, None),
    ],
)
def test_a_system_is_told_by_its_variable(environ: dict[str, str], system: str | None) -> None:
    assert detect(environ) == system
    assert system is None or system in SYSTEMS


def test_the_repository_is_what_the_system_names_around_the_folder(tmp_path: Path) -> None:
    inside = tmp_path / "sub"
    inside.mkdir()
    assert root({"GITHUB_WORKSPACE": str(tmp_path)}, inside) == tmp_path
    assert root({"GITHUB_WORKSPACE": str(inside)}, tmp_path) == tmp_path
    assert root({}, inside) == inside
