"""`refresh` and `sources`: what is said on which stream, and the exit codes."""

import io
import json
import os
import signal
import subprocess
import sys
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from rich.console import Console

from indexgate.cli.main import run
from indexgate.cli.refresh_forms import print_intended, print_refreshed
from indexgate.observing import Failure
from indexgate.refreshed import DayRow, Intended, ProjectRow, Question, Refreshed
from indexgate.sources.day_log import Plan
from indexgate_policy.flags import Flag, Severity
from indexgate_policy.health.result import HealthScore
from tests.standins.packages import project, wheel
from tests.standins.upstream import Upstream

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
PROJECTS = [project(f"demo-{number}", wheel(f"demo-{number}", "1.0")) for number in range(30)]


def arguments(upstream: Upstream, folder: Path, *more: str) -> list[str]:
    chosen = ["--upstream", upstream.url, "--state", str(folder / "state"), "--policy", "observe"]
    return [*more, *chosen]


def shown(printed: Refreshed | Intended, width: int = 160) -> str:
    stream = io.StringIO()
    console = Console(file=stream, width=width, highlight=False)
    if isinstance(printed, Refreshed):
        print_refreshed(printed, console)
    else:
        print_intended(printed, console)
    return stream.getvalue()


def test_what_is_refreshed_is_told_on_stdout_and_all_else_on_stderr(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with Upstream(*PROJECTS) as upstream:
        assert run(["refresh", "demo-1", "Demo.2", *arguments(upstream, tmp_path)]) == 0
    told = capsys.readouterr()
    assert "demo-1" in told.out
    assert "demo-2" in told.out
    assert "2 refreshed" in told.out
    assert "projects: 2" in told.err


def test_json_has_every_project_and_the_exit_code_says_that_one_failed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "r.txt").write_text("demo-1==1.0\nnowhere>2\n", encoding="utf-8")
    with Upstream(*PROJECTS) as upstream:
        more = arguments(upstream, tmp_path, "refresh", "--json", "-r", str(tmp_path / "r.txt"))
        assert run(more) == 2
    document = json.loads(capsys.readouterr().out)
    assert [row["state"] for row in document["projects"]] == ["refreshed", "failed"]
    assert document["projects"][1]["error"] == "the index has no project of that name"
    assert document["stopped"] is False


def test_a_dry_run_asks_nobody(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with Upstream(*PROJECTS) as upstream:
        code = run(arguments(upstream, tmp_path, "refresh", "demo-1", "--dry-run"))
        assert (code, upstream.log) == (0, [])
    assert "project-json" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ([], "Nothing to refresh"),
        (["--source", "project-json"], "Nothing to refresh"),
        (["--source", "nobody"], "there is no source"),
        (["--day", "2026-11-01"], "no source is on"),
        (["--day", "2026-11-01", "--dry-run"], "no source is on"),
        (["a b"], "`a b` names no project"),
        (["--day", "yesterday"], "`yesterday` is no day"),
        (["--day", "2026-02-30"], "is no day"),
        (["--day", "2026-11-02..2026-11-01"], "is no day"),
        (["demo-1", "--source", "gitgub"], "there is no source `gitgub`"),
        (["demo-1", "--source", "deps-dev"], "`deps-dev` is off: the upstream is not the public"),
    ],
)
def test_what_cannot_be_meant_is_an_error(
    given: list[str], words: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with Upstream() as upstream:
        assert run(arguments(upstream, tmp_path, "refresh", *given)) == 2
    assert words in capsys.readouterr().err


@pytest.mark.skipif(sys.platform == "win32", reason="there is no SIGINT to send")
def test_ctrl_c_ends_a_refresh_with_what_is_done(tmp_path: Path) -> None:
    with Upstream(*PROJECTS) as upstream:
        held = upstream.hold("/simple/demo-2/")
        names = [f"demo-{number}" for number in range(30)]
        with subprocess.Popen(
            [sys.executable, "-m", "indexgate", *arguments(upstream, tmp_path, "refresh", *names)],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env={**os.environ, "COLUMNS": "120"},
        ) as process:
            try:
                held.wait_reached(60)
                process.send_signal(signal.SIGINT)
                out, err = process.communicate(timeout=60)
            finally:
                process.kill()
    assert process.returncode == 130, err
    assert "stopped; the same command goes on from here" in err
    assert "not reached" in out


def test_sources_says_of_each_whether_it_is_on_and_why(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with Upstream() as upstream:
        assert run(arguments(upstream, tmp_path, "sources", "--upstream-public", "yes")) == 0
        text = capsys.readouterr().out
        assert "deps-dev: " in text
        assert "`pepy_key` is not set" in text
        assert run(arguments(upstream, tmp_path, "sources", "--json")) == 0
        rows = {row["name"]: row for row in json.loads(capsys.readouterr().out)}
        assert upstream.log == []
    assert rows["project-json"]["on"] is True
    assert rows["deps-dev"]["on"] is False
    assert "not the public index" in rows["deps-dev"]["why"]
    assert rows["project-json"]["signals"]


def test_the_closing_table_has_score_flags_and_what_failed() -> None:
    score = HealthScore(
        formula="hs-1", value=71.6, uncapped=71.6, confidence=0.55, grade="B", lines=()
    )
    flag = Flag(check="typosquat", severity=Severity.HIGH, evidence="It looks like another")
    failure = Failure(source="deps-dev", kind="status", reason="answered 500")
    text = shown(
        Refreshed(
            index="https://index.example.test/simple/",
            at=NOW,
            projects=(
                ProjectRow(
                    project="demo",
                    state="refreshed",
                    score=score,
                    flags=(flag,),
                    asked=("pypistats",),
                    failures=(failure,),
                ),
                ProjectRow(project="other", state="not reached"),
            ),
            days=(
                DayRow(day=date(2026, 11, 20), source="bigquery", projects=1234, rows=56789),
                DayRow(day=date(2026, 11, 19), source="bigquery", error="the budget is used up"),
            ),
            billed=3 * 10**9,
            dollars=0.02,
        )
    )
    for words in (
        "72 B", "0.55", "typosquat (high)", "deps-dev answered 500", "not reached",
        "1,234", "56,789", "the budget is used up", "billed: 3.0 GB ($0.02",
    ):  # fmt: skip
        assert words in text


def test_what_is_intended_has_counts_names_limits_and_money() -> None:
    question = Question(
        source="deps-dev",
        projects=5,
        perhaps=2,
        names=("a", "b", "c", "d", "e"),
        left="600 of 600 a minute",
        costs="nothing",
    )
    plan = Plan(
        source="bigquery",
        day=date(2026, 11, 20),
        settled=False,
        jobs=2,
        most_bytes=10**10,
        likely_bytes=10**9,
        likely_dollars=0.01,
        left_bytes=10**12,
        labels={},
    )
    text = shown(
        Intended(
            index="https://index.example.test/simple/",
            projects=5,
            questions=(question,),
            days=(plan,),
            untold=(DayRow(day=date(2026, 11, 19), source="bigquery", error="no credentials"),),
        )
    )
    for words in (
        "5 and up to 2 more", "a, b, c and 2 more", "600 of 600", "2026-11-20 (not settled)",
        "1.0 GB, $0.01", "10.0 GB", "no credentials",
    ):  # fmt: skip
        assert words in text
