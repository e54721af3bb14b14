"""The documented CI step, run as a runner would: verbatim, with the variables that it sets."""

import json
import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from tests.end_to_end.clients import Scratch
from tests.end_to_end.conftest import REFUSING
from tests.end_to_end.test_locked import locked_by_hand
from tests.standins.packages import project, wheel
from tests.standins.upstream import Upstream

pytestmark = pytest.mark.end_to_end

PAGE = Path(__file__).parents[2] / "docs" / "tasks" / "use-in-ci.md"
STEP = re.compile(r"^\s*(?:- run: |- )?(gate/bin/indexgate (?:run|check) .*)$", re.MULTILINE)


def steps() -> list[str]:
    """Return every step that the page shows, once."""
    return list(dict.fromkeys(STEP.findall(PAGE.read_text(encoding="utf-8"))))


class Runner:
    """A checkout with the step's files in it, and the variables of a CI system."""

    def __init__(self, scratch: Scratch, upstream: Upstream) -> None:
        self.scratch = scratch
        self.folder = scratch.project
        self.summary = scratch.folder / "summary.md"
        program = self.folder / "gate" / "bin" / "indexgate"
        program.parent.mkdir(parents=True)
        program.write_text(
            f'#!/bin/sh\nexec {shlex.quote(sys.executable)} -m indexgate "$@"\n', encoding="utf-8"
        )
        program.chmod(0o755)
        pip = scratch.folder / "bin" / "pip"
        pip.parent.mkdir()
        pip.write_text(
            f"#!/bin/sh\ncommand=$1; shift\nexec {shlex.quote(sys.executable)} -m pip"
            f' "$command" --target {shlex.quote(str(scratch.target))} "$@"\n',
            encoding="utf-8",
        )
        pip.chmod(0o755)
        (self.folder / "policy.toml").write_text(REFUSING, encoding="utf-8")
        self.path = f"{pip.parent}{os.pathsep}{os.environ['PATH']}"
        self.settings = {
            "INDEXGATE_UPSTREAM": upstream.url,
            "INDEXGATE_STATE": str(scratch.folder / "state"),
            "INDEXGATE_OSV_URL": "",
            "INDEXGATE_PORT": "0",
        }

    def run(self, step: str, variables: dict[str, str]) -> "subprocess.CompletedProcess[str]":
        return subprocess.run(
            ["/bin/sh", "-ec", step],
            cwd=self.folder,
            env=self.scratch.environment() | self.settings | {"PATH": self.path} | variables,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=180,
            check=False,
        )

    def sarif(self) -> list[tuple[str, str, int]]:
        """Return rule, file and line of each result that was written."""
        log = json.loads((self.folder / "indexgate.sarif").read_text(encoding="utf-8"))
        places = [
            (result, result["locations"][0]["physicalLocation"])
            for result in log["runs"][0]["results"]
        ]
        return [
            (result["ruleId"], place["artifactLocation"]["uri"], place["region"]["startLine"])
            for result, place in places
        ]


@pytest.fixture
def runner(scratch: Scratch, upstream: Upstream) -> Runner:
    upstream.add(project("plain", wheel("plain", "1.0")))
    return Runner(scratch, upstream)


def test_the_page_has_a_step_that_installs_and_one_that_judges() -> None:
    assert [shlex.split(step)[1] for step in steps()] == ["run", "check"]


def test_the_step_fails_the_job_and_github_shows_why_and_where(runner: Runner) -> None:
    (runner.folder / "requirements.txt").write_text("app\ndemo==2.0\n", encoding="utf-8")
    github = {
        "CI": "true",
        "GITHUB_ACTIONS": "true",
        "GITHUB_WORKSPACE": str(runner.folder),
        "GITHUB_STEP_SUMMARY": str(runner.summary),
    }
    done = runner.run(steps()[0], github)
    assert done.returncode == 1, done.stderr
    summary = runner.summary.read_text(encoding="utf-8")
    assert "### indexgate: 1 refused" in summary
    assert "| refused | demo | 2.0 | too-new |" in summary
    [annotation] = [line for line in done.stderr.splitlines() if line.startswith("::error ")]
    assert annotation.startswith("::error file=requirements.txt,line=2,")
    assert ("too-new", "requirements.txt", 2) in runner.sarif()


def test_the_step_passes_what_may_be_installed_and_says_so(runner: Runner) -> None:
    (runner.folder / "requirements.txt").write_text("plain==1.0\n", encoding="utf-8")
    github = {"GITHUB_ACTIONS": "true", "GITHUB_STEP_SUMMARY": str(runner.summary)}
    done = runner.run(steps()[0], github)
    assert done.returncode == 0, done.stderr
    summary = runner.summary.read_text(encoding="utf-8")
    assert "nothing refused" in summary
    assert "::" not in done.stderr
    assert runner.sarif() == []


@pytest.mark.parametrize(
    ("variables", "sign"),
    [
        ({"GITLAB_CI": "true"}, "section_start:"),
        ({"TF_BUILD": "True"}, "##vso[task.uploadsummary]"),
        ({"BUILDKITE": "true"}, "+++ indexgate: 1 withheld"),
        ({"TEAMCITY_VERSION": "2026.1"}, "##teamcity[inspection "),
        ({}, "note: no CI system was recognised"),
    ],
)
def test_each_system_is_recognised_and_a_quiet_downgrade_can_fail_the_job(
    runner: Runner, variables: dict[str, str], sign: str
) -> None:
    (runner.folder / "requirements.txt").write_text("demo\n", encoding="utf-8")
    step = steps()[0].replace(" --ci ", " --ci --fail-on withheld ")
    done = runner.run(step, variables)
    assert done.returncode == 1, done.stderr
    assert sign in done.stderr + done.stdout
    assert "taken instead: 1.1" in done.stderr


def test_the_step_that_judges_a_lock_points_at_its_line(runner: Runner, upstream: Upstream) -> None:
    text = locked_by_hand(upstream, "2.0")
    (runner.folder / "uv.lock").write_text(text, encoding="utf-8")
    done = runner.run(steps()[1], {"GITHUB_ACTIONS": "true"})
    assert done.returncode == 1, done.stderr
    line = text[: text.index('[[package]]\nname = "demo"')].count("\n") + 1
    assert f"::error file=uv.lock,line={line}," in done.stdout
    assert runner.sarif() == [("too-new", "uv.lock", line)]
