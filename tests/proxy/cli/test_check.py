"""`check`: requirements in, a table or JSON out, an exit code to act on."""

import io
import json
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from indexgate.checked import Check, Checked
from indexgate.cli.check import tell
from indexgate.cli.check_forms import as_json, print_table
from indexgate.cli.check_reports import FailOn, exit_code
from indexgate.cli.main import run
from indexgate_policy.rules.verdict import Warned
from tests.proxy.web.running import TOO_NEW
from tests.standins.packages import project, wheel
from tests.standins.upstream import Upstream

NOW = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)


def row(action: Any = "allow", **facts: Any) -> Checked:
    return Checked(requirement="demo==1", place="r.txt:1", action=action, **facts)


def made(*rows: Checked, **facts: Any) -> Check:
    return Check(
        at=NOW,
        index="https://index.example.test/simple/",
        policy="balanced",
        policy_digest="abc",
        requirements=rows,
        **facts,
    )


def shown(check: Check, width: int = 200) -> str:
    stream = io.StringIO()
    print_table(check, Console(file=stream, width=width, highlight=False))
    return stream.getvalue()


@pytest.mark.parametrize(
    ("rows", "code", "strict"),
    [
        ([], 0, 0),
        (["allow", "warn", "skipped"], 0, 0),
        (["refuse"], 1, 1),
        (["refuse", "failed"], 1, 1),
        (["failed", "allow"], 2, 2),
        (["not judged"], 0, 1),
        (["not judged", "failed"], 2, 1),
    ],
)
def test_the_exit_code_says_whether_anything_is_refused(
    rows: list[str], code: int, strict: int, capsys: pytest.CaptureFixture[str]
) -> None:
    check = made(*map(row, rows))
    assert exit_code(check, ["refuse"], strict=False) == code
    assert exit_code(check, ["refuse"], strict=True) == strict
    for form in (True, False):
        tell(check, as_json=form)
        assert "requirement" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("action", "fail_on", "code"),
    [
        ("refuse", ["refuse"], 1),
        ("unlisted", ["refuse"], 1),
        ("warn", ["refuse"], 0),
        ("warn", ["warn"], 1),
        ("unlisted", ["warn"], 1),
        ("not judged", ["warn"], 0),
        ("not judged", ["unjudged"], 1),
        ("failed", ["unjudged"], 1),
        ("failed", ["warn"], 2),
        ("refuse", ["unjudged"], 1),
        ("warn", ["unjudged", "warn"], 1),
        ("refuse", ["never"], 0),
        ("failed", ["never"], 0),
        ("skipped", ["warn", "unjudged"], 0),
    ],
)
def test_what_to_fail_on_can_be_chosen(action: str, fail_on: list[FailOn], code: int) -> None:
    assert exit_code(made(row(action)), fail_on, strict=False) == code


@pytest.mark.parametrize(
    ("fail_on", "strict", "code"),
    [
        (["refuse"], False, 0),
        (["refuse"], True, 1),
        (["warn"], False, 1),
        (["unjudged"], False, 1),
        (["never"], False, 0),
    ],
)
def test_what_leads_past_the_gate_fails_where_what_is_not_judged_does(
    fail_on: list[FailOn], strict: bool, code: int
) -> None:
    found = made(row(), ways_past=("`--extra-index-url x` leads away",), notes=("odd",))
    assert exit_code(found, fail_on, strict=strict) == code
    assert exit_code(made(row(), notes=("odd",)), fail_on, strict=strict) == 0


def test_a_long_table_leaves_out_what_simply_passes() -> None:
    rows = [*[row()] * 50, row("refuse", reason="so bad"), row(notes=("upstream yanked it",))]
    stream = io.StringIO()
    print_table(made(*rows), Console(file=stream, width=200, highlight=False), whole=False)
    text = stream.getvalue()
    assert text.count("demo==1") == 2
    assert "50 that pass or are skipped are not shown; `--all` shows them" in text
    assert "52 requirements by policy balanced: 51 pass, 1 refused" in text
    assert shown(made(*rows)).count("demo==1") == 52


