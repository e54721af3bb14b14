"""What CI systems are told of a run, each in its own form."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from indexgate.reports.ci_system import SYSTEMS, System
from indexgate.run.ci_report import Job, findings, rules
from indexgate.run.job_summary import markdown
from indexgate.run.places import Places
from indexgate.run.summary import Told, heading

REFUSED = Told(
    kind="refused", project="demo", versions=("2.0",), rule="too-new", reason="demo 2.0 is new"
)
WITHHELD = Told(
    kind="withheld",
    project="other",
    versions=("3.0", "2.1"),
    rule="too-new",
    reason="it is new",
    instead=("2.0",),
)
WARNED = Told(kind="warned", project="old", versions=("1.0",), rule="stale", reason="it is old")
THINGS = (REFUSED, WITHHELD, WARNED)


@dataclass
class Heard:
    """All that a job was told."""

    out: list[str] = field(default_factory=list)
    err: list[str] = field(default_factory=list)
    files: dict[str, str] = field(default_factory=dict)


def report(
    system: System, folder: Path, things: Sequence[Told], environ: Mapping[str, str]
) -> Heard:
    told = Heard()

    def write(path: Path, text: str, after: bool) -> None:
        told.files[path.name] = told.files.get(path.name, "") * after + text

    job = Job(
        system=system,
        environ=environ,
        folder=folder,
        say=told.out.append,
        tell=told.err.append,
        write=write,
        time=lambda: 1234.5,
    )
    (folder / "requirements.txt").write_text("plain\ndemo\n", encoding="utf-8")
    places = Places(folder, [], Path.read_bytes)
    job.report(things, markdown="# M", text="the text" if things else "", places=places)
    return told


def test_github_has_a_summary_and_annotations(tmp_path: Path) -> None:
    told = report("github", tmp_path, THINGS, {"GITHUB_STEP_SUMMARY": str(tmp_path / "s.md")})
    assert told.files == {"s.md": "# M\n"}
    assert told.err == [
        (
            "::error file=requirements.txt,line=2,title=indexgate%3A too-new"
            "::refused: demo 2.0 is new (rule `too-new`)"
        ),
        (
            "::notice title=indexgate%3A too-new::withheld: other 3.0, 2.1: it is new"
            " (rule `too-new`); taken instead: 2.0"
        ),
        "::warning title=indexgate%3A stale::warned: old 1.0: it is old (rule `stale`)",
        "the text",
    ]
    assert told.out == []


def test_github_without_a_summary_file_has_annotations_all_the_same(tmp_path: Path) -> None:
    told = report("github", tmp_path, THINGS, {})
    assert told.files == {}
    assert len(told.err) == 4


def test_gitlab_has_a_section_and_a_report(tmp_path: Path) -> None:
    told = report("gitlab", tmp_path, THINGS, {})
    assert told.err[0].startswith("\x1b[0Ksection_start:1234:indexgate")
    assert told.err[0].endswith("indexgate: 1 refused, 1 withheld, 1 warned")
    assert told.err[1] == "the text"
    assert told.err[2].startswith("\x1b[0Ksection_end:1234:indexgate")
    [entry] = json.loads(told.files["gl-code-quality-report.json"])
    assert entry["location"] == {"path": "requirements.txt", "lines": {"begin": 2}}


def test_azure_has_issues_and_takes_the_summary_from_a_file(tmp_path: Path) -> None:
    told = report("azure", tmp_path, THINGS, {"AGENT_TEMPDIRECTORY": str(tmp_path)})
    assert told.files == {"indexgate-summary.md": "# M\n"}
    assert told.err[0].startswith("##vso[task.logissue type=error;sourcepath=requirements.txt;")
    assert f"##vso[task.uploadsummary]{tmp_path / 'indexgate-summary.md'}" in told.err


@pytest.mark.parametrize(("things", "mark"), [(THINGS, "+++"), ((), "---")])
def test_buildkite_has_a_group_that_is_open_if_there_is_something_to_tell(
    tmp_path: Path, things: tuple[Told, ...], mark: str
) -> None:
    told = report("buildkite", tmp_path, things, {})
    assert told.err[0] == f"{mark} indexgate: {heading(things)}"


def test_teamcity_is_told_on_stdout(tmp_path: Path) -> None:
    told = report("teamcity", tmp_path, THINGS, {})
    assert sum(line.startswith("##teamcity[inspection ") for line in told.out) == 3
    assert told.err == ["the text"]


@pytest.mark.parametrize("system", SYSTEMS)
def test_nothing_to_tell_is_told_without_a_fuss(tmp_path: Path, system: System) -> None:
    told = report(system, tmp_path, (), {"GITHUB_STEP_SUMMARY": str(tmp_path / "s.md")})
    assert not [line for line in (*told.out, *told.err) if "error" in line or "text" in line]


def test_findings_have_the_rules_that_are_described(tmp_path: Path) -> None:
    found = list(findings(THINGS, Places(tmp_path, [], Path.read_bytes)))
    assert {each.rule for each in found} == {rule.id for rule in rules(THINGS)}
    assert [each.level for each in found] == ["error", "note", "warning"]


def made(*things: Told, **more: str) -> str:
    said = {"policy": "balanced", "flags": "--policy p.toml", **more}
    return markdown(
        things,
        command=["pip", "install", "demo"],
        code=1,
        policy=said["policy"],
        flags=said["flags"],
        trouble=said.get("trouble"),
    )


def test_the_summary_has_a_row_for_each_thing_and_the_way_on() -> None:
    text = made(*THINGS, trouble="the disk was full")
    assert text.startswith("### indexgate: 1 refused, 1 withheld, 1 warned\n")
    assert "`pip install demo` ended with 1, behind the policy balanced." in text
    assert "| refused | demo | 2.0 | too-new | demo 2.0 is new |" in text
    assert "| withheld | other | 3.0, 2.1 | too-new | it is new (taken instead: 2.0) |" in text
    assert "`indexgate explain --policy p.toml demo==2.0`" in text
    assert "may lack something: the disk was full" in text


def test_a_summary_of_nothing_says_so() -> None:
    text = made()
    assert text.startswith("### indexgate: nothing refused, withheld or warned of\n")
    assert "|" not in text


def test_a_long_summary_is_cut_and_says_so() -> None:
    text = made(*[REFUSED] * 150)
    assert "| | 50 more | | | |" in text


def test_text_of_others_is_no_markup() -> None:
    bad = Told(
        kind="refused",
        project="demo",
        versions=("1",),
        rule="r",
        reason="a|b <img src=x> [link](http://a) `c` *d*\n| e",
    )
    [row] = [line for line in made(bad).splitlines() if line.startswith("| refused")]
    assert "<img" not in row
    assert r"a\|b &lt;img src=x&gt; \[link\](http://a) \`c\` \*d\* \| e" in row
