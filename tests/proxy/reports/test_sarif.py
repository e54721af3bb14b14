"""Findings as SARIF: what the schema demands, and what code scanning needs to show them."""

from pathlib import Path
from typing import Any

import pytest

from indexgate.checked import Check, Checked, CheckedFile, RuleTold
from indexgate.reports.finding import Finding, of_check, rules
from indexgate.reports.sarif import fingerprint, sarif
from indexgate_policy.rules.verdict import Action, Warned
from tests.proxy.cli.test_check import made

LEVELS = {"none", "note", "warning", "error"}


def row(action: Any, **facts: Any) -> Checked:
    return Checked(
        requirement="demo==2.0",
        project="demo",
        version="2.0",
        action=action,
        **{"place": "uv.lock:7", "path": "uv.lock", "line": 7, **facts},
    )


def check() -> Check:
    files = (
        CheckedFile(filename="a.whl", action=Action.ALLOW, line=8),
        CheckedFile(filename="b.whl", action="unlisted", rule="hash-differs", line=9),
    )
    return made(
        row("allow"),
        row("refuse", rule="too-new", reason="demo 2.0 is new", hint="Take 1.0"),
        row("unlisted", rule="hash-differs", reason="b.whl differs", files=files),
        row("warn", warnings=(Warned(rule="old", reason="demo==2.0 is old"),)),
        row("not judged", reason="it is a path", place="command line", path=None),
        row("failed", reason="upstream is down", place="standard input:3", path=None),
        row("skipped", reason="its marker does not hold"),
        ways_past=("`-i x` leads away",),
        rules=(
            RuleTold(id="too-new", action=Action.REFUSE, reason="", hint="Wait a week"),
            RuleTold(id="old", action=Action.WARN, reason="It is old"),
            RuleTold(id="unused", action=Action.WARN),
        ),
    )


def made_log(root: Path) -> dict[str, Any]:
    found = check()
    return sarif(of_check(found), rules(found.rules), version="1.2", root=root)


def test_what_the_schema_requires_is_there(tmp_path: Path) -> None:
    log = made_log(tmp_path)
    assert log["version"] == "2.1.0"
    assert log["$schema"].endswith("sarif-schema-2.1.0.json")
    [run] = log["runs"]
    driver = run["tool"]["driver"]
    assert (driver["name"], driver["version"]) == ("indexgate", "1.2")
    ids = [rule["id"] for rule in driver["rules"]]
    assert len(ids) == len(set(ids))
    for rule in driver["rules"]:
        assert rule["shortDescription"]["text"]
        assert rule["defaultConfiguration"]["level"] in LEVELS
        assert rule["help"]["text"]
    for result in run["results"]:
        assert result["message"]["text"]
        assert result["level"] in LEVELS
        assert ids[result["ruleIndex"]] == result["ruleId"]
        assert len(result["partialFingerprints"]["indexgate/v1"]) == 32
        for location in result.get("locations", ()):
            physical = location["physicalLocation"]
            assert physical["region"]["startLine"] >= 1
            assert not physical["artifactLocation"]["uri"].startswith("/")


def test_each_finding_has_its_rule_its_level_and_its_place(tmp_path: Path) -> None:
    results = made_log(tmp_path)["runs"][0]["results"]

    def place(result: dict[str, Any]) -> int | None:
        locations = result.get("locations")
        line: int = locations[0]["physicalLocation"]["region"]["startLine"] if locations else 0
        return line or None

    assert [(each["ruleId"], each["level"], place(each)) for each in results] == [
        ("too-new", "error", 7),
        ("hash-differs", "error", 9),
        ("old", "warning", 7),
        ("not-judged", "note", None),
        ("could-not-be-judged", "warning", None),
        ("past-the-gate", "warning", None),
    ]
    assert results[0]["message"]["text"] == "demo==2.0: demo 2.0 is new. Take 1.0"
    assert results[2]["message"]["text"] == "demo==2.0 is old"


def test_a_line_of_requirements_is_a_place_too() -> None:
    [found] = of_check(made(row("refuse", rule="r", place="a:b/r.txt:12", path=None)))
    assert (found.path, found.line) == ("a:b/r.txt", 12)


def test_only_rules_that_have_findings_are_described(tmp_path: Path) -> None:
    described = {each["id"] for each in made_log(tmp_path)["runs"][0]["tool"]["driver"]["rules"]}
    assert "unused" not in described
    assert {"too-new", "hash-differs"} <= described


def test_a_rule_that_nobody_described_is_named_all_the_same(tmp_path: Path) -> None:
    found = [Finding(rule="removed-upstream", level="error", message="gone")]
    [rule] = sarif(found, (), version="1", root=tmp_path)["runs"][0]["tool"]["driver"]["rules"]
    assert rule["id"] == "removed-upstream"
    assert "help" not in rule


@pytest.mark.parametrize(
    ("path", "uri"),
    [
        ("sub/uv.lock", "sub/uv.lock"),
        ("a b/uv.lock", "a%20b/uv.lock"),
    ],
)
def test_places_are_told_as_seen_from_the_repository(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, path: str, uri: str
) -> None:
    (tmp_path / "project").mkdir()
    monkeypatch.chdir(tmp_path / "project")
    found = [Finding(rule="r", level="error", message="m", path=path, line=2)]
    [result] = sarif(found, (), version="1", root=tmp_path)["runs"][0]["results"]
    artifact = result["locations"][0]["physicalLocation"]["artifactLocation"]
    assert artifact == {"uri": f"project/{uri}", "uriBaseId": "%SRCROOT%"}


def test_a_place_outside_the_repository_is_a_whole_address(tmp_path: Path) -> None:
    found = [Finding(rule="r", level="error", message="m", path=str(tmp_path / "uv.lock"))]
    [result] = sarif(found, (), version="1", root=tmp_path / "project")["runs"][0]["results"]
    artifact = result["locations"][0]["physicalLocation"]["artifactLocation"]
    assert artifact == {"uri": (tmp_path / "uv.lock").as_uri()}


def test_a_finding_is_the_same_when_its_line_moves_and_another_one_is_not() -> None:
    one = Finding(rule="r", level="error", message="m", project="a", version="1", line=1)
    moved = Finding(rule="r", level="error", message="n", project="a", version="1", line=9)
    other = Finding(rule="r", level="error", message="m", project="a", version="2", line=1)
    assert fingerprint(one) == fingerprint(moved) != fingerprint(other)
