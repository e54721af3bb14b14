"""Figures of two policies: what is counted for whom, and what is left open."""

from datetime import timedelta
from typing import Any

import pytest
from packaging.utils import canonicalize_name

from indexgate_policy.rules.became import Became, became
from indexgate_policy.rules.figures import Differences, Figures, Gained
from indexgate_policy.rules.replay import Ask, Tried
from indexgate_policy.rules.verdict import Action
from indexgate_policy.signals import Unknown
from tests.policy.rules.facts import DAY, NOW, malware, vulnerability

FINE = Became(fate="fine")
REFUSED = Tried(action=Action.REFUSE, rule="r")
PASSED = Tried(action=Action.ALLOW)
OPEN = Tried(action=None, rule="r", blind=("r",))
UNKNOWN = Unknown(reason="no page")


def bad(known_at: Any = NOW) -> Became:
    return Became(fate="malware", known_at=known_at)


def ask(days: float = 0, name: str = "demo", count: int = 1) -> Ask:
    return Ask(
        at=NOW - timedelta(days=days),
        index_id="i",
        project=canonicalize_name(name),
        version="1.0",
        filename=f"{name}-1.0.tar.gz",
        count=count,
    )


def counted(*told: tuple[Ask, Tried, Became]) -> Figures:
    figures = Figures(["r"])
    for one in told:
        figures.add(*one)
    return figures


def test_asks_are_counted_and_files_once() -> None:
    found = counted(
        (ask(3, count=5), REFUSED, FINE), (ask(2), REFUSED, FINE), (ask(1), PASSED, FINE)
    ).result()
    [rule] = found.rules
    assert (rule.refused, rule.files, rule.lost, rule.lost_files) == (6, 1, 6, 1)
    assert (found.refused, found.passed) == (6, 1)
    assert (found.lost_files.found, found.lost_files.of) == (1, 1)


def test_a_bad_file_is_kept_out_only_if_every_ask_was_refused() -> None:
    always = counted((ask(3), REFUSED, bad()), (ask(2), REFUSED, bad())).result()
    assert (always.caught_files.found, always.caught_files.of) == (1, 1)
    for other in (PASSED, OPEN):
        once = counted((ask(3), REFUSED, bad()), (ask(2), other, bad())).result()
        assert (once.caught_files.found, once.caught_files.of) == (0, 1)


def test_days_gained_are_from_the_first_refusal() -> None:
    found = counted(
        (ask(1, "a"), REFUSED, bad()),
        (ask(9, "a"), REFUSED, bad()),
        (ask(4, "b"), REFUSED, bad()),
        (ask(1, "late"), REFUSED, bad(NOW - 5 * DAY)),
        (ask(1, "undated"), REFUSED, bad(UNKNOWN)),
        (ask(1, "passed"), PASSED, bad()),
    ).result()
    expected = Gained(files=2, later=1, undated=1, least=4, middle=6.5, most=9)
    assert found.gained == found.rules[0].gained == expected


@pytest.mark.parametrize("fate", ["vulnerable", "yanked", UNKNOWN])
def test_what_is_neither_bad_nor_fine_counts_for_neither(fate: Any) -> None:
    found = counted((ask(), REFUSED, Became(fate=fate))).result()
    assert (found.caught_files.of, found.lost_files.of, found.rules[0].refused) == (0, 0, 1)


def test_what_is_open_is_counted_by_the_rule_that_is_blind() -> None:
    found = counted((ask(count=3), OPEN, FINE)).result()
    assert (found.not_judged, found.rules[0].not_judged, found.rules[0].refused) == (3, 3, 0)
    assert (found.lost_files.found, found.lost_files.of) == (0, 1)


def test_a_built_in_rule_is_told_too() -> None:
    found = counted((ask(), Tried(action=Action.REFUSE, rule="quarantined"), FINE)).result()
    assert [rule.rule for rule in found.rules] == ["r", "quarantined"]


def test_policies_part_where_one_refuses_and_the_other_is_known_not_to() -> None:
    differences = Differences()
    for name, draft, in_force, count in (
        ("same", REFUSED, REFUSED, 9),
        ("open", REFUSED, OPEN, 9),
        ("stricter", REFUSED, PASSED, 2),
        ("milder", PASSED, REFUSED, 3),
        ("stricter", REFUSED, PASSED, 4),
    ):
        differences.add(ask(name=name, count=count), draft, in_force, bad())
    found = [(one.project, one.draft_only, one.in_force_only) for one in differences.result()]
    assert found == [("stricter", 6, 0), ("milder", 0, 3)]


class TestBecame:
    @pytest.mark.parametrize(
        ("facts", "fate"),
        [
            ({}, "fine"),
            ({"yanked": True}, "yanked"),
            ({"advisories": [vulnerability(versions=("1.0",))], "yanked": True}, "vulnerable"),
            ({"listed": False}, "removed"),
            ({"status": "quarantined", "listed": False}, "quarantined"),
            ({"advisories": [malware(versions=("1.0",))], "listed": False}, "malware"),
            ({"advisories": [malware(versions=("2.0",))]}, "fine"),
        ],
    )
    def test_the_worst_is_told(self, facts: dict[str, Any], fate: str) -> None:
        assert told(**facts).fate == fate

    def test_without_a_page_nobody_can_tell(self) -> None:
        assert isinstance(told(listed=UNKNOWN, status=UNKNOWN).fate, Unknown)
        assert told(listed=UNKNOWN, status=UNKNOWN, advisories=[malware(versions=("1.0",))]).bad

    def test_malware_is_known_since_its_first_report(self) -> None:
        reports = [
            malware(id="M-1", versions=("1.0",), published=NOW - DAY),
            malware(id="M-2", versions=("1.0",), published=NOW - 3 * DAY),
            malware(id="M-3", versions=("1.0",)),
        ]
        assert told(advisories=reports).known_at == NOW - 3 * DAY


def told(**facts: Any) -> Became:
    usual: dict[str, Any] = {
        "listed": True,
        "status": "active",
        "yanked": False,
        "advisories": (),
        "events": (),
    }
    return became("1.0", **(usual | facts))
