"""`policy`: check, test, diff, explain and schema, as whoever writes policies meets them."""

import asyncio
import io
import json
import re
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pytest
from packaging.utils import canonicalize_name

from indexgate.cli import policy as group
from indexgate.cli.main import run
from indexgate.store.database import open_store
from indexgate.store.engines import STORE_FILE
from indexgate.store.records import Refusal
from indexgate.upstream_choice import index_id
from indexgate_policy import policies
from indexgate_policy.rules.lint import LINTS
from tests.proxy.web.running import TOO_NEW
from tests.standins.packages import project, wheel
from tests.standins.upstream import Upstream

ODD = TOO_NEW.replace('"allow"', '"warn"') + (
    '[[rule]]\nid = "newer"\naction = "warn"\nwhen = { release_age = { below = "1d" } }\n'
    'unknown = "allow"\n'
)
CASES = """\
[[case]]
name = "a day is too new"
release_age = "1d"
expect = "refuse"

[[case]]
name = "a week is not"
release_age = "7d"
expect = "warn"
rule = "too-new"
"""


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("PIP_CONFIG_FILE", "/dev/null")
    monkeypatch.chdir(tmp_path)
    (tmp_path / "p.toml").write_text(TOO_NEW, encoding="utf-8")
    (tmp_path / "odd.toml").write_text(ODD, encoding="utf-8")
    (tmp_path / "p.cases.toml").write_text(CASES, encoding="utf-8")
    return tmp_path


def told(capsys: pytest.CaptureFixture[str], *arguments: str, code: int = 0) -> Any:
    assert run(["policy", *arguments, "--json"]) == code
    return json.loads(capsys.readouterr().out)


def test_every_command_of_the_group_has_a_module() -> None:
    for name in group.COMMANDS:
        assert run(["policy", name, "--help"]) == 0


# check


def test_a_finding_is_a_line_that_editors_can_follow(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["policy", "check", "odd.toml"]) == 1
    output = capsys.readouterr()
    line = 1 + ODD[: ODD.rindex("[[rule]]")].count("\n")
    assert output.out.startswith(f"odd.toml:{line}:1: [never-fires] the rule `newer` can never")
    assert "    hint: " in output.out
    assert output.err == ""


