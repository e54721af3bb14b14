"""`log`: the record as its reader sees it, also while a gate writes it."""

import io
import json
import os
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from packaging.utils import canonicalize_name
from rich.console import Console

from indexgate.cli import log
from indexgate.cli.log_table import print_table
from indexgate.cli.main import run
from indexgate.errors import GateError
from indexgate.store.database import Store, open_store
from indexgate.store.engines import STORE_FILE
from indexgate.store.records import Decision, Reason, Refusal, verdict_set

NOW = datetime.now(UTC)
RUN = "run-0123456789abcdef"


def refusal(**facts: Any) -> Refusal:
    usual: dict[str, Any] = {
        "at": NOW - timedelta(hours=1),
        "index_id": "i",
        "project": canonicalize_name("demo"),
        "version": "2.0",
        "filename": "demo-2.0-py3-none-any.whl",
        "rule": "too-new",
        "reason": "demo 2.0 was uploaded yesterday",
        "policy_digest": "p",
        "family": "pip",
    }
    return Refusal(**(usual | facts))


@pytest.fixture
async def store(tmp_path: Path) -> Store:
    """Return a store that stays open, as under a running gate, with a little in it."""
    opened = open_store(tmp_path / STORE_FILE, lambda: NOW)
    for some in (
        refusal(),
        refusal(project=canonicalize_name("other"), run=RUN, at=NOW - timedelta(hours=2)),
        refusal(rule="malware", at=NOW - timedelta(days=20)),
    ):
        await opened.decisions.refused(some)
    versions = tuple(f"1.{minor}" for minor in range(8))
    reasons = (Reason(rule="old", reason="demo is old", versions=versions),)
    page = verdict_set("i", canonicalize_name("demo"), "p", reasons)
    for _ in range(3):
        opened.decisions.noticed("withheld", page, run=None, family="uv", hour=NOW)
    assert await opened.decisions.flush()
    return opened


@pytest.fixture(autouse=True)
def _quiet(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PIP_CONFIG_FILE", "/dev/null")


@pytest.fixture
def place(store: Store, tmp_path: Path) -> Iterator[list[str]]:
    """Return the flag that names the folder of the open store."""
    yield ["--state", str(tmp_path)]
    store.close()


def rows(text: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in text.splitlines()]


@pytest.mark.parametrize(
    ("arguments", "found"),
    [
        ([], [("withheld", "old"), ("refused", "too-new"), ("refused", "too-new")]),
        (["--since", "30d", "--rule", "malware"], [("refused", "malware")]),
        (["--project", "Other"], [("refused", "too-new")]),
        (["--run", RUN], [("refused", "too-new")]),
        (["--since", "90m", "--project", "demo", "--rule", "too-new"], [("refused", "too-new")]),
        (["--limit", "1"], [("withheld", "old")]),
        (["--project", "nobody"], []),
    ],
)
def test_the_record_is_filtered_newest_first(
    arguments: list[str],
    found: list[tuple[str, str]],
    place: list[str],
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert run(["log", "--json", *arguments, *place]) == 0
    output = capsys.readouterr()
    shown = rows(output.out)
    assert [(row["kind"], row["rule"]) for row in shown] == found
    assert ("Nothing is recorded since" in output.err) is (not found)
    assert ("more than 1" in output.err) is ("--limit" in arguments)


def test_json_has_every_field_of_the_record(
    place: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["log", "--json", "--run", RUN, *place]) == 0
    [row] = rows(capsys.readouterr().out)
    assert row["project"] == "other"
    assert row["filename"] == "demo-2.0-py3-none-any.whl"
    assert row["versions"] == ["2.0"]
    assert datetime.fromisoformat(row["at"]) == NOW - timedelta(hours=2)
    assert (row["family"], row["run"], row["count"]) == ("pip", RUN, 1)


def test_the_table_has_the_reason(place: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["log", "--project", "demo", *place]) == 0
    text = " ".join(capsys.readouterr().out.split())
    assert "refused" in text
    assert "withheld x3" in text


def decision(**facts: Any) -> Decision:
    usual: dict[str, Any] = {
        "kind": "withheld", "at": NOW, "index_id": "i", "project": canonicalize_name("demo"),
        "versions": ("1", "2", "3", "4", "5", "6", "7"), "filename": None, "rule": "r",
        "reason": "why", "policy_digest": "p", "run": None, "family": "pip", "count": 2,
    }  # fmt: skip
    return Decision(**(usual | facts))


@pytest.mark.parametrize(
    ("facts", "words"),
    [
        ({}, "demo 1, 2, 3, 4, 5 and 2 more"),
        ({}, "withheld x2"),
        ({"run": RUN}, f"pip {RUN}"),
        ({"kind": "refused", "filename": "demo-1.whl", "count": 1}, "demo demo-1.whl"),
        ({"reason": "[red]\x1b[2J"}, "[red]\N{REPLACEMENT CHARACTER}[2J"),
    ],
)
def test_a_line_of_the_table(facts: dict[str, Any], words: str) -> None:
    stream = io.StringIO()
    print_table([decision(**facts)], Console(file=stream, width=200, highlight=False))
    assert words in stream.getvalue()
    assert "\x1b" not in stream.getvalue()


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("7d", datetime(2026, 11, 13, 12, tzinfo=UTC)),
        ("90m", datetime(2026, 11, 20, 10, 30, tzinfo=UTC)),
        ("2026-11-01", datetime(2026, 11, 1, tzinfo=UTC)),
        ("2026-11-01T06:00", datetime(2026, 11, 1, 6, tzinfo=UTC)),
        ("2026-11-01T06:00+02:00", datetime(2026, 11, 1, 4, tzinfo=UTC)),
        ("2026-11-01T06:00Z", datetime(2026, 11, 1, 6, tzinfo=UTC)),
    ],
)
def test_since_is_a_duration_or_a_date(text: str, meant: datetime) -> None:
    assert log.moment(text, datetime(2026, 11, 20, 12, tzinfo=UTC)) == meant


@pytest.mark.parametrize("text", ["", "yesterday", "7", "-7d", "2026-13-01", "9999999w", "\x1b[2J"])
def test_what_is_neither_is_told(text: str) -> None:
    with pytest.raises(GateError) as raised:
        log.moment(text, NOW)
    assert raised.value.reference == "since-invalid"
    assert raised.value.message.isprintable()


def test_without_a_store_the_place_is_named_and_nothing_is_made(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["log", "--state", str(tmp_path / "none")]) == 2
    output = capsys.readouterr()
    assert "error: store-missing" in output.err
    assert str(tmp_path / "none" / STORE_FILE) in output.err
    assert not (tmp_path / "none").exists()


def damaged(path: Path) -> None:
    path.write_bytes(b"this is no database, whatever its name says" * 100)


def empty(path: Path) -> None:
    path.touch()


def folder(path: Path) -> None:
    path.mkdir()


@pytest.mark.parametrize("make", [damaged, empty, folder])
def test_a_store_that_cannot_be_read_is_told_with_its_place(
    make: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    make(tmp_path / STORE_FILE)
    assert run(["log", "--state", str(tmp_path)]) == 2
    output = capsys.readouterr()
    assert "error: store-" in output.err
    assert str(tmp_path / STORE_FILE) in output.err
    assert "Traceback" not in output.err


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read every file")
def test_a_store_of_another_user_is_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / STORE_FILE).touch(mode=0)
    assert run(["log", "--state", str(tmp_path)]) == 2
    assert "store-unreachable" in capsys.readouterr().err
