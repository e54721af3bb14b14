"""`evidence`: what is entered by hand, what of it is refused, and where it is shown."""

import json
import os
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from indexgate.cli import evidence
from indexgate.cli.main import run
from indexgate.store.database import open_store
from indexgate.store.engines import STORE_FILE
from indexgate.store.evidence import KINDS
from tests.standins.packages import project, wheel
from tests.standins.upstream import Upstream

ADDED = ("--kind", "contact", "--text", "met the maintainer", "--on", "2026-01-20", "--by", "ann")


@pytest.fixture(autouse=True)
def _quiet(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)


@pytest.fixture
def place(tmp_path: Path) -> list[str]:
    return ["--state", str(tmp_path / "state"), "--upstream", "https://index.example.test/simple/"]


def enter(place: list[str], *changed: str, name: str = "Demo") -> int:
    return run(["evidence", "add", name, *ADDED, *changed, *place])


def listed(
    place: list[str], capsys: pytest.CaptureFixture[str], *names: str
) -> list[dict[str, Any]]:
    capsys.readouterr()
    assert run(["evidence", "list", *names, "--json", *place]) == 0
    return [json.loads(line) for line in capsys.readouterr().out.splitlines()]


def test_the_command_knows_the_kinds_that_the_store_knows() -> None:
    assert evidence.KINDS == KINDS


def test_an_entry_is_listed_with_its_day_and_author_until_it_is_removed(
    place: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert enter(place) == 0
    assert "Entered as 1: contact about demo, 2026-01-20, by ann" in capsys.readouterr().err
    [entry] = listed(place, capsys)
    assert entry.pop("entered_at")
    assert entry == {
        "id": 1,
        "project": "demo",
        "kind": "contact",
        "text": "met the maintainer",
        "day": "2026-01-20",
        "author": "ann",
    }
    assert run(["evidence", "remove", "1", *place]) == 0
    assert listed(place, capsys) == []


def test_the_table_shows_one_project_or_all(
    place: list[str], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "160")
    assert [enter(place), enter(place, "--text", "[red]loud", name="other")] == [0, 0]
    assert run(["evidence", "list", *place]) == 0
    told = capsys.readouterr().out
    assert "met the maintainer" in told
    assert "[red]loud" in told
    assert run(["evidence", "list", "DEMO", *place]) == 0
    assert "other" not in capsys.readouterr().out
    assert run(["evidence", "list", "nobody", *place]) == 0
    assert "Nothing was entered about nobody" in capsys.readouterr().err


def test_entries_about_another_index_are_not_shown(
    place: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert enter(place) == 0
    other = [*place[:2], "--upstream", "https://other.example.test/simple/"]
    assert listed(other, capsys) == []


def test_without_a_day_and_an_author_it_is_today_and_who_is_logged_in(
    place: list[str], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LOGNAME", "bo")
    before = datetime.now(UTC).date()
    assert run(["evidence", "add", "demo", "--kind", "talk", "--text", "a talk", *place]) == 0
    [entry] = listed(place, capsys)
    assert entry["author"] == "bo"
    assert before <= date.fromisoformat(entry["day"]) <= datetime.now(UTC).date()


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["--text", ""], "`--text` is not one line"),
        (["--text", "two\nlines"], "`--text` is not one line"),
        (["--text", "\x1b[31m"], "`--text` is not one line"),
        (["--text", "x" * 501], "`--text` is not one line of 1 to 500"),
        (["--by", " "], "`--by` is not one line"),
        (["--on", "yesterday"], "`yesterday` is not a date"),
        (["--on", str(datetime.now(UTC).date() + timedelta(days=2))], "is yet to come"),
        (["--kind", "rumour"], "rumour"),
    ],
)
def test_what_cannot_be_meant_is_an_error_and_nothing_is_entered(
    arguments: list[str], told: str, place: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert enter(place, *arguments) == 2
    assert told in capsys.readouterr().err
    assert listed(place, capsys) == []


def test_a_name_that_is_none_is_an_error(
    place: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert enter(place, name="no name") == 2
    assert "names no project" in capsys.readouterr().err


def test_numbers_are_removed_all_or_none(
    place: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert enter(place) == 0
    assert run(["evidence", "remove", "1", "7", "8", *place]) == 2
    assert "nothing was entered under 7, 8" in capsys.readouterr().err
    assert len(listed(place, capsys)) == 1


def test_it_may_be_entered_while_a_gate_holds_the_store(
    place: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "state").mkdir(mode=0o700)
    store = open_store(tmp_path / "state" / STORE_FILE, lambda: datetime.now(UTC))
    assert enter(place) == 0
    assert len(listed(place, capsys)) == 1
    store.close()


def test_explain_shows_it_at_once_as_entered_by_hand(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with Upstream(project("demo", wheel("demo", "1.0"))) as upstream:
        place = ["--state", str(tmp_path / "state"), "--upstream", upstream.url]
        shown = ["explain", "demo", *place, "--policy", "observe"]
        assert run(shown) == 0
        assert "entered by hand" not in capsys.readouterr().out
        assert enter(place) == 0
        assert run(shown) == 0
        told = " ".join(capsys.readouterr().out.split())
        assert "entered by hand: contact on 2026-01-20 by ann: met the maintainer" in told
        assert run(["evidence", "remove", "1", *place]) == 0
        assert run(shown) == 0
        assert "entered by hand" not in capsys.readouterr().out


def test_what_is_entered_of_several_indexes_is_about_the_one_that_has_the_name(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    tables = (
        '[[index]]\nname = "pypi"\nurl = "https://index.example.test/simple/"\npublic = "yes"\n'
        '[[index]]\nname = "acme"\nurl = "https://acme.example.test/simple/"\n'
        'namespaces = ["acme-*"]\n'
    )
    (tmp_path / "gate.toml").write_text(tables, encoding="utf-8")
    place = ["--state", str(tmp_path / "state"), "--config", str(tmp_path / "gate.toml")]
    enter(place, name="acme-lib")
    enter(place, name="demo")
    assert [entry["project"] for entry in listed([*place, "--index", "acme"], capsys)] == [
        "acme-lib"
    ]
    assert [entry["project"] for entry in listed(place, capsys)] == ["demo"]
    assert run(["evidence", "list", "--index", "acmee", *place]) == 2
    assert "Did you mean `acme`?" in capsys.readouterr().err
    alone = ["--state", str(tmp_path / "state"), "--upstream", "https://index.example.test/simple/"]
    assert run(["evidence", "list", "--index", "acme", *alone]) == 2
    assert "[[index]]" in capsys.readouterr().err
