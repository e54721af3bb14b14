"""A record replayed: the figures are those that a plain count comes to."""

import json
import statistics
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from indexgate.cli.main import run
from indexgate.replay.kept_pages import KeptPages
from indexgate.replay.of_record import replay_record
from indexgate.replay.replayed import Replayed
from indexgate.replay.replaying import Replaying
from indexgate.store.engines import STORE_FILE, StoreFailed
from indexgate.store.past_alone import past_at
from indexgate.upstream_choice import UpstreamChoice
from indexgate_policy.rules import document
from indexgate_policy.rules.document import Policy
from indexgate_policy.rules.figures import PolicyFigures
from tests.proxy.replay.made import DAY, DAYS, INDEX, NOW, MadeAsk, MadeFile, fill, made


def policy(young: str) -> Policy:
    text = f"""\
version = 1

[[rule]]
id = "young"
action = "refuse"
when = {{ release_age = {{ below = "{young}" }} }}
unknown = "allow"

[[rule]]
id = "malware"
action = "refuse"
when = {{ advisory = "malware" }}
unknown = "allow"

[[rule]]
id = "lonely"
action = "warn"
when = {{ owners = {{ below = 2 }} }}
unknown = "allow"
"""
    return document.parse(text, source=young, now=NOW)


DRAFT, IN_FORCE = policy("7d"), policy("2d")


def replay(state: Path, *, since: datetime = NOW - DAYS * DAY, public: bool = True) -> Replayed:
    choice = UpstreamChoice(
        url="https://index.example.test/simple/", index_id=INDEX, public=public, origin="test"
    )
    with past_at(state / STORE_FILE, lambda: NOW) as kept:
        return replay_record(
            KeptPages(state / "pages", choice.all, kept),
            Replaying(DRAFT, IN_FORCE, "explain"),
            places=("draft", "in force"),
            since=since,
            now=NOW,
        )


@dataclass
class Counted:
    """What a plain count comes to. It knows nothing of how a replay works."""

    refused: dict[str, int] = field(default_factory=lambda: {"young": 0, "malware": 0})
    files: dict[str, set[str]] = field(default_factory=lambda: {"young": set(), "malware": set()})
    lost: int = 0
    lost_files: set[str] = field(default_factory=set)
    fine_files: set[str] = field(default_factory=set)
    bad_files: set[str] = field(default_factory=set)
    passed_bad: set[str] = field(default_factory=set)
    first_refused: dict[str, tuple[datetime, MadeFile]] = field(default_factory=dict)
    warned: int = 0
    passed: int = 0
    blind: int = 0


def count_by_hand(asks: list[MadeAsk], young: timedelta) -> Counted:
    found = Counted()
    for ask in asks:
        file = ask.file
        bad = file.reported is not None or file.removed
        (found.bad_files if bad else found.fine_files).add(file.filename)
        rule = None
        if ask.at < file.uploaded + young:
            rule = "young"
        elif file.reported is not None and file.reported <= ask.at:
            rule = "malware"
        if file.owners is None:
            found.blind += ask.count
        if rule is None:
            if bad:
                found.passed_bad.add(file.filename)
            if file.owners == 1:
                found.warned += ask.count
            else:
                found.passed += ask.count
            continue
        found.refused[rule] += ask.count
        found.files[rule].add(file.filename)
        if bad:
            found.first_refused.setdefault(file.filename, (ask.at, file))
        else:
            found.lost += ask.count
            found.lost_files.add(file.filename)
    return found


