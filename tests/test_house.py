"""What every tracked file keeps to: no registry's address, no machine's paths, honest names."""

import os
import re
import shutil
import socket
import subprocess
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from pypi_simple import PYPI_SIMPLE_ENDPOINT

from indexgate.cli.main import COMMANDS
from tests.conftest import LeftTheMachine

ROOT = Path(__file__).parents[1]

# Written in parts, since this file is held to the rule as well.
REGISTRIES = [
    str(urlsplit(PYPI_SIMPLE_ENDPOINT).hostname),
    "python" + "hosted.org",
    "npmjs" + ".org",
    "npmjs" + ".com",
    "crates" + ".io",
    "rubygems" + ".org",
    "maven" + ".org",
    "proxy.golang" + ".org",
    "anaconda" + ".org",
]
MACHINE_PATH = re.compile(r"(?<![\w.~$}-])/(?:work|root|tmp|home/[a-z]\w*)/\w")
FENCED = re.compile(r"^```(?:sh|bash|console|shell)\n(.*?)^```", re.MULTILINE | re.DOTALL)
SHOWN_COMMAND = re.compile(r"^\s*(?:\$ )?indexgate ([a-z][a-z-]*)", re.MULTILINE)
QUOTED_COMMAND = re.compile(r"`indexgate ([a-z][a-z-]*)")
EMPTY_NAMES = {"utils", "util", "helpers", "helper", "manager", "handler", "common", "misc"}


def _tracked() -> list[Path]:
    if shutil.which("git") is None or not (ROOT / ".git").exists():
        return []
    listed = subprocess.run(
        ["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    paths = [ROOT / name for name in listed.stdout.split("\0") if name]
    return [path for path in paths if path.is_file()]


def _texts() -> list[tuple[str, str]]:
    found = []
    for path in _tracked():
        try:
            found.append((path.relative_to(ROOT).as_posix(), path.read_text(encoding="utf-8")))
        except UnicodeDecodeError:
            continue
    return found


@pytest.fixture(scope="module")
def texts() -> list[tuple[str, str]]:
    if not (texts := _texts()):
        pytest.skip("not a checkout: nothing says which files are the project's")
    return texts


def test_no_registry_is_written_down(texts: list[tuple[str, str]]) -> None:
    assert [(name, host) for name, text in texts for host in REGISTRIES if host in text] == []


def test_no_path_of_one_machine_is_written_down(texts: list[tuple[str, str]]) -> None:
    found = [(name, match) for name, text in texts for match in MACHINE_PATH.findall(text)]
    assert found == []


def test_no_module_has_an_empty_name(texts: list[tuple[str, str]]) -> None:
    assert [name for name, _ in texts if Path(name).stem in EMPTY_NAMES] == []


def test_every_folder_of_tests_is_a_package() -> None:
    folders = {path.parent for path in (ROOT / "tests").rglob("*.py")}
    assert [str(folder) for folder in folders if not (folder / "__init__.py").exists()] == []


@pytest.mark.parametrize("script", ["run", "clients"])
def test_the_scripts_of_ci_can_be_run(script: str) -> None:
    assert os.access(ROOT / ".ci" / script, os.X_OK)


def test_the_readme_and_the_docs_show_only_commands_that_exist() -> None:
    shown: set[str] = set()
    for page in [ROOT / "README.md", *(ROOT / "docs").rglob("*.md")]:
        text = page.read_text(encoding="utf-8")
        shown.update(QUOTED_COMMAND.findall(text))
        for block in FENCED.findall(text):
            shown.update(SHOWN_COMMAND.findall(block))
    assert shown <= COMMANDS.keys()


def test_a_test_cannot_leave_the_machine() -> None:
    with socket.socket() as outside, pytest.raises(LeftTheMachine):
        outside.connect(("192.0.2.1", 9))
