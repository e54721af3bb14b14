"""`exempt`: asking, granting, ending, grandfathering, and the report on what is dead."""

import json
import os
import shlex
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from indexgate.cli import exempt_book, exempt_grant
from indexgate.cli.main import run
from indexgate.granted_file import NAME, changed
from indexgate_policy.rules import granted
from tests.standins.packages import project, wheel
from tests.standins.upstream import Upstream

TODAY = datetime.now(UTC).date()
POLICY = """\
version = 1
max_exemption = "60d"

[[rule]]
id = "malware"
action = "refuse"
when = { advisory = "malware" }
unknown = "allow"

[[rule]]
id = "no-wheels"
action = "refuse"
when = { kind = "wheel" }

[[rule]]
id = "wary"
action = "warn"
when = { yanked = true }

[[exemption]]
project = "ours-*"
rule = "no-wheels"
reason = "our own"
owner = "team"
expires = 2020-01-31
id = "ours"
"""


@pytest.fixture(autouse=True)
def _quiet(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)


@pytest.fixture
def place(tmp_path: Path) -> list[str]:
    policy = tmp_path / "policy.toml"
    policy.write_text(POLICY)
    return ["--state", str(tmp_path / "state"), "--policy", str(policy)]


@pytest.fixture
def upstream() -> Iterator[Upstream]:
    with Upstream() as started:
        yield started


def said(capsys: pytest.CaptureFixture[str]) -> tuple[str, str]:
    captured = capsys.readouterr()
    return captured.out, captured.err


def ask(
    place: list[str],
    capsys: pytest.CaptureFixture[str],
    target: str = "Demo==2.0",
    *more: str,
    rule: str = "no-wheels",
) -> str:
    asked = ["exempt", "request", target, "--rule", rule, "--reason", "why", "--by", "ann"]
    assert run([*asked, *more, *place]) == 0
    out, _ = said(capsys)
    return out.strip()


def lines(
    command: str, place: list[str], capsys: pytest.CaptureFixture[str], *more: str
) -> list[dict[str, Any]]:
    capsys.readouterr()
    run(["exempt", command, "--json", *more, *place])
    return [json.loads(line) for line in capsys.readouterr().out.splitlines()]


def in_force(place: list[str]) -> granted.Granted:
    path = Path(place[1]) / NAME
    return granted.parse(path.read_bytes(), source="x")