@pytest.mark.parametrize(
    ("facts", "words"),
    [
        ({"action": "refuse", "rule": "too-new", "reason": "demo is new"}, "demo is new"),
        ({"action": "refuse", "hint": "take 0.9"}, "hint: demo==1 (r.txt:1): take 0.9"),
        ({"chosen": "newest", "version": "1", "how": "the newest of 3"}, "1 (the newest of 3)"),
        ({"chosen": "pinned", "version": "1", "how": "pinned"}, "│ 1       │"),
        ({"action": "warn", "warnings": (Warned(rule="w", reason="so old"),)}, "so old"),
        ({"notes": ("upstream yanked it",)}, "upstream yanked it"),
        ({"action": "not judged", "reason": "asks no index"}, "1 not judged"),
        ({"action": "failed", "reason": "no such project"}, "1 could not be judged"),
    ],
)
def test_the_table_tells_what_came_of_each(facts: dict[str, Any], words: str) -> None:
    assert words in shown(made(row(**facts)))


def test_the_table_tells_what_leads_past_the_gate_and_sums_up() -> None:
    text = shown(
        made(
            row(),
            row("refuse"),
            ways_past=("`-i x` leads away",),
            notes=("`--pre` is odd",),
            feed_failure="osv is down",
        )
    )
    assert "warning: `-i x` leads away" in text
    assert "note: `--pre` is odd" in text
    assert "advisories could not be read: osv is down" in text
    assert "2 requirements by policy balanced: 1 pass, 1 refused" in text


def unjudged_row(project: str, action: Any = "warn", *, why: str = "no feed") -> Checked:
    reason = f"{project} 1 cannot be judged by the rule malware: {why}"
    said: dict[str, Any] = {"warnings": (Warned(rule="malware", reason=reason),)}
    if action == "refuse":
        said = {"rule": "malware", "reason": reason, "hint": "wait for the feed"}
    return Checked(
        requirement=f"{project}==1", place="r.txt:1", action=action, project=project, **said
    )


@pytest.mark.parametrize("action", ["warn", "refuse"])
def test_what_several_projects_cannot_be_judged_by_is_said_once(action: str) -> None:
    check = made(*(unjudged_row(name, action) for name in "abc"))
    text = shown(check)
    assert text.count("no feed") == 1
    assert "\n3 packages cannot be judged by the rule `malware`: no feed\n" in text
    assert text.count("see below") == 3
    assert text.count("hint: 3 requirements: wait for the feed") == (action == "refuse")
    assert text.count("wait for the feed") == (action == "refuse")
    assert as_json(check).count("no feed") == 3


def test_reasons_that_differ_stand_where_they_belong() -> None:
    text = shown(made(unjudged_row("a"), unjudged_row("a"), unjudged_row("b", why="no owner")))
    assert "packages" not in text
    assert text.count("a 1 cannot be judged by the rule malware: no feed") == 2
    assert text.count("b 1 cannot be judged by the rule malware: no owner") == 1


def test_text_from_others_moves_no_cursor_and_is_no_markup() -> None:
    text = shown(made(row("refuse", reason="\x1b[2J[red]boo[/red]", hint="\x1b[3J")))
    assert "\x1b" not in text
    assert "[red]boo[/red]" in text


def test_text_from_others_gives_a_ci_system_no_commands() -> None:
    said = "1\n ::stop-commands::x ##vso[task.prependpath]/evil ##teamcity[x] ##[group]x # ::"
    found = made(row("not judged", project="demo", reason=said, hint=said))
    out = io.StringIO()
    print_table(found, Console(file=out, width=300))
    printed = out.getvalue() + as_json(found)
    assert "##" not in printed
    assert not any(line.lstrip().startswith("::") for line in printed.splitlines())
    assert "# #vso[task.prependpath]/evil" in printed
    assert json.loads(as_json(found))["requirements"][0]["reason"] == said


