"""`indexgate doctor`: what is printed, with which exit code, and that the gate is looked for."""

import json
import os
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from indexgate import pip_settings
from indexgate.cli import doctor, doctor_forms
from indexgate.cli.main import run
from indexgate.doctor.finding import Advice, Command, Cure, Edit, Finding, Place, Variables
from indexgate.pip_settings import Places

GATE = "http://127.0.0.1:8503/simple/"
OTHER = "https://other.example.test/simple/"
FOREIGN = ("PIP_", "UV_", "PDM_", "POETRY_", "PIPENV_", "INDEXGATE_", "VIRTUAL_ENV", "CONDA_PREFIX")


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project of somebody with no settings at all; returns its folder."""
    for name in [each for each in os.environ if each.upper().startswith(FOREIGN)]:
        monkeypatch.delenv(name)
    for name in [each for each in os.environ if each.lower().endswith("_proxy")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.setenv("XDG_CONFIG_DIRS", str(tmp_path / "shared"))
    monkeypatch.setenv("INDEXGATE_STATE", str(tmp_path / "state"))
    monkeypatch.setenv("PATH", "")
    nothing = Places(system=(), user=(), site=(tmp_path / "pip.conf",))
    monkeypatch.setattr(pip_settings, "places", lambda: nothing)
    project = tmp_path / "project"
    project.mkdir()
    monkeypatch.chdir(project)
    return project


def _invoke(*arguments: str) -> Result:
    return CliRunner().invoke(doctor.command, arguments, standalone_mode=False)


def test_a_gate_that_is_not_there_is_an_error_and_makes_no_state(
    place: Path, unused_tcp_port: int
) -> None:
    result = _invoke("--json", "--port", str(unused_tcp_port))
    report = json.loads(result.stdout)
    assert [each["id"] for each in report["findings"]] == ["gate-not-running", "gate-other-port"]
    assert result.return_value == 1
    assert not (place.parent / "state").exists()


def test_a_gate_that_is_named_is_asked_how_it_is(place: Path, unused_tcp_port: int) -> None:
    result = _invoke("--json", "--gate", f"http://127.0.0.1:{unused_tcp_port}/")
    report = json.loads(result.stdout)
    assert [each["id"] for each in report["findings"]] == ["gate-not-running"]
    assert report["gate"] == f"http://127.0.0.1:{unused_tcp_port}/simple/"


@pytest.mark.parametrize(
    ("fail_on", "code"), [("error", 0), ("warning", 1), ("note", 1), ("never", 0)]
)
def test_the_exit_code_is_as_asked(
    place: Path, monkeypatch: pytest.MonkeyPatch, fail_on: str, code: int
) -> None:
    monkeypatch.setattr(doctor, "_of_gate", lambda *_args, **_more: ())
    (place / "requirements.txt").write_text("--no-index\n", encoding="utf-8")
    monkeypatch.setenv("PIP_INDEX_URL", GATE)
    assert _invoke("--fail-on", fail_on).return_value == code


def test_a_table_tells_where_it_stands_and_what_closes_it(
    place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(doctor, "_of_gate", lambda *_args, **_more: ())
    monkeypatch.setenv("COLUMNS", "200")
    monkeypatch.setenv("PIP_INDEX_URL", GATE)
    (place / "requirements.txt").write_text(f"demo\n-i {OTHER}\n", encoding="utf-8")
    result = _invoke()
    assert "requirements.txt:2" in result.stdout
    assert "take out line 2 of requirements.txt" in result.stdout
    assert "1 error, 0 warnings, 0 notes" in result.stdout
    (place / "requirements.txt").unlink()
    result = _invoke()
    assert result.stdout == f"no way round; the gate is {GATE}\n"
    assert result.return_value == 0


def test_json_has_what_a_program_needs_to_carry_it_out() -> None:
    place = Place(path=Path("a.toml"), line=2)
    cures: list[Cure] = [
        Edit(path=Path("a.toml"), first=2, last=2, text="x"),
        Variables(values=(("A", "b"), ("C", None))),
        Command(words=("uv", "lock")),
        Advice(text="think"),
    ]
    found = [
        Finding(id="uv-index", severity="error", client="uv", what="w", place=place, cure=cure)
        for cure in cures
    ]
    report = json.loads(doctor_forms.as_json(found, GATE))
    assert report["counts"] == {"error": 4, "warning": 0, "note": 0}
    assert [each["cure"] for each in report["findings"]] == [
        {"kind": "edit", "path": "a.toml", "first": 2, "last": 2, "text": "x"},
        {"kind": "variables", "values": {"A": "b", "C": None}},
        {"kind": "command", "words": ["uv", "lock"], "folder": None},
        {"kind": "advice"},
    ]
    assert report["findings"][0]["line"] == 2
    assert report["findings"][1]["advice"] == "export A=b; unset C"


def test_a_project_that_is_not_there_is_wrong_usage(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["doctor", "no-such-folder"]) == 2
    assert "no-such-folder" in capsys.readouterr().err
