from indexgate.verdict_counts import MOST, OTHER, PASSED, VerdictCounts
from indexgate_policy.rules.verdict import ALLOWED, Action, Verdict, Warned


def test_a_file_counts_for_what_was_said_of_it() -> None:
    counts = VerdictCounts()
    counts.file(ALLOWED)
    counts.file(Verdict(action=Action.REFUSE, rule="malware"))
    warned = tuple(Warned(rule=rule, reason="so") for rule in ("old", "old", "odd"))
    counts.file(Verdict(action=Action.WARN, warnings=warned))
    assert counts.files == {
        PASSED: 1,
        (Action.REFUSE, "malware"): 1,
        (Action.WARN, "old"): 1,
        (Action.WARN, "odd"): 1,
    }


def test_a_policy_that_is_edited_for_ever_brings_no_end_of_rules() -> None:
    counts = VerdictCounts()
    for number in range(MOST + 50):
        counts.page([(Action.REFUSE, f"rule-{number}")])
    assert len(counts.pages) == MOST + 1
    assert counts.pages[Action.REFUSE, OTHER] == 50
