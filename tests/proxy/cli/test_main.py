"""The command line as its user meets it: help, versions, mistakes, exit codes."""

import os
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

import click
import pytest

from indexgate.cli import main
from indexgate.cli.main import run
from indexgate.errors import GateError
from indexgate.settings_table import TABLE

DOCS = Path(__file__).parents[3] / "docs" / "reference"


def test_the_version_is_the_packages(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["--version"]) == 0
    assert capsys.readouterr().out == f"indexgate {version('indexgate')}\n"


@pytest.mark.parametrize("arguments", [["--version"], ["--help"], ["serve", "--help"]])
def test_asking_about_the_program_loads_no_heavy_library(arguments: list[str]) -> None:
    script = (
        "import sys; from indexgate.__main__ import main; main(sys.argv[1:])\n"
        "heavy = {'aiohttp', 'sqlalchemy', 'httpx', 'rich', 'pypi_simple', 'numpy'}\n"
        "print('loaded:', sorted(heavy & set(sys.modules)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", script, *arguments], capture_output=True, text=True, check=True
    )
    assert done.stdout.splitlines()[-1] == "loaded: []"


def test_the_module_can_be_run() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "indexgate", "srve"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 2
    assert done.stdout == ""
    assert done.stderr == (
        "error: usage\n  No such command `srve`. Did you mean `serve`?\n\n"
        "hint: See `indexgate --help`.\n"
    )


def test_without_a_command_the_help_is_shown_as_an_error(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert run([]) == 2
    output = capsys.readouterr()
    assert output.out == ""
    assert output.err.startswith("Usage: indexgate")
    assert all(name in output.err for name in main.COMMANDS)


def test_the_help_names_a_first_step(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["--help"]) == 0
    shown = " ".join(capsys.readouterr().out.split())
    assert "indexgate run -- pip install NAME" in shown
    assert "indexgate serve" in shown


def test_an_unknown_flag_names_the_nearest(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["serve", "--polciy", "strict"]) == 2
    assert "Did you mean `--policy`?" in capsys.readouterr().err


def test_a_wrong_setting_ends_with_its_error_and_hint(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["serve", "--port", "x"]) == 2
    assert capsys.readouterr().err == (
        "error: setting-invalid\n  flag `--port` is `x`\n\n"
        "hint: Allowed for `port`: a number from 0 to 65535 (0: any free port).\n"
    )


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (GateError("a-b", "it went wrong"), 2),
        (click.UsageError("bad"), 2),
        (click.ClickException("bad"), 2),
        (KeyboardInterrupt(), 130),
        (click.Abort(), 130),
    ],
)
def test_every_end_has_its_exit_code(
    error: BaseException, code: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_arguments: object, **_named: object) -> None:
        raise error

    monkeypatch.setattr(main.indexgate, "main", fail)
    assert run(["serve"]) == code
    assert code in main.EXIT_CODES


def test_a_fault_of_the_program_shows_where_it_is_and_is_no_refusal(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail(*_arguments: object, **_named: object) -> None:
        raise LookupError("nothing at https://me:hunter2@a.test/")

    monkeypatch.setattr(main.indexgate, "main", fail)
    assert run(["serve"]) == 2
    text = capsys.readouterr().err
    assert "Traceback" in text
    assert "error: fault\n" in text
    assert "hunter2" not in text


def test_a_reader_that_has_gone_gets_no_traceback() -> None:
    reader, writer = os.pipe()
    os.close(reader)
    with os.fdopen(writer, "wb") as output:
        done = subprocess.run(
            [sys.executable, "-m", "indexgate", "serve", "--help"],
            stdout=output,
            stderr=subprocess.PIPE,
            check=False,
        )
    assert (done.returncode, done.stderr) == (2, b"")


def test_every_setting_is_a_flag_of_serve(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["serve", "--help"]) == 0
    text = capsys.readouterr().out
    assert all((f"{setting.flag} " in text) != setting.secret for setting in TABLE)


def test_the_reference_page_is_what_the_program_says() -> None:
    # In a process of its own: click keeps what a command was first called under.
    made = subprocess.run(
        [sys.executable, "-m", "indexgate.cli.reference", "commands"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert (DOCS / "commands.md").read_text(encoding="utf-8") == made.stdout