def test_a_policy_that_is_sound_ends_with_0_and_nothing_on_stdout(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert run(["policy", "check"]) == 0
    output = capsys.readouterr()
    assert output.out == ""
    assert "`balanced`" in output.err


def test_what_is_ignored_is_not_told() -> None:
    assert run(["policy", "check", "odd.toml", "--ignore", "never-fires"]) == 0
    assert run(["policy", "check", "odd.toml", "--ignore", "no-such-lint"]) == 2


def test_a_broken_policy_is_told_with_line_and_column(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "broken.toml").write_text(TOO_NEW.replace("below", "blow"), encoding="utf-8")
    document = told(capsys, "check", "broken.toml", code=2)
    [row] = document["found"]
    assert (row["level"], row["id"]) == ("error", "policy-unknown-key")
    assert TOO_NEW.splitlines()[row["line"] - 1][row["column"] - 1 :].startswith("below")
    assert run(["policy", "check", "broken.toml"]) == 2
    assert capsys.readouterr().out.startswith(f"broken.toml:{row['line']}:{row['column']}: [")


def test_names_in_use_tell_which_exemptions_are_left_over(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    day = datetime.now(UTC).date() + timedelta(days=9)
    exemption = (
        '[[exemption]]\nproject = "demo"\nrule = "too-new"\nreason = "r"\nowner = "o"\n'
        f"expires = {day}\n"
    )
    (folder / "e.toml").write_text(TOO_NEW + exemption, encoding="utf-8")
    (folder / "r.txt").write_text("flask>=2\nrequests\n", encoding="utf-8")
    assert run(["policy", "check", "e.toml", "-r", "r.txt", "--project", "Demo"]) == 0
    capsys.readouterr()
    [row] = told(capsys, "check", "e.toml", "-r", "r.txt", code=1)["found"]
    assert row["id"] == "exemption-matches-none"


def test_the_lints_are_told(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["policy", "check", "--lints"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.partition(":")[0] for line in lines] == list(LINTS)


def test_a_policy_is_read_from_the_standard_input(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(ODD.encode())))
    assert run(["policy", "check", "-"]) == 1


# test


def test_a_case_that_differs_is_told_with_expected_and_got(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert run(["policy", "test", "p.toml"]) == 1
    output = capsys.readouterr().out
    assert "differs p.cases.toml:6: a week is not" in output
    assert re.search(r"expected: +warn by `too-new`\n +got: +allow", output)
    assert output.endswith("1 of 2 cases pass under `p.toml`\n")


@pytest.mark.parametrize("name", policies.NAMES)
def test_the_shipped_policies_pass_their_cases(name: str) -> None:
    assert run(["policy", "test", name]) == 0


def test_cases_are_chosen_by_name(capsys: pytest.CaptureFixture[str]) -> None:
    document = told(capsys, "test", "p.toml", "-k", "A Day")
    assert [row["name"] for row in document["results"]] == ["a day is too new"]
    assert document["results"][0]["got"]["rule"] == "too-new"
    assert run(["policy", "test", "p.toml", "-k", "nothing"]) == 2
    assert "no-cases" in capsys.readouterr().err


def test_cases_can_stand_elsewhere_and_a_missing_file_is_told(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["policy", "test", "odd.toml", "p.cases.toml", "p.cases.toml"]) == 1
    assert "2 of 4 cases pass" in capsys.readouterr().out
    assert run(["policy", "test", "odd.toml"]) == 2
    assert "odd.cases.toml" in capsys.readouterr().err


def test_a_rule_that_no_case_shows_is_noted(capsys: pytest.CaptureFixture[str]) -> None:
    run(["policy", "test", "odd.toml", "p.cases.toml"])
    assert "no case shows what these rules do: `evil-name`, `newer`" in capsys.readouterr().err


def test_results_are_written_as_ci_systems_read_them(folder: Path) -> None:
    assert run(["policy", "test", "p.toml", "--junit", "out.xml"]) == 1
    suite = ET.parse(folder / "out.xml").getroot()
    assert (suite.get("tests"), suite.get("failures")) == ("2", "1")
    [failure] = suite.findall("testcase/failure")
    assert failure.get("message") == "expected warn, got allow; expected the rule too-new, got none"
    assert run(["policy", "test", "p.toml", "--junit", "no/such/out.xml"]) == 2


def test_names_of_cases_can_neither_steer_the_terminal_nor_break_the_results(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    odd = '[[case]]\nname = "\\u0001\\u001b[31mred"\nexpect = "refuse"\nrule = "a\\u0007"\n'
    (folder / "odd.cases.toml").write_text(odd)
    assert run(["policy", "test", "p.toml", "odd.cases.toml", "--junit", "out.xml"]) == 1
    [case] = ET.parse(folder / "out.xml").getroot().findall("testcase")
    assert case.get("name") == "??[31mred"
    assert "\x07" not in capsys.readouterr().out


# explain


def test_a_rule_is_explained_with_the_text_that_a_case_shows(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert run(["policy", "explain", "too-new", "--policy", "p.toml"]) == 0
    output = " ".join(capsys.readouterr().out.split())
    assert "too-new (p.toml, line 3;" in output
    assert "Blocked by indexgate: demo 1.0 was uploaded" in output
    assert "[[exemption]]" in output


def test_a_rule_without_a_case_is_explained_all_the_same(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert told(capsys, "explain", "newer", "--policy", "odd.toml")["rule"] == "newer"


def test_a_rule_that_is_not_there_names_the_nearest(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["policy", "explain", "to-new", "--policy", "p.toml"]) == 2
    assert "Did you mean `too-new`?" in capsys.readouterr().err


# schema


def test_the_schema_is_json(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["policy", "schema"]) == 0
    assert json.loads(capsys.readouterr().out)["title"] == "A policy of indexgate"


# diff


def test_a_difference_is_told_with_its_direction(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["policy", "diff", "p.toml", "odd.toml"]) == 0
    output = capsys.readouterr().out
    assert "~ rule too-new changed (stricter)" in output
    assert "unknown: allow -> warn (stricter)" in output
    assert "+ rule newer added (stricter)" in output


def test_the_old_policy_is_the_one_in_force_unless_it_is_named(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("INDEXGATE_POLICY", "p.toml")
    document = told(capsys, "diff", "p.toml")
    assert document == {"old": "p.toml", "new": "p.toml", "changes": [], "verdicts": None}
    assert told(capsys, "diff", "odd.toml", "--exit-code", code=1)["old"] == "p.toml"


@pytest.fixture
def upstream() -> Iterator[Upstream]:
    fresh = datetime.now(UTC) - timedelta(hours=2)
    with Upstream(
        project("demo", wheel("demo", "1.0"), wheel("demo", "2.0", upload_time=fresh)),
        project("other", wheel("other", "1.0")),
    ) as server:
        yield server


@pytest.fixture
def common(upstream: Upstream, folder: Path) -> list[str]:
    return ["--upstream", upstream.url, "--state", str(folder / "s")]


def test_what_would_be_refused_is_told_of_names(
    common: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    names = ["--on", "demo==2.0", "--on", "other", "--on", "absent"]
    document = told(capsys, "diff", "observe", "p.toml", *names, *common)["verdicts"]
    assert document["judged"] == 3
    changes = {change["requirement"]: change for change in document["changes"]}
    assert changes["demo==2.0"]["turn"] == "refused anew"
    assert changes["demo==2.0"]["new"]["rules"] == ["too-new"]
    assert changes["absent"]["turn"] == "could not be judged"
    assert "other" not in changes
    assert run(["policy", "diff", "p.toml", "observe", *names, *common]) == 0
    assert "1 no longer refused" in capsys.readouterr().out


def test_a_range_that_moves_to_another_version_is_told(
    common: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    document = told(capsys, "diff", "observe", "p.toml", "--on", "demo", *common)["verdicts"]
    [change] = document["changes"]
    assert change["turn"] == "another version"
    assert (change["old"]["version"], change["new"]["version"]) == ("2.0", "1.0")
    assert change["new"]["passed_over"] == ["2.0"]
    assert run(["policy", "diff", "observe", "p.toml", "--on", "demo", *common]) == 0
    assert "2.0 refused" in " ".join(capsys.readouterr().out.replace("│", " ").split())


def test_a_lock_is_judged_by_both(
    common: list[str], folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "r.txt").write_text("demo==2.0\nother==1.0\n", encoding="utf-8")
    document = told(capsys, "diff", "observe", "p.toml", "--on", "r.txt", *common)["verdicts"]
    assert document["judged"] == 2
    assert document["counts"] == {"refused anew": 1}


async def _fill(place: Path, index: str) -> None:
    """Write a record: demo 2.0 was refused, other 1.0 served, and a version of another index."""
    now = datetime.now(UTC)
    place.parent.mkdir()
    store = open_store(place, lambda: now)
    for version, of_index in (("2.0", index), ("1.0", "another"), ("odd one", index)):
        await store.decisions.refused(
            Refusal(
                at=now - timedelta(days=1),
                index_id=of_index,
                project=canonicalize_name("demo"),
                version=version,
                filename="f",
                rule="r",
                reason="why",
                policy_digest="p",
                family="pip",
            )
        )
    other, before = canonicalize_name("other"), now - timedelta(days=2)
    store.served.count(index, other, "1.0", "f", family="pip", ci=False, at=before)
    assert await store.served.flush()
    store.close()


def test_what_was_asked_for_lately_is_judged_by_both(
    common: list[str], upstream: Upstream, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    asyncio.run(_fill(folder / "s" / STORE_FILE, index_id(upstream.url)))
    on = ["--on", "record", *common]
    document = told(capsys, "diff", "observe", "p.toml", *on)["verdicts"]
    assert document["judged"] == 2
    [change] = document["changes"]
    assert (change["project"], change["turn"]) == ("demo", "refused anew")
    late = told(capsys, "diff", "observe", "p.toml", "--since", "12h", *on)["verdicts"]
    assert late["judged"] == 0


def test_without_a_record_the_place_is_told(
    common: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["policy", "diff", "observe", "p.toml", "--on", "record", *common]) == 2
    assert "there is no store at" in capsys.readouterr().err