def test_json_has_one_object_for_each_requirement() -> None:
    document = json.loads(as_json(made(row(), row("not judged", extras=("x",)))))
    assert [each["action"] for each in document["requirements"]] == ["allow", "not judged"]
    assert document["requirements"][1]["extras"] == ["x"]
    assert document["at"] == "2026-11-20T12:00:00Z"
    assert document["counts"] == {"allow": 1, "not judged": 1}


@pytest.fixture
def upstream() -> Iterator[Upstream]:
    fresh = datetime.now(UTC) - timedelta(hours=2)
    with Upstream(
        project("demo", wheel("demo", "1.0"), wheel("demo", "2.0", upload_time=fresh)),
        project("other", wheel("other", "1.0")),
    ) as server:
        yield server


@pytest.fixture
def common(upstream: Upstream, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Return the flags of every call."""
    monkeypatch.setenv("PIP_CONFIG_FILE", "/dev/null")
    policy = tmp_path / "policy.toml"
    policy.write_text(TOO_NEW, encoding="utf-8")
    return ["--upstream", upstream.url, "--state", str(tmp_path / "s"), "--policy", str(policy)]


def test_requirements_come_from_the_command_line_files_and_the_standard_input(
    common: list[str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    (tmp_path / "r.txt").write_text("demo\n-c c.txt\n-i https://a.test/s", encoding="utf-8")
    (tmp_path / "c.txt").write_text("demo<3\n", encoding="utf-8")
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(b"other==1.0 # why\n")))
    arguments = ["check", "other", "-", "-r", str(tmp_path / "r.txt"), "--json", *common]
    assert run(arguments) == 0
    document = json.loads(capsys.readouterr().out)
    found = {
        (each["requirement"], Path(each["place"]).name): each["version"]
        for each in document["requirements"]
    }
    assert found == {
        ("other", "command line"): "1.0",
        ("demo", "r.txt:1"): "1.0",
        ("other==1.0", "standard input:1"): "1.0",
    }
    assert "past the gate" in document["ways_past"][0]


def test_a_refused_pin_ends_with_1_and_an_unknown_project_with_2(
    common: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["check", "demo==2.0", "other", *common]) == 1
    assert "1 pass, 1 refused" in capsys.readouterr().out
    assert run(["check", "gone", "other", *common]) == 2
    assert "the index has no project gone" in " ".join(
        line.split("│")[-2].strip() for line in capsys.readouterr().out.splitlines() if "│" in line
    )
    assert run(["check", "./here", *common]) == 0
    assert run(["check", "./here", "--strict", *common]) == 1


@pytest.mark.parametrize("what", ["demo==2.0", "demo.lock"])
def test_what_is_for_a_team_passes_for_that_team_alone(
    common: list[str], what: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    teams, policy, lock = tmp_path / "teams.toml", tmp_path / "teams-policy.toml", what
    teams.write_text('[[team]]\nname = "web"\nlabel = "web"\n')
    policy.write_text(
        f'{TOO_NEW}[[exemption]]\nproject = "demo"\nrule = "too-new"\nteam = "data"\n'
        'reason = "why"\nowner = "me"\nexpires = 2099-01-31\n'
    )
    if what == "demo.lock":
        lock = str(tmp_path / "requirements.txt")
        Path(lock).write_text("demo==2.0\n")
    given = [*common, "--config", str(teams), "--policy", str(policy)]
    for asking, code in (([], 1), (["--team", "web"], 1), (["--team", "data"], 0)):
        assert run(["check", lock, *asking, *given]) == code
        explained = run(["explain", "demo==2.0", *asking, *given])
        assert explained == code
    assert run(["check", lock, "--team", "dta", *given]) == 2
    assert "Did you mean `data`?" in capsys.readouterr().err


def test_a_constraint_on_the_command_line_bounds_the_choice(
    common: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "c.txt").write_text("demo==2.0\n", encoding="utf-8")
    assert run(["check", "demo", "-c", str(tmp_path / "c.txt"), *common]) == 1
    assert "2.0" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ([], "Nothing to check"),
        (["-c", "c.txt"], "Nothing to check"),
        (["a b"], "requirements-line"),
        (["-r", "gone.txt"], "cannot read `gone.txt`: no such file"),
    ],
)
def test_wrong_use_ends_with_2(
    arguments: list[str], words: str, common: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["check", *arguments, *common]) == 2
    output = capsys.readouterr()
    assert words in output.err
    assert output.out == ""


class Terminal(io.StringIO):
    """Standard error as a terminal."""

    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(("count", "told"), [(10, False), (11, True)])
def test_progress_is_shown_on_a_terminal_when_the_list_is_long(
    count: int,
    told: bool,
    common: list[str],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(sys, "stderr", terminal := Terminal())
    assert run(["check", *["other"] * count, "--json", *common]) == 0
    assert ("checking" in terminal.getvalue()) is told
    assert len(json.loads(capsys.readouterr().out)["requirements"]) == count


def lock(tmp_path: Path, upstream: Upstream, version: str) -> str:
    """Write a `uv.lock` that pins `demo` to *version* as the index has it."""
    file = wheel("demo", version)
    text = (
        'version = 1\n\n[[package]]\nname = "demo"\n'
        f'version = "{version}"\nsource = {{ registry = "{upstream.url}" }}\n'
        f'wheels = [\n    {{ url = "{upstream.file_url(file)}", hash = "sha256:{file.sha256}" }},'
        "\n]\n"
    )
    path = tmp_path / "uv.lock"
    path.write_text(text, encoding="utf-8")
    return str(path)


def test_a_lock_is_judged_and_its_findings_are_told_in_every_form(
    common: list[str],
    tmp_path: Path,
    upstream: Upstream,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    path = lock(tmp_path, upstream, "2.0")
    assert run(["check", path, "--sarif", "out.sarif", "--annotations", "github", *common]) == 1
    output = capsys.readouterr()
    assert "1 refused" in output.out
    assert "::error file=uv.lock,line=3,title=indexgate%3A too-new::" in output.out
    [result] = json.loads((tmp_path / "out.sarif").read_text())["runs"][0]["results"]
    assert result["ruleId"] == "too-new"
    assert run(["check", path, "--fail-on", "never", "--sarif", "-", *common]) == 0
    assert json.loads(capsys.readouterr().out)["version"] == "2.1.0"
    gitlab = ["check", "-r", path, "--annotations", "gitlab", "--json", *common]
    assert run(gitlab) == 1
    assert json.loads(capsys.readouterr().out)["counts"] == {"refuse": 1}
    [entry] = json.loads((tmp_path / "gl-code-quality-report.json").read_text())
    assert entry["location"] == {"path": "uv.lock", "lines": {"begin": 3}}


def test_a_lock_that_passes_says_so(
    common: list[str], tmp_path: Path, upstream: Upstream, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["check", lock(tmp_path, upstream, "1.0"), *common]) == 0
    assert "1 requirement by policy" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["uv.lock"], "cannot read `uv.lock`: no such file"),
        (["requirements.txt"], "cannot read `requirements.txt`: no such file"),
        (["x", "--json", "--sarif", "-"], "both want stdout"),
        (["--environment", "gone"], "`gone` is no Python environment"),
        (["x", "--gate", "ftp://a"], "is no address of a gate"),
        (["other==1.0", "--sarif", "no/such/folder"], "cannot write `no/such/folder`"),
    ],
)
def test_wrong_use_of_locks_and_reports_is_told(
    arguments: list[str], words: str, common: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["check", *arguments, *common]) == 2
    assert words in capsys.readouterr().err


def test_a_lock_that_pins_nothing_is_told(
    common: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "poetry.lock"
    path.write_text("package = []\n", encoding="utf-8")
    assert run(["check", str(path), *common]) == 0
    assert "(poetry) pins nothing" in capsys.readouterr().err