def test_what_is_asked_for_waits_and_is_granted_by_its_id(
    place: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    id_ = ask(place, capsys, "Demo==2.0", "--for", "36h")
    [waiting] = lines("list", place, capsys)
    assert (waiting["id"], waiting["state"], waiting["asked_by"]) == (id_, "open", "ann")
    assert waiting["days"] == 2
    assert not (Path(place[1]) / NAME).exists()
    assert run(["exempt", "grant", id_, "--by", "bob", *place]) == 0
    out, err = said(capsys)
    assert out == f"{id_}\n"
    assert "in force on the next request" in err
    [made] = in_force(place).exemptions
    assert (made.id, made.written, str(made.version)) == (id_, "demo", "==2.0")
    assert (made.owner, made.reason, made.granted) == ("bob", "why", TODAY)
    assert made.expires - TODAY == timedelta(days=2)
    [entry] = lines("list", place, capsys)
    assert (entry["state"], entry["origin"], entry["by"]) == ("in force", "granted", "bob")


def test_an_id_is_shown_in_one_piece_however_narrow_the_terminal(
    place: list[str], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "60")
    id_ = ask(place, capsys, "a-project-of-a-longer-name==2026.11.22")
    assert run(["exempt", "list", *place]) == 0
    assert id_ in said(capsys)[0]


def test_who_asks_is_told_how_it_is_granted_at_this_gate(
    place: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["exempt", "request", "demo", "--rule", "wary", "--reason", "why", *place]) == 0
    id_, told = said(capsys)
    _, _, line = told.strip().partition("grants it: ")
    assert run(shlex.split(line)[1:]) == 0
    assert in_force(place).exemptions[0].id == id_.strip()


def test_a_rule_of_another_policy_is_told_with_the_flag_that_names_it(
    place: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    asked = ["exempt", "request", "demo", "--rule", "wary", "--reason", "why"]
    assert run([*asked, *place[:2]]) == 2
    assert "name it with `--policy`" in said(capsys)[1]


def test_the_same_is_asked_once_and_granted_again_in_its_place(
    place: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    id_ = ask(place, capsys)
    assert ask(place, capsys) == id_
    for span in ("3d", "5d"):
        assert run(["exempt", "grant", id_, "--for", span, *place]) == 0
    [made] = in_force(place).exemptions
    assert made.expires - TODAY == timedelta(days=5)


def test_what_nobody_asked_for_is_granted_by_name(
    place: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    given = ["internal-*", "demo>=1,<2", "--rule", "no-wheels", "--reason", "ours"]
    assert run(["exempt", "grant", *given, *place]) == 0
    assert [each.written for each in in_force(place).exemptions] == ["internal-*", "demo"]
    assert len(lines("list", place, capsys, "--all")) == 3


def test_a_request_is_refused_with_a_reason(
    place: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    id_ = ask(place, capsys)
    assert run(["exempt", "refuse", id_, "--reason", "take 2.1", "--by", "bob", *place]) == 0
    assert lines("list", place, capsys) == []
    [answered] = [each for each in lines("list", place, capsys, "--all") if each["id"] == id_]
    assert (answered["state"], answered["by"], answered["answer"]) == ("refused", "bob", "take 2.1")
    assert run(["exempt", "refuse", id_, "--reason", "again", *place]) == 2


def test_what_is_ended_is_gone_at_once(
    place: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    id_ = ask(place, capsys)
    run(["exempt", "grant", id_, *place])
    assert run(["exempt", "end", id_, *place]) == 0
    assert in_force(place).exemptions == ()
    assert run(["exempt", "end", id_, *place]) == 2


@pytest.mark.parametrize(
    "table",
    [
        '[[exemption]]\nproject = "Demo"\nversion = "==2"\nrule = "no-wheels"\n',
        '[[grandfather]]\npackages = ["demo==2.0", "b==1"]\nrule = ["no-wheels", "wary"]\n',
    ],
)
def test_what_was_written_by_hand_without_an_id_is_ended_by_the_one_that_is_shown(
    place: list[str], capsys: pytest.CaptureFixture[str], table: str
) -> None:
    ask(place, capsys)
    path = Path(place[1]) / NAME
    path.write_text(f'version = 1\n{table}reason = "x"\nowner = "ann"\nexpires = 2099-01-31\n')
    [shown] = [each["id"] for each in lines("list", place, capsys) if each["origin"] == "granted"]
    assert run(["exempt", "end", shown, *place]) == 0
    assert in_force(place).exemptions == ()


def test_when_there_is_no_room_for_more_grants_the_way_out_is_said(
    place: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    ask(place, capsys)
    path = Path(place[1]) / NAME
    packages = [f"a-project-with-some-name-{number}==1.0" for number in range(6_000)]
    with changed(path) as tables:
        base = {"rule": "no-wheels", "reason": "x", "owner": "a", "expires": TODAY}
        tables["grandfather"].append({"packages": packages, **base})
    before = path.read_bytes()
    more = ["--rule", "no-wheels", "--reason", "x" * 300, "--for", "3d"]
    many = [f"demo=={number}" for number in range(60)]
    assert run(["exempt", "grant", *many, *more, *place]) == 2
    assert "indexgate exempt report" in said(capsys)[1]
    assert path.read_bytes() == before


def test_what_the_policy_says_is_ended_in_the_policy(
    place: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["exempt", "end", "ours", *place]) == 2
    assert "stands in the policy" in said(capsys)[1]


@pytest.mark.parametrize(
    ("arguments", "reference", "hint"),
    [
        (["demo", "--rule", "no-wheel"], "exempt-rule", "Did you mean `no-wheels`?"),
        (["demo", "--rule", "quarantined"], "exempt-never", ""),
        (["demo", "--rule", "no-wheels", "--for", "61d"], "exempt-too-long", "--for 60d"),
        (["demo", "--rule", "no-wheels", "--for", "soon"], "exempt-span", "--for 14d"),
        (["demo==x.y.z", "--rule", "no-wheels"], "exempt-name", "Write `demo`"),
        (["-demo", "--rule", "no-wheels"], "usage", ""),
        (["de mo", "--rule", "no-wheels"], "exempt-name", "Write `demo`"),
        (["demo", "--rule", "malware"], "exempt-malware", "demo==2.0"),
        (["demo==2.*", "--rule", "malware"], "exempt-malware", ""),
        (["*==2.0", "--rule", "malware"], "exempt-malware", ""),
        (["demo", "--rule", "no-wheels", "--reason", "a\nb"], "exempt-text", ""),
    ],
)
@pytest.mark.parametrize("command", ["request", "grant"])
def test_what_cannot_be_waived_is_said_with_a_way_out(
    *,
    place: list[str],
    capsys: pytest.CaptureFixture[str],
    command: str,
    arguments: list[str],
    reference: str,
    hint: str,
) -> None:
    given = arguments if "--reason" in arguments else [*arguments, "--reason", "why"]
    assert run(["exempt", command, *given, *place]) == 2
    _, err = said(capsys)
    assert reference in err
    assert hint in err
    assert not (Path(place[1]) / NAME).exists()


def test_a_reason_is_needed(place: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["exempt", "request", "demo", "--rule", "no-wheels", *place]) == 2
    assert "--reason" in said(capsys)[1]


def test_of_several_one_that_is_unknown_keeps_all_from_being_granted(
    place: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    id_ = ask(place, capsys)
    assert run(["exempt", "grant", id_, "0badf00d", *place]) == 2
    assert not (Path(place[1]) / NAME).exists()


def test_malware_is_let_in_with_a_loud_warning(
    place: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    id_ = ask(place, capsys, rule="malware")
    assert run(["exempt", "grant", id_, *place]) == 0
    assert "WARNING" in said(capsys)[1]


def test_a_request_can_be_sent_as_the_table_that_the_policy_wants(
    place: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    table = ask(place, capsys, "demo==2.0", "--toml")
    assert table.startswith("[[exemption]]\n")
    [read] = granted.parse(f"version = 1\n{table}", source="x").exemptions
    assert (read.written, read.owner) == ("demo", "ann")
    assert lines("list", place, capsys) == []


def test_what_lock_files_hold_is_grandfathered(
    place: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    lock = tmp_path / "requirements.txt"
    lock.write_text("demo==1.0\nother[x]==2.0 --hash=sha256:" + 64 * "0" + "\nloose>=1\n")
    assert run(["exempt", "grandfather", str(lock), "--for", "30d", *place]) == 0
    out, _ = said(capsys)
    [made] = in_force(place).exemptions
    assert made.id == out.strip()
    assert {name for name, _ in made.packages or ()} == {"demo", "other"}
    assert made.rules == {"no-wheels"}
    assert made.spares_malware
    assert run(["exempt", "end", made.id, *place]) == 0
    said(capsys)
    assert run(["exempt", "grandfather", str(lock), "--toml", *place]) == 0
    assert said(capsys)[0].startswith("[[grandfather]]\n")
    assert in_force(place).exemptions == ()


def test_lock_files_that_cannot_be_read_or_pin_nothing_are_said(
    place: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["exempt", "grandfather", str(tmp_path / "none.lock"), *place]) == 2
    assert "cannot be read" in said(capsys)[1]
    (tmp_path / "requirements.txt").write_text("demo\n")
    assert run(["exempt", "grandfather", str(tmp_path / "requirements.txt"), *place]) == 2
    assert "pin nothing" in said(capsys)[1]


def test_a_broken_file_of_grants_is_not_written_over(
    place: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    id_ = ask(place, capsys)
    (Path(place[1]) / NAME).write_text("nonsense")
    assert run(["exempt", "grant", id_, *place]) == 2
    assert "Mend the file" in said(capsys)[1]
    assert (Path(place[1]) / NAME).read_text() == "nonsense"


def test_those_who_grant_at_once_do_not_undo_each_other(place: list[str]) -> None:
    given = {"state": place[1], "policy": place[3]}

    def grant(number: int) -> None:
        with exempt_book.opened(given, by="ann") as book:
            target = f"demo=={number}"
            wish = exempt_grant.wished(book, target, "no-wheels", "why", span="3d", team=None)
            assert list(exempt_grant.grant(book, [(None, wish)], lambda _text: None))

    grant(0)
    with ThreadPoolExecutor(8) as together:
        list(together.map(grant, range(1, 9)))
    assert len(in_force(place).exemptions) == 9


def test_the_report_names_what_is_dead(
    place: list[str], capsys: pytest.CaptureFixture[str], upstream: Upstream
) -> None:
    upstream.add(project("demo", wheel("demo", "2.0"), wheel("demo", "3.0")))
    upstream.add(project("plain", wheel("plain", "1.0")))
    asking = [*place, "--upstream", upstream.url]
    run(["exempt", "grant", "demo==2.0", "--rule", "no-wheels", "--reason", "x", *place])
    run(["exempt", "grant", "plain", "--rule", "wary", "--reason", "x", "--for", "5d", *place])
    with changed(Path(place[1]) / NAME) as tables:
        demo, plain = tables["exemption"]
        gone = {**demo, "id": "gone", "rule": "no-more", "granted": TODAY - timedelta(days=20)}
        tables["exemption"].append(gone)
    found = {(each["kind"], each["exemption"]["id"]) for each in lines("report", asking, capsys)}
    assert found == {
        ("over", "ours"),
        ("rule-gone", "gone"),
        ("unused", "gone"),
        ("ends-soon", str(plain["id"])),
        ("quiet", str(plain["id"])),
    }
    assert run(["exempt", "report", *asking]) == 0
    assert run(["exempt", "report", "--strict", *asking]) == 1


def test_there_is_nothing_to_report_of_what_is_needed(
    place: list[str], capsys: pytest.CaptureFixture[str], upstream: Upstream
) -> None:
    upstream.add(project("demo", wheel("demo", "2.0")))
    upstream.add(project("foo-bar", wheel("foo-bar", "1.0")))
    written = """[[exemption]]
project = "Foo_Bar"
rule = "no-wheels"
reason = "by hand"
owner = "ann"
expires = 2099-01-31
"""
    policy = Path(place[3])
    policy.write_text(
        POLICY.partition("[[exemption]]")[0].replace('max_exemption = "60d"', "") + written
    )
    run(["exempt", "grant", "demo==2.0", "--rule", "no-wheels", "--reason", "x", *place])
    asking = [*place, "--upstream", upstream.url]
    capsys.readouterr()
    assert run(["exempt", "report", "--strict", *asking]) == 0
    out, err = said(capsys)
    assert (out, err.splitlines()[-1]) == ("", "Nothing to do")


@pytest.fixture
def teams(place: list[str], tmp_path: Path) -> list[str]:
    """The flags of a gate that knows the teams `web` and `data`."""
    settings = tmp_path / "gate.toml"
    settings.write_text(
        '[[team]]\nname = "web"\nlabel = "web"\n[[team]]\nname = "data"\nlabel = "data"\n'
    )
    return [*place, "--config", str(settings)]


def test_an_exemption_is_asked_for_and_granted_for_one_team(
    teams: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    all_, web = ask(teams, capsys), ask(teams, capsys, "Demo==2.0", "--team", "web")
    assert all_ != web, "for another team is another request"
    assert [each["team"] for each in lines("list", teams, capsys)].count("web") == 1
    assert run(["exempt", "grant", web, *teams]) == 0
    assert f"Granted {web}: demo ==2.0 of the team web from" in said(capsys)[1]
    assert run(["exempt", "grant", all_, "--team", "data", *teams]) == 0
    assert {each.id: each.team for each in in_force(teams).exemptions} == {web: "web", all_: "data"}
    shown = {each["id"]: each["team"] for each in lines("list", teams, capsys)}
    assert shown == {web: "web", all_: "data"}
    run(["exempt", "list", *teams])
    assert "│ web " in said(capsys)[0]
    run(["exempt", "end", web, *teams])
    ended = {each["id"]: each for each in lines("list", teams, capsys, "--all")}[web]
    assert (ended["state"], ended["team"]) == ("ended", "web")


def test_the_table_that_is_sent_has_the_team(
    teams: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["request", "demo", "--rule", "wary", "--reason", "x", "--team", "web", "--toml"]
    assert run(["exempt", *words, *teams]) == 0
    [made] = granted.parse(f"version = 1\n{said(capsys)[0]}", source="x").exemptions
    assert made.team == "web"


@pytest.mark.parametrize("command", ["request", "grant"])
def test_a_team_that_the_settings_do_not_name_is_said(
    command: str, teams: list[str], place: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["exempt", command, "demo", "--rule", "wary", "--reason", "x", "--team", "wbe"]
    assert run([*words, *teams]) == 2
    assert "Did you mean `web`?" in said(capsys)[1]
    assert run([*words, *place]) == 2
    assert "no `[[team]]` of the settings names `wbe`" in said(capsys)[1]
    assert not (Path(place[1]) / NAME).exists()


def test_the_report_names_teams_that_are_gone_and_what_nothing_cuts_short(
    teams: list[str], capsys: pytest.CaptureFixture[str], upstream: Upstream
) -> None:
    upstream.add(project("demo", wheel("demo", "2.0")))
    words = ["exempt", "grant", "demo==2.0", "--rule", "no-wheels", "--reason", "x"]
    run([*words, "--team", "web", *teams])
    with changed(Path(teams[1]) / NAME) as tables:
        [web] = tables["exemption"]
        uncut = {**web, "id": "uncut", "expires": TODAY + timedelta(days=400)}
        del uncut["granted"]
        tables["exemption"] += [{**web, "id": "other", "team": "gone"}, uncut]
    asking = [*teams, "--upstream", upstream.url]
    found = {(each["kind"], each["exemption"]["id"]) for each in lines("report", asking, capsys)}
    assert found == {("over", "ours"), ("team-gone", "other"), ("uncapped", "uncut")}