def agree(figures: PolicyFigures, asks: list[MadeAsk], young: timedelta) -> None:
    hand = count_by_hand(asks, young)
    rules = {rule.rule: rule for rule in figures.rules}
    assert figures.refused == sum(hand.refused.values())
    assert (figures.warned, figures.passed, figures.not_judged) == (hand.warned, hand.passed, 0)
    for rule in ("young", "malware"):
        assert rules[rule].refused == hand.refused[rule]
        assert rules[rule].files == len(hand.files[rule])
        assert rules[rule].bad == len(hand.files[rule] & hand.bad_files)
        assert rules[rule].lost_files == len(hand.files[rule] & hand.fine_files)
    assert rules["young"].lost + rules["malware"].lost == hand.lost
    assert rules["lonely"].not_judged == hand.blind
    caught, lost = figures.caught_files, figures.lost_files
    never_passed = hand.bad_files - hand.passed_bad
    assert (caught.found, caught.of) == (len(never_passed), len(hand.bad_files))
    assert (lost.found, lost.of) == (len(hand.lost_files), len(hand.fine_files))
    days = [
        (file.reported - at) / DAY
        for at, file in hand.first_refused.values()
        if file.reported is not None
    ]
    before = [one for one in days if one > 0]
    gained = figures.gained
    assert gained.files == len(before)
    assert gained.later == len(days) - len(before)
    assert gained.undated == len(hand.first_refused) - len(days)
    if before:
        told = (gained.least, gained.middle, gained.most)
        assert told == pytest.approx((min(before), statistics.median(before), max(before)))


@pytest.mark.parametrize(("asks", "projects", "seed"), [(50, 12, 7), (400, 30, 8)])
def test_the_figures_are_those_of_a_plain_count(
    tmp_path: Path, asks: int, projects: int, seed: int
) -> None:
    record = made(asks, projects, seed)
    fill(tmp_path, record, IN_FORCE.digest)
    replayed = replay(tmp_path)
    agree(replayed.draft.figures, record, timedelta(days=7))
    agree(replayed.in_force.figures, record, timedelta(days=2))
    assert replayed.asks == sum(ask.count for ask in record)
    assert replayed.files == len({ask.file.filename for ask in record})
    assert replayed.projects == len({ask.file.project for ask in record})
    # The record exercises all of it.
    assert replayed.draft.figures.gained.files
    assert replayed.draft.figures.lost_files.found
    assert replayed.basis.by_facts
    assert replayed.basis.by_page


def test_the_projects_that_change_are_told_most_asks_first(tmp_path: Path) -> None:
    record = made(200, 20)
    fill(tmp_path, record, IN_FORCE.digest)
    replayed = replay(tmp_path)
    expected: dict[str, int] = {}
    for ask in record:
        age = ask.at - ask.file.uploaded
        known = ask.file.reported is not None and ask.file.reported <= ask.at
        if timedelta(days=2) <= age < timedelta(days=7) and not known:
            expected[ask.file.project] = expected.get(ask.file.project, 0) + ask.count
    assert {one.project: one.draft_only for one in replayed.differences} == expected
    counts = [one.draft_only for one in replayed.differences]
    assert counts == sorted(counts, reverse=True)
    assert {one.in_force_only for one in replayed.differences} == {0}
    assert {one.rules for one in replayed.differences} == {("young",)}


def test_refusals_of_the_same_policy_are_compared_with_what_it_says_again(tmp_path: Path) -> None:
    record = made(100, 10)
    fill(tmp_path, record, IN_FORCE.digest)
    replayed = replay(tmp_path)
    refused = [ask for ask in record if ask.refused]
    again = sum(
        ask.at < ask.file.uploaded + timedelta(days=2)
        or (ask.file.reported is not None and ask.file.reported <= ask.at)
        for ask in refused
    )
    assert (replayed.agreement.again, replayed.agreement.of) == (again, len(refused))
    assert any("the replay refuses" in note for note in replayed.notes) is (again < len(refused))


def test_only_what_was_asked_for_since_is_replayed(tmp_path: Path) -> None:
    record = made(100, 10)
    fill(tmp_path, record, IN_FORCE.digest)
    since = NOW - 10 * DAY
    recent = [ask for ask in record if ask.at >= since]
    replayed = replay(tmp_path, since=since)
    assert replayed.asks == sum(ask.count for ask in recent)
    agree(replayed.draft.figures, recent, timedelta(days=7))


