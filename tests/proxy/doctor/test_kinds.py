"""The kinds of findings: every one is told, and the docs have the same table."""

from pathlib import Path

import indexgate.doctor
from indexgate.doctor import kinds

PAGE = Path(__file__).parents[3] / "docs" / "tasks" / "find-ways-round-the-gate.md"


def test_the_page_has_the_table_of_the_program() -> None:
    # If it has not: put what `python -m indexgate.doctor.kinds` prints under its last heading.
    table = PAGE.read_text(encoding="utf-8").partition("## Findings")[2]
    rows = [line for line in table.splitlines() if line.startswith("|")]
    assert rows == list(kinds.table())


def test_every_kind_is_found_by_something() -> None:
    folder = Path(indexgate.doctor.__file__).parent
    sources = [path.read_text(encoding="utf-8") for path in folder.glob("of_*.py")]
    sources.append((folder / "ways.py").read_text(encoding="utf-8"))
    unused = [name for name in kinds.KINDS if not any(f'"{name}"' in text for text in sources)]
    assert unused == []


def test_every_kind_is_described() -> None:
    assert all(kind.means and kind.client for kind in kinds.KINDS.values())
