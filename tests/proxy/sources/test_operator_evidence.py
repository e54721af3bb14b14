from datetime import UTC, date, datetime, timedelta

from packaging.utils import NormalizedName

from indexgate.sources import operator_evidence
from indexgate.store.evidence import KINDS, Evidence, EvidenceKind
from indexgate_policy.checks.milestone_gap import BY_HAND
from indexgate_policy.signal_table import BY_NAME

NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)


def entry(number: int = 1, kind: EvidenceKind = "contact") -> Evidence:
    return Evidence(
        id=number,
        project=NormalizedName("demo"),
        kind=kind,
        text=f"talked with them ({number})",
        day=date(2026, 11, 20),
        author="ann",
        entered_at=NOW + timedelta(minutes=number),
    )


def test_nothing_entered_is_no_signal() -> None:
    assert operator_evidence.signals([]) == ()


def test_an_entry_says_what_when_and_who_and_that_it_was_entered_by_hand() -> None:
    [signal] = operator_evidence.signals([entry()])
    assert signal.value == ("contact on 2026-11-20 by ann: talked with them (1)",)
    assert signal.source == "entered-by-hand"
    assert signal.name in BY_NAME


def test_of_many_entries_the_newest_are_told() -> None:
    [signal] = operator_evidence.signals([entry(number) for number in range(500)])
    assert isinstance(signal.value, tuple)
    assert len(signal.value) == operator_evidence.MOST
    assert signal.value[-1].endswith("(499)")
    assert signal.observed_at == NOW + timedelta(minutes=499)


def test_checks_can_count_each_kind_by_the_beginning_of_its_texts() -> None:
    [signal] = operator_evidence.signals([entry(kind=kind) for kind in KINDS])
    assert isinstance(signal.value, tuple)
    for kind in KINDS:
        assert sum(text.startswith(kind) for text in signal.value) == 1
    assert set(BY_HAND) <= set(KINDS)
