"""The image is built from what the wheel needs, and from nothing that lies beside it."""

import tomllib
from datetime import UTC, datetime
from pathlib import Path

import pytest

from indexgate_policy.rules import document

ROOT = Path(__file__).parents[2]


def _wanted_by_the_wheel() -> set[str]:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    packages = project["tool"]["hatch"]["build"]["targets"]["wheel"]["packages"]
    return {
        "pyproject.toml",
        project["project"]["readme"],
        *project["project"]["license-files"],
        *(package.partition("/")[0] for package in packages),
    }


def _let_in() -> set[str]:
    lines = (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines()
    assert "*" in lines
    return {line[1:] for line in lines if line.startswith("!")}


def _copied() -> set[str]:
    lines = (ROOT / "docker" / "Dockerfile").read_text(encoding="utf-8").splitlines()
    copies = [line.split()[1:-1] for line in lines if line.startswith("COPY ")]
    return {name for names in copies for name in names if not name.startswith(("-", "/"))}


def test_the_build_is_given_exactly_what_the_wheel_is_made_of() -> None:
    assert _let_in() == _wanted_by_the_wheel()


def test_the_build_copies_all_that_it_is_given() -> None:
    assert _copied() == _let_in()


@pytest.mark.parametrize("path", sorted((ROOT / "docker" / "policy").glob("*.toml")), ids=str)
def test_the_policy_to_start_from_can_be_used_as_it_is(path: Path) -> None:
    policy = document.parse(
        path.read_bytes(), source=path.name, now=datetime(2026, 1, 1, tzinfo=UTC)
    )
    assert policy.rules
    assert policy.notices == ()
