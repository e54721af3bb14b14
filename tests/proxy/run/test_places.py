"""Where a project is asked for: the files that the command names, then those of the folder."""

from collections.abc import Sequence
from pathlib import Path

import pytest

from indexgate.run.places import Places

PYPROJECT = """\
[project]
# demo is asked for below
name = "consumer"
dependencies = [
    "Demo_Thing[extra]>=1",
    "demo-other",
]
"""


def places(folder: Path, command: Sequence[str] = ()) -> Places:
    return Places(folder, command, Path.read_bytes)


@pytest.mark.parametrize(
    ("project", "line"),
    [("demo-thing", 5), ("demo-other", 6), ("demo", None), ("thing", None), ("other", None)],
)
def test_a_project_is_found_however_its_name_is_spelt(
    tmp_path: Path, project: str, line: int | None
) -> None:
    (tmp_path / "pyproject.toml").write_text(PYPROJECT, encoding="utf-8")
    assert places(tmp_path).of(project) == (line and ("pyproject.toml", line))


@pytest.mark.parametrize(
    "command",
    [
        ["pip", "install", "-r", "needs.txt"],
        ["pip", "install", "-rneeds.txt"],
        ["pip", "install", "--requirement=needs.txt"],
        ["pip", "install", "-c", "needs.txt", "-r", "gone.txt"],
    ],
)
def test_the_files_of_the_command_come_first(tmp_path: Path, command: list[str]) -> None:
    (tmp_path / "needs.txt").write_text("# demo\nplain\ndemo==2.0\n", encoding="utf-8")
    (tmp_path / "requirements.txt").write_text("demo\n", encoding="utf-8")
    assert places(tmp_path, command).of("demo") == ("needs.txt", 3)
    assert places(tmp_path).of("demo") == ("requirements.txt", 1)


def test_a_dependency_of_a_dependency_stands_in_the_lock(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text(PYPROJECT, encoding="utf-8")
    (tmp_path / "uv.lock").write_text('version = 1\n[[package]]\nname = "deep"\n', encoding="utf-8")
    assert places(tmp_path).of("deep") == ("uv.lock", 3)


def test_what_cannot_be_read_is_passed_over(tmp_path: Path) -> None:
    (tmp_path / "requirements.txt").write_bytes(b"demo \xff")
    (tmp_path / "uv.lock").mkdir()
    assert places(tmp_path).of("demo") is None
