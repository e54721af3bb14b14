"""How a run is told at its end, and what exit code comes of it."""

import json
from pathlib import Path
from typing import Any

import pytest

from indexgate.cli.run_reports import FailOn, Telling, close, exit_code
from indexgate.errors import GateError
from indexgate.run.session import Ended
from indexgate.run.summary import Kind, Told


def told(kind: Kind) -> Told:
    return Told(kind=kind, project="demo", versions=("2.0",), rule="too-new", reason="it is new")


def ended(*kinds: Kind, code: int = 0, **more: str) -> Ended:
    return Ended(code=code, policy="balanced", things=tuple(map(told, kinds)), **more)


@pytest.mark.parametrize(
    ("kind", "fail_on", "code"),
    [
        ("refused", "never", 0),
        ("refused", "refuse", 1),
        ("withheld", "refuse", 0),
        ("withheld", "withheld", 1),
        ("refused", "withheld", 1),
        ("warned", "withheld", 0),
        ("warned", "warn", 1),
        ("refused", "warn", 1),
    ],
)
def test_a_command_that_ended_well_may_fail_for_what_was_told(
    kind: Kind, fail_on: FailOn, code: int
) -> None:
    assert exit_code(ended(kind), fail_on) == code
    assert exit_code(ended(), fail_on) == 0
    assert exit_code(ended(kind, code=7), fail_on) == 7


def test_a_run_of_which_nothing_is_known_does_not_pass_what_must_be_known() -> None:
    unknown = ended(untold="the gate is gone")
    assert exit_code(unknown, "refuse") == 2
    assert exit_code(unknown, "never") == 0


def telling(folder: Path, **changes: Any) -> tuple[Telling, list[str]]:
    lines: list[str] = []
    given: dict[str, Any] = {
        "command": ("pip", "install", "demo"),
        "form": "text",
        "system": None,
        "sarif": None,
        "flags": "",
        "environ": {},
        "folder": folder,
        "say": lines.append,
        "tell": lines.append,
        **changes,
    }
    return Telling(**given), lines


@pytest.mark.parametrize(
    ("form", "first"), [("text", "indexgate: 1 refused in this run"), ("json", '{"indexgate"')]
)
def test_outside_of_ci_the_summary_is_told_alone(tmp_path: Path, form: str, first: str) -> None:
    how, lines = telling(tmp_path, form=form)
    close(ended("refused"), how)
    [text] = lines
    assert text.startswith(first)


def test_none_tells_nothing(tmp_path: Path) -> None:
    how, lines = telling(tmp_path, form="none")
    close(ended("refused"), how)
    close(ended(untold="the gate is gone"), how)
    assert lines == []


def test_sarif_has_what_was_told_where_it_was_asked_for(tmp_path: Path) -> None:
    (tmp_path / "requirements.txt").write_text("demo\n", encoding="utf-8")
    how, _ = telling(tmp_path, sarif=str(tmp_path / "out.sarif"))
    close(ended("refused", "warned"), how)
    results = json.loads((tmp_path / "out.sarif").read_text(encoding="utf-8"))["runs"][0]["results"]
    assert [each["level"] for each in results] == ["error", "warning"]
    place = results[0]["locations"][0]["physicalLocation"]
    assert place["artifactLocation"]["uri"] == "requirements.txt"


def test_a_job_summary_is_put_after_what_is_there(tmp_path: Path) -> None:
    summary = tmp_path / "summary.md"
    summary.write_text("before\n", encoding="utf-8")
    environ = {"GITHUB_STEP_SUMMARY": str(summary)}
    how, lines = telling(tmp_path, system="github", environ=environ)
    close(ended("refused"), how)
    assert summary.read_text(encoding="utf-8").startswith("before\n### indexgate: 1 refused\n")
    assert lines[0].startswith("::error ")


def test_a_file_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    how, _ = telling(tmp_path, sarif=str(tmp_path / "gone" / "out.sarif"))
    with pytest.raises(GateError, match="cannot write"):
        close(ended(), how)
    environ = {"GITHUB_STEP_SUMMARY": str(tmp_path)}
    how, _ = telling(tmp_path, system="github", environ=environ)
    with pytest.raises(GateError, match="cannot write"):
        close(ended(), how)