def test_without_a_page_upload_times_that_were_noted_hold_and_the_rest_is_not_judged(
    tmp_path: Path,
) -> None:
    record = made(60, 6)
    fill(tmp_path, record, IN_FORCE.digest)
    for page in (tmp_path / "pages" / INDEX).glob("*/*"):
        page.unlink()
    replayed = replay(tmp_path)
    assert replayed.basis.pageless == replayed.asks
    hand = count_by_hand(record, timedelta(days=7))
    assert replayed.draft.figures.refused == sum(hand.refused.values())
    assert replayed.draft.figures.lost_files.of == 0  # nobody can tell what is fine today
    assert any("no page of the project is kept" in note for note in replayed.notes)


def test_asks_of_an_index_that_is_not_configured_are_left_out_and_counted(tmp_path: Path) -> None:
    record = made(30, 5)
    fill(tmp_path, record, IN_FORCE.digest)
    with past_at(tmp_path / STORE_FILE, lambda: NOW) as kept:
        replayed = replay_record(
            KeptPages(tmp_path / "pages", (), kept),
            Replaying(DRAFT, IN_FORCE, "explain"),
            places=("draft", "in force"),
            since=NOW - DAYS * DAY,
            now=NOW,
        )
    assert replayed.asks == 0
    assert replayed.basis.left_out == sum(ask.count for ask in record)


def test_public_advisories_are_no_facts_of_a_private_index(tmp_path: Path) -> None:
    fill(tmp_path, made(60, 6), IN_FORCE.digest)
    rules = {rule.rule: rule for rule in replay(tmp_path, public=False).draft.figures.rules}
    assert rules["malware"].refused == 0


def test_a_store_that_is_not_there_is_not_made(tmp_path: Path) -> None:
    with pytest.raises(StoreFailed, match="no store"):
        replay(tmp_path)
    assert list(tmp_path.iterdir()) == []


class TestCommand:
    @pytest.fixture
    def arguments(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
        monkeypatch.setenv("PIP_CONFIG_FILE", "/dev/null")
        monkeypatch.chdir(tmp_path)
        draft = tmp_path / "draft.toml"
        draft.write_text(
            'version = 1\n[[rule]]\nid = "all"\naction = "refuse"\nwhen = { project = "*" }\n'
        )
        fill(tmp_path / "state", made(40, 5), IN_FORCE.digest)
        monkeypatch.setattr("indexgate.upstream_choice.index_id", lambda _url: INDEX)
        return [
            "replay",
            str(draft),
            "--state",
            str(tmp_path / "state"),
            "--upstream",
            "https://index.example.test/simple/",
            "--policy",
            "observe",
            "--last",
            "2026-01-01",
        ]

    def test_json_has_both_policies(
        self, arguments: list[str], capsys: pytest.CaptureFixture[str]
    ) -> None:
        assert run([*arguments, "--json"]) == 0
        told = json.loads(capsys.readouterr().out)
        assert told["source"] == "record"
        assert told["draft"]["figures"]["refused"] == told["asks"] > 0
        assert told["in_force"]["policy"] == "observe"
        assert told["in_force"]["figures"]["refused"] == 0

    def test_the_tables_name_policies_rules_and_projects(
        self, arguments: list[str], capsys: pytest.CaptureFixture[str]
    ) -> None:
        assert run(arguments) == 0
        output = capsys.readouterr()
        shown = " ".join(output.out.split())
        for text in ("asks refused", "good files lost", "rules of the draft", "project-1", "all"):
            assert text in shown

    @pytest.mark.parametrize(
        ("more", "error"),
        [
            (["--last", "soon"], "since-invalid"),
            (["--lock", "a", "--incidents", "b"], "usage"),
            (["--policy", "nowhere"], "policy-unreadable"),
        ],
    )
    def test_wrong_usage_is_told(
        self,
        arguments: list[str],
        more: list[str],
        error: str,
        capsys: pytest.CaptureFixture[str],
    ) -> None:
        assert run([*arguments, *more]) == 2
        assert error in capsys.readouterr().err
