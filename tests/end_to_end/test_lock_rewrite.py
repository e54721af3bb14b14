"""Locks that real clients make through the gate: rewritten there and back, and judged whole."""

import json
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.end_to_end.clients import NEWEST_UV, Outcome, Scratch, missing, program, write_project
from tests.end_to_end.gate import Gate, serving
from tests.standins.upstream import Upstream

pytestmark = pytest.mark.end_to_end

Locks = Callable[[Scratch, Gate], Outcome]


def uv_pylock(scratch: Scratch, gate: Gate) -> Outcome:
    write_project(scratch, dependencies=["app"])
    how = ("pyproject.toml", "--format", "pylock.toml", "-o", "pylock.toml")
    return NEWEST_UV.run(scratch, gate.url, "pip", "compile", *how)


def uv_requirements(scratch: Scratch, gate: Gate) -> Outcome:
    write_project(scratch, dependencies=["app"])
    how = ("--generate-hashes", "--emit-index-url", "-o", "requirements.txt")
    return NEWEST_UV.run(scratch, gate.url, "pip", "compile", "pyproject.toml", *how)


def pdm(scratch: Scratch, gate: Gate) -> Outcome:
    write_project(scratch, "[tool.pdm]\ndistribution = false\n", dependencies=["app"])
    command = (program("pdm-newest", "pdm"), "lock", "--strategy", "static_urls")
    return scratch.run(*command, PDM_PYPI_URL=gate.url)


def poetry(scratch: Scratch, gate: Gate) -> Outcome:
    source = f'[[tool.poetry.source]]\nname = "gate"\nurl = "{gate.url}"\n'
    tables = f"[tool.poetry]\npackage-mode = false\n\n{source}"
    write_project(scratch, tables, dependencies=["app"])
    return scratch.run(program("poetry-newest", "poetry"), "lock", "--no-interaction")


MADE: dict[str, tuple[Locks, str | None]] = {
    "pylock.toml": (uv_pylock, None),
    "requirements.txt": (uv_requirements, None),
    "pdm.lock": (pdm, missing("pdm-newest")),
    "poetry.lock": (poetry, missing("poetry-newest")),
}


@pytest.fixture
def gate(scratch: Scratch, upstream: Upstream, allowing: Path) -> Iterator[Gate]:
    with serving(
        state=scratch.folder / "state",
        policy=allowing,
        upstream=upstream.url,
        environment=scratch.environment(),
    ) as running:
        yield running


@pytest.mark.parametrize("name", MADE)
def test_a_lock_goes_there_and_back_and_every_entry_is_judged(
    name: str, gate: Gate, scratch: Scratch, upstream: Upstream, refusing: Path
) -> None:
    make, lacking = MADE[name]
    if lacking is not None:
        pytest.skip(lacking)
    made = make(scratch, gate)
    assert made.exit_code == 0, made.output
    lock = scratch.project / name
    settings = ("--state", scratch.folder / "state", "--upstream", upstream.url)

    def indexgate(*arguments: str | Path) -> Outcome:
        return scratch.run(sys.executable, "-m", "indexgate", *arguments, *settings)

    through = lock.read_bytes()
    assert gate.origin.encode() in through
    rewrite = ("lock", "rewrite", "--gate", gate.url, name)
    assert indexgate(*rewrite, "--check").exit_code == 1
    assert indexgate(*rewrite).exit_code == 0
    canonical = lock.read_bytes()
    assert gate.origin.encode() not in canonical
    assert upstream.origin.encode() in canonical
    how = ("check", name, "--policy", refusing, "--sarif", "out.sarif")
    judged = indexgate(*how)
    assert judged.exit_code == 1, judged.output  # demo 2.0 is new
    assert judged.says("1 pass, 1 refused"), judged.output
    log = json.loads((scratch.project / "out.sarif").read_text(encoding="utf-8"))
    [result] = [each for each in log["runs"][0]["results"] if each["ruleId"] == "too-new"]
    line = result["locations"][0]["physicalLocation"]["region"]["startLine"]
    assert "demo" in "".join(canonical.decode().splitlines()[line - 1 : line + 1])
    assert indexgate(*rewrite, "--to", "gate").exit_code == 0
    assert lock.read_bytes() == through
    judged = indexgate(*how, "--gate", gate.url)
    assert judged.says("1 pass, 1 refused"), judged.output
