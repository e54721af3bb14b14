"""The files of the service starters: read back, they say the same command; and they are valid."""

import plistlib
import shlex
import shutil
import subprocess
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from indexgate.errors import GateError
from indexgate.service import launchd, starter, systemd
from indexgate.service.starter import Answer, Command, Starter

COMMAND = ("/opt/a b/python", "-P", "-m", "indexgate", "serve", "--policy", "/x/%h $a\"b\\c'.toml")


def exec_start(unit: str) -> str:
    return next(line for line in unit.splitlines() if line.startswith("ExecStart="))[10:]


@given(st.lists(st.text(st.characters(exclude_categories=["C"]), min_size=1), min_size=1))
def test_a_unit_names_the_words_as_they_are(words: list[str]) -> None:
    line = exec_start(systemd.unit(words))
    # systemd's quotes are a shell's here, once its own two marks are taken back
    assert shlex.split(line.replace("$$", "\\$")) is not None
    read = [word.replace("%%", "%").replace("$$", "$") for word in shlex.split(line)]
    assert read == words


def test_the_unit_is_one_for_systemd(tmp_path: Path) -> None:
    if shutil.which("systemd-analyze") is None:
        pytest.skip("no systemd-analyze here")
    path = tmp_path / systemd.NAME
    python = shutil.which("python3") or "/bin/sh"
    path.write_text(systemd.unit([python, *COMMAND[1:]]), encoding="utf-8")
    done = subprocess.run(
        ["systemd-analyze", "verify", "--user", "--man=no", str(path)],
        env={"XDG_RUNTIME_DIR": str(tmp_path), "PATH": "/usr/bin:/bin"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_the_agent_of_launchd_says_the_same_command() -> None:
    agent = plistlib.loads(launchd.agent(COMMAND, Path("/x/log")).encode())
    assert agent["ProgramArguments"] == list(COMMAND)
    assert agent["RunAtLoad"] is True
    assert agent["KeepAlive"] == {"SuccessfulExit": False}


def on(platform: str, *, has: bool = True) -> Starter | None:
    return starter.starter(
        platform,
        config=Path("/u/config"),
        home=Path("/u"),
        state=Path("/state"),
        user=501,
        has=lambda _: has,
    )


@pytest.mark.parametrize(
    ("platform", "has", "path"),
    [
        ("linux", True, "/u/config/systemd/user/indexgate.service"),
        ("darwin", False, "/u/Library/LaunchAgents/indexgate.plist"),
        ("linux", False, None),
        ("win32", True, None),
    ],
)
def test_each_platform_has_its_manager(platform: str, has: bool, path: str | None) -> None:
    found = on(platform, has=has)
    assert (None if found is None else found.path.as_posix()) == path


def test_launchd_is_told_by_the_number_of_the_user() -> None:
    found = on("darwin")
    assert found is not None
    assert found.start[0][:3] == ("launchctl", "bootstrap", "gui/501")
    assert found.stop == (("launchctl", "bootout", "gui/501/indexgate"),)

    def runner(command: Command) -> Answer:
        assert command == ("launchctl", "print", "gui/501/indexgate")
        return Answer(code=0, output="state = running")

    assert starter.standing(found, 501, runner) == (True, True)


def test_what_fails_is_named_and_nothing_is_run_after_it() -> None:
    asked: list[Command] = []

    def runner(command: Command) -> Answer:
        asked.append(command)
        return Answer(code=1, output="no bus\nmore")

    with pytest.raises(GateError, match="daemon-reload` failed: no bus"):
        starter.run_all(systemd.INSTALL, runner)
    assert len(asked) == 1


def test_a_program_that_is_not_there_is_an_answer() -> None:
    assert starter.run(("indexgate-has-no-such-program",)).code == 127
